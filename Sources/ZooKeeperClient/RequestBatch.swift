import ZooKeeperProtocol

/// Requests that are sent without waiting for each other, and their replies.
///
/// *Thread*: everything but `init` runs on the driver's loop.
final class Batch<Reply: Sendable>: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  private let driver: SessionDriver
  private let window: RequestWindow
  private let limit: Int64?
  private let decode: @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  private let requests: [ClientRequest]
  private let ids: [RequestID]
  @exclusivity(unchecked) private var results: [Result<Reply, ZooKeeperError>?]
  /// The number of the first request that has not been sent.
  @exclusivity(unchecked) private var next = 0
  @exclusivity(unchecked) private var missing: Int
  private var isCancelled = false
  /// Whether a connection was lost or a limit has passed, so that nothing more is sent.
  private var isBroken = false
  private var continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>?

  /// - Parameter limit: how long each request may take once it is sent, in milliseconds.
  init(
    _ requests: [ClientRequest], driver: SessionDriver, window: RequestWindow, limit: Int64?,
    decode: @escaping @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  ) {
    self.requests = requests
    self.driver = driver
    self.window = window
    self.limit = limit
    self.decode = decode
    ids = requests.map { _ in driver.nextRequestID() }
    results = Array(repeating: nil, count: requests.count)
    missing = requests.count
  }

  /// Begins to send the requests.
  func start() { window.add { [self] in sendNext() } }

  /// Passes all results on, as soon as there are all of them. Must be called once.
  func wait(_ continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>) {
    self.continuation = continuation
    resumeIfComplete()
  }

  /// Stops waiting for replies, and sends nothing more.
  func cancel() {
    guard !isCancelled else { return }
    isCancelled = true
    for id in ids[..<next] { driver.cancel(id) }
    failUnsent(.cancelled(outcomeUnknown: false))
  }

  /// Sends the next request; false if there is none.
  private func sendNext() -> Bool {
    guard next < requests.count else { return false }
    let index = next
    next += 1
    driver.submit(requests[index], id: ids[index], watch: nil, limit: limit) { [self] result in
      complete(index, result)
      if case .failure(let error) = result, !error.isAnswer, !isBroken, !isCancelled {
        isBroken = true
        failUnsent(.connectionLoss(outcomeUnknown: false))
      }
      window.release()
    }
    return true
  }

  private func failUnsent(_ code: ZooKeeperError.Code) {
    while next < requests.count {
      next += 1
      complete(next - 1, .failure(ZooKeeperError(code)))
    }
  }

  private func complete(_ index: Int, _ result: Result<[UInt8], ZooKeeperError>) {
    results[index] = result.flatMap { bytes in
      do throws(ZooKeeperError) { return .success(try decode(index, bytes)) } catch { return .failure(error) }
    }
    missing -= 1
    resumeIfComplete()
  }

  private func resumeIfComplete() {
    guard missing == 0, let continuation else { return }
    self.continuation = nil
    continuation.resume(returning: results.map { $0! })
  }
}

/// Requests that are being sent, and whose results are wanted later.
package struct BegunRequests<Reply: Sendable>: Sendable {
  private let batch: Batch<Reply>
  private let driver: SessionDriver
  private let count: Int
  /// The items of which no request could be made, by number.
  private let refusals: [Int: ZooKeeperError]

  /// - Parameter count: how many items there are, with those that were refused.
  init(_ batch: Batch<Reply>, _ driver: SessionDriver, count: Int, refusals: [Int: ZooKeeperError]) {
    self.batch = batch
    self.driver = driver
    self.count = count
    self.refusals = refusals
    driver.loop.execute { batch.start() }
  }

  /// Waits for the results of all items, in their order. Must be called once. If the task is cancelled, nothing more is
  /// sent.
  package func results() async -> [Result<Reply, ZooKeeperError>] {
    let replies = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        driver.loop.execute { [batch] in batch.wait(continuation) }
        // A task that was cancelled before this point has run its handler to no effect.
        if Task.isCancelled { cancel() }
      }
    } onCancel: {
      cancel()
    }
    guard !refusals.isEmpty else { return replies }
    var next = replies.startIndex
    return (0..<count).map { index in
      // There is no reply for what breaks a rule, because it was not sent.
      if let refusal = refusals[index] { return .failure(refusal) }
      defer { next += 1 }
      return replies[next]
    }
  }

  /// Sends nothing more, and has the requests that were sent fail with `cancelled`.
  package func cancel() { driver.loop.execute { [batch] in batch.cancel() } }
}

extension ZooKeeperError {
  /// Whether the failure is the server's answer to this request, so that others may well succeed.
  fileprivate var isAnswer: Bool {
    switch code {
    case .server, .rolledBack, .malformedReply, .requestTooLarge: true
    default: false
    }
  }
}
