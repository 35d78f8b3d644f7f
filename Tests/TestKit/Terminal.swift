import Foundation

/// A command that runs in a terminal, used as a person uses it: by a screen of characters, and keys.
///
/// tmux is the terminal. It has its own server and socket, reads no configuration but ours, and dies with the test
/// process.
public final class Terminal: Sendable {
  private let socket: String
  private let server: GuardedProcess

  /// No status line and no delay after Escape; a command that ended leaves its screen to be read.
  private static let settings = """
    set -g status off
    set -g remain-on-exit on
    set -g remain-on-exit-format ""
    set -g default-terminal screen-256color
    set -s escape-time 0
    """

  private init(socket: String, server: GuardedProcess) {
    self.socket = socket
    self.server = server
  }

  /// Starts `executable` in a terminal of the given size; `TERM` is set for it, the rest is `environment`.
  ///
  /// - Throws: `TestKitError.ended` if tmux refuses, `.systemCall` if it is not there.
  public static func start(
    _ executable: String, _ arguments: [String] = [],
    environment: [String: String] = RunningCommand.cleanEnvironment, columns: Int = 80, rows: Int = 24
  ) async throws -> Terminal {
    let directory = try Scratch.directory("terminal")
    let socket = "\(directory)/tmux"
    try Scratch.write(settings, to: "\(directory)/tmux.conf")
    // -D keeps the server in the foreground, where its watchdog sees it.
    let server = try await GuardedProcess.start(
      "tmux", ["-S", socket, "-f", "\(directory)/tmux.conf", "-D"], log: "\(directory)/tmux.log")
    let terminal = Terminal(socket: socket, server: server)
    try await eventually("tmux server") {
      guard !server.hasEnded else { throw TestKitError(.ended, "tmux -D") }
      return try await terminal.ask("show-options", "-s").exitStatus == 0
    }
    var clean = environment
    clean["TERM"] = "screen-256color"
    let variables = clean.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    try await terminal.tell(
      ["new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "--", "/usr/bin/env", "-i"] + variables + [executable]
        + arguments)
    return terminal
  }

  /// Presses keys by tmux's names for them: `Enter`, `Tab`, `Up`, `C-c`, `M-b` …
  public func send(_ keys: String...) async throws { try await tell(["send-keys", "--"] + keys) }

  /// Sends a signal to the command alone.
  ///
  /// - Throws: `TestKitError.ended` if tmux does not know its process.
  public func signal(_ signal: Int32) async throws {
    guard let processID = pid_t(try await display("#{pane_pid}")) else {
      throw TestKitError(.ended, "the pane has no process")
    }
    kill(processID, signal)
  }

  /// Types `text` as it is.
  public func type(_ text: String) async throws { try await tell(["send-keys", "-l", "--", text]) }

  /// What is on the screen, one line per row, without spaces at their ends; `isStyled` keeps the colours as escapes.
  public func screen(isStyled: Bool = false) async throws -> String {
    try await tell(["capture-pane", "-p"] + (isStyled ? ["-e"] : []))
  }

  /// Waits until `text` is on the screen, and returns the screen.
  ///
  /// - Throws: `TestKitError.timedOut` with what was there instead.
  @discardableResult
  public func waitFor(_ text: String, timeout: Duration = .seconds(60)) async throws -> String {
    try await waitUntil("“\(text)” on the screen", timeout: timeout) { $0.contains(text) }
  }

  /// Waits until the screen is as `condition` wants it, and returns it; `fact` says what that is.
  ///
  /// - Throws: `TestKitError.timedOut` with what was there instead.
  @discardableResult
  public func waitUntil(
    _ fact: String, timeout: Duration = .seconds(60), _ condition: (String) -> Bool
  ) async throws -> String {
    var last = ""
    do {
      return try await eventually(fact, within: timeout, every: .milliseconds(20)) {
        last = try await screen()
        return condition(last) ? last : nil
      }
    } catch let error as TestKitError where error.code == .timedOut {
      throw TestKitError(.timedOut, "\(error.context); the screen is:\n\(last)")
    }
  }

  /// Where the cursor is, counted from 0 at the top left.
  public func cursor() async throws -> (column: Int, row: Int) {
    let numbers = try await display("#{cursor_x} #{cursor_y}").split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 2 else { throw TestKitError(.ended, "cursor of the terminal") }
    return (numbers[0], numbers[1])
  }

  /// Waits until the command ended, and returns its exit status.
  ///
  /// - Throws: `TestKitError.timedOut`; `.ended` if a signal ended it.
  public func waitForExit(timeout: Duration = .seconds(60)) async throws -> Int32 {
    try await eventually("end of the command in the terminal", within: timeout, every: .milliseconds(20)) {
      let answer = try await display("#{pane_dead},#{pane_dead_status},#{pane_dead_signal}")
        .split(separator: ",", omittingEmptySubsequences: false)
      guard answer.count == 3, answer[0] == "1" else { return nil }
      guard answer[2].isEmpty else {
        throw TestKitError(.ended, "signal \(answer[2]): \(try await screen())")
      }
      // tmux sometimes sees the terminal close, but misses the end of the process. The signal makes it check again.
      if answer[1].isEmpty { server.send(signal: SIGCHLD) }
      return Int32(answer[1])
    }
  }

  /// Gives the terminal another size.
  public func resize(columns: Int, rows: Int) async throws {
    try await tell(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// Closes the terminal: the command sees its terminal hang up.
  public func close() async throws { try await server.terminate() }

  private func display(_ format: String) async throws -> String {
    try await tell(["display-message", "-p", format]).trimmingSuffix("\n")
  }

  @discardableResult
  private func tell(_ arguments: [String]) async throws -> String {
    let run = try await ask(arguments)
    guard run.exitStatus == 0 else { throw TestKitError(.ended, "tmux \(arguments): \(run.errorOutput)") }
    return run.output
  }

  private func ask(_ arguments: String...) async throws -> CommandRun { try await ask(arguments) }

  private func ask(_ arguments: [String]) async throws -> CommandRun {
    // -N: do not start a tmux server.
    try await CommandRun.run("tmux", ["-N", "-S", socket] + arguments)
  }
}

extension String {
  /// The string without `suffix`, if it ends so.
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
