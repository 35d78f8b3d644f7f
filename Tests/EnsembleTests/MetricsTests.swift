import Foundation
import TestKit
import Testing

/// What members of an ensemble measure.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct MetricsTests {
  /// The names of the families that are not reported: those in the last table of the page about metrics.
  private static func unreportedFamilies() throws -> [String] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/ZooKeeperServer/ZooKeeperServer.docc/Metrics.md")
    let page = try String(contentsOf: path, encoding: .utf8)
    let table = try #require(page.range(of: "### Those of Apache's servers that are not reported"))
    return page[table.upperBound...].matches(of: /\| `([a-z0-9_]+)` \|/).map { String($0.1) }
  }

  private static func names(_ member: ServerMember) throws -> Set<String> {
    Set(try member.ask("mntr").split(separator: "\n").compactMap { $0.split(separator: "\t").first.map(String.init) })
  }

  /// Everything that a follower of Apache's reports is reported by one of ours, or is named with a reason.
  @Test(.enabled(if: ApacheServer.isInstalled)) func nothingOfApachesIsMissing() async throws {
    let ensemble = try await ServerEnsemble.start(
      ServerEnsemble.Configuration([.apache, .ours, .ours]), first: [2, 3])
    let apache = ensemble[1]
    let ours = try #require(ensemble.members.first { $0 !== apache && $0.mode == "follower" })
    #expect(apache.mode == "follower")
    let unreported = try Self.unreportedFamilies()
    #expect(unreported.count > 30)
    let missing = try Self.names(apache).subtracting(try Self.names(ours)).filter { name in
      // The keys of these are what was written, and Apache's server writes under `/zookeeper` when it starts.
      !unreported.contains { name.hasSuffix("_\($0)") } && !name.contains("jvm") && !name.hasSuffix("_per_namespace")
    }
    #expect(missing.sorted() == [])
    try await ensemble.kill()
  }

  @Test func membersMeasureTheirShareOfAWrite() async throws {
    let ensemble = try await ServerEnsemble.start(ServerEnsemble.Configuration([.ours, .ours, .ours]))
    let leader = try #require(ensemble.members.first { $0.mode == "leader" })
    let follower = try #require(ensemble.members.first { $0.mode == "follower" })
    func number(_ name: String, _ member: ServerMember) throws -> Int {
      try #require(member.figure(name).flatMap { Int($0) }, "\(name)")
    }
    let names = ["proposal_count", "commit_count", "cnt_quorum_ack_latency", "cnt_acknowledged_write_stage_time_ms"]
    let followerNames = [
      "learner_proposal_received_count", "learner_commit_received_count", "cnt_proposal_latency",
      "cnt_commit_propagation_latency", "cnt_proposal_ack_creation_latency", "cnt_propagation_latency",
    ]
    let before = try (
      names.map { try number($0, leader) }, followerNames.map { try number($0, follower) },
      number("cnt_updatelatency", follower)
    )
    try await follower.withClient { client in
      try await client.create("/a", data: [1], mode: .ephemeral)
      for _ in 0..<8 { _ = try await client.setData("/a", data: [2]) }
    }
    // The session and its end are transactions too.
    try await eventually("all transactions on the follower") {
      try number("learner_commit_received_count", follower) >= before.1[1] + 11
    }
    for (name, value) in zip(names, before.0) { #expect(try number(name, leader) == value + 11, "\(name)") }
    for (name, value) in zip(followerNames, before.1) { #expect(try number(name, follower) == value + 11, "\(name)") }
    #expect(try number("cnt_updatelatency", follower) == before.2 + 11)
    try await eventually("the acknowledgements of the follower") {
      try number("cnt_\(follower.id)_ack_latency", leader) >= 11 && number("\(follower.id)_learner_lag", leader) == 0
    }
    #expect(try number("sync_processor_request_queued", follower) >= 11)
    let elections = try number("looking_count", follower)
    #expect(elections >= 1)
    #expect(try number("cnt_election_time", follower) >= 1)
    #expect(try number("cnt_follower_sync_time", follower) >= 1)
    #expect(try number("cnt_leader_unavailable_time", leader) >= 1)
    #expect(try number("diff_count", leader) + number("snap_count", leader) >= 2)
    // Another leader: the counters of the members go on.
    try await leader.kill()
    try await eventually("another leader") {
      let modes = ensemble.members.filter { $0 !== leader }.compactMap(\.mode)
      return modes.sorted() == ["follower", "leader"]
    }
    #expect(try number("learner_commit_received_count", follower) >= before.1[1] + 11)
    #expect(try number("looking_count", follower) > elections)
    #expect(try number("cnt_unavailable_time", follower) >= 2)
    try await ensemble.kill()
  }
}
