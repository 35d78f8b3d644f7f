import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// What a server is at one moment, for a sandbox.
public struct NodeStatus: Hashable, Sendable {
  /// `standalone`, `leader`, `follower`, `observer` or `looking`.
  public var role: String
  /// Whether clients are served.
  public var isServing: Bool
  /// The last transaction that was applied, as text.
  public var zxid: String
  /// Sessions of the whole ensemble that are alive.
  public var sessionCount: Int
  /// Clients' connections to this server.
  public var connectionCount: Int
  /// The followers that a leader has brought up to date and hears from.
  public var syncedFollowers: [Int64]
}

/// Faults on request: what a sandbox does to its servers.
extension ServerNode {
  /// What the server is; nil while it is held still.
  public func status() async -> NodeStatus? {
    if brake.isHeld { return nil }
    return try? await loop.submit { [self] in
      NodeStatus(
        role: ensemble?.member.zab.role.word ?? "standalone", isServing: isServing,
        zxid: "\(reportedZxid)", sessionCount: core.committedSessions.count,
        connectionCount: handlers.values.count { $0.connection.sessionID != .none },
        syncedFollowers: ensemble?.member.zab.syncedLearners.followers.map(\.rawValue) ?? [])
    }.get()
  }

  /// Holds the server still until `resume`; its connections stay, and fill.
  public func pause() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      guard brake.pull() else { return continuation.resume() }
      loop.execute { [brake] in
        continuation.resume()
        brake.hold()
      }
    }
  }

  /// Lets the server go on after `pause`.
  public func resume() { brake.release() }

  /// Cuts the cables to some members of the ensemble, and mends those to all others.
  ///
  /// A server that is held still does it as soon as it goes on.
  public func sever(from members: Set<Int64>) async {
    let servers = Set(members.map(ServerID.init(rawValue:)))
    if brake.isHeld { return loop.execute { [self] in ensemble?.sever(servers) } }
    try? await loop.submit { [self] in ensemble?.sever(servers) }.get()
  }
}

extension ServerConfiguration {
  /// Where one member of an ensemble on this machine listens.
  public struct LocalMember: Hashable, Sendable {
    public var clientPort: Int
    public var quorumPort: Int
    public var electionPort: Int

    /// A member with these ports.
    public init(clientPort: Int, quorumPort: Int, electionPort: Int) {
      self.clientPort = clientPort
      self.quorumPort = quorumPort
      self.electionPort = electionPort
    }
  }

  /// Makes the server one of several on this machine's loopback interface.
  ///
  /// - Parameters:
  ///   - members: all of them; their ids are 1, 2, 3 …
  ///   - id: which of them this server is.
  public mutating func join(_ members: [LocalMember], as id: Int) {
    precondition(members.indices.contains(id - 1), "server \(id) is not among \(members.count)")
    let address = clientAddress ?? "127.0.0.1"
    let configuration = QuorumConfiguration(
      members: members.enumerated().map { index, member in
        QuorumConfiguration.Member(
          id: ServerID(rawValue: Int64(index + 1)),
          addresses: [
            .init(host: "127.0.0.1", quorumPort: member.quorumPort, electionPort: member.electionPort)
          ],
          client: HostAndPort(host: address, port: member.clientPort))
      })
    quorum = configuration
    clientPort = members[id - 1].clientPort
    var joined = Ensemble(serverID: ServerID(rawValue: Int64(id)), quorum: configuration)
    joined.tickTimeMilliseconds = tickTimeMilliseconds
    joined.times = quorumTimes
    joined.isReconfigEnabled = features.allowsReconfig
    ensemble = joined
  }
}
