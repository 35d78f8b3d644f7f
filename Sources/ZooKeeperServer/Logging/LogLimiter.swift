import Logging

/// Limits how many lines come from one place in the code, so that strangers cannot fill the disk.
///
/// A place may log a number of lines at once, and then one a second. The number of lines that were suppressed is in the
/// next line from there, or in a separate line if none follows.
struct LogLimiter {
  /// The number of lines that a place may log at once.
  static let burstCount = 30
  /// How long it takes until a place may log one more line.
  static let refillMilliseconds: Int64 = 1000
  /// How long a number of suppressed lines waits for another line from the same place.
  static let reportMilliseconds: Int64 = 10_000

  /// A place in the code. Their number is limited, unlike that of the messages.
  struct Site: Hashable {
    let file: String
    let line: UInt
  }

  /// Lines that were suppressed, and nothing has been said about it.
  struct Suppressed: Equatable {
    let count: Int
    let message: String
    let level: Logger.Level
  }

  private struct State {
    var tokens = burstCount
    /// When the last token was added, in milliseconds.
    var refilled: Int64
    var suppressedCount = 0
    /// When the first of them was suppressed.
    var suppressedSince: Int64 = 0
    var message = ""
    var level = Logger.Level.info
  }

  private var states: [Site: State] = [:]
  private var hasSuppressed = false

  /// Counts a line.
  ///
  /// - Parameter now: a monotonic clock, in milliseconds.
  /// - Returns: nil if the line must not be logged; otherwise how many lines were suppressed before it.
  mutating func admit(_ site: Site, now: Int64, message: String, level: Logger.Level) -> Int? {
    var state = states[site] ?? State(refilled: now)
    let earned = Int(clamping: (now - state.refilled) / Self.refillMilliseconds)
    if earned > 0 {
      state.tokens = min(Self.burstCount, state.tokens + min(earned, Self.burstCount))
      state.refilled = now
    }
    defer { states[site] = state }
    guard state.tokens > 0 else {
      if state.suppressedCount == 0 { state.suppressedSince = now }
      state.suppressedCount += 1
      state.message = message
      state.level = level
      hasSuppressed = true
      return nil
    }
    state.tokens -= 1
    defer { state.suppressedCount = 0 }
    return state.suppressedCount
  }

  /// Whether `takeOverdue` may return something sooner or later.
  var isWaiting: Bool { hasSuppressed }

  /// What was suppressed a while ago, and no line has reported since.
  ///
  /// - Parameter isLast: whether to return also what was suppressed just now.
  mutating func takeOverdue(now: Int64, isLast: Bool = false) -> [Suppressed] {
    guard hasSuppressed else { return [] }
    var overdue: [Suppressed] = []
    var remains = false
    for (site, state) in states where state.suppressedCount > 0 {
      guard isLast || now - state.suppressedSince >= Self.reportMilliseconds else {
        remains = true
        continue
      }
      overdue.append(Suppressed(count: state.suppressedCount, message: state.message, level: state.level))
      states[site]?.suppressedCount = 0
    }
    hasSuppressed = remains
    return overdue.sorted { ($0.message, $0.count) < ($1.message, $1.count) }
  }
}
