import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// What a server is at one moment, for a sandbox.
package struct NodeStatus: Hashable, Sendable {
  /// `standalone`, `leader`, `follower`, `observer` or `looking`.
  package var role: String
  /// Whether clients are served.
  package var isServing: Bool
  /// The last transaction that was applied, as text.
  package var zxid: String
  /// Sessions of the whole ensemble that are alive.
  package var sessionCount: Int
  /// Clients' connections to this server.
  package var connectionCount: Int
  /// The followers that a leader has brought up to date and hears from.
  package var syncedFollowers: [Int64]
}

/// Faults on request: what a sandbox does to its servers.
extension ServerNode {
  /// What the server is; nil while it is held still.
  package func status() async -> NodeStatus? {
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
  package func pause() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      guard brake.pull() else { return continuation.resume() }
      loop.execute { [brake] in
        continuation.resume()
        brake.hold()
      }
    }
  }

  /// Lets the server go on after `pause`.
  package func resume() { brake.release() }

  /// Cuts the cables to some members of the ensemble, and mends those to all others.
  ///
  /// A server that is held still does it as soon as it goes on.
  package func sever(from members: Set<Int64>) async {
    let servers = Set(members.map(ServerID.init(rawValue:)))
    if brake.isHeld { return loop.execute { [self] in ensemble?.sever(servers) } }
    try? await loop.submit { [self] in ensemble?.sever(servers) }.get()
  }
}

extension ServerConfiguration {
  /// Where one member of an ensemble on this machine listens.
  package struct LocalMember: Hashable, Sendable {
    package var clientPort: Int
    package var quorumPort: Int
    package var electionPort: Int

    /// A member with these ports.
    package init(clientPort: Int, quorumPort: Int, electionPort: Int) {
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
  package mutating func join(_ members: [LocalMember], as id: Int) {
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
