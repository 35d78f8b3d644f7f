import Foundation
import TestKit
import Testing

/// Commands from files and pipes.
@Suite(.timeLimit(.minutes(10)))
struct ScriptTests {
  @Test func stopsAtTheFirstFailureWithItsCodeAndPlace() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("stops")
    let directory = try Scratch.directory("script")
    let file = "\(directory)/my script.zk"
    try Scratch.write("create \(path) v\n\nget \(path)/nope\ndelete \(path)\n", to: file)
    for options in [["-f", file], ["--script", file]] {
      let run = try await zkcli.run(options)
      expect(run, status: 3, output: "\(path)\n", error: "\(file):3: NoNode \(path)/nope: the znode does not exist\n")
      expect(try await zkcli("delete", path))
    }
    let run = try await zkcli.shell("exec zkcli < '\(file)'")
    expect(run, status: 3, output: "\(path)\n", error: "stdin:3: NoNode \(path)/nope")
  }

  @Test func keepsGoingWhenToldToAndEndsWithTheFirstFailure() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("keeps")
    let script = "get \(path)\ncreate \(path) v\ncreate \(path) v\nnonsense\nget \(path)\n"
    for option in ["-k", "--keep-going"] {
      let run = try await zkcli.script(script, option)
      expect(run, status: 3, output: "\(path)\nv\n", error: "stdin:1: NoNode")
      #expect(run.errorOutput.contains("stdin:3: NodeExists \(path)"))
      #expect(run.errorOutput.contains("stdin:4: unknown command nonsense"))
      expect(try await zkcli("delete", path))
    }
  }

  @Test func falsePredicateStopsAScript() async throws {
    let run = try await Zkcli.shared().script("exists /zookeeper\nexists /nope-at-all\npwd\n")
    expect(run, status: 1)
  }

  @Test func commentsBlanksAndQuotesOverLines() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("quotes")
    let script = """
      # a comment, then nothing

         \t
      create \(path) 'one
      # not a comment
      three'   # but this is
      get \(path)
      set \(path) "a\\x41\\"\\u{e9}"'b'\\ c
      get \(path)
      set \(path) x\\
      y
      get \(path)
      set \(path) a#b
      get \(path)
      """
    let run = try await zkcli.script(script)
    expect(run, output: "\(path)\none\n# not a comment\nthree\naA\"éb c\nxy\na#b\n")
  }

  @Test func windowsLineEndsDoNoHarm() async throws {
    let path = uniquePath("windows")
    let run = try await Zkcli.shared().script("create \(path) v\r\n\r\nget \(path)\r\n")
    expect(run, output: "\(path)\nv\n")
  }

  @Test func lastLineNeedsNoEnd() async throws {
    expect(try await Zkcli.shared().script("pwd"), output: "/\n")
  }

  @Test func openQuoteAtTheEndIsReportedWhereItBegins() async throws {
    let run = try await Zkcli.shared().script("pwd\n\nset /x 'open\nand on\n")
    expect(run, status: 2, output: "/\n", error: "stdin:3: the quote that is opened here is not closed")
  }

  @Test func thousandLines() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("thousand")
    let lines = (0..<1000).map { "create \(path)/\($0) \($0)" }
    let run = try await zkcli.script("create \(path)\n" + lines.joined(separator: "\n"))
    #expect(run.exitStatus == 0)
    #expect(run.output.split(separator: "\n").count == 1001)
    expect(try await zkcli("getAllChildrenNumber", path), output: "1000\n")
  }

  @Test func sessionAndDirectoryLastForTheWholeScript() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("lasts")
    let run = try await zkcli.script(
      """
      create -p \(path)/a/b v
      cd \(path)/a
      pwd
      get b
      ls ..
      create -e e
      getEphemerals .
      cd -
      cd ..
      exists \(path)/a/e
      addauth digest u:p
      whoami
      create secret s auth::cdrwa
      get /secret
      delete /secret
      """.replacing("secret", with: path.dropFirst() + "-secret"))
    expect(
      run,
      output: "\(path)/a/b\n\(path)/a\nv\na\n\(path)/a/e\n\(path)/a/e\n/\ndigest: u\nip: 127.0.0.1\n\(path)-secret\ns\n"
    )
    expect(try await zkcli("exists", "\(path)/a/e"), status: 1)
  }

  @Test func valuesComeFromFilesAndFromStdinOnce() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("values")
    let directory = try Scratch.directory("values")
    try Scratch.write("from a file", to: "\(directory)/value")
    try Scratch.write(
      "create \(path) @\(directory)/value\nget \(path)\nset \(path) -\nget \(path)\nset \(path) -\n",
      to: "\(directory)/script")
    let run = try await zkcli("-f", "\(directory)/script", input: Array("from stdin".utf8))
    expect(
      run, status: 2, output: "\(path)\nfrom a file\nfrom stdin\n",
      error: "script:5: stdin has already been read")
    let busy = try await zkcli.script("set \(path) -\n")
    expect(busy, status: 2, error: "stdin:1: - means stdin, which is in use here")
  }

  @Test func transactionComesFromStdinAndFiles() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("transaction")
    let operations = "# two\ncreate \(path) 'two\nlines'\ncreate \(path)/c ,\n"
    let created = "create \(path)\ncreate \(path)/c\n"
    let file = try Scratch.directory("multi") + "/operations"
    try Scratch.write(operations, to: file)
    for (arguments, input) in [
      (["multi", "-"], operations), (["multi", "-f", file], ""), (["multi", "@\(file)"], ""),
      (["multi", "-f", "-"], operations),
    ] {
      expect(try await zkcli.run(arguments, input: Array(input.utf8)), output: created, "\(arguments)")
      expect(try await zkcli("get", path), output: "two\nlines")
      expect(try await zkcli("deleteall", path))
    }
    let bad = try await zkcli("multi", "-", input: Array("create \(path)\nset\n".utf8))
    expect(bad, status: 2, error: "line 2: missing argument: path")
    expect(try await zkcli("multi", "-", input: []), status: 2, error: "the multi has no operations")
  }

  @Test func answersComeBeforeTheNextLineIsWritten() async throws {
    let command = try await Zkcli.shared().start()
    for _ in 0..<3 {
      try command.write("pwd\n")
      #expect(try await command.nextLine() == "/")
    }
    try command.write("exists /nope-at-all\n")
    #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(1))
  }

  @Test func optionsOfOneLineHoldForThatLine() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("lines")
    let run = try await zkcli.script(
      "create \(path) v\nls -o json \(path)\nls \(path)\nget -o hex \(path)\nget --help\nget \(path)\nget -s x\n", "-k")
    #expect(run.output.hasPrefix("\(path)\n{\"path\":\"\(path)\",\"children\":[]}\n76\nusage: get"))
    #expect(run.output.hasSuffix("\nv\n"))
    expect(try await zkcli.script("get --server x:1 /\n"), status: 2, error: "stdin:1: unknown option --server")
  }

  @Test func quitEndsAScriptWithTheLastCode() async throws {
    let zkcli = try await Zkcli.shared()
    expect(try await zkcli.script("pwd\nquit\npwd\n"), output: "/\n")
    expect(try await zkcli.script("exists /nope-at-all\nexit\n", "-k"), status: 1)
  }

  @Test func eventsOfAScriptsWatchesGoToStderr() async throws {
    let path = uniquePath("watched")
    let run = try await Zkcli.shared().script("create \(path) v\nget -w \(path)\nset \(path) w\nsync\n")
    expect(run, output: "\(path)\nv\n", error: "event: NodeDataChanged \(path)")
  }

  @Test func secondCommandOnTheCommandLineIsAMistake() async throws {
    expect(try await Zkcli.shared()("-f", "x", "ls"), status: 2, error: "--script cannot be combined with a command")
  }
}
