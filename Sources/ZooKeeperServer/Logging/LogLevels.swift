import Logging

/// The command `log_level` of the AdminServer, which Apache's server does not have. It reports the level of the log,
/// and with the parameter `level` changes it until the next start.
///
/// Like `set_trace_mask`, it is open to everybody who reaches the AdminServer. The log is limited in any case, see
/// `LogLimiter`.
///
/// *Thread*: the event loop.
struct LogLevels {
  static let command = "log_level"

  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  /// Answers a request.
  func answer(_ question: HTTPQuestion) -> HTTPAnswer {
    guard let threshold = logger.threshold else {
      return .json(AdminCommands.text(Self.command, error: "this server has no log"))
    }
    if let wanted = question.parameter("level") {
      guard let level = Logger.Level(rawValue: wanted.lowercased()) else {
        let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return .json(AdminCommands.text(Self.command, error: "level must be one of \(names)"))
      }
      let previous = threshold.level
      threshold.set(level)
      logger.notice(
        "the log's level was changed",
        metadata: ["level": "\(level)", "previous": "\(previous)", "client": "\(question.address)"])
    }
    return .json(
      AdminJSON.object([
        ("level", .string(threshold.level.rawValue)), ("initial_level", .string(threshold.initial.rawValue)),
        ("command", .string(Self.command)), ("error", .null),
      ]).text)
  }
}
