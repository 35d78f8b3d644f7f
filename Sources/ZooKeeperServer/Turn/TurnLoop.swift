import NIOCore

/// The turns of a server's event loop.
///
/// A turn handles what has arrived on all connections, hands the proposals that came of it to the log, and sends every
/// connection's output in one write. When the log is durable, another turn applies and answers what waited for it.
///
/// *Thread*: the event loop.
final class TurnLoop: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// What a turn's end consists of, in this order. Closures, so that the loop knows nothing of who does it.
  struct Steps {
    /// Turns requests into proposals, and adds them to the log.
    let propose: () -> Void
    /// Sends to other servers and to clients what the turn has brought.
    let send: () -> Void
    /// Does what is due now and then.
    let finish: () -> Void
  }

  /// Set by the owner before the first turn.
  var steps: Steps?
  private let loop: any EventLoop
  private let log: LogPipeline
  private var pacing = TurnPacing()
  private var isScheduled = false
  /// Requests of clients since the last turn's end.
  private var requestCount = 0

  init(_ loop: any EventLoop, _ log: LogPipeline) {
    self.loop = loop
    self.log = log
  }

  /// A client's request was handled.
  func countRequest() { requestCount += 1 }

  /// All requests of one read were handled: the turn ends now, or after those of other connections that have arrived
  /// at the same time.
  func onRead() { if pacing.onRead(), !isScheduled { end() } else { schedule() } }

  /// Ends the turn once everything that has arrived is handled.
  func schedule() {
    guard !isScheduled else { return }
    isScheduled = true
    loop.execute { [self] in
      isScheduled = false
      end()
    }
  }

  /// Ends the turn.
  func end() {
    guard let steps else { return }
    let isQuiet = requestCount <= 1
    requestCount = 0
    pacing.onTurnEnded()
    steps.propose()
    let waits = isQuiet && log.isWorthWaiting
    if !waits { log.submit() }
    steps.send()
    // After everything has been sent: the other servers sync meanwhile. What became durable has ended a turn already.
    if waits, log.submitAndWait() { return }
    steps.finish()
  }
}
