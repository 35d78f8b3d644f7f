import Synchronization

/// The progress of a long command: a line at the bottom of the terminal, and a short text if it is interrupted.
///
/// The line appears after a second, is updated at most ten times a second, and is shown only on a terminal. *Thread*:
/// any.
final class Progress: Sendable {
  private struct State {
    /// What is done with each znode, as a participle: `copied`.
    var verb = "read"
    /// The unit of the count, in the plural.
    var unit = "znodes"
    var count = 0
    var total: Int?
    var begin: ContinuousClock.Instant?
    var nextLook: ContinuousClock.Instant?
  }

  private static let delay = Duration.seconds(1)
  private static let interval = Duration.milliseconds(100)

  private let state = Mutex(State())
  /// Shows a line, or with nil removes it; nil if there is no terminal to show it on.
  private let show: (@Sendable (String?) -> Void)?

  init(_ show: (@Sendable (String?) -> Void)?) { self.show = show }

  /// Starts the count.
  ///
  /// - Parameters:
  ///   - verb: what is done with each unit, as a participle: `copied`.
  ///   - total: the total number, if it is known.
  func begin(_ verb: String, _ unit: String = "znodes", of total: Int? = nil) {
    state.withLock { $0 = State(verb: verb, unit: unit, total: total, begin: .now, nextLook: .now + Self.delay) }
  }

  /// Adds to the count.
  func advance(by count: Int = 1) {
    update { $0.count += count }
  }

  /// Sets the count.
  func advance(to count: Int) {
    update { $0.count = count }
  }

  /// Removes the line.
  func end() { if let show { show(nil) } }

  /// The progress as text: `1200 of 5000 znodes copied`; nil if nothing has been counted.
  var summary: String? {
    state.withLock { state in state.count > 0 ? Self.summary(state) : nil }
  }

  /// The error of a command, with its progress if it was interrupted.
  func explained(_ error: any Error) -> any Error {
    guard let summary else { return error }
    var failure = ShellError(error)
    guard failure.word == "Cancelled" else { return error }
    failure.message += "; \(summary)"
    return failure
  }

  private func update(_ change: (inout State) -> Void) {
    let line: String? = state.withLock { state in
      change(&state)
      guard show != nil, let nextLook = state.nextLook else { return nil }
      let now = ContinuousClock.now
      guard now >= nextLook else { return nil }
      state.nextLook = now + Self.interval
      return Self.line(state, at: now)
    }
    if let line, let show { show(line) }
  }

  private static func summary(_ state: State) -> String {
    "\(state.count)\(state.total.map { " of \($0)" } ?? "") \(state.unit) \(state.verb)"
  }

  private static func line(_ state: State, at now: ContinuousClock.Instant) -> String {
    guard let begin = state.begin else { return summary(state) }
    let seconds = max((now - begin) / .seconds(1), 0.001)
    let rate = Double(state.count) / seconds
    var line = "\(summary(state)), \(Int(rate))/s"
    if let total = state.total, rate > 0, total > state.count {
      line += ", \(Self.time(Int(Double(total - state.count) / rate + 0.5))) left"
    }
    return line
  }

  /// `5 s`, `2 min 5 s`, `3 h 20 min`.
  static func time(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
    default: "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }
  }
}
