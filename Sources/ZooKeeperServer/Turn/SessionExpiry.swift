import Logging
import NIOCore
import ZooKeeperProtocol

/// Ends the sessions that have expired, and writes that to the log.
///
/// All sessions of a server may expire at once, because their timeouts begin anew when it starts. So a turn ends a
/// limited number of them, and the next one follows when everything that has arrived meanwhile is handled. With 100,000
/// sessions in one turn, every other client waited for over a second.
///
/// *Thread*: the event loop.
final class SessionExpiry: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// How many sessions have a separate line in the log; one more line has the number of the others.
  private static let namedLimit = 10

  private let served: ServedCore
  private let turns: TurnLoop
  private let loop: any EventLoop
  private let logger: Logger
  /// The sessions that have expired since there were none, with a separate line and without.
  private var namedCount = 0
  private var unnamedCount = 0
  private var isScheduled = false
  private var isStopped = false

  init(_ served: ServedCore, _ turns: TurnLoop, loop: any EventLoop, logger: Logger) {
    self.served = served
    self.turns = turns
    self.loop = loop
    self.logger = logger
  }

  /// Ends some of the sessions that have expired. Called every tick, in front of the end of a turn.
  func run() {
    guard served.audience == .everybody else { return }
    let core = served.core
    let expired = core.expireSessions(served.clock.now)
    let named = expired.prefix(Self.namedLimit - namedCount)
    for session in named {
      var fields: Logger.Metadata = ["session": "\(session)"]
      if let timeout = core.committedSessions[session] { fields["timeout_ms"] = .stringConvertible(Int(timeout)) }
      // A client that has lost its connection, or is connected to another server, has no address here.
      if let address = core.address(of: session) { fields["client"] = "\(address)" }
      logger.info("a session has expired", metadata: fields)
    }
    namedCount += named.count
    unnamedCount += expired.count - named.count
    guard !core.isExpiring else { return }
    if unnamedCount > 0 {
      logger.info("more sessions have expired", metadata: ["count": .stringConvertible(unnamedCount)])
    }
    (namedCount, unnamedCount) = (0, 0)
  }

  /// Continues soon if there are more, and they can be ended now. Called at the end of each turn.
  func goOn() {
    guard !isScheduled, served.audience == .everybody, served.core.canExpireMore else { return }
    isScheduled = true
    loop.scheduleTask(in: TurnLoop.breath) { [self] in
      isScheduled = false
      guard !isStopped else { return }
      run()
      turns.end()
    }
  }

  /// Stops ending sessions.
  func stop() { isStopped = true }
}
