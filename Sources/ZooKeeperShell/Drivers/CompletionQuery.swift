import Platform
import TransportSecurity
import ZooKeeperClient

/// Answers bash, zsh and fish, which run `zkcli __complete --shell SHELL -- WORD...` to complete a command line.
enum CompletionQuery {
  /// The argument that selects this mode of the program.
  static let word = "__complete"

  /// The time limit: the user has pressed TAB and waits.
  static let limit = Duration.seconds(1)

  /// Writes the candidates for the last argument, one on each line; nothing if there are none or no server answers.
  static func answer(_ words: [Word], _ environment: ShellEnvironment, _ output: Output) -> ExitCode {
    var shell = CompletionScripts.Shell.bash
    var rest = words[...]
    if rest.first == "--shell" {
      shell = rest.dropFirst().first.flatMap { .init(rawValue: $0.text) } ?? shell
      rest = rest.dropFirst(2)
    }
    if rest.first == "--" { rest = rest.dropFirst() }
    let plan = Completer.plan(words: [Word](rest))
    var children: [String] = []
    if let parent = plan.parent,
      let settings = settings([Word](rest.dropLast()), plan.elsewhere, environment), settings.clusterMistake == nil
    {
      let gate = Gate<[String]>()
      Task { gate.open(await Self.children(of: parent, settings, environment)) }
      children = gate.wait()
    }
    if plan.parent == nil {
      children = Completer.localNames(for: plan, path: environment.value("PATH")) {
        let option = ProgramOptions.parse([Word](rest.dropLast())).value(.config)
        let file = try? ClusterFile.open(ClusterFile.Location(option, environment), environment)
        return file?.names ?? []
      }
    }
    let candidates = plan.candidates(children: children)
    try? output.write(.out(CompletionScripts.answer(candidates, for: shell)))
    try? output.flush()
    return .success
  }

  /// The settings for the ensemble whose znodes are needed; nil if the command line does not name one.
  private static func settings(
    _ words: [Word], _ elsewhere: Completer.Elsewhere?, _ environment: ShellEnvironment
  ) -> ShellSettings? {
    let settings = CommandLine.settings(ofUnfinished: words, environment)
    guard case .cluster(let name)? = elsewhere else { return settings }
    return try? settings?.using(cluster: Word(name), from: name, environment)
  }

  /// The names of a znode's children, from a session that is opened for this purpose; empty if that fails.
  static func children(
    of path: String, _ settings: ShellSettings, _ environment: ShellEnvironment
  ) async -> [String] {
    let tls: TLSContext?
    do throws(ShellError) { tls = try settings.tls.context() } catch { return [] }
    var configuration = settings.clientConfiguration(mode: .oneShot, tls: tls) { _ in }
    configuration.connectTimeout = limit
    let client = ZooKeeperClient(configuration).withTimeLimit(limit)
    do {
      try await client.connected()
      for identity in settings.identities {
        guard let secret = try await Self.secret(of: identity, environment) else { continue }
        try await client.addAuth(scheme: identity.scheme, auth: secret)
      }
      let children = try await client.getChildren(path)
      await client.close(limit: .milliseconds(200))
      return children
    } catch {
      await client.close(limit: .milliseconds(200))
      return []
    }
  }

  /// The secret of an identity, if it is available without a question or a command.
  private static func secret(
    of identity: ShellSettings.Identity, _ environment: ShellEnvironment
  ) async throws(ShellError) -> [UInt8]? {
    switch identity.reference {
    case nil: return identity.secret
    case .command?: return nil
    case .file(_)?, .variable(_)?:
      guard let secret = try await identity.reference?.read(environment).secret else { return nil }
      return identity.user.isEmpty ? secret : [UInt8]("\(identity.user):".utf8) + secret
    }
  }
}
