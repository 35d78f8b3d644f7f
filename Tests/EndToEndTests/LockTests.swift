import Foundation
import TestKit
import Testing

/// Locks around commands, on our server and on Apache's.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LockTests {
  private func zkcli(_ server: ServerKind) async throws -> Zkcli { try await Zkcli.patient(server) }

  /// A script that notes its token, and an overlap if another process is inside: a directory can be made once.
  private func critical(_ log: LineLog) -> String {
    "mkdir \(log.directory)/inside || echo overlap >>\(log.path); echo $ZKCLI_LOCK_ZXID >>\(log.path);"
      + " rmdir \(log.directory)/inside"
  }

  @Test(arguments: ServerKind.allCases) func twentyProcessesNeverOverlap(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("twenty")
    let log = try LineLog()
    let running = try (0..<20).map { _ in try zkcli.start("lock", path, "--", "sh", "-c", critical(log)) }
    for command in running { #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(0)) }
    let tokens = try log.lines.map(token)
    #expect(tokens.count == 20)
    #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 }, "\(tokens)")
  }

  @Test(arguments: ServerKind.allCases) func theExitCodeIsPassedOn(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("codes")
    try await #expect(zkcli("lock", path, "--", "sh", "-c", "exit 7").exitStatus == 7)
    try await #expect(zkcli("lock", path, "--", "sh", "-c", "kill -9 $$").exitStatus == 137)
    expect(try await zkcli("lock", path, "--", "/nonexistent/command"), status: 127, error: "cannot run")
    expect(try await zkcli("lock", path, "--", "/"), status: 126, error: "cannot run")
    expect(try await zkcli("lock", path, "--"), status: 2, error: "no command given after --")
    expect(
      try await zkcli(
        "lock", path, "--", "sh", "-c", "cat; echo $ZKCLI_LOCK_PATH | cut -c1-\(path.count)",
        input: [UInt8]("in\n".utf8)), output: "in\n\(path)\n")
    #expect(try await zkcli("ls", path).output.isEmpty)
  }

  @Test(arguments: ServerKind.allCases) func whoDoesNotGetItSaysSo(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("held")
    let holder = try zkcli.start("lock", path)
    let held = try #require(try await holder.nextLine(within: .seconds(30)))
    #expect(held.hasPrefix("\(path)/_c_"))
    expect(try await zkcli("lock", "--try", path, "--", "true"), status: 8, error: "NotObtained")
    expect(try await zkcli("lock", "--timeout", "50ms", path, "--", "true"), status: 8, error: "NotObtained")
    expect(try await zkcli("lock", "--try", "-E", "0", path, "--", "true"))
    expect(try await zkcli("lock", "--timeout", "50ms", "-E", "33", path), status: 33)
    expect(try await zkcli("lock", "--shared", "--try", path), status: 8, error: "NotObtained")
    let waiting = try zkcli.start("lock", "--shared", path, "--", "echo", "mine")
    let rows = try await eventually("a holder and one who waits", within: .seconds(30)) {
      let rows = try await zkcli("lock", "--list", "-o", "jsonl", path).output.split(separator: "\n").map(jsonObject)
      return rows.count == 2 ? rows : nil
    }
    #expect(rows.map { $0["holder"] as? Bool } == [true, false])
    #expect(rows.map { $0["shared"] as? Bool } == [false, true])
    #expect(Set(rows.compactMap { $0["session"] as? String }).count == 2)
    #expect((rows[0]["address"] as? String)?.hasPrefix("127.0.0.1:") == true)
    #expect(waiting.bytes(of: .output).isEmpty)
    holder.closeInput()
    #expect(try await holder.waitForEnd(within: .seconds(30)) == .exited(0))
    #expect(try await waiting.nextLine(within: .seconds(30)) == "mine")
    #expect(try await waiting.waitForEnd(within: .seconds(30)) == .exited(0))
  }

  @Test(arguments: ServerKind.allCases) func aRevocableLockIsLetGo(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("revoked")
    let script = "trap 'exit 4' TERM; echo ready; while :; do sleep 0.1; done"
    let command = try zkcli.start("lock", "--revocable", path, "--", "sh", "-c", script)
    #expect(try await command.nextLine(within: .seconds(30)) == "ready")
    expect(try await zkcli("lock", "--revoke", "-o", "json", path), output: "{\"path\":\"\(path)\",\"count\":1}\n")
    #expect(try await command.waitForEnd(within: .seconds(30)) == .exited(4))
  }

  /// A command that notes its token, when it begins and that it has been asked to end.
  private func noting(_ log: LineLog) -> String {
    "trap 'echo ended >>\(log.path); exit 0' TERM; echo $ZKCLI_LOCK_ZXID; echo began >>\(log.path);"
      + " while :; do sleep 0.05; done"
  }

  @Test(arguments: ServerKind.allCases) func whatIsStoppedLosesItsCommandInTime(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("stopped")
    let log = try LineLog()
    let first = try zkcli.start("--session-timeout", "8s", "lock", path, "--", "sh", "-c", noting(log))
    let firstToken = try token(try #require(try await first.nextLine(within: .seconds(40))))
    try await log.wait(for: "began")
    first.send(signal: SIGSTOP)
    // Its session is over when another gets the lock.
    let second = try await zkcli(
      "lock", "--timeout", "50s", path, "--", "sh", "-c", "echo next >>\(log.path); echo $ZKCLI_LOCK_ZXID")
    #expect(second.exitStatus == 0)
    #expect(try token(second.output.dropLast()) > firstToken)
    #expect(log.lines == ["began", "ended", "next"])
    first.send(signal: SIGCONT)
    #expect(try await first.waitForEnd(within: .seconds(40)) == .exited(9))
    #expect(String(decoding: first.bytes(of: .error), as: UTF8.self).contains("Lost"))
  }

  @Test(arguments: ServerKind.allCases) func theCommandIsGoneBeforeTheNextHolders(server: ServerKind) async throws {
    let direct = try await zkcli(server)
    let path = uniquePath("silence")
    let log = try LineLog()
    let proxy = try TCPProxy(to: try await server.port)
    let behindProxy = Zkcli.patient(proxy.connectString)
    let first = try behindProxy.start("--session-timeout", "8s", "lock", path, "--", "sh", "-c", noting(log))
    try await log.wait(for: "began")
    proxy.stall()
    let second = try direct.start("lock", path, "--", "sh", "-c", "echo next >>\(log.path)")
    #expect(try await second.waitForEnd(within: .seconds(60)) == .exited(0))
    #expect(try await first.waitForEnd(within: .seconds(60)) == .exited(9))
    #expect(log.lines == ["began", "ended", "next"])
    proxy.cut()
  }

  @Test(arguments: ServerKind.allCases) func whatIsKilledTakesItsCommandAlong(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("killed")
    let log = try LineLog()
    let first = try zkcli.start("--session-timeout", "2s", "lock", path, "--", "sh", "-c", noting(log))
    try await log.wait(for: "began")
    first.send(signal: SIGKILL)
    try await #expect(
      zkcli("lock", "--timeout", "50s", path, "--", "sh", "-c", "echo next >>\(log.path)").exitStatus == 0)
    #expect(log.lines == ["began", "ended", "next"])
    // Its outputs have ended too: nothing that it started is left.
    #expect(try await first.waitForEnd(within: .seconds(40)) == .signalled(SIGKILL))
  }

  @Test func aCommandGetsNothingThatIsOurs() async throws {
    let zkcli = try await zkcli(.zkcli)
    // A connection that a command held open would be the session's; what zkcli was given is passed on.
    let run = try await zkcli.shell(
      "zkcli lock \(uniquePath("descriptors")) -- sh -c 'ls -l /proc/$$/fd; cat <&7' 7</etc/hostname")
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    #expect(!run.output.contains("socket:") && !run.output.contains("anon_inode:"), "\(run.output)")
    #expect(run.output.contains("/etc/hostname"))
  }

  @Test func theShellHoldsUntilItReleases() async throws {
    let path = uniquePath("in-shell")
    let zkcli = try await zkcli(.zkcli)
    let shell = try await REPLTests.Session.open(zkcli.server!)
    try await shell.enter("lock \(path)")
    try await shell.see("-lock-0000000000 0x")
    try await #expect(zkcli("lock", "--try", path).exitStatus == 8)
    try await shell.enter("lock --release \(path)")
    try await #expect(zkcli("lock", "--timeout", "40s", path, "--", "true").exitStatus == 0)
    try await shell.enter("lock \(path) -- cat")
    try await eventually("a lock", within: .seconds(40)) { try await !zkcli("ls", path).output.isEmpty }
    try await shell.enter("typed to cat")
    try await shell.terminal.waitUntil("what cat says", timeout: .seconds(20)) { screen in
      screen.split(separator: "\n").count { $0.contains("typed to cat") } == 2
    }
    try await shell.terminal.send("C-c")
    try await #expect(zkcli("lock", "--timeout", "40s", path, "--", "true").exitStatus == 0)
    try await shell.run("")
    let missing = uniquePath("nothing")
    try await shell.enter("wait \(missing)")
    // A ^C that comes earlier would only clear the line.
    try await eventually("a watch") { try await ServerKind.zkcli.watchers()[missing] != nil }
    try await shell.terminal.send("C-c")
    try await shell.see("Cancelled")
  }

  /// It would wait for itself.
  @Test(arguments: ServerKind.allCases) func aSessionThatHasItIsToldSoAtOnce(server: ServerKind) async throws {
    let zkcli = try await zkcli(server)
    let path = uniquePath("twice")
    let run = try await zkcli.script(
      """
      lock \(path)
      lock \(path)
      lock --shared \(path) -- echo inside
      lock --try \(path)
      elect \(path)-leader me
      elect \(path)-leader me -- echo leading
      lock --slots 1 \(path)-slot -- true
      lock --slots 1 \(path)-slot
      lock --slots 1 \(path)-slot -- echo slot
      group join \(path)-group me
      group join \(path)-group me -- echo member
      group list \(path)-group
      ls \(path)
      """)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    let lines = run.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 12, "\(run.output)")
    #expect(lines[0] == lines[1] && lines[0] == lines[3] && lines[0].hasPrefix("\(path)/"))
    #expect(
      lines[2] == "inside" && lines[4...5] == ["me", "leading"] && lines[7...10] == ["slot", "me", "member", "me"])
    // Behind a command it has the lock still, and only once.
    #expect(lines[0].hasPrefix("\(path)/\(lines[11]) "))
    let refused = try await zkcli.script("lock --shared \(path)\nlock \(path)\n")
    #expect(refused.exitStatus == 4 && refused.errorOutput.contains("would wait for itself"))
    let renamed = try await zkcli.script("elect \(path)-leader a\nelect \(path)-leader b\n")
    #expect(renamed.exitStatus == 4 && renamed.errorOutput.contains("another name"))
  }

  @Test func aScriptHoldsUntilItReleases() async throws {
    let zkcli = try await zkcli(.zkcli)
    let path = uniquePath("in-script")
    let run = try await zkcli.script(
      """
      lock \(path)
      lock --list \(path) -o jsonl
      lock --release \(path)
      lock --try \(path) -- echo again
      lock --slots 2 \(path)-slots
      lock --slots 2 --list \(path)-slots
      """)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines.dropFirst(2).first == "again")
    #expect(lines.last?.hasPrefix("holder") == true)
    try await #expect(zkcli("lock", "--release", path).exitStatus == 1)
  }
}
