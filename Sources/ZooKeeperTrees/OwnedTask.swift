/// A task that is cancelled when there is no reference to it left, and together with the task that waits for it.
final class OwnedTask<Success: Sendable, Failure: Error>: Sendable {
  private let task: Task<Success, Failure>

  init(_ task: Task<Success, Failure>) { self.task = task }

  deinit { task.cancel() }

  /// The result of the task, after its end.
  var result: Result<Success, Failure> {
    get async {
      await withTaskCancellationHandler {
        await task.result
      } onCancel: {
        task.cancel()
      }
    }
  }
}

extension OwnedTask where Failure == Never {
  var value: Success { get async { await result.get() } }
}

extension OwnedTask where Failure == any Error {
  var value: Success { get async throws { try await result.get() } }
}
