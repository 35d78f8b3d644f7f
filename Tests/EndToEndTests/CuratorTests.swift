import Foundation
import TestKit
import Testing

/// Curator's recipes and ours at the same paths.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CuratorTests {
  private func critical(_ log: LineLog) -> String {
    "mkdir \(log.directory)/inside && echo zkcli >>\(log.path) || echo overlap >>\(log.path);"
      + " rmdir \(log.directory)/inside"
  }

  @Test(arguments: [("mutex", "curator"), ("write", "curator-rw")])
  func weShareALock(action: String, layout: String) async throws {
    guard Curator.isInstalled else { return }
    let address = try await ServerKind.zkcli.connectString
    let path = uniquePath("curator-lock")
    let log = try LineLog()
    var running = try (0..<2).map { _ in try Curator.start(action, address, path, directory: log.directory) }
    for _ in 0..<10 {
      running.append(
        try Zkcli.patient(address).start("lock", "--layout", layout, path, "--", "sh", "-c", critical(log)))
    }
    for command in running { #expect(try await command.waitForEnd(within: .seconds(120)) == .exited(0)) }
    let lines = log.lines
    #expect(lines.count { $0 == "curator" } == 12)
    #expect(lines.count { $0 == "zkcli" } == 10)
    #expect(lines.count == 22)
  }

  @Test func ourWritersWaitForItsReaders() async throws {
    guard Curator.isInstalled else { return }
    let zkcli = try await Zkcli.patient(.apache)
    let path = uniquePath("curator-read")
    let reader = try Curator.start("read", zkcli.server!, path)
    #expect(try await reader.nextLine(within: .seconds(60)) == "reading")
    try await #expect(zkcli("lock", "--try", "--layout", "curator-rw", path, "--", "true").exitStatus == 8)
    try await #expect(zkcli("lock", "--try", "--shared", path, "--", "true").exitStatus == 0)
    let writer = try zkcli.start("lock", "--layout", "curator-rw", path, "--", "echo", "writing")
    try await eventually("a writer in line", within: .seconds(60)) {
      try await zkcli("ls", path).output.split(separator: "\n").count == 2
    }
    reader.closeInput()
    #expect(try await writer.nextLine(within: .seconds(60)) == "writing")
    #expect(try await reader.waitForEnd(within: .seconds(60)) == .exited(0))
  }

  @Test func weShareSlotsAndTheLeadership() async throws {
    guard Curator.isInstalled else { return }
    let zkcli = try await Zkcli.patient(.apache)
    let path = uniquePath("curator-slots")
    let holder = try Curator.start("slot", zkcli.server!, path)
    let leader = try Curator.start("latch", zkcli.server!, "\(path)-leader")
    #expect(try await holder.nextLine(within: .seconds(60)) == "leased")
    try await #expect(zkcli("lock", "--slots", "1", "--try", path, "--", "true").exitStatus == 8)
    try await #expect(zkcli("lock", "--slots", "2", "--try", path, "--", "true").exitStatus == 0)
    holder.closeInput()
    #expect(try await holder.waitForEnd(within: .seconds(60)) == .exited(0))
    try await #expect(zkcli("lock", "--slots", "1", "--try", path, "--", "true").exitStatus == 0)

    #expect(try await leader.nextLine(within: .seconds(60)) == "leading")
    expect(try await zkcli("elect", "--observe", "--count", "1", "\(path)-leader"), output: "java\n")
    let next = try zkcli.start("elect", "\(path)-leader", "swift", "--", "echo", "led")
    try await eventually("two candidates", within: .seconds(60)) {
      try await zkcli("ls", "\(path)-leader").output.split(separator: "\n").count == 2
    }
    #expect(next.bytes(of: .output).isEmpty)
    leader.closeInput()
    #expect(try await next.nextLine(within: .seconds(60)) == "led")
    #expect(try await leader.waitForEnd(within: .seconds(60)) == .exited(0))
  }

  @Test func weMeetAtItsBarrier() async throws {
    guard Curator.isInstalled else { return }
    let zkcli = try await Zkcli.patient(.zkcli)
    let path = uniquePath("curator-barrier")
    let other = try Curator.start("barrier", zkcli.server!, path)
    let run = try await zkcli("barrier", "run", "--count", "2", "--timeout", "60s", path, "--", "echo", "inside")
    expect(run, output: "inside\n")
    #expect(try await other.waitForEnd(within: .seconds(60)) == .exited(0))
    #expect(String(decoding: other.bytes(of: .output), as: UTF8.self) == "entered\nleft\n")
  }

  @Test func weReadWhatTheOtherWrites() async throws {
    guard Curator.isInstalled else { return }
    let zkcli = try await Zkcli.patient(.zkcli)
    let path = uniquePath("curator-data")
    try await #expect(zkcli("queue", "put", "\(path)/queue", "from swift").exitStatus == 0)
    expect(try await zkcli("counter", "add", "\(path)/counter", "2"), output: "2\n")
    let other = try Curator.start("data", zkcli.server!, path)
    #expect(try await other.nextLine(within: .seconds(60)) == "from swift")
    #expect(try await other.nextLine(within: .seconds(60)) == "7")
    #expect(try await other.nextLine(within: .seconds(60)) == "member")
    expect(try await zkcli("queue", "take", "\(path)/queue"), output: "from java")
    expect(try await zkcli("counter", "get", "\(path)/counter"), output: "7\n")
    expect(try await zkcli("group", "list", "\(path)/group"), output: "java here\n")
    let member = try zkcli.start("group", "join", "\(path)/group", "swift")
    #expect(try await member.nextLine(within: .seconds(60)) == "swift")
    other.closeInput()
    #expect(try await other.nextLine(within: .seconds(60)) == "[java, swift]")
    #expect(try await other.waitForEnd(within: .seconds(60)) == .exited(0))
  }
}
