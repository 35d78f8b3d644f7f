import Foundation
import TestKit
import Testing

/// The past, from directories that Apache's server and ours have written, also while these run.
@Suite(.timeLimit(.minutes(10)))
struct HistoryTests {
  /// A server with a directory that can be read beside it.
  struct Subject {
    let zkcli: Zkcli
    let directory: String
    let keeper: any Sendable
  }

  static func start(_ kind: ServerKind) async throws -> Subject {
    switch kind {
    case .apache:
      let server = try await ApacheServer.start(.permissive)
      return Subject(zkcli: Zkcli(server: server.connectString), directory: server.dataDirectory, keeper: server)
    case .zkcli:
      let server = try await ZkcliServer.start()
      return Subject(zkcli: Zkcli(server: server.connectString), directory: server.dataDirectory, keeper: server)
    }
  }

  /// The zxid of a znode's last write.
  private func zxid(_ path: String, _ zkcli: Zkcli) async throws -> String {
    let run = try await zkcli("stat", "-o", "json", path)
    let stat = try #require(jsonObject(run.output)["stat"] as? [String: Any], "\(run.errorOutput)")
    return try #require(stat["mzxid"] as? String)
  }

  /// What is exported of the past is what was exported then, and can be imported elsewhere.
  @Test(arguments: ServerKind.allCases) func thePastIsExported(_ kind: ServerKind) async throws {
    let subject = try await Self.start(kind)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    let script =
      "create /app root\ncreate /app/a one\ncreate /app/a/b two\ncreate /app/open x ip:127.0.0.1:cdrwa\nset /app/a 1\n"
    #expect(try await zkcli.script(script).exitStatus == 0)
    let files = try Scratch.directory("past")
    expect(try await zkcli("export", "/app", "\(files)/live.jsonl"))
    let moment = try await zxid("/app/a", zkcli)
    expect(try await zkcli("deleteall", "--yes", "/app"))

    let offline = Zkcli(server: "127.0.0.1:1")
    let past = try await offline("snap", "export", directory, "/app", "\(files)/past.jsonl", "--at", moment)
    #expect(past.exitStatus == 0, "\(past.errorOutput)")
    for name in ["past.tar", "past/"] {
      let run = try await offline("snap", "export", directory, "/app", "\(files)/\(name)", "--at", moment)
      #expect(run.exitStatus == 0, "\(name): \(run.errorOutput)")
    }
    let lines = try await offline("snap", "export", directory, "/app", "--at", moment)
    #expect(lines.output == (try String(contentsOfFile: "\(files)/past.jsonl", encoding: .utf8)))
    for name in ["live.jsonl", "past.jsonl", "past.tar", "past"] {
      expect(try await zkcli("import", "\(files)/\(name)", "/again"))
      expect(try await zkcli("diff", "snap:\(directory):/app", "/again", "--at", moment))
      expect(try await zkcli("deleteall", "--yes", "/again"))
    }
    let again = try await offline("snap", "export", directory, "/app", "\(files)/past.jsonl", "--at", moment)
    #expect(again.exitStatus == 4, "\(again.errorOutput)")
    let gone = try await offline("snap", "export", directory, "/app", "\(files)/none")
    #expect(gone.exitStatus == 3, "\(gone.errorOutput)")
    #expect(try await offline("snap", "export", directory).exitStatus == 2)
    #expect(try await offline("snap", "ls", directory, "--overwrite").exitStatus == 2)
  }

