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
  /// The members with a vote, by the configuration that the server uses; empty for a standalone server.
  package var voters: Set<Int64>
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
        syncedFollowers: parts.membership.driver?.member.zab.syncedLearners.followers.map(\.rawValue) ?? [],
        voters: Set(parts.membership.driver?.member.zab.configuration.voters.map(\.rawValue) ?? []))
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

  /// Has these faults from now on, and no others.
  ///
  /// A paused server does so as soon as it is resumed.
  package func apply(_ faults: ServerFaults) async {
    if pauseRequest.isActive { return loop.execute { [self] in parts.apply(faults) } }
    try? await loop.submit { [self] in parts.apply(faults) }.get()
  }

  /// Has a function called, on the event loop, with the messages that the server sends to others and receives.
  ///
  /// - Parameter onEvent: nil ends it.
  package func trace(_ onEvent: (@Sendable (TracedEvent) -> Void)?) async {
    if pauseRequest.isActive { return loop.execute { [self] in parts.membership.driver?.tap.onEvent = onEvent } }
    try? await loop.submit { [self] in parts.membership.driver?.tap.onEvent = onEvent }.get()
  }

  /// Ends a session as if its client had been silent for its timeout. Only a leader or a standalone server can.
  ///
  /// - Returns: false if it is no such server, or there is no such session.
  package func expire(_ session: Int64) async -> Bool {
    if pauseRequest.isActive { return false }
    let isProposed = try? await loop.submit { [self] in parts.expire(SessionID(rawValue: session)) }.get()
    return isProposed ?? false
  }

  /// Whether a session exists, as far as this server knows; nil while it is paused.
  package func hasSession(_ session: Int64) async -> Bool? {
    if pauseRequest.isActive { return nil }
    return try? await loop.submit { [self] in
      let (core, session) = (parts.clients.served.core, SessionID(rawValue: session))
      return core.committedSessions[session] != nil || core.hasLocalSession(session)
    }.get()
  }
}

extension Duration {
  /// The milliseconds, towards zero, of a time span that is no longer than some thousand years.
  var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
