import Foundation
import TestKit
import Testing

/// The interactive shell in a real terminal.
@Suite(.timeLimit(.minutes(10)))
struct REPLTests {
  /// A shell in a terminal, with a home of its own.
  struct Session: Sendable {
    let terminal: Terminal
    let home: String
    var historyFile: String { "\(home)/zkcli/history" }

    /// Opens a shell and waits for its first prompt.
    static func open(
      _ server: String, _ options: String..., home: String? = nil, waitingFor state: String = "CONNECTED",
      variables: [String: String] = [:]
    ) async throws -> Session {
      let home = try home ?? Scratch.directory("home")
      var environment = RunningCommand.cleanEnvironment
      environment.merge(["HOME": home, "XDG_STATE_HOME": home, "ZKCLI_SERVER": server]) { $1 }
      environment.merge(variables) { $1 }
      let terminal = try await Terminal.start(
        try Products.executable("zkcli"), options, environment: environment, columns: 120, rows: 40)
      let session = Session(terminal: terminal, home: home)
      try await session.see("(\(state))")
      return session
    }

    /// Types a line and presses Enter.
    func enter(_ line: String) async throws {
      try await terminal.type(line)
      try await terminal.send("Enter")
    }

    /// Enters a line that prints nothing to wait for, and waits for the next prompt: a ^D typed ahead of that would
    /// go to the terminal and be lost.
    func run(_ line: String) async throws {
      try await terminal.type(line)
      try await seeTyped(line)
      try await terminal.send("Enter")
      try await seeTyped("")
    }

    /// Waits until `text` is on the screen.
    @discardableResult func see(_ text: String) async throws -> String {
      try await terminal.waitFor(text, timeout: .seconds(20))
    }

    /// Waits until the line of the cursor, without the prompt, is `text`.
    func seeTyped(_ text: String, prompt: Character = "]") async throws {
      try await terminal.waitUntil("“\(text)” as the typed line", timeout: .seconds(20)) { screen in
        let line = screen.split(separator: "\n").last.map(String.init) ?? ""
        let typed = line.firstIndex(of: prompt).map { String(line[line.index(after: $0)...]) } ?? line
        return typed.trimmingCharacters(in: .whitespaces) == text.trimmingCharacters(in: .whitespaces)
      }
    }
  }

  @Test func promptShowsServerStateAndDirectory() async throws {
    let server = try await ApacheServer.shared()
    let path = uniquePath("prompt")
    let shell = try await Session.open(server.connectString)
    try await shell.see("[zk: \(server.connectString)(CONNECTED) /]")
    try await shell.enter("create -p \(path)/below v")
    try await shell.enter("cd \(path)")
    try await shell.see("[zk: \(server.connectString)(CONNECTED) \(path)]")
    try await shell.enter("get below")
    try await shell.see("\nv\n")
    try await shell.enter("cd ..; # no such name")
    try await shell.see("NoNode")
    try await shell.enter("cd")
    try await shell.enter("pwd")
    try await shell.see("\n/\n")
    try await shell.enter("close")
    try await shell.see("(CLOSED)")
    try await shell.enter("connect \(server.connectString)\(path)")
    try await shell.see("[zk: \(server.connectString)\(path)(CONNECTED) /]")
    try await shell.enter("ls")
    try await shell.see("\nbelow\n")
  }

  @Test func tabCompletesCommandsOptionsAndZnodes() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("complete")
    for name in ["alpha", "alphabet", "two words", "ünïcödé", "it's", "deep/er"] {
      try await #expect(zkcli("create", "-p", "\(path)/\(name)").exitStatus == 0)
    }
    let shell = try await Session.open(try #require(zkcli.server))
    for (typed, completed) in [
      ("getAllC", "getAllChildrenNumber"), ("ls --rec", "ls --recursive"), ("get \(path)/al", "get \(path)/alpha"),
      ("ls \(path)/tw", "ls '\(path)/two words'"), ("ls \(path)/ün", "ls \(path)/ünïcödé"),
      ("ls \(path)/de", "ls \(path)/deep"), ("ls '\(path)/tw", "ls '\(path)/two words"), ("help getA", "help getA"),
      ("printwatches of", "printwatches off"), ("addWatch -m PERSISTENT_", "addWatch -m PERSISTENT_RECURSIVE"),
    ] {
      try await shell.terminal.type(typed)
      try await shell.terminal.send("Tab")
      try await shell.terminal.waitUntil("completion of \(typed)", timeout: .seconds(20)) { screen in
        screen.split(separator: "\n").last?.contains(completed) == true
      }
      try await shell.terminal.send("C-c")
      try await shell.seeTyped("")
    }
    // What was completed is what the parser reads.
    try await shell.terminal.type("ls \(path)/tw")
    try await shell.terminal.send("Tab")
    try await shell.see("ls '\(path)/two words'")
    try await shell.terminal.send("Enter")
    try await shell.seeTyped("")
    #expect(try await !shell.terminal.screen().contains("NoNode"))
    try await shell.enter("cd \(path)")
    try await shell.see("(CONNECTED) \(path)]")
    try await shell.terminal.type("get dee")
    try await shell.terminal.send("Tab")
    try await shell.see("get deep")
    try await shell.terminal.type("/")
    try await shell.terminal.send("Tab")
    try await shell.see("get deep/er")
  }