  @Test(arguments: ServerKind.allCases) func subtreeDeletedByMistakeComesBack(_ kind: ServerKind) async throws {
    let subject = try await Self.start(kind)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    let bob = zkcli.with(["ZKCLI_AUTH": "digest:bob:secret"])
    var script = "create /app root\ncreate -e /app/gone\ncreate /app/binary\ncreate -c /app/container\n"
    for number in 0..<300 { script += "create /app/n\(number) 'value \(number)'\n" }
    for number in 0..<300 { script += "create /app/n\(number)/child\n" }
    script += "set /app/n7 changed\nsetAcl /app/n9 ip:127.0.0.1:cdrwa,world:anyone:r\n"
    #expect(try await zkcli.script(script).exitStatus == 0)
    expect(try await zkcli("set", "/app/binary", "-", input: [0, 255, 10, 13, 128]))
    expect(try await bob("create", "/app/secret", "hidden", "auth::cdrwa"), output: "/app/secret\n")
    let saved = try Scratch.directory("history") + "/app.jsonl"
    expect(try await bob("export", "/app", saved))
    // By mistake, as the znode's owner could.
    expect(try await bob("deleteall", "--yes", "/app"))
    expect(try await zkcli("create", "/later", "x"), output: "/later\n")

    let who = try await zkcli("log", "who", directory, "/app")
    #expect(who.exitStatus == 0, "\(who.errorOutput)")
    let lines = who.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.contains(" create /app 4 bytes") == true)
    #expect(lines.last?.contains("delete /app") == true)
    // What is to be done is said; it is taken from there.
    let words = who.errorOutput.split(separator: " ").map(String.init)
    let moment = try #require(words.lastIndex(of: "--before").map { words[$0 + 1] }, "\(who.errorOutput)")
    let dry = try await bob("undelete", directory, "/app", "--before", moment, "--dry-run")
    #expect(dry.exitStatus == 0)
    #expect(dry.output.split(separator: "\n").count == 604)
    // While the session of the script was open, it had an ephemeral znode.
    let created = try await zkcli("log", "who", directory, "/app/binary", "--op", "create")
    let first = try #require(created.output.split(separator: " ").first.map(String.init))
    expect(
      try await bob("undelete", directory, "/app", "--at", first, "--dry-run"), output: "/app\n/app/binary\n",
      error: "1 ephemeral znode is left out")
    expect(try await zkcli("exists", "/app"), status: 1)
    expect(
      try await zkcli("undelete", directory, "/app"), status: 2, error: "undelete \(directory) /app --before \(moment)")
    let run = try await bob("undelete", directory, "/app", "--before", moment)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    expect(try await bob("diff", "file:\(saved)", "/app"))
    // Again, beside it; and what is in the way is said.
    expect(try await bob("undelete", directory, "/app", "--before", moment))
    expect(try await zkcli("set", "/app/n7", "other"))
    expect(
      try await bob("undelete", directory, "/app", "--before", moment), status: 11, error: "/app/n7 (NodeExists)")
    let beside = try await bob("undelete", directory, "/app", "--before", moment, "--to", "/copy")
    #expect(beside.exitStatus == 0, "\(beside.errorOutput)")
    expect(try await bob("diff", "file:\(saved)", "/copy"))
    expect(try await bob("undelete", directory, "/app", "--before", moment, "--overwrite", "--yes"))
    expect(try await bob("diff", "file:\(saved)", "/app"))
    // Where something cannot be written is said.
    expect(try await bob("deleteall", "--yes", "/app/n5"))
    expect(try await bob("setAcl", "/app", "auth::cdrwa,world:anyone:r"))
    expect(
      try await zkcli("undelete", directory, "/app/n5", "--before", moment), status: 11, error: "/app/n5 (NoAuth)")
    withExtendedLifetime(subject.keeper) {}
  }

  @Test(arguments: ServerKind.allCases) func everyActionShowsTheStateOfThen(_ kind: ServerKind) async throws {
    let subject = try await Self.start(kind)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    let script = """
      create /app root
      create /app/a 'host 10.0.0.1'
      create /app/a/b deep
      create /app/c
      """
    #expect(try await zkcli.script(script + "\n").exitStatus == 0)
    let then = try await zxid("/app/c", zkcli)
    let offline = Zkcli(server: try refusedServer())
    func snap(_ words: String...) async throws -> CommandRun { try await offline.run(["snap"] + words) }
    // What the commands of these names say now is what they say of then, later.
    let live = [
      "tree": try await zkcli("tree", "/app").output, "find": try await zkcli("find", "/app", "--name", "[ab]").output,
      "du": try await zkcli("du", "/app").output, "get": try await zkcli("get", "-s", "/app/a").output,
      "grep": try await zkcli("grep", "-r", "10.0", "/app").output, "ls": try await zkcli("ls", "-R", "/app").output,
    ]
    expect(try await zkcli("set", "/app/a", "host 10.0.0.2"))
    expect(try await zkcli("deleteall", "/app/a/b"))
    expect(try await zkcli("create", "/app/d"), output: "/app/d\n")
    let last = try await zxid("/app/d", zkcli)

    expect(try await snap("tree", directory, "/app", "--at", then), output: live["tree"] ?? "")
    expect(try await snap("find", directory, "/app", "--name", "[ab]", "--at", then), output: live["find"] ?? "")
    expect(try await snap("du", directory, "/app", "--at", then), output: live["du"] ?? "")
    expect(try await snap("cat", "-s", directory, "/app/a", "--at", then), output: live["get"] ?? "")
    expect(try await snap("grep", directory, "10.0", "/app", "--at", then), output: live["grep"] ?? "")
    expect(try await snap("ls", "-R", directory, "/app", "--at", then), output: live["ls"] ?? "")
    expect(try await snap("ls", directory, "/app"), output: "a\nc\nd\n")
    expect(try await snap("ls", directory, "/app", "--before", last), output: "a\nc\n")
    let both = try json(try await snap("cat", "-o", "json", directory, "/app/*", "--at", then).output)
    #expect((both as? [[String: Any]])?.count == 2)
    expect(try await snap("cat", directory, "/app/*", "--at", then), output: "/app/a:\nhost 10.0.0.1\n/app/c:\n")
    let diff = try await snap("diff", directory, "/app", "--since", then)
    #expect(diff.exitStatus == 1)
    #expect(diff.output.contains("~ /a\n") && diff.output.contains("- /a/b\n") && diff.output.contains("+ /d\n"))
    expect(try await snap("diff", directory, "/app", "--since", last, "--at", last), status: 1, output: "+ /d\n")
    let stat = try jsonObject(try await snap("stat", "-o", "json", directory, "/app/a", "--at", then).output)
    #expect((stat["stat"] as? [String: Any])?["version"] as? Int == 0)
    #expect((stat["acl"] as? [[String: Any]])?.first?["scheme"] as? String == "world")
    // Mistakes and moments that there are none of.
    expect(try await snap("cat", directory, "/none"), status: 3, error: "NoNode /none")
    expect(try await snap("ls", directory, "/app", "--at", "yesterday"), status: 2, error: "neither a transaction nor")
    expect(try await snap("ls", directory, "--name", "x"), status: 2, error: "snap ls has no option --name")
    expect(try await snap("ls", directory, "--at", "1", "--before", "2"), status: 2, error: "cannot be combined")
    expect(try await snap("ls", directory, "--at", "0xffffffff"), status: 12, error: "the last transaction in")
    expect(try await snap("ls", "/nonexistent"), status: 12, error: "no such file or directory")
    expect(try await snap("ls", "/bin"), status: 12, error: "neither a snapshot nor a log")
    expect(try await snap("ls", "/bin/sh"), status: 12, error: "not a file of ZooKeeper's")
    withExtendedLifetime(subject.keeper) {}
  }

  @Test(arguments: ServerKind.allCases) func logTellsWhoWroteWhatAndFollows(_ kind: ServerKind) async throws {
    let subject = try await Self.start(kind)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    #expect(
      try await zkcli.script("create /w one\nset /w two\nmulti create /m , delete /m\nset /none x\n", "--keep-going")
        .exitStatus != 0)
    let show = try await zkcli("log", "show", directory)
    #expect(show.exitStatus == 0, "\(show.errorOutput)")
    let operations = show.output.split(separator: "\n").map {
      $0.split(separator: " ").dropFirst(3).joined(separator: " ")
    }
    for wanted in [
      "create /w 3 bytes", "set /w version 1 3 bytes", "multi create /m null, delete /m", "error NoNode",
      "closeSession",
    ] {
      #expect(
        operations.contains(wanted) || operations.contains(wanted.replacing("null", with: "0 bytes")), "\(wanted)")
    }
    let rows = try await zkcli("log", "show", "-o", "jsonl", directory, "--path", "/w", "--op", "set", "--with-data")
    let row = try jsonObject(rows.output)
    let operation = try #require((row["operations"] as? [[String: Any]])?.first)
    #expect(operation["data"] as? String == "two" && operation["version"] as? Int == 1)
    let zxid = try #require(row["zxid"] as? String)
    #expect(try await zkcli("log", "show", directory, "--since", zxid, "--until", zxid).output.contains(zxid))
    let all = try #require(try json(try await zkcli("log", "show", "-o", "json", directory).output) as? [Any])
    #expect(all.count == operations.count)
    let session = try #require(row["session"] as? String)
    let own = try await zkcli("log", "who", directory, "/w", "--session", session)
    #expect(own.output.split(separator: "\n").count == 2)
    expect(try await zkcli("log", "who", directory, "/never"), status: 1)
    let summary = try jsonObject(try await zkcli("log", "stat", "-o", "json", directory).output)
    #expect(summary["transactions"] as? Int == operations.count)
    #expect(summary["segments"] as? Int == 1)

    let tail = try zkcli.start("log", "tail", "-n", "1", "-f", directory)
    // Once it has printed the last one, it follows.
    #expect(try await tail.nextLine(within: .seconds(60)) != nil)
    for number in 0..<3 {
      expect(try await zkcli("create", "/tail\(number)"), output: "/tail\(number)\n")
      var line: String? = ""
      while let last = line, !last.contains("create /tail\(number)") { line = try await tail.nextLine() }
      #expect(line != nil)
    }
    tail.send(signal: SIGINT)
    #expect(try await tail.waitForEnd(within: .seconds(60)) == .exited(130))
    withExtendedLifetime(subject.keeper) {}
  }

  /// While a server writes as fast as it can, every answer is whole.
  @Test(arguments: ServerKind.allCases) func runningServerIsReadWithoutFindings(_ kind: ServerKind) async throws {
    let subject = try await Self.start(kind)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    var script = "create /busy\n"
    for number in 0..<6000 { script += "create -s /busy/n- '\(String(repeating: "x", count: number % 700))'\n" }
    let lines = script
    let writing = Task { try await zkcli.script(lines, "--pipeline", "64") }
    var last = 0
    for _ in 0..<8 {
      let run = try await zkcli("snap", "find", directory, "/", "--path", "/busy/*", "--count")
      #expect(run.exitStatus == 0 && run.errorOutput.isEmpty, "\(run.errorOutput)")
      let count = try #require(Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(count >= last)
      last = count
      let log = try await zkcli("log", "stat", directory)
      #expect(log.exitStatus == 0 && log.errorOutput.isEmpty, "\(log.errorOutput)")
    }
    #expect(try await writing.value.exitStatus == 0)
    expect(try await zkcli("snap", "find", directory, "/", "--path", "/busy/*", "--count"), output: "6000\n")
    withExtendedLifetime(subject.keeper) {}
  }

  @Test func damageIsSaidAndTheRestIsShown() async throws {
    let subject = try await Self.start(.zkcli)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    #expect(try await zkcli.script("create /a\ncreate /b\ncreate /c\ncreate /d\n").exitStatus == 0)
    let copy = try Scratch.directory("damaged")
    #expect(try await zkcli.shell("cp -r \(directory)/version-2 \(copy)/").exitStatus == 0)
    let log = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(copy)/version-2").first { $0.hasPrefix("log.") })
    let file = "\(copy)/version-2/\(log)"
    var bytes = try Data(contentsOf: URL(filePath: file))
    let place = try #require(bytes.range(of: Data("/c".utf8)))
    bytes[place.lowerBound + 1] = UInt8(ascii: "X")
    try bytes.write(to: URL(filePath: file))
    let before = try await zkcli.shell("cd \(copy) && find . -type f | xargs sha256sum; ls -lR --full-time")
    let run = try await zkcli("snap", "ls", copy)
    #expect(run.exitStatus == 11 && run.output == "a\nb\nzookeeper\n", "\(run.output)")
    #expect(run.errorOutput.contains("\(file) at offset") && run.errorOutput.contains("a checksum is wrong"))
    let show = try await zkcli("log", "show", copy)
    #expect(show.exitStatus == 11 && show.output.contains("create /b") && show.output.contains("create /d"))
    #expect(!show.output.contains("create /c"))
    expect(try await zkcli("log", "show", file, "--op", "error"), status: 11, error: "are missing")
    // Nothing was written: neither content nor times have changed.
    let after = try await zkcli.shell("cd \(copy) && find . -type f | xargs sha256sum; ls -lR --full-time")
    #expect(after.output == before.output)
    withExtendedLifetime(subject.keeper) {}
  }

  @Test func stateOfThePastIsASideOfDiffAndASourceOfCopies() async throws {
    let subject = try await Self.start(.zkcli)
    let (zkcli, directory) = (subject.zkcli, subject.directory)
    #expect(try await zkcli.script("create /app one\ncreate /app/x\n").exitStatus == 0)
    let then = try await zxid("/app/x", zkcli)
    #expect(try await zkcli.script("set /app two\ndelete /app/x\n").exitStatus == 0)
    let diff = try await zkcli("diff", "-q", "snap:\(directory):/app", "/app", "--at", then)
    expect(diff, status: 1, output: "~ /\n- /x\n")
    expect(try await zkcli("cp", "-R", "snap:\(directory):/app", "/restored", "--at", then))
    expect(try await zkcli("diff", "snap:\(directory):/app", "/restored", "--at", then))
    expect(try await zkcli("diff", "snap:\(directory):/app", "/app"))
    withExtendedLifetime(subject.keeper) {}
  }
}
