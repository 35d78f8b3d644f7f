#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The environment of a run as a value, which tests can replace.
package struct ShellEnvironment: Sendable {
  /// The last component of argv[0].
  package var programName: String
  package var variables: [String: String]
  package var stdinIsTerminal: Bool
  package var stdoutIsTerminal: Bool
  package var stderrIsTerminal: Bool
  /// The columns of the terminal on stdout; nil if stdout is not a terminal.
  package var columns: Int?

  package init(
    programName: String = "zkcli", variables: [String: String] = [:], stdinIsTerminal: Bool = false,
    stdoutIsTerminal: Bool = false, stderrIsTerminal: Bool = false, columns: Int? = nil
  ) {
    self.columns = columns
    self.programName = programName
    self.variables = variables
    self.stdinIsTerminal = stdinIsTerminal
    self.stdoutIsTerminal = stdoutIsTerminal
    self.stderrIsTerminal = stderrIsTerminal
  }

  /// The environment of this process.
  package static func ofProcess(programPath: String) -> ShellEnvironment {
    // All variables, because Apache's environment files can refer to any of them.
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
        variables[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
      }
      next += 1
    }
    return ShellEnvironment(
      programName: programPath.split(separator: "/").last.map(String.init) ?? "zkcli", variables: variables,
      stdinIsTerminal: isatty(0) != 0, stdoutIsTerminal: isatty(1) != 0, stderrIsTerminal: isatty(2) != 0,
      columns: terminalColumns())
  }

  private static func terminalColumns() -> Int? {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// The width that help is wrapped to: that of the terminal, within the limits of good readability.
  var helpWidth: Int { min(max(columns ?? 80, 40), 100) }

  /// Whether the program was started under a name of Apache's shell, so that it uses that dialect.
  var isZkCli: Bool { ["zookeeper-client", "zkCli.sh", "zkCli"].contains(programName) }

  /// Whether the program was started under the name of Apache's server script.
  var isServerProgram: Bool { ["zookeeper-server", "zkServer.sh"].contains(programName) }

  /// The value of a variable that is set and not empty.
  func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether to write escape sequences for colours to a stream.
  ///
  /// *Source*: no-color.org; the option takes precedence over the environment.
  func usesColor(_ when: String, isTerminal: Bool) -> Bool {
    switch when {
    case "always": true
    case "never": false
    default: isTerminal && value("NO_COLOR") == nil && value("TERM") != "dumb" && value("TERM") != nil
    }
  }

  /// The path of the history file: `ZKCLI_HISTORY`, or a file in the XDG state directory; nil if the variable is set
  /// and empty.
  var historyFile: String? {
    if let named = variables["ZKCLI_HISTORY"] { return named.isEmpty ? nil : named }
    if let state = value("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/zkcli/history" }
    return value("HOME").map { $0 + "/.local/state/zkcli/history" }
  }
}
