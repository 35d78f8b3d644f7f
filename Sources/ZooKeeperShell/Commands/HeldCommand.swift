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

  /// Runs a command of the system's for as long as `hold` lasts.
  ///
  /// - Parameters:
  ///   - variables: what it finds in its environment besides ours.
  ///   - standardInput: what it reads; nil leaves it our stdin.
  ///   - isRevocable: whether it gets TERM when somebody asks to let go.
  /// - Returns: its exit code.
  /// - Throws: exit code 9 when the hold was lost; the command has ended by then.
  func runChild(
    _ words: [Word], variables: [String: String], standardInput: [UInt8]? = nil, holding hold: Hold?,
    isRevocable: Bool = false, _ client: ZooKeeperClient
  ) async throws -> ExitCode {
    guard !words.isEmpty else { throw ShellError.usage("nothing stands behind --", hint: invocation.spec.synopsis) }
    try flush()
    let grace = Duration.milliseconds(await client.snapshot().timeoutMilliseconds) / 6
    // Where there is no terminal to read from, signals reach all that the command starts.
    let child = try ChildProcess.start(
      words, variables: variables, standardInput: standardInput, ownsGroup: !ChildProcess.isInForeground)
    forwarder.setChild(child)
    defer { forwarder.setChild(nil) }
    // A task of its own: it ends when the child does, whatever becomes of ours.
    let ending = Task { await BlockingThread.run { child.wait() } ?? .localInputOutput }
    let end = try await firstEnd(of: hold, onRevocation: { if isRevocable { child.send(15) } }) {
      .child(await ending.value)
    }
    if case .child(let code) = end { return code }
    child.send(15)
    let killer = Task {
      try await Task.sleep(for: grace)
      child.send(9)
    }
    let code = await ending.value
    killer.cancel()
    if case .lost(let loss) = end { throw ShellError.lost(hold?.path ?? "", loss) }
    return code
  }

  /// Holds until stdin ends.
  ///
  /// - Throws: exit code 9 when the hold was lost.
  func holdUntilInputEnds(_ hold: Hold, isRevocable: Bool = false) async throws {
    let (revocations, revocation) = AsyncStream<Void>.makeStream()
    let end = try await firstEnd(of: hold, onRevocation: { if isRevocable { revocation.yield() } }) {
      await withTaskGroup(of: End.self) { group in
        group.addTask {
          let hasEnded = await BlockingThread.run {
            while let chunk = try? Files.readSome(0, name: "stdin"), !chunk.isEmpty {}
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
    of hold: Hold?, onRevocation: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () async -> End
  ) async throws -> End {
    let (ends, end) = AsyncStream<End>.makeStream()
    // Not a group: that would wait for a child that has to be ended first.
    let waiting = Task { end.yield(await body()) }
    let holding = Task {
      guard let hold else { return }
      do {
        end.yield(.lost(try await hold.loss(onRevocation: onRevocation)))
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
