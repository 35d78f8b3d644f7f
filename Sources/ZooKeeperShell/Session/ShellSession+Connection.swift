import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

/// The session with the servers, which is opened when it is first needed, and again after its end.
extension ShellSession {
  /// The client of a session that is connected or being reconnected.
  ///
  /// - Throws: `ZooKeeperError` if no server accepts the client or an identity is refused.
  func connectedClient() async throws -> ZooKeeperClient {
    if let client, !isOver { return client }
    if mode == .script, client != nil, events.connection == .expired {
      // In the interactive shell, the user sees the event. A script must not continue as if its ephemeral znodes still
      // existed. `explained` then forgets the session, so that only this command fails.
      throw ZooKeeperError(.sessionExpired)
    }
    try await open(settings)
    return client!
  }

  /// Whether the present session can never be used again.
  private var isOver: Bool { [.expired, .authFailed, .closed].contains(events.connection) }

  /// Opens a session and makes it the present one; the previous one ends only if this succeeds.
  func open(_ settings: ShellSettings) async throws {
    if let mistake = settings.clusterMistake { throw mistake }
    let settings = try await withPassword(settings)
    try Descriptors.require(Descriptors.ofClient, for: "a session")
    let former = events.following
    let tls = try settings.tls.context()
    openCount += 1
    events.follow(.init(session: openCount))
    let opened = ZooKeeperClient(
      settings.clientConfiguration(mode: mode, tls: tls) { [events, number = openCount] in events.take($0, of: number) }
    )
    do {
      // Attempts time out by themselves, with a reason; the limit here only applies to waiting indefinitely. Kerberos
      // may wait for a KDC.
      let login: Duration = settings.sasl == nil ? .seconds(1) : .seconds(25)
      let patience: Duration = settings.waitsForConnection ? .zero : login
      try await opened.withTimeLimit(settings.connectTimeout + patience)
        .connected(failsFast: !settings.waitsForConnection)
      for identity in settings.identities {
        try await opened.withTimeLimit(settings.timeLimit)
          .addAuth(scheme: identity.scheme, auth: try await secret(of: identity))
      }
    } catch {
      await opened.close(limit: .milliseconds(500))
      events.follow(former)
      throw await explainedRefusal(error, tls)
    }
    await client?.close()
    client = opened
    self.tls = tls
    mayHold = false
    hasSeenChroot = false
    self.settings = settings
  }

  /// A new session in place of an expired one, without a time limit.
  func reopened(_ settings: ShellSettings) async throws -> ZooKeeperClient {
    var patient = self.settings
    patient.waitsForConnection = true
    while true {
      do {
        try await open(patient)
        return client!.withTimeLimit(settings.timeLimit)
      } catch {
        try Task.checkCancellation()
        guard ShellError(error).exitCode == .cannotConnect || ShellError(error).exitCode == .ensembleCannot
        else { throw error }
      }
    }
  }

  /// Explains why a server closed a connection at once: four-letter words show whether it has no quorum.
  private func explainedRefusal(_ error: any Error, _ tls: TLSContext?) async -> any Error {
    guard let failure = error as? ZooKeeperError, case .cannotConnect(let failures) = failure.code else { return error }
    for failure in failures where failure.reason == .closedWithoutAnswer {
      let answer = await FourLetterWord.ask("srvr", of: failure.address, tls: tls, limit: .seconds(1))
      guard let answer, answer.contains("not currently serving requests") else { continue }
      var explained = ShellError.cannotConnect(failures)
      explained.exitCode = .ensembleCannot
      explained.word = "NoQuorum"
      explained.message = "\(failure.address) is up but not serving: it has no quorum"
      explained.hint = "check the other servers; with -r reads may still work"
      return explained
    }
    return error
  }

  /// The settings with the password of SASL, which the user is asked for if it is not known.
  func withPassword(_ settings: ShellSettings) async throws(ShellError) -> ShellSettings {
    guard case .digest(let user, nil)? = settings.sasl?.mechanism else { return settings }
    let answer =
      if let reference = settings.sasl?.passwordReference {
        try await secret(from: reference)
      } else {
        try await values.secret(prompt: "password of \(user): ")
      }
    var settings = settings
    settings.sasl?.mechanism = .digest(user: user, password: try ShellSettings.password(answer, from: "the answer"))
    return settings
  }

  /// The secret of an identity, which the user is asked for if it was not given.
  func secret(of identity: ShellSettings.Identity) async throws(ShellError) -> [UInt8] {
    if let secret = identity.secret { return secret }
    if let reference = identity.reference {
      let secret = try await secret(from: reference)
      return identity.user.isEmpty ? secret : [UInt8]("\(identity.user):".utf8) + secret
    }
    let who = identity.user.isEmpty ? "user:password" : "password of \(identity.user)"
    let answer = try await values.secret(prompt: "\(identity.scheme) \(who): ")
    return identity.user.isEmpty ? answer : [UInt8]("\(identity.user):".utf8) + answer
  }

  /// The secret that the configuration file refers to. Warns if other users can read it.
  private func secret(from reference: SecretReference) async throws(ShellError) -> [UInt8] {
    let (secret, warning) = try await reference.read(environment)
    if let warning { try write(.warning(warning)) }
    return secret
  }
}

/// Requests of the interactive shell.
extension ShellSession {
  /// Opens the first session and reports a failure, which does not end the shell.
  func connectAtStart() async -> ExitCode {
    do {
      _ = try await connectedClient()
      return .success
    } catch {
      return report(ShellError(error))
    }
  }

  /// The names of a znode's children, or nil if no server answers within the limit.
  ///
  /// - Parameter elsewhere: another ensemble that the znode is on; nil for this session's ensemble.
  func childrenForCompletion(
    of path: String, _ elsewhere: Completer.Elsewhere?, limit: Duration
  ) async -> [String]? {
    switch elsewhere {
    case .label(let name): return await labelled[name]?.childrenForCompletion(of: path, nil, limit: limit)
    case .cluster(let name):
      guard let chosen = try? settings.using(cluster: Word(name), from: name, environment),
        chosen.clusterMistake == nil
      else { return nil }
      return await CompletionQuery.children(of: path, chosen, environment)
    case nil: break
    }
    let path = ZnodePath.resolve(path, in: directory)
    guard let client, [.syncConnected, .connectedReadOnly].contains(events.connection) else { return nil }
    return try? await client.withTimeLimit(limit).getChildren(path)
  }

  /// The connection and the working directory, for the prompt.
  var place: PromptState.Place {
    get async {
      let snapshot = await client?.snapshot()
      let isConnected = [.syncConnected, .connectedReadOnly].contains(events.connection)
      let server = isConnected ? snapshot?.server.map { "\($0)\(settings.connectString.chroot ?? "")" } : nil
      return PromptState.Place(
        servers: settings.connectString.description, server: server, directory: directory, cluster: settings.cluster,
        state: client == nil ? .closed : events.connection)
    }
  }

  /// Sets the lines for `history` and `redo`.
  func setHistory(_ entries: [HistoryEntry]) {
    if !settings.dialect.recordsLines { history = entries }
  }

  /// Writes the buffered output for stdout.
  func flushOutput() throws(ShellError) { try output.flush() }
}
