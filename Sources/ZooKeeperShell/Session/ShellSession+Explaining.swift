import ZooKeeperClient

/// Causes of a failure that its own message does not contain.
extension ShellSession {
  /// The error for the user, with its cause if that is the session or the chroot.
  func explained(_ error: any Error, _ settings: ShellSettings) async -> ShellError {
    let error = ShellError(error)
    if error.exitCode == .sessionLost, error.word == "SessionExpired" || events.connection == .expired {
      // Reported by this command only, and not by the next one again.
      if mode == .script { await forgetSession() }
      return error
    }
    if error.exitCode == .cannotConnect { return await explainingSilence(error) }
    if error.keeperError == .noNode, await lacksChroot(settings) {
      var error = error
      error.message = Self.missingChroot(self.settings)
      error.hint = "create -p creates it, or connect without it and create it there"
      return error
    }
    return error
  }

  /// Warns before a command that only reads or waits if the chroot does not exist.
  func warnOfMissingChroot(before invocation: Invocation, _ settings: ShellSettings) async throws {
    guard invocation.onlyLooks, await lacksChroot(settings) else { return }
    try write(.warning(Self.missingChroot(self.settings)), settings)
  }

  /// Warns after a command whose answer is no if the chroot does not exist.
  func warnOfMissingChroot(_ settings: ShellSettings) async throws {
    guard await lacksChroot(settings) else { return }
    try write(.warning(Self.missingChroot(self.settings)), settings)
  }

  /// Whether the chroot does not exist; the servers' own root always does.
  private func lacksChroot(_ settings: ShellSettings) async -> Bool {
    guard settings.dialect.mindsChroot, self.settings.connectString.chroot != nil, !hasSeenChroot, let client else {
      return false
    }
    do {
      hasSeenChroot = try await client.withTimeLimit(settings.timeLimit).exists("/") != nil
      return !hasSeenChroot
    } catch {
      // A failure to check does not mean that it is missing.
      return false
    }
  }

  private static func missingChroot(_ settings: ShellSettings) -> String {
    "the chroot \(settings.connectString.chroot ?? "/") of the connect string does not exist"
  }

  private func explainingSilence(_ error: ShellError) async -> ShellError {
    guard let snapshot = await client?.snapshot(), snapshot.isOverByTheClock else { return error }
    var error = error
    error.message +=
      "; no server has answered for longer than the session timeout of \(snapshot.timeoutMilliseconds) ms, so the"
      + " session may have expired with its ephemeral znodes; the first server that answers will report it"
    return error
  }

  /// Makes the next command open a new session.
  private func forgetSession() async {
    let former = client
    client = nil
    await former?.close()
  }
}

extension Invocation {
  /// Whether it reads znodes, or waits for them, without an error if they do not exist.
  var onlyLooks: Bool {
    guard case .recipe(let command) = spec.id else { return false }
    switch command {
    case .wait, .watch: return true
    case .lock: return flag(.list)
    case .elect: return flag(.observe) || flag(.list)
    case .barrier: return argument(0)?.text == "wait"
    case .group: return ["list", "watch"].contains(argument(0)?.text)
    case .queue: return ["list", "len", "peek"].contains(argument(0)?.text)
    case .rendezvous, .counter: return argument(0)?.text == "get"
    case .commit: return argument(0)?.text == "vote"
    case .id: return false
    }
  }
}
