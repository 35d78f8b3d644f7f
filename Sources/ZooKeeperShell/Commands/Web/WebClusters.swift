import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperWeb

/// The clusters that the page can show: the one of this run, and those of the configuration file.
enum WebClusters {
  /// - Returns: all of them, and the name of the one of this run, which comes first.
  static func make(
    _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output
  ) async throws -> (all: [WebCluster], current: String) {
    let asker = ShellSession(
      settings: settings, mode: .oneShot, environment: environment, output: output,
      values: DataArgumentReader(offersStdin: false, asksBeforeDestroying: false))
    let own = WebOpener(settings, asker)
    // A person is asked for passwords now, not when the page is opened.
    _ = try await own.complete()
    let file = try? ClusterFile.open(settings.origin.location, environment)
    let name = settings.cluster?.name ?? Self.name(for: settings, taken: file?.names ?? [])
    var all = [cluster(name, settings, own)]
    for other in file?.clusters ?? [] where other.name != name {
      guard let chosen = try? settings.using(cluster: Word(other.name), from: "web", environment),
        chosen.clusterMistake == nil
      else { continue }
      all.append(cluster(other.name, chosen, WebOpener(chosen, asker)))
    }
    return (all, name)
  }

  /// A name for servers that have none.
  private static func name(for settings: ShellSettings, taken: [String]) -> String {
    let isLocal = settings.origin.options[.local] != nil
    let base = isLocal ? "local" : settings.connectString.description
    return taken.contains(base) ? base + " (command line)" : base
  }

  /// A cluster as the page has it.
  static func cluster(_ name: String, _ settings: ShellSettings, _ opener: WebOpener) -> WebCluster {
    let tls = settings.tls
    var cluster = WebCluster(
      name: name, connectString: settings.connectString, tls: { try tls.context() },
      open: { watcher in try await opener.open(watcher) },
      openMember: { server, limit in try await opener.openMember(server, limit) })
    cluster.requestBytes = settings.maximumFrameBytes
    cluster.isProtected = settings.cluster?.isProtected ?? false
    cluster.isReadOnly = settings.cluster?.isReadOnly ?? false
    return cluster
  }
}

/// Opens sessions with one cluster, with its identities.
actor WebOpener {
  private let settings: ShellSettings
  /// Who asks a person for what is not known.
  private let asker: ShellSession
  private var completed: ShellSettings?

  init(_ settings: ShellSettings, _ asker: ShellSession) {
    self.settings = settings
    self.asker = asker
  }

  /// The settings with all secrets.
  func complete() async throws -> ShellSettings {
    if let completed { return completed }
    var complete = try await asker.withPassword(settings)
    for index in complete.identities.indices {
      complete.identities[index].secret = try await asker.secret(of: complete.identities[index])
      complete.identities[index].user = ""
    }
    completed = complete
    return complete
  }

  /// Opens a session for all who look at the cluster.
  func open(_ watcher: @escaping @Sendable (WatchEvent) -> Void) async throws -> ZooKeeperClient {
    var settings = try await complete()
    // A znode can have more children than fit into the largest request.
    settings.maximumFrameBytes = max(settings.maximumFrameBytes, WebCluster.replyBytes)
    let tls = try settings.tls.context()
    return try await connect(
      ZooKeeperClient(settings.clientConfiguration(mode: .interactive, tls: tls, defaultWatcher: watcher)), settings)
  }

  /// Opens a session with one server, at its own root.
  func openMember(_ server: ServerAddress, _ limit: Duration) async throws -> ZooKeeperClient {
    var settings = try await complete()
    let requiresTLS = settings.connectString.requiresTLS
    settings.connectString = ConnectString(servers: [server])
    settings.connectString.requiresTLS = requiresTLS
    settings.connectTimeout = limit
    let tls = try settings.tls.context()
    return try await connect(
      ZooKeeperClient(settings.clientConfiguration(mode: .oneShot, tls: tls) { _ in }), settings)
  }

  private func connect(_ client: ZooKeeperClient, _ settings: ShellSettings) async throws -> ZooKeeperClient {
    do {
      let login: Duration = settings.sasl == nil ? .seconds(1) : .seconds(25)
      try await client.withTimeLimit(settings.connectTimeout + login).connected()
      for identity in settings.identities {
        try await client.withTimeLimit(settings.timeLimit).addAuth(scheme: identity.scheme, auth: identity.secret ?? [])
      }
      return client.withTimeLimit(settings.timeLimit)
    } catch {
      await client.close(limit: .milliseconds(500))
      throw error
    }
  }
}
