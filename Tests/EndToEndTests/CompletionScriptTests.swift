import Foundation
import TestKit
import Testing

/// The committed completion scripts in the shells they are for, with a person's keys: what TAB makes of a line must be
/// what the shell hands to `zkcli`.
@Suite(.timeLimit(.minutes(10)))
struct CompletionScriptTests {
  /// A shell, and how to load its script.
  struct Shell: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: [String]
    let loading: String
    var testDescription: String { name }

    static let all = [
      Shell(name: "bash", arguments: ["--norc", "--noprofile", "-i"], loading: "PS1='ready> '; source zkcli.bash"),
      Shell(
        name: "zsh", arguments: ["-f", "-i"],
        loading: "PS1='ready> '; autoload -Uz compinit; compinit -u -D; source ./_zkcli"),
      Shell(
        name: "fish", arguments: ["--no-config", "-i"],
        loading: "function fish_prompt; echo -n 'ready> '; end; source zkcli.fish"),
    ]
  }

  /// The folder of the package.
  static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func open(_ shell: Shell, _ server: String) async throws -> Terminal {
    let home = try Scratch.directory("home")
    var variables = try Zkcli(server: server).with(["HOME": home, "XDG_DATA_HOME": home]).pathVariables()
    variables["LC_ALL"] = "C.UTF-8"
    let terminal = try await Terminal.start(
      "/usr/bin/env", ["--chdir=\(Self.package)/completions", shell.name] + shell.arguments, environment: variables,
      columns: 160, rows: 50)
    // The shell's own prompt, whatever it is, ends so.
    try await terminal.waitUntil("prompt of \(shell.name)", timeout: .seconds(20)) { screen in
      screen.split(separator: "\n").contains { line in [">", "#", "$", "%"].contains { line.hasSuffix($0) } }
    }
    try await terminal.type(shell.loading)
    try await terminal.send("Enter")
    try await terminal.waitUntil("loaded script", timeout: .seconds(20)) {
      $0.split(separator: "\n").last?.hasPrefix("ready>") == true
    }
    try await terminal.send("C-l")
    return terminal
  }

  /// Waits for the next prompt: what is typed ahead of it is shown twice.
  private func fresh(_ terminal: Terminal) async throws {
    try await terminal.waitUntil("the next prompt", timeout: .seconds(20)) {
      $0.split(separator: "\n").last.map { $0 == "ready>" } ?? false
    }
  }

  @Test(arguments: Shell.all) func tabCompletesLiveZnodePaths(_ shell: Shell) async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("tab")
    let names = ["alpha", "two words", "ünïcödé", "it's", "dollar$HOME", "quo\"te", "semi;colon", "x=y", "back\\slash"]
    for name in names {
      try await #expect(zkcli("create", "-p", "\(path)/\(name)", "data of <\(name)>\n").exitStatus == 0)
    }
    let terminal = try await open(shell, try #require(zkcli.server))
    for name in names {
      try await terminal.type("zkcli get \(path)/\(name.prefix(2))")
      try await terminal.send("Tab")
      let rest = name.dropFirst(2).filter(\.isLetter).prefix(3)
      try await terminal.waitUntil("completion of \(name)", timeout: .seconds(20)) { screen in
        screen.split(separator: "\n").last { $0.hasPrefix("ready>") }?.filter(\.isLetter).contains(rest) == true
      }
      try await terminal.send("Enter")
      try await terminal.waitFor("\ndata of <\(name)>\n", timeout: .seconds(20))
      try await fresh(terminal)
    }
  }

  @Test(arguments: Shell.all) func tabCompletesCommandsOptionsAndBelowAZnode(_ shell: Shell) async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("tab")
    try await #expect(zkcli("create", "-p", "\(path)/deep/er", "found\n").exitStatus == 0)
    let terminal = try await open(shell, try #require(zkcli.server))
    func complete(_ typed: String, _ completed: String) async throws {
      try await terminal.type(typed)
      try await terminal.send("Tab")
      try await terminal.waitFor(completed, timeout: .seconds(20))
    }
    // The line is killed, not interrupted: bash, while a completion ends, shows no prompt after ^C until another key.
    func drop() async throws {
      try await terminal.send("C-u")
      try await terminal.send("C-l")
      try await terminal.waitUntil("an empty screen", timeout: .seconds(20)) {
        $0.split(separator: "\n").filter { !$0.isEmpty } == ["ready>"]
      }
    }
    try await complete("zkcli getAllC", "zkcli getAllChildrenNumber")
    try await drop()
    try await complete("zkcli ls --recurs", "zkcli ls --recursive")
    try await drop()
    try await complete("zkcli --outp", "zkcli --output")
    try await drop()
    try await complete("zkcli get \(path)/de", "zkcli get \(path)/deep")
    try await drop()
    // fish ends a completed word with a blank; a person goes on by typing the slash in its place.
    try await complete("zkcli get \(path)/deep/", "zkcli get \(path)/deep/er")
    try await terminal.send("Enter")
    try await terminal.waitFor("\nfound\n", timeout: .seconds(20))
    try await fresh(terminal)
    try await drop()
    // Quotes that are open stay open, or are closed: the shell knows.
    try await complete("zkcli get '\(path)/deep/e", "zkcli get '\(path)/deep/er")
    try await drop()
    // The server of the line counts, with its chroot.
    try await complete("zkcli -s \(try #require(zkcli.server))\(path) get /dee", " get /deep")
  }

  @Test func queryAnswersInAHurryWithoutAServer() async throws {
    let silent = try FakeServer(.silence)
    // It has a limit of its own, shorter than these, which are longer than that of the test.
    let patient = Zkcli(server: silent.connectString).with(["ZKCLI_CONNECT_TIMEOUT": "1h", "ZKCLI_TIMEOUT": "1h"])
    let run = try await patient("__complete", "--shell", "bash", "--", "get", "/")
    #expect(run.exitStatus == 0)
    #expect(run.output.isEmpty && run.errorOutput.isEmpty)
  }

  @Test func manualPageIsCleanForMandoc() async throws {
    let run = try await CommandRun.run("mandoc", ["-T", "lint", "-W", "warning", "\(Self.package)/man/zkcli.1"])
    expect(run)
    let text = try await CommandRun.run("/bin/sh", ["-c", "mandoc -T utf8 '\(Self.package)/man/zkcli.1' | col -bx"])
    #expect(text.output.contains("EXIT STATUS"))
  }
}
