package import ZooKeeperProtocol

/// An error for the user: what went wrong, where, and what to do.
package struct ShellError: Error, Hashable, Sendable {
  package var exitCode: ExitCode
  /// A stable name for scripts: one of ZooKeeper's (`NoNode`) or one of this shell's (`Usage`).
  package var word: String
  /// The znode concerned.
  package var path: String?
  /// What went wrong, without a full stop.
  package var message: String
  /// What to do about it, without a full stop.
  package var hint: String?
  /// ZooKeeper's code for it, if there is one.
  package var keeperError: KeeperError?
  /// The exact reason, if the codes do not show it.
  package var reason: Reason?

  /// An error without a reason and without ZooKeeper's code.
  package init(_ exitCode: ExitCode, _ word: String, path: String? = nil, _ message: String, hint: String? = nil) {
    self.exitCode = exitCode
    self.word = word
    self.path = path
    self.message = message
    self.hint = hint
  }

  /// The command line is wrong.
  package static func usage(_ message: String, hint: String? = nil) -> ShellError {
    ShellError(.usage, "Usage", message, hint: hint)
  }

  /// `NoNode /x: it does not exist; create it first`: one line, for stderr.
  package var text: String {
    let place = [word == "Usage" ? nil : word, path].compactMap(\.self).joined(separator: " ")
    return [place, message].filter { !$0.isEmpty }.joined(separator: ": ") + (hint.map { "; \($0)" } ?? "")
  }
}
