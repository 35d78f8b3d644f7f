import NIOCore
import ServerCore

/// The turns of a server's event loop.
///
/// A turn handles what has arrived on all connections, hands the resulting proposals to the log, and sends the output
/// of each connection in one write. When the log is durable, another turn applies the transactions and answers them.
///
/// *Thread*: the event loop.
final class TurnLoop: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// The steps at the end of a turn, in this order. They are closures, so that this type depends on none of the parts.
  struct Steps {
    /// Turns requests into proposals, and adds them to the log.
    let propose: () -> Void
    /// Sends the output of the turn to other servers and to clients.
    let send: () -> Void
    /// Updates throttling, and begins a snapshot if one is due.
    let finish: () -> Void
  }

  /// After how long work goes on that is done in pieces. Anything longer than nothing will do: NIO runs tasks that are
  /// due, those that they add included, before it looks at the sockets again.
  static let breath = TimeAmount.microseconds(50)

  /// Set by the owner before the first turn.
  var steps: Steps?
  private let loop: any EventLoop
  private let log: LogPipeline
  private var pacing = TurnPacing()
  private var isScheduled = false
  /// The number of clients' requests in this turn.
  private var requestCount = 0
  /// When the first of them was read, in microseconds of the monotonic clock.
  private var begun: Int64 = 0
  private let metrics: ServerMetrics

  init(_ loop: any EventLoop, _ log: LogPipeline, _ metrics: ServerMetrics) {
    self.metrics = metrics
    self.loop = loop
    self.log = log
  }

  /// Counts a client's request.
  func countRequest(_ time: ServerTime) {
    if requestCount == 0 { begun = time.monotonicMicroseconds }
    requestCount += 1
  }

  /// Called when all requests of one read are handled. Ends the turn now, or after the requests of other connections
  /// that have arrived at the same time.
  func onRead() { if pacing.onRead(), !isScheduled { end() } else { schedule() } }

  /// Ends the turn once everything that has already arrived is handled.
  func schedule() {
    guard !isScheduled else { return }
    isScheduled = true
    loop.execute { [self] in
      isScheduled = false
      end()
    }
  }

  /// Ends the turn: proposes, hands the batch to the log, and sends all output.
  func end() {
    guard let steps else { return }
    let isQuiet = requestCount <= 1
    let begun = requestCount == 0 ? nil : begun
    requestCount = 0
    pacing.onTurnEnded()
    steps.propose()
    let waits = isQuiet && log.isWorthWaiting
    if !waits { log.submit() }
    steps.send()
    if let begun {
      metrics.turnTime.add(Int(Int64(NIODeadline.now().uptimeNanoseconds / 1000) - begun))
    }
    // After everything is sent, so that the other servers sync meanwhile. If the batch became durable, its report has
    // already ended another turn, which has finished this one too.
    if waits, log.submitAndWait() { return }
    steps.finish()
  }
}
