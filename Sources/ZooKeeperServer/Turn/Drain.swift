import Logging
import NIOCore

/// The orderly end of a server's service, before the server stops.
///
/// The server stops accepting connections and reading requests, and answers the requests that it has read. A leader
/// then gives up its role, once all that it has proposed is committed, and clients see the end of their connections
/// after the last answer. Each step takes a limited time: a client that does not read, or an ensemble without a quorum,
/// does not keep the server.
///
/// *Thread*: the event loop.
final class Drain: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// How long the other ends of connections may take to close them.
  private static let closeLimit = TimeAmount.seconds(1)
  private static let pollInterval = TimeAmount.milliseconds(1)

  private let clients: ClientListener
  private let membership: Membership
  private let turns: TurnLoop
  private let loop: any EventLoop
  private let logger: Logger
  /// How long the requests that were read may take.
  private let answerLimit: TimeAmount
  private let begun = NIODeadline.now()
  private var resigned: NIODeadline?
  private var onEnd: (() -> Void)?

  init(
    _ clients: ClientListener, _ membership: Membership, _ turns: TurnLoop, answerLimit: TimeAmount,
    loop: any EventLoop, logger: Logger
  ) {
    self.answerLimit = answerLimit
    self.clients = clients
    self.membership = membership
    self.turns = turns
    self.loop = loop
    self.logger = logger
  }

  /// Begins, and calls `onEnd` once nothing is left to wait for.
  func begin(onEnd: @escaping () -> Void) {
    self.onEnd = onEnd
    clients.beginDraining()
    membership.driver?.beginRetiring()
    turns.schedule()
    poll()
  }

  private func poll() {
    if advance() { return }
    loop.assumeIsolated().scheduleTask(in: Self.pollInterval) { [self] in poll() }
  }

  /// - Returns: whether the drain has ended.
  private func advance() -> Bool {
    let now = NIODeadline.now()
    guard let resigned else {
      let isDone = clients.isDrained && membership.driver?.isSettled != false
      guard isDone || now - begun > answerLimit else { return false }
      if !isDone {
        logger.warning("stopping with requests that are not answered", metadata: ["duration_ms": elapsed(now)])
      }
      resign(now)
      return false
    }
    let isClosed = !clients.hasConnections && membership.driver?.quorum.hasConnections != true
    guard isClosed || now - resigned > Self.closeLimit else { return false }
    logger.info("stopped serving", metadata: ["duration_ms": elapsed(now)])
    onEnd.take()?()
    return true
  }

  private func resign(_ now: NIODeadline) {
    let role = membership.roleName
    resigned = now
    membership.driver?.resign()
    clients.closeInOrder()
    logger.info(
      role == "leader" ? "gave up the leadership, to stop" : "closing the clients' connections, to stop",
      metadata: ["role": "\(role)", "duration_ms": elapsed(now)])
  }

  private func elapsed(_ now: NIODeadline) -> Logger.MetadataValue {
    .stringConvertible(Int((now - begun).nanoseconds / 1_000_000))
  }
}
