import Foundation
import TestKit
import Testing

/// Faults that are put into real ensembles, and what `health` says about them.
@Suite(.timeLimit(.minutes(5)))
struct HealthFaultTests {
  /// What `health` has found, as `severity check`, sorted.
  private func findings(_ output: String) throws -> [String] {
    let document = try #require(try json(output) as? [String: Any], "\(output)")
    return (document["findings"] as? [[String: Any]] ?? []).map { "\($0["severity"] ?? "") \($0["check"] ?? "")" }
      .sorted()
  }

  /// A sandbox with a fault of its machines.
  @Test(
    arguments: [
      ("3", "local slow-disk 300ms\ncreate /a\ncreate /b\ncreate /c\ncreate /d", "warning sync"),
      ("3", "local clock +1h 2", "warning clock"),
      ("3", "local kill 2", "fault reachable"),
      ("3", "local pause 2", "fault reachable"),
      ("4", "", "warning voters"),
    ])
  func faultsOfMachines(size: String, fault: String, finding: String) async throws {
    let script = "\(fault)\nhealth -o json --limit 5s\n"
    let run = try await Zkcli()("-q", "--local", size, "-f", "-", input: [UInt8](script.utf8))
    #expect(run.exitStatus == 1, "\(run.output) \(run.errorOutput)")
    let answer = run.output.split(separator: "\n").first { $0.hasPrefix("{") }
    #expect(try findings(String(answer ?? "")).contains(finding), "\(run.output)")
  }

  /// A follower far away gets each transaction late, while clients write.
  @Test func aMemberThatLags() async throws {
    let shell = try RunningCommand(
      try Products.executable("zkcli"), ["--local", "3"], environment: RunningCommand.cleanEnvironment)
    let line = try #require(try await shell.nextLine(of: .error, within: .seconds(60)))
    let servers = String(try #require(line.split(separator: " ").last))
    try shell.write("local status -o json\n")
    let answer = try #require(try await shell.nextLine(within: .seconds(60)))
    let members = try #require(try json(answer) as? [[String: Any]])
    let follower = try #require(members.firstIndex { $0["role"] as? String == "follower" })
    try shell.write("local delay 600ms \(follower + 1)\npwd\n")
    #expect(try await shell.nextLine(within: .seconds(60)) == "/")
    let near = servers.split(separator: ",").enumerated().filter { $0.offset != follower }.map { String($0.element) }
    let writer = try RunningCommand(
      try Products.executable("zkcli"),
      ["-s", near.joined(separator: ","), "bench", "write", "--for", "60s", "--yes"],
      environment: RunningCommand.cleanEnvironment)
    defer { writer.killAll() }
    var found: [String] = []
    // The writer takes a moment to begin.
    for _ in 0..<10 where !found.contains("warning lag") {
      let run = try await Zkcli(server: servers)("health", "-o", "json", "--limit", "5s")
      found = try findings(run.output)
    }
    #expect(found.contains("warning lag"), "\(found)")
    shell.killAll()
  }

  /// Whether this user may make file systems for a process of its own.
  private static let mayMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-rm", "true"]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// A disk on which hardly anything is free.
  @Test(.enabled(if: mayMount)) func aFullDisk() async throws {
    let directory = try Scratch.directory("disk")
    let zkcli = try Products.executable("zkcli")
    let script =
      "mount -t tmpfs -o size=24m tmpfs \(directory) && exec \(zkcli) -q --local --data-dir \(directory)/data"
      + " health -o json --limit 5s"
    let run = try await CommandRun.run("/usr/bin/unshare", ["-rm", "/bin/sh", "-c", script])
    #expect(run.exitStatus == 1, "\(run.output) \(run.errorOutput)")
    #expect(try findings(run.output).contains("fault disk"), "\(run.output)")
  }

  /// A sandbox without a fault; that everybody may change its root is worth a note.
  @Test func nothingIsFoundWithoutAFault() async throws {
    let run = try await Zkcli()("-q", "--local", "3", "health", "-o", "json", "--limit", "5s")
    #expect(run.exitStatus == 0, "\(run.output) \(run.errorOutput)")
    #expect(try findings(run.output) == ["note root-acl"])
  }

  /// One server has a line that the others lack. An observer there leaves the number of votes that a leader needs.
  @Test(arguments: [MemberKind.ours, .apache]) func differentConfigurations(kind: MemberKind) async throws {
    var configuration = ServerEnsemble.Configuration([kind, kind, kind])
    configuration.ownLines = [1: ["server.4=127.0.0.1:1:2:observer"]]
    let servers = try await ServerEnsemble.start(configuration)
    let run = try await Zkcli(server: servers.connectString)("health", "-o", "json", "--limit", "5s")
    #expect(run.exitStatus == 1, "\(run.output) \(run.errorOutput)")
    #expect(try findings(run.output).contains("fault configuration"), "\(run.output)")
  }

  /// The connect string has a server of another ensemble.
  @Test(arguments: [MemberKind.ours, .apache]) func aServerOfAnotherEnsemble(kind: MemberKind) async throws {
    let servers = try await ServerEnsemble.start(ServerEnsemble.Configuration([kind, kind, kind]))
    let others = try await ServerEnsemble.start(ServerEnsemble.Configuration([.ours, .ours, .ours]))
    let stranger = try #require(others.connectString.split(separator: ",").first)
    let run = try await Zkcli(server: "\(servers.connectString),\(stranger)")("health", "-o", "json", "--limit", "5s")
    #expect(run.exitStatus == 1, "\(run.output) \(run.errorOutput)")
    #expect(try findings(run.output).contains("fault ensemble"), "\(run.output)")
  }
}
