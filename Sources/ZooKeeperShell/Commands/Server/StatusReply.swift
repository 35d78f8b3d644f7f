/// The state of a server as its answer to `srvr`, or the lack of one, shows it.
struct StatusReply: Hashable, Sendable {
  /// One of `running`, `not serving`, `not answering`, `not running`.
  var state: String
  /// nil if the server does not report it.
  var mode: String?
  /// A message if the mode is unknown.
  var message: String?
  /// Whether it runs and has not reported the lack of a quorum.
  var isRunning: Bool

  /// Reads an answer.
  ///
  /// - Parameters:
  ///   - reply: nil if there was none.
  ///   - process: the server's process, if it is known to run.
  init(_ reply: String?, process: Int?, address: String) {
    let text = reply ?? ""
    mode = text.split(separator: "\n").first { $0.hasPrefix("Mode: ") }.map { String($0.dropFirst(6)) }
    let subject = process.map { "It is running as process \($0)" } ?? "It is running"
    if mode != nil {
      (state, isRunning) = ("running", true)
    } else if text.contains("not in the whitelist") {
      (state, isRunning) = ("running", true)
      message = "\(subject), but does not report its mode: 4lw.commands.whitelist does not allow srvr."
    } else if text.contains("not currently serving requests") {
      (state, isRunning) = ("not serving", false)
      message = "\(subject), but serves no clients: it has no quorum."
    } else if process != nil {
      (state, isRunning) = ("not answering", false)
      message = "\(subject), but does not answer at \(address)."
    } else if !text.isEmpty {
      (state, isRunning) = ("not answering", false)
      message = "Error contacting service. What answers at \(address) is no ZooKeeper server."
    } else {
      (state, isRunning) = ("not running", false)
      message = "Error contacting service. It is probably not running."
    }
  }
}
