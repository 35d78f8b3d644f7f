public import ZooKeeperProtocol

/// A failure in the words that a person reads: what, where, and what to do.
public struct ShellError: Error, Hashable, Sendable {
  public var exitCode: ExitCode
  /// A stable word for scripts: a name of ZooKeeper's (`NoNode`) or one of this shell's (`Usage`).
  public var word: String
  /// The znode concerned.
  public var path: String?
  /// What went wrong, without a final stop.
  public var message: String
  /// What to do about it, without a final stop.
  public var hint: String?
  /// The code of ZooKeeper's behind it, where there is one.
  public var keeperError: KeeperError?
  /// What zkCli.sh says instead, where that does not follow from the code and the path.
  public var apacheText: String?
  /// What zkCli.sh exits with: it takes some failures for successes.
  public var apacheExitCode = ExitCode.no

  /// Makes an error of the given parts.
  public init(_ exitCode: ExitCode, _ word: String, path: String? = nil, _ message: String, hint: String? = nil) {
    self.exitCode = exitCode
    self.word = word
    self.path = path
    self.message = message
    self.hint = hint
  }

  /// The command line is wrong.
  public static func usage(_ message: String, hint: String? = nil) -> ShellError {
    ShellError(.usage, "Usage", message, hint: hint)
  }

  /// `NoNode /x: it does not exist; create it first`: one line, for stderr.
  public var text: String {
    let place = [word == "Usage" ? nil : word, path].compactMap(\.self).joined(separator: " ")
    return [place, message].filter { !$0.isEmpty }.joined(separator: ": ") + (hint.map { "; \($0)" } ?? "")
  }
}