  @Test func ambiguousPathListsTheChoices() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("choices")
    for name in ["alpha", "alphabet"] {
      try await #expect(zkcli("create", "-p", "\(path)/\(name)").exitStatus == 0)
    }
    // Below a chroot, paths are those that are seen there.
    let shell = try await Session.open(try #require(zkcli.server) + path)
    try await shell.terminal.type("get /al")
    try await shell.terminal.send("Tab")
    try await shell.seeTyped("get /alpha")
    try await shell.terminal.send("Tab")
    try await shell.see("alphabet")
  }

  @Test func historyIsKeptWithoutSecretsAndForItsOwnerAlone() async throws {
    let server = try await ApacheServer.shared().connectString
    let first = try await Session.open(server)
    for line in [
      "pwd", "addauth digest bob:hunter2", "ADDAUTH digest bob:hunter3", " get /hunter4", "ls /zookeeper",
      "whoami --timeout 5s",
    ] {
      try await first.run(line)
    }
    try await first.terminal.send("C-d")
    #expect(try await first.terminal.waitForExit() == 0)
    let text = try String(contentsOfFile: first.historyFile, encoding: .utf8)
    #expect(text.contains("pwd") && text.contains("ls /zookeeper") && text.contains("whoami"))
    #expect(!text.contains("hunter"))
    let mode = try FileManager.default.attributesOfItem(atPath: first.historyFile)[.posixPermissions] as? Int
    #expect(mode == 0o600)

    let second = try await Session.open(server, home: first.home)
    try await second.terminal.send("Up")
    try await second.seeTyped("whoami --timeout 5s")
    try await second.terminal.send("C-c")
    try await second.seeTyped("")
    try await second.terminal.send("C-r")
    try await second.terminal.type("zoo")
    try await second.see("ls /zookeeper")
    try await second.terminal.send("Enter")
    try await second.see("\nquota\n")
    try await second.enter("history")
    try await second.see("  pwd")
    try await second.enter("redo abc")
    try await second.see("abc is not a number")
    try await second.enter("redo 1")
    try await second.see("\n/\n")
    try await second.enter("quit")
    #expect(try await second.terminal.waitForExit() == 0)
  }

  @Test func passwordIsAskedForWithoutEcho() async throws {
    let shell = try await Session.open(try await ApacheServer.shared().connectString)
    try await shell.enter("addauth digest bob")
    try await shell.see("password of bob:")
    try await shell.enter("hunter5")
    try await shell.seeTyped("")
    try await shell.enter("whoami")
    let screen = try await shell.see("digest: bob")
    #expect(!screen.contains("hunter5"))
  }

  @Test func historyCanBeTurnedOff() async throws {
    let server = try await ApacheServer.shared().connectString
    let shell = try await Session.open(server, "--no-history")
    try await shell.enter("pwd")
    try await shell.see("\n/\n")
    try await shell.enter("exit")
    #expect(try await shell.terminal.waitForExit() == 0)
    #expect(!FileManager.default.fileExists(atPath: shell.historyFile))
  }

  @Test func openQuoteGoesOnAndInterruptDropsIt() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("quote")
    let shell = try await Session.open(try #require(zkcli.server))
    try await shell.enter("create \(path) 'one")
    try await shell.seeTyped("", prompt: ">")
    try await shell.enter("two'")
    try await shell.see("\n\(path)\n")
    expect(try await zkcli("get", path), output: "one\ntwo")
    try await shell.enter("set \(path) \"never")
    try await shell.seeTyped("", prompt: ">")
    try await shell.terminal.send("C-c")
    try await shell.terminal.waitUntil("the prompt") { $0.split(separator: "\n").last?.contains("(CONNECTED)") == true }
    try await shell.terminal.type("never run")
    try await shell.terminal.send("C-c")
    try await shell.seeTyped("")
    try await shell.enter("set \(path) 'x!!y $HOME `a` \\b'")
    try await shell.enter("get \(path)")
    try await shell.see("\nx!!y $HOME `a` \\b\n")
    #expect(try await !shell.terminal.screen().contains("unknown command"))
  }

  @Test func endOfInputLeavesWithTheLastCode() async throws {
    let server = try await ApacheServer.shared().connectString
    let shell = try await Session.open(server)
    try await shell.enter("get /nope-at-all")
    try await shell.see("NoNode /nope-at-all")
    try await shell.seeTyped("")
    try await shell.terminal.send("C-d")
    #expect(try await shell.terminal.waitForExit(timeout: .seconds(20)) == 3)
  }

  @Test func nothingTypedKillsTheShell() async throws {
    let server = try await ApacheServer.shared().connectString
    let shell = try await Session.open(server)
    for (line, answer) in [
      ("gte /x", "did you mean get?"), ("set -v abc / v", "abc is not a version"),
      ("set -b / '***'", "not valid base64"),
      ("redo abc", "abc is not a number"), ("addWatch nopath", "nopath"), ("get", "missing argument: path"),
      ("create /a\\x01b", "has the character U+0001"), ("ls \\", ""), ("'", ""), ("'", ""), ("multi ,", "operation 1"),
      ("connect a:b", "not a list"),
      ("help get", "usage: get"), ("help gte", "did you mean"), ("get --help", "Also called cat"), ("set / -", "stdin"),
      ("printwatches maybe", "choose from on, off"), ("-k", "unknown command"), ("\"\"", "unknown command"),
    ] {
      try await shell.enter(line)
      if answer.isEmpty { try await shell.terminal.send("C-c") } else { try await shell.see(answer) }
    }
    try await shell.enter("getAllChildrenNumber /zookeeper/config")
    try await shell.see("\n0\n")
  }
}
