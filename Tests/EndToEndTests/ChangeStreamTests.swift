import Foundation
import TestKit
import Testing

/// `zkcli watch`: every change, and a word where some may be missing.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ChangeStreamTests {
  private func next(_ command: RunningCommand) async throws -> [String: Any] {
    try jsonObject(try #require(try await command.nextLine(within: .seconds(40))))
  }

  @Test(arguments: ServerKind.allCases) func everyChangeIsTold(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("stream")
    try await #expect(zkcli("create", path, "old").exitStatus == 0)
    let watching = try zkcli.start(
      "watch", "-R", "--with-data", "--initial", "--count", "4", "-o", "jsonl", path)
    let present = try await next(watching)
    #expect(present["event"] as? String == "present")
    #expect(present["data"] as? String == "old")
    try await #expect(
      zkcli.script("create \(path)/a\nset \(path)/a '\\xff'\ndelete \(path)/a\nset \(path) new\n").exitStatus == 0)
    let changes = [
      try await next(watching), try await next(watching), try await next(watching), try await next(watching),
    ]
    #expect(
      changes.map { $0["event"] as? String } == ["NodeCreated", "NodeDataChanged", "NodeDeleted", "NodeDataChanged"])
    #expect(changes.map { $0["path"] as? String } == ["\(path)/a", "\(path)/a", "\(path)/a", path])
    #expect(changes[3]["data"] as? String == "new")
    #expect((changes[3]["stat"] as? [String: Any])?["version"] as? Int == 1)
    #expect(changes[2]["data"] is NSNull && changes[2]["stat"] is NSNull)
    #expect(try await watching.waitForEnd(within: .seconds(30)) == .exited(0))
  }

  @Test(arguments: ServerKind.allCases) func aLostConnectionIsAGap(server: ServerKind) async throws {
    let direct = try await Zkcli.patient(server)
    let path = uniquePath("gap")
    let proxy = try TCPProxy(to: try await server.port)
    try await #expect(direct("create", path, "0").exitStatus == 0)
    let watching = try Zkcli.patient(proxy.connectString).start(
      "--session-timeout", "20s", "watch", "--with-data", "--initial", "-o", "jsonl", path)
    #expect(try await next(watching)["data"] as? String == "0")
    proxy.refuse()
    proxy.cut()
    // Nobody sees this one happen.
    try await #expect(direct("set", path, "1").exitStatus == 0)
    try await proxy.acceptAgain()
    let gap = try await next(watching)
    #expect(gap["gap"] as? Bool == true)
    #expect(gap["reason"] as? String == "reconnected")
    #expect(try await next(watching)["data"] as? String == "1")
    try await #expect(direct("set", path, "2").exitStatus == 0)
    #expect(try await next(watching)["data"] as? String == "2")
    watching.send(signal: SIGTERM)
    #expect(try await watching.waitForEnd(within: .seconds(30)) == .exited(143))
  }

  @Test(arguments: ServerKind.allCases) func anExpiredSessionIsAGapToo(server: ServerKind) async throws {
    let direct = try await Zkcli.patient(server)
    let path = uniquePath("expired")
    let watching = try direct.start("--session-timeout", "1s", "watch", "--initial", path)
    try await #expect(direct("create", path, "0").exitStatus == 0)
    #expect(try await watching.nextLine(within: .seconds(40))?.contains("\(path)") == true)
    watching.send(signal: SIGSTOP)
    // Stopped for longer than its session lives: another one's znode tells the time.
    let other = try direct.start("--session-timeout", "1s", "lock", "\(path)-clock")
    _ = try await other.nextLine(within: .seconds(40))
    other.send(signal: SIGSTOP)
    try await #expect(direct("lock", "\(path)-clock", "--", "true").exitStatus == 0)
    try await #expect(direct("lock", "\(path)-clock", "--", "true").exitStatus == 0)
    watching.send(signal: SIGCONT)
    other.killAll()
    // A session this short may also lose its connection for a moment on a machine that is doing something else.
    while let line = try await watching.nextLine(within: .seconds(40)), line != "gap expired" {
      #expect(line.hasPrefix("gap reconnected") || line.contains(path), "\(line)")
    }
    #expect(try await watching.nextLine(within: .seconds(40)) == "present \(path)")
  }

  @Test(arguments: ServerKind.allCases) func aCommandRunsForEach(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("exec")
    let log = try LineLog()
    let script = "echo $ZKCLI_EVENT $ZKCLI_EVENT_PATH $(cat) >>\(log.path); exit 1"
    let watching = try zkcli.start(
      "watch", "--with-data", "--initial", "--count", "2", "--exec", script, path)
    try await eventually("a watch on \(path)", within: .seconds(30)) {
      // A persistent watch is not listed by every server; the create below is repeated until it is told.
      _ = try await zkcli.script("create \(path) v\ndelete \(path)\n")
      // The state at the beginning is a line too, and does not count.
      return log.lines.count { $0.hasPrefix("Node") } >= 2
    }
    #expect(try await watching.waitForEnd(within: .seconds(30)) == .exited(0))
    #expect(log.lines.allSatisfy { $0.contains(path) }, "\(log.lines)")
    #expect(log.lines.count { $0.hasPrefix("Node") } == 2)
    #expect(String(decoding: watching.bytes(of: .error), as: UTF8.self).contains("--exec ended with exit code 1"))
  }

  @Test(arguments: ServerKind.allCases) func aConditionEndsTheStream(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("until")
    let met = try await zkcli("watch", "--until", "absent", path)
    #expect(met.exitStatus == 0 && met.output.isEmpty, "\(met.output)")
    try await #expect(zkcli("create", path, "1").exitStatus == 0)
    let late = try await zkcli("watch", "--until", "equals=done", "--timeout", "100ms", path)
    #expect(late.exitStatus == 8, "\(late.errorOutput)")

    // The first line shows that the watches are set: the changes below come after them.
    let data = try zkcli.start("watch", "--with-data", "--initial", "--until", "equals=done", "-o", "jsonl", path)
    let children = try zkcli.start("watch", "-R", "--initial", "--until", "children>=2", "-o", "jsonl", path)
    let gone = try zkcli.start("watch", "--initial", "--until", "absent", "-o", "jsonl", path)
    for command in [data, children, gone] { #expect(try await next(command)["event"] as? String == "present") }
    try await #expect(zkcli("set", path, "2").exitStatus == 0)
    #expect(try await next(data)["data"] as? String == "2")
    try await #expect(zkcli("set", path, "done").exitStatus == 0)
    #expect(try await next(data)["data"] as? String == "done")
    #expect(try await data.waitForEnd(within: .seconds(30)) == .exited(0))

    try await #expect(zkcli.script("create \(path)/a\ncreate \(path)/a/b\ncreate \(path)/c\n").exitStatus == 0)
    #expect(try await children.waitForEnd(within: .seconds(30)) == .exited(0))
    try await #expect(zkcli("deleteall", "--yes", path).exitStatus == 0)
    #expect(try await gone.waitForEnd(within: .seconds(30)) == .exited(0))
  }

  @Test(arguments: ServerKind.allCases) func aConditionEndsTheWait(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("waits")
    let commands = [
      try zkcli.start("wait", "--timeout", "60s", path, "--equals", "3"),
      try zkcli.start("wait", "--timeout", "60s", path, "--children", ">=2"),
      try zkcli.start("rendezvous", "get", path),
    ]
    let run = try await zkcli.script(
      "create \(path)\nset \(path) 2\nset \(path) 3\ncreate \(path)/a\ncreate \(path)/b\n")
    #expect(run.exitStatus == 0)
    for command in commands { #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0)) }
    let found = String(decoding: commands[2].bytes(of: .output), as: UTF8.self)
    #expect(found == "2" || found == "3")
    let absent = try zkcli.start("wait", "--absent", path)
    try await #expect(zkcli("deleteall", path).exitStatus == 0)
    #expect(try await absent.waitForEnd(within: .seconds(60)) == .exited(0))
  }
}
