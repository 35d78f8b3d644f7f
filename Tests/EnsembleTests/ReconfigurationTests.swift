import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// The ensemble changes while it serves.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ReconfigurationTests {
  private func start(_ kinds: [MemberKind]) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.observers = [4]
    configuration.extraLines = [
      "reconfigEnabled=true", "skipACL=yes", "# two lines in one:", "standaloneEnabled=\\", "false",
    ]
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    return try await ServerEnsemble.start(configuration)
  }

  private func line(_ member: ServerMember) -> String {
    "server.\(member.id)=127.0.0.1:\(member.ports.quorum):\(member.ports.election):participant"
      + ";127.0.0.1:\(member.ports.client)"
  }

  @Test(
    arguments: [
      [.ours, .ours, .ours, .ours], [.ours, .ours, .ours, .apache], [.apache, .apache, .ours, .ours],
    ] as [[MemberKind]])
  func observerBecomesAVoterAndTheLeaderGoes(_ kinds: [MemberKind]) async throws {
    let ensemble = try await start(kinds)
    let first = try await ensemble.waitForLeader()
    let promoted = ensemble[4]
    let text = try await first.withClient { client in
      let request = ReconfigRequest(
        joiningServers: line(promoted), leavingServers: nil, newMembers: nil, configVersion: -1)
      return String(decoding: try await client.reconfig(request).data ?? [], as: UTF8.self)
    }
    let grown = try QuorumConfiguration(parsing: text)
    #expect(grown.voters.count == 4 && grown.version > 0)
    try await eventually("a fourth voter", within: .seconds(40)) { promoted.mode == "follower" }

    let others = ensemble.members.filter { $0 !== first }
    try await others[0].withClient { client in
      // The leader's last act is the commit; whoever asked may hear of it or lose the connection.
      _ = try? await client.reconfig(
        ReconfigRequest(joiningServers: nil, leavingServers: "\(first.id)", newMembers: nil, configVersion: -1))
    }
    // Apache's servers follow the leader that the commit designates at once. A server of ours that held an election
    // instead would be waited for, and everyone with it, for initLimit: 20 ticks of one second beside Apache's.
    try await eventually("another leader", within: .seconds(12)) {
      others.contains { $0.mode == "leader" }
    }
    try await eventually("a write", within: .seconds(12)) {
      (try? await others[0].withClient { try await $0.create("/after", data: [1], mode: .persistentSequential) }) != nil
    }
    try await ensemble.waitUntilServing(others.map(\.id))
    try await first.kill()
    try await expectMembers(others)
    // What was agreed on counts from here on, not what the servers were begun with.
    for member in others { try await member.kill() }
    for member in others { try await member.launch() }
    try await ensemble.waitUntilServing(others.map(\.id))
    try await expectMembers(others)
  }

  private func expectMembers(_ members: [ServerMember]) async throws {
    for member in members {
      try await member.withClient { client in
        try await client.sync("/")
        let found = try await client.getConfig()
        let now = try QuorumConfiguration(parsing: String(decoding: found.data ?? [], as: UTF8.self))
        #expect(found.stat.mtimeMilliseconds > 1_700_000_000_000, "server \(member.id)")
        #expect(Set(now.voters.map(\.rawValue)) == Set(members.map { Int64($0.id) }), "server \(member.id)")
        try await client.create("/by-\(member.id)-", data: [1], mode: .persistentSequential)
      }
    }
  }

  /// The files tell of the new members as Apache's would, so that its server goes on with them, and ours with its.
  @Test(.enabled(if: ApacheServer.isInstalled)) func filesFollowTheEnsemble() async throws {
    let ensemble = try await start([.ours, .ours, .ours, .ours])
    let promoted = ensemble[4]
    let file = "\(promoted.directory)/zoo.cfg"
    // The first leader has given the first configuration its epoch for a version.
    let before = try String(contentsOfFile: file, encoding: .utf8)
    #expect(before.contains("\ndynamicConfigFile=\(file).dynamic.100000000\n") && before.contains("\nclientPort="))
    let original = try String(contentsOfFile: "\(file).bak", encoding: .utf8)
    #expect(original.contains("\nserver.4=") && !original.contains("dynamicConfigFile"))
    _ = try await ensemble.waitForLeader().withClient { client in
      try await client.reconfig(
        ReconfigRequest(joiningServers: line(promoted), leavingServers: nil, newMembers: nil, configVersion: -1))
    }
    try await eventually("a fourth voter", within: .seconds(40)) { promoted.mode == "follower" }
    let after = try String(contentsOfFile: file, encoding: .utf8)
    let lines = after.split(separator: "\n")
    let name = try #require(lines.last { $0.hasPrefix("dynamicConfigFile=") }?.dropFirst("dynamicConfigFile=".count))
    #expect(try String(contentsOfFile: "\(file).bak", encoding: .utf8) == original)
    #expect(!lines.contains { $0.hasPrefix("server.") || $0.hasPrefix("clientPort") || $0.hasPrefix("peerType") })
    #expect(lines.contains { $0 == "# two lines in one:" } && after.contains("4lw.commands.whitelist"))
    let members = try String(contentsOfFile: String(name), encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(members.count == 4 && members == members.sorted())
    #expect(members.last == line(promoted))

    for kind: MemberKind in [.apache, .ours] {
      try await promoted.kill()
      try await promoted.launch(as: kind)
      try await eventually("member 4 as \(kind)", within: .seconds(60)) { promoted.mode == "follower" }
      #expect(promoted.figure("version")?.hasPrefix("3.8.0") == (kind == .apache))
      try await expectMembers(ensemble.members)
    }
    try await ensemble.kill()
  }

  @Test func wrongRequestsAreRefused() async throws {
    let ensemble = try await start([.ours, .ours, .ours, .ours])
    let follower = try #require(ensemble.members.first { $0.mode == "follower" })
    try await follower.withClient { client in
      let cases: [(ReconfigRequest, KeeperError)] = [
        (.init(joiningServers: nil, leavingServers: "1", newMembers: nil, configVersion: 77), .badVersion),
        (
          .init(joiningServers: "server.9=nonsense", leavingServers: nil, newMembers: nil, configVersion: -1),
          .badArguments
        ),
        (.init(joiningServers: nil, leavingServers: "2,3", newMembers: nil, configVersion: -1), .badArguments),
        (
          .init(
            joiningServers: nil, leavingServers: nil,
            newMembers: "server.7=127.0.0.1:1:2;3,server.8=127.0.0.1:4:5;6", configVersion: -1), .newConfigNoQuorum
        ),
      ]
      for (request, expected) in cases {
        let error = await #expect(throws: ZooKeeperError.self) { try await client.reconfig(request) }
        #expect(error?.keeperError == expected, "\(request)")
      }
    }
  }
}
