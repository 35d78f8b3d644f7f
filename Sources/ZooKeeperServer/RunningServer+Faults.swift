import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// What a server is at one moment, for a sandbox.
package struct ServerStatus: Hashable, Sendable {
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

/// Faults on request, for a sandbox.
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

  /// Holds the server still until `resume`; its connections stay, and fill.
  package func pause() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      guard pauseRequest.request() else { return continuation.resume() }
      loop.execute { [pauseRequest] in
        continuation.resume()
        pauseRequest.block()
      }
    }
  }

  /// Lets the server go on after `pause`.
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
