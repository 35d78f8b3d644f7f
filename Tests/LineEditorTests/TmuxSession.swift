import Foundation
import Testing

/// The probe program in a terminal of its own, which a test types on and looks at.
final class TmuxSession {
  /// How long an expected text may take to appear; the machine may be busy.
  private static let patienceSeconds = 20.0

  private let socket = "line-editor-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
  private let directory: TemporaryDirectory

  /// Starts the probe with some arguments in a terminal of 80 columns, and waits until it is ready.
  ///
  /// `environment` is laid over that of the test. When the probe has left, the screen shows `status: N`; under job
  /// control there is an interactive shell, which can also continue a stopped probe.
  init(
    _ arguments: [String] = [], environment: [String: String] = [:], underJobControl hasJobControl: Bool = false
  ) throws {
    directory = try TemporaryDirectory()
    var settings = ["LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "EDITRC": ""]
    settings.merge(environment) { _, new in new }
    let assignments = settings.map { name, value in "\(name)=\(value)" }.sorted()
    let words = ["env"] + assignments + [Self.probePath] + arguments
    let probe = words.map(Self.quoted).joined(separator: " ") + "; echo status: $?"
    // Something stays, so that the screen does not go away with the probe.
    let command = hasJobControl ? "PS1='shell> ' exec bash --norc -i" : probe + "; exec sleep 600"
    try run("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)
    if hasJobControl {
      try waitFor("shell>")
      try enter("clear; " + probe)
    }
    try waitFor("ready, process")
    // The prompt comes once the terminal is in the editor's hands: what is typed before is echoed by the terminal.
    try waitFor("probe>")
  }

  deinit { _ = try? run("kill-server") }

  /// Types a text as it stands.
  func type(_ text: String) throws {
    try run("send-keys", "-l", "--", text)
  }

  /// Presses keys by tmux' names, such as `Enter`, `Tab`, `C-c`.
  func press(_ keys: String...) throws {
    try run(["send-keys"] + keys)
  }

  /// Types a line and ends it.
  func enter(_ line: String) throws {
    try type(line)
    try press("Enter")
  }

  /// Gives the terminal another width.
  func resize(columns: Int) throws {
    try run("resize-window", "-x", "\(columns)", "-y", "24")
  }

  /// Sends the probe a signal.
  func signalProbe(_ signal: Int32) throws {
    let digits = try screen().components(separatedBy: "ready, process ").last?.prefix { $0.isNumber }
    let process = try #require(digits.flatMap { pid_t($0) })
    #expect(kill(process, signal) == 0)
  }

  /// Pastes a text, newlines and all.
  func paste(_ text: String) throws {
    try run("set-buffer", "--", text)
    try run("paste-buffer")
  }

  /// What is on the screen, without blanks at the ends of rows and without empty rows at its end.
  func screen() throws -> String {
    let rows = try run("capture-pane", "-p").split(separator: "\n", omittingEmptySubsequences: false).map { row in
      String(row.reversed().drop { $0 == " " }.reversed())
    }
    return rows.reversed().drop { $0.isEmpty }.reversed().joined(separator: "\n")
  }

  /// Waits until the screen shows a text, and returns the screen.
  @discardableResult
  func waitFor(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
    try waitUntil("the screen shows \(text.debugDescription)", sourceLocation: sourceLocation) { screen in
      screen.contains(text)
    }
  }

  /// Waits until the last rows of the screen are these, and returns the screen.
  @discardableResult
  func waitForEnd(_ rows: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
    let end = rows.joined(separator: "\n")
    return try waitUntil("the screen ends with \(end.debugDescription)", sourceLocation: sourceLocation) { screen in
      ("\n" + screen).hasSuffix("\n" + end)
    }
  }

  /// The column of the cursor, from 0.
  func cursorColumn() throws -> Int? {
    Int(try run("display-message", "-p", "#{cursor_x}").trimmingCharacters(in: .newlines))
  }

  /// Waits until the terminal itself no longer shows what is typed.
  func waitUntilEchoIsOff(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let path = try run("display-message", "-p", "#{pane_tty}").trimmingCharacters(in: .newlines)
    let terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(terminal >= 0, "\(path)")
    defer { close(terminal) }
    _ = try waitUntil("the terminal echoes nothing", sourceLocation: sourceLocation) { _ in
      var settings = termios()
      return tcgetattr(terminal, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) == 0
    }
  }

  private func waitUntil(
    _ what: String, sourceLocation: SourceLocation, _ isMet: (String) -> Bool
  ) throws -> String {
    let deadline = Date(timeIntervalSinceNow: Self.patienceSeconds)
    while true {
      let screen = try screen()
      if isMet(screen) { return screen }
      guard Date() < deadline else {
        Issue.record("in vain waited until \(what); it shows:\n\(screen)", sourceLocation: sourceLocation)
        throw GaveUp()
      }
      usleep(20_000)
    }
  }

  /// Thrown after the failure has been recorded.
  private struct GaveUp: Error {}

  @discardableResult
  private func run(_ arguments: String...) throws -> String {
    try run(arguments)
  }

  @discardableResult
  private func run(_ arguments: [String]) throws -> String {
    let file = directory.path + "/output"
    let status = try Self.spawn(["tmux", "-u", "-L", socket] + arguments, output: file)
    #expect(status == 0, "tmux \(arguments)")
    return try String(contentsOfFile: file, encoding: .utf8)
  }

  /// Runs a program to its end, and returns its wait status.
  ///
  /// Not by Foundation's `Process`, nor with a pipe: both wait until nobody holds a descriptor that was open when the
  /// program started, and the tmux server, which outlives its first client, would hold it.
  private static func spawn(_ words: [String], output: String) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, output, O_WRONLY | O_APPEND, 0)
    // Closing what is not open is no failure here.
    for descriptor in (STDERR_FILENO + 1)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Tests run on threads that block most signals; tmux must hear of the end of its children, or it never ends itself.
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = words.map { word in strdup(word) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, words[0], &actions, &attributes, &arguments, environ)
    try #require(failure == 0, "cannot start \(words[0]): \(String(cString: strerror(failure)))")
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
  }

  private static func quoted(_ word: String) -> String {
    "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }

  /// The probe stands beside the test bundle, which `swift test` names in the arguments of its helper.
  private static let probePath: String = {
    let bundle = CommandLine.arguments.first { argument in argument.contains(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("line-editor-probe").path
  }()
}

/// A directory that goes away with the object.
final class TemporaryDirectory {
  /// Where it is, without a slash at the end.
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("line-editor-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
