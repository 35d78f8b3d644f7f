import Foundation
import TestKit
import Testing

/// Recipes over the death of the server that leads the ensemble.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LeaderLossTests {
  @Test func holdersWorkOnWhenApachesLeaderDies() async throws {
    let ensemble = try await ApacheEnsemble.start()
    try await work(on: ensemble.connectString) {
      try await ensemble.members[try await ensemble.waitForLeader()].kill()
    }
    try await ensemble.stop()
  }

  @Test func holdersWorkOnWhenOurLeaderDies() async throws {
    let ensemble = try await ZkcliEnsemble.start()
    try await work(on: ensemble.connectString) {
      try await ensemble.members[try await ensemble.waitForLeader()].kill()
    }
  }

  /// Both ensembles lose their leaders while the source is written to: ours alone, and from Apache's to ours.
  @Test(arguments: [MemberKind.ours, .apache])
  func mirrorGoesOnWhenBothLeadersDie(kind: MemberKind) async throws {
    let source = try await ServerEnsemble.start(.init([kind, kind, kind]))
    let target = try await ServerEnsemble.start(.init([.ours, .ours, .ours]))
    let writer = Zkcli.patient(source.connectString)
    let reader = Zkcli.patient(target.connectString)
    try await #expect(writer("create", "/app").exitStatus == 0)
    let from = "zk://\(source.connectString)/app"
    let mirror = try reader.start("--timeout", "60s", "mirror", "--follow", "--every", "5s", from, "/app")
    defer { mirror.killAll() }
    func write(_ round: Int) async throws {
      var script = ""
      for index in 0..<500 {
        script += "create /app/n\(round)-\(index) v\n"
        if index % 4 == 0 { script += "delete /app/n\(round)-\(index)\n" }
      }
      try await #expect(writer.script(script, "--timeout", "60s", "-k").output.contains("/app/n\(round)-499"))
    }
    try await write(1)
    try await source.waitForLeader().kill()
    try await write(2)
    try await target.waitForLeader().kill()
    try await write(3)
    _ = try await eventually("equal trees", within: .seconds(90)) {
      try await reader("diff", from, "/app").exitStatus == 0 ? true : nil
    }
    let count = try await writer("getAllChildrenNumber", "/app").output.dropLast()
    let wanted = "in step: \((Int(count) ?? 0) + 1) znodes, digest"
    _ = try await eventually("a line that says so", within: .seconds(90)) {
      String(decoding: mirror.bytes(of: .output), as: UTF8.self).contains(wanted) ? true : nil
    }
    try await source.kill()
    try await target.kill()
  }

  private func work(on servers: String, killingLeader: () async throws -> Void) async throws {
    let zkcli = Zkcli.patient(servers)
    let path = "/lock"
    let log = try LineLog()
    // Each holds the lock for a moment, again and again; its own exit code would tell of a lock that was lost.
    let inside =
      "mkdir \(log.directory)/inside || echo overlap >>\(log.path); echo $ZKCLI_LOCK_ZXID >>\(log.path);"
      + " sleep 0.05; rmdir \(log.directory)/inside"
    let lock =
      "zkcli --session-timeout 30s --connect-timeout 60s --wait-for-connection lock \(path) -- sh -c '\(inside)'"
    let script = "i=0; while [ $i -lt 8 ]; do \(lock) || exit $?; i=$((i + 1)); done"
    let running = try (0..<4).map { _ in
      try RunningCommand("/bin/sh", ["-c", script], environment: try zkcli.pathVariables())
    }
    _ = try await log.wait(forCount: 8)
    try await killingLeader()
    for command in running {
      #expect(try await command.waitForEnd(within: .seconds(120)) == .exited(0), "\(errors(of: command))")
    }
    let tokens = try log.lines.map(token)
    #expect(tokens.count == 32)
    #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 }, "\(tokens)")
  }

  private func errors(of command: RunningCommand) -> String {
    String(decoding: command.bytes(of: .error), as: UTF8.self)
  }
}
