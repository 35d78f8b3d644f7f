/// Several Apache servers on loopback that form one ensemble; the members are stopped and started one by one.
public final class ApacheEnsemble: Sendable {
  /// In the order of their server ids, which are 1, 2, 3 …
  public let members: [ApacheServer]

  private init(members: [ApacheServer]) { self.members = members }

  /// Starts `size` servers and waits until all of them serve.
  ///
  /// `standaloneEnabled` and `reconfigEnabled` are the settings of the same name.
  ///
  /// - Throws: as `ApacheServer.start`.
  public static func start(
    size: Int = 3, _ configuration: ApacheConfiguration = ApacheConfiguration(), standaloneEnabled: Bool = true,
    reconfigEnabled: Bool = false
  ) async throws -> ApacheEnsemble {
    try await ApacheServer.retryingPortConflicts {
      let ports = try (0..<size).map { _ throws(TestKitError) in
        let (client, quorum) = (try LoopbackPorts.reserve(), try LoopbackPorts.reserve())
        return (client: client, quorum: quorum, election: try LoopbackPorts.reserve())
      }
      let peerLines = ports.enumerated().map { index, ports in
        "server.\(index + 1)=127.0.0.1:\(ports.quorum):\(ports.election):participant;127.0.0.1:\(ports.client)"
      }
      let limits = [
        "initLimit=20", "syncLimit=10", "standaloneEnabled=\(standaloneEnabled)", "reconfigEnabled=\(reconfigEnabled)",
      ]
      let members = try ports.enumerated().map { index, ports throws(TestKitError) in
        try ApacheServer(configuration, port: ports.client, peerLines: limits + peerLines, serverID: index + 1)
      }
      for member in members { try await member.launch() }
      for member in members { try await member.waitUntilServing() }
      return ApacheEnsemble(members: members)
    }
  }

  /// The one ensemble of three that tests share, started by the first of them; see `ApacheConfiguration.permissive`.
  ///
  /// A test that stops a member must start a separate ensemble.
  public static func shared() async throws -> ApacheEnsemble { try await sharedStart.value }

  /// It is not a child of the test that came first, whose cancellation must not end the others' servers.
  private static let sharedStart = Task { try await ApacheEnsemble.start(.permissive, reconfigEnabled: true) }

  /// Starts all members again, on their ports and data, and waits until they serve.
  public func restart() async throws {
    try await stop()
    for member in members { try await member.launch() }
    for member in members { try await member.waitUntilServing() }
  }

  /// The addresses of all members for clients, with commas between them.
  public var connectString: String { members.map(\.connectString).joined(separator: ",") }

  /// The index of the member that leads; nil while there is none.
  public var leaderIndex: Int? { members.firstIndex { $0.mode == "leader" } }

  /// Waits until some member leads, and returns its index.
  ///
  /// - Throws: `TestKitError.timedOut`.
  public func waitForLeader(within limit: Duration = .seconds(30)) async throws -> Int {
    try await eventually("election of a leader", within: limit, every: .milliseconds(20)) { leaderIndex }
  }

  /// Stops all members.
  public func stop() async throws {
    for member in members { try await member.stop() }
  }
}
