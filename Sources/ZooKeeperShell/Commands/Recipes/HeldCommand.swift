import Platform
import Synchronization
import ZooKeeperClient
import ZooKeeperRecipes

/// Runs an external command, or waits for stdin to end, while a recipe holds something.
extension CommandContext {
  /// The reasons to release what is held.
  private enum End: Sendable {
    case child(ExitCode)
    case inputEnded
    case revoked
    case lost(Hold.Loss)
    /// ^C in the interactive shell, or a signal before there was a child process to forward it to.
    case cancelled
  }

  /// How an external command is run.
  struct ChildSettings: Sendable {
    var words: [Word]
    /// Variables to add to its environment.
    var variables: [String: String] = [:]
    /// Its standard input; nil to inherit ours.
    var standardInput: [UInt8]?
    /// Whether it gets SIGTERM when another process asks for a release.
    var isRevocable = false
    /// Whether signals are forwarded to it instead of cancelling our own work.
    var takesSignals = true
  }

  /// Runs an external command for as long as `hold` lasts.
  ///
  /// - Returns: its exit code.
  /// - Throws: exit code 9 if the hold was lost; the command has ended by then.
  func runChild(_ settings: ChildSettings, holding hold: Hold?, _ client: ZooKeeperClient) async throws -> ExitCode {
    guard !settings.words.isEmpty else {
      throw ShellError.usage("no command given after --", hint: "usage: \(invocation.spec.synopsis)")
    }
    try flush()
    let timeout = Duration.milliseconds(await client.snapshot().timeoutMilliseconds)
    let watchdog = ChildWatchdog.start()
    let safety = Mutex(hold.map { $0.lastConfirmed + timeout * 5 / 6 })
    let onProof: @Sendable (ContinuousClock.Instant) -> Void = { deadline in
      safety.withLock { $0 = deadline }
      // Slightly after our own deadline, and before the session can expire.
      watchdog?.extend(to: deadline + timeout / 24, grace: timeout / 8)
    }
    if let deadline = safety.withLock(\.self) { onProof(deadline) }
    defer { forwarder.setChild(nil) }
    // Without a terminal to read from, signals reach all processes that the command starts.
    let child = try ChildProcess.start(
      settings.words, variables: settings.variables, standardInput: settings.standardInput,
      ownsGroup: !ChildProcess.isInForeground, watchedBy: watchdog
    ) { if settings.takesSignals { forwarder.setChild($0) } }
    // An unstructured task, because it must wait for the child process even if ours is cancelled.
    let ending = Task { await BlockingThread.run { child.wait() } ?? .localInputOutput }
    defer { watchdog?.childExited() }
    let end = try await firstEnd(of: hold) {
      if settings.isRevocable { child.send(Signal.terminate) }
    } onProof: {
      onProof($0)
    } orWhen: {
      .child(await ending.value)
    }
    if case .child(let code) = end {
      // The watchdog may have ended it while this process was stopped.
      if let hold, let deadline = safety.withLock(\.self), deadline <= .now {
        throw ShellError.lost(hold.path, .unconfirmed)
      }
      return code
    }
    watchdog?.extend(to: .now + timeout / 6, grace: .zero)
    let code = await Self.end(child, grace: timeout / 6, ending)
    if case .lost(let loss) = end { throw ShellError.lost(hold?.path ?? "", loss) }
    return code
  }

  /// Ends a child process with SIGTERM, and with SIGKILL if it still runs after the grace period.
  private static func end(_ child: ChildProcess, grace: Duration, _ ending: Task<ExitCode, Never>) async -> ExitCode {
    child.send(Signal.terminate)
    let killer = Task {
      try await Task.sleep(for: grace)
      child.send(Signal.kill)
    }
    let code = await ending.value
    killer.cancel()
    return code
  }

  /// Holds until stdin ends.
  ///
  /// - Throws: exit code 9 if the hold was lost.
  func holdUntilInputEnds(_ hold: Hold, isRevocable: Bool = false) async throws {
    let (revocations, revocation) = AsyncStream<Void>.makeStream()
    let end = try await firstEnd(of: hold) {
      if isRevocable { revocation.yield() }
    } onProof: { _ in
    } orWhen: {
      await withTaskGroup(of: End.self) { group in
        group.addTask {
          let hasEnded = await BlockingThread.run {
            while let chunk = try? FileIO.readSome(0, name: "stdin"), !chunk.isEmpty {}
            return true
          }
          return hasEnded == nil ? .cancelled : .inputEnded
        }
        group.addTask {
          for await _ in revocations { return .revoked }
          return .cancelled
        }
        defer { group.cancelAll() }
        return await group.next() ?? .cancelled
      }
    }
    switch end {
    case .lost(let loss): throw ShellError.lost(hold.path, loss)
    case .cancelled: throw CancellationError()
    case .child, .inputEnded, .revoked: break
    }
  }

  /// Waits for the end of `body`, the loss of the hold or the cancellation of this task, whichever comes first.
  private func firstEnd(
    of hold: Hold?, onRevocation: @escaping @Sendable () -> Void,
    onProof: @escaping @Sendable (ContinuousClock.Instant) -> Void, orWhen body: @escaping @Sendable () async -> End
  ) async throws -> End {
    let (ends, end) = AsyncStream<End>.makeStream()
    // Not a task group, which would wait for a child process that must be ended first.
    let waiting = Task { end.yield(await body()) }
    let holding = Task {
      guard let hold else { return }
      do {
        end.yield(.lost(try await hold.loss(onRevocation: onRevocation, onProof: onProof)))
      } catch {
        guard !Task.isCancelled else { return }
        end.yield(.lost(.expired))
      }
    }
    defer {
      waiting.cancel()
      holding.cancel()
    }
    for await end in ends { return end }
    return .cancelled
  }
}
