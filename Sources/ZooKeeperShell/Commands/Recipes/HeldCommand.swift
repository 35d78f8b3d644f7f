import Platform
import Synchronization
import ZooKeeperClient
import ZooKeeperRecipes

/// Running a command of the system's, or standing still, while something is held.
extension CommandContext {
  /// What ends the time in which something is held.
  private enum End: Sendable {
    case child(ExitCode)
    case inputEnded
    case revoked
    case lost(Hold.Loss)
    /// ^C in the interactive shell, or a signal before there was a child to pass it on to.
    case cancelled
  }

  /// How a command of the system's is run.
  struct ChildSettings: Sendable {
    var words: [Word]
    /// What it finds in its environment besides ours.
    var variables: [String: String] = [:]
    /// What it reads; nil leaves it our stdin.
    var standardInput: [UInt8]?
    /// Whether it gets SIGTERM when another process asks for a release.
    var isRevocable = false
    /// Whether signals to us are its concern, rather than the end of our own work.
    var takesSignals = true
  }

  /// Runs a command of the system's for as long as `hold` lasts.
  ///
  /// - Returns: its exit code.
  /// - Throws: exit code 9 when the hold was lost; the command has ended by then.
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
      // A little after our own deadline, and before the session can expire.
      watchdog?.extend(to: deadline + timeout / 24, grace: timeout / 8)
    }
    if let deadline = safety.withLock(\.self) { onProof(deadline) }
    defer { forwarder.setChild(nil) }
    // Where there is no terminal to read from, signals reach all that the command starts.
    let child = try ChildProcess.start(
      settings.words, variables: settings.variables, standardInput: settings.standardInput,
      ownsGroup: !ChildProcess.isInForeground, watchedBy: watchdog
    ) { if settings.takesSignals { forwarder.setChild($0) } }
    // An unstructured task: it ends when the child does, even if ours is cancelled.
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
      // The guard may have ended it, while this process was stopped.
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

  /// Ends a child: TERM, and KILL when it has not gone within the grace.
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
  /// - Throws: exit code 9 when the hold was lost.
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

  /// Waits for the first of: `body`, the loss of the hold, and the cancellation of this task.
  private func firstEnd(
    of hold: Hold?, onRevocation: @escaping @Sendable () -> Void,
    onProof: @escaping @Sendable (ContinuousClock.Instant) -> Void, orWhen body: @escaping @Sendable () async -> End
  ) async throws -> End {
    let (ends, end) = AsyncStream<End>.makeStream()
    // Not a group: that would wait for a child that has to be ended first.
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
