import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// A consistent view of a server, for the owner of a local ensemble.
package struct ServerStatus: Hashable, Sendable {
  /// `standalone`, `leader`, `follower`, `observer` or `looking`.
  package var role: String
  /// Whether clients are served.
  package var isServing: Bool
  /// The last transaction that was applied, as text.
  package var zxid: String
  /// The number of sessions of the whole ensemble.
  package var sessionCount: Int
  /// The number of clients' connections to this server that have a session.
  package var connectionCount: Int
  /// The followers that a leader has brought up to date and hears from.
  package var syncedFollowers: [Int64]
}

/// The faults that the owner of a local ensemble can cause.
extension RunningServer {
  /// A consistent view of the server; nil while it is paused.
  package func status() async -> ServerStatus? {
    if pauseRequest.isActive { return nil }
    return try? await loop.submit { [self] in
      ServerStatus(
        role: parts.membership.roleName, isServing: parts.clients.served.isServing,
        zxid: "\(parts.membership.reportedZxid(parts.clients.served.core))",
        sessionCount: parts.clients.served.core.committedSessions.count,
        connectionCount: parts.clients.sessionConnectionCount,
        syncedFollowers: parts.membership.driver?.member.zab.syncedLearners.followers.map(\.rawValue) ?? [])
    }.get()
  }

  /// Blocks the server until `resume`. Its connections stay open, and nothing is read from them.
  package func pause() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      guard pauseRequest.request() else { return continuation.resume() }
      loop.execute { [pauseRequest] in
        continuation.resume()
        pauseRequest.block()
      }
    }
  }

  /// Lets the server continue after `pause`.
  package func resume() { pauseRequest.resume() }

  /// Blocks traffic with some members of the ensemble, and unblocks it with all others.
  ///
  /// A paused server does so as soon as it is resumed.
  package func sever(from members: Set<Int64>) async {
    let servers = Set(members.map(ServerID.init(rawValue:)))
    if pauseRequest.isActive { return loop.execute { [self] in parts.membership.driver?.sever(servers) } }
    try? await loop.submit { [self] in parts.membership.driver?.sever(servers) }.get()
  }
}
