import Foundation
import TestKit
import Testing

/// What makes the interactive shell and scripts pleasant to use.
@Suite(.timeLimit(.minutes(10)))
struct ComfortTests {
  @Test func answersOfScriptsGoToFilesAndCommands() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("redirected")
    let file = try Scratch.directory("redirected") + "/out put"
    let script = """
      create \(path) "two\\nlines"
      get \(path) > '\(file)'
      get \(path) >> '\(file)'
      get \(path) | tr a-z A-Z
      ls -R \(path) | head -1
      ls / | exit 3
      """
    let run = try await zkcli.script(script + "\n")
    #expect(run.output == "\(path)\nTWO\nLINES\(path)\n", "\(run.errorOutput)")
    #expect(run.exitStatus == 3 && run.errorOutput.isEmpty)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "two\nlinestwo\nlines")
    expect(try await zkcli.script("ls / > /nonexistent/file\n"), status: 12, error: "cannot open /nonexistent/file")
  }

  @Test func formatsAreTheSameForEveryCommand() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("formats")
    for name in ["a", "b,c"] { try await #expect(zkcli("create", "-p", "\(path)/\(name)", "v").exitStatus == 0) }
    expect(try await zkcli("-o", "csv", "ls", path), output: "path,children\r\n\(path),a\r\n\(path),\"b,c\"\r\n")
    expect(
      try await zkcli("-o", "csv", "ls", "-R", path), output: "path\r\n\(path)\r\n\(path)/a\r\n\"\(path)/b,c\"\r\n")
    #expect(try await zkcli("-o", "fields", "stat", "\(path)/a").output.contains("\nstat.dataLength=1\n"))
    let table = try await zkcli("-o", "table", "ls", "-l", path)
    #expect(table.output.hasPrefix("name  stat.czxid"), "\(table.output)")
  }

  @Test func commandsAreTimedAndRepeated() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("repeated")
    try await #expect(zkcli("create", path).exitStatus == 0)
    let timed = try await zkcli("time", "exists", path)
    #expect(timed.exitStatus == 0 && timed.errorOutput.contains(/^zkcli: \d+\.\d{3} ms\n$/))
    expect(try await zkcli("time", "exists", "\(path)/no"), status: 1, error: " ms\n")
    let repeated = try await zkcli("repeat", "-n", "3", "-i", "0s", "create", "-s", "\(path)/n-")
    #expect(repeated.output == (0..<3).map { "\(path)/n-000000000\($0)\n" }.joined())
    expect(try await zkcli("repeat", "-i", "0s", "get", "\(path)/no"), status: 3, error: "NoNode")
    expect(try await zkcli("repeat", "-n", "0", "ls"), status: 2, error: "--count 0")
  }

  @Test func longAnswersGoToThePagerOfATerminal() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("paged")
    let lines = ["create \(path)"] + (100..<200).map { "create \(path)/\($0)" }
    try await #expect(zkcli.script(lines.joined(separator: "\n") + "\n").exitStatus == 0)
    let shell = try await REPLTests.Session.open(
      try #require(zkcli.server), variables: ["PAGER": "sed s/^/paged:/"])
    try await shell.enter("ls \(path)")
    try await shell.see("paged:199")
    try await shell.enter("get \(path)/100")
    try await shell.enter("ls --no-pager \(path)")
    try await shell.see("\n199\n")
    try await shell.enter("ls \(path) | wc -l")
    try await shell.see("\n100\n")
  }

  /// Also while the answer is waiting for the pager to read it.
  @Test func aTerminationEndsThePagerToo() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("paged-end")
    let name = String(repeating: "n", count: 200)
    let lines = ["create \(path)"] + (100..<900).map { "create \(path)/\(name)\($0)" }
    try await #expect(zkcli.script(lines.joined(separator: "\n") + "\n").exitStatus == 0)
    let pager = "sh -c 'echo paging; exec sleep 600'"
    let server = try #require(zkcli.server)
    let shell = try await REPLTests.Session.open(server, variables: ["PAGER": pager])
    try await shell.enter("ls \(path)")
    try await shell.see("paging")
    try await shell.terminal.signal(SIGTERM)
    #expect(try await shell.terminal.waitForExit() == 128 + SIGTERM)
    var variables = RunningCommand.cleanEnvironment
    variables.merge(["PAGER": pager, "ZKCLI_SERVER": server]) { $1 }
    let single = try await Terminal.start(try Products.executable("zkcli"), ["ls", path], environment: variables)
    try await single.waitFor("paging")
    try await single.signal(SIGHUP)
    #expect(try await single.waitForExit() == 128 + SIGHUP)
  }

  @Test func theShellHintsAndRecalls() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("hints")
    try await #expect(zkcli("create", path, "the value").exitStatus == 0)
    let shell = try await REPLTests.Session.open(try #require(zkcli.server))
    try await shell.terminal.type("create ")
    try await shell.see("create [-s] [-e] [-c] [-t MS] [-p] path [data] [acl]")
    try await shell.terminal.type("\(path)/x ")
    try await shell.see("create \(path)/x [data] [acl]")
    try await shell.terminal.send("C-c")
    try await shell.seeTyped("")
    try await shell.enter("get \(path)")
    try await shell.see("\nthe value\n")
    try await shell.enter("!1")
    try await shell.terminal.waitUntil("the value twice", timeout: .seconds(20)) { screen in
      screen.split(separator: "\n").filter { $0 == "the value" }.count == 2
    }
    try await shell.enter("!99")
    try await shell.see("there is no line 99 in the history")
  }

  @Test func filesAndCommandsAreCompleted() async throws {
    let zkcli = try await Zkcli.shared()
    let directory = try Scratch.directory("files")
    try Scratch.write("x", to: "\(directory)/alpha.json")
    let shell = try await REPLTests.Session.open(try #require(zkcli.server))
    for (typed, completed) in [
      ("set /x @\(directory)/al", "set /x @\(directory)/alpha.json"), ("multi -f \(directory)/a", "alpha.json"),
      ("lock /x -- mktem", "lock /x -- mktemp"), ("time exi", "time exi"),
      ("time getAllC", "time getAllChildrenNumber"),
    ] {
      try await shell.terminal.type(typed)
      try await shell.terminal.send("Tab")
      try await shell.terminal.waitUntil("completion of \(typed)", timeout: .seconds(20)) { screen in
        screen.split(separator: "\n").last?.contains(completed) == true
      }
      try await shell.terminal.send("C-c")
      try await shell.seeTyped("")
    }
  }
}
