import Foundation
import TestKit
import Testing

/// config and reconfig on three servers, and what is left to say when two of them are gone.
@Suite(.timeLimit(.minutes(10)))
struct EnsembleTests {
  @Test func configurationAsTextAndJSONAndForClients() async throws {
    let ensemble = try await ApacheEnsemble.shared()
    let zkcli = Zkcli(server: ensemble.connectString)
    let text = try await zkcli("config")
    let lines = text.output.split(separator: "\n")
    #expect(lines.filter { $0.hasPrefix("server.") }.count == 3)
    #expect(lines.last?.hasPrefix("version=") == true)
    let clients = try await zkcli("config", "-c")
    let listed = clients.output.split(separator: "\n").joined().split(separator: ",").map(String.init)
    #expect(Set(listed) == Set(ensemble.members.map(\.connectString)))
    let document = try jsonObject(try await zkcli("config", "-o", "json", "-s").output)
    #expect((document["servers"] as? [Any])?.count == 3)
    #expect(document["stat"] is [String: Any])
  }

  @Test func reconfigTakesTheSuperUserAndTheRightVersion() async throws {
    let ensemble = try await ApacheEnsemble.start(.permissive, reconfigEnabled: true)
    let zkcli = Zkcli(server: ensemble.connectString)
    let chief = zkcli.with(["ZKCLI_AUTH": "digest:super:secret"])
    expect(try await zkcli("reconfig", "-remove", "3"), status: 5, error: "NoAuth")
    expect(try await chief("reconfig", "-remove", "3", "-v", "1"), status: 4, error: "BadVersion")
    let leader = try await ensemble.waitForLeader()
    let leaver = leader == 2 ? 2 : 3
    let line = try #require(
      try await zkcli("config").output.split(separator: "\n").first { $0.hasPrefix("server.\(leaver)=") })
    let removed = try await chief("reconfig", "-remove", "\(leaver)")
    #expect(removed.exitStatus == 0, "\(removed.errorOutput)")
    #expect(!removed.output.contains("server.\(leaver)="))
    expect(try await zkcli("config"), output: removed.output)
    let rejoined = try await chief("reconfig", "-s", "-add", String(line.dropFirst("server.".count)))
    #expect(rejoined.exitStatus == 0, "\(rejoined.errorOutput)")
    #expect(rejoined.output.contains(line))
    #expect(rejoined.output.contains("cZxid = "))
    let file = try Scratch.directory("reconfig") + "/dynamic"
    let all = rejoined.output.split(separator: "\n").filter { $0.hasPrefix("server.") }
    try Scratch.write("# members\n" + all.joined(separator: "\n") + "\n", to: file)
    let same = try await chief("reconfig", "-file", file)
    #expect(same.exitStatus == 0, "\(same.errorOutput)")
    try await ensemble.stop()
  }

  @Test func serverWithoutAQuorumIsSaidToBeOne() async throws {
    let ensemble = try await ApacheEnsemble.start()
    try await ensemble.members[1].stop()
    try await ensemble.members[2].stop()
    let lone = ensemble.members[0]
    try await eventually("end of the quorum", within: .seconds(90)) { lone.mode == nil }
    let run = try await Zkcli(server: lone.connectString)("get", "/zookeeper")
    expect(run, status: 10, error: "NoQuorum: \(lone.connectString) is up but not serving: it has no quorum")
    // The others refuse: what the one that is up says is the better explanation.
    let all = try await Zkcli(server: ensemble.connectString)("get", "/zookeeper")
    expect(all, status: 10, error: "NoQuorum: \(lone.connectString)")
    try await ensemble.stop()
  }

  @Test func sessionMovesToAnotherServer() async throws {
    let ensemble = try await ApacheEnsemble.start()
    let zkcli = Zkcli(server: ensemble.connectString)
    let script = try zkcli.start("-k", "--session-timeout", "20s")
    try script.write("create -e /held v --timeout 20s\n")
    #expect(try await script.nextLine(within: .seconds(90)) == "/held")
    let leader = try await ensemble.waitForLeader()
    try await ensemble.members[leader].stop()
    // Commands fail while the others elect; the session and its ephemeral znode live on.
    let deadline = ContinuousClock.now + .seconds(40)
    var said = 0
    while script.bytes(of: .output) == Array("/held\n".utf8), ContinuousClock.now < deadline {
      try script.write("get /held --timeout 20s\n")
      try await eventually("an answer", within: .seconds(90)) {
        script.bytes(of: .error).count > said || script.bytes(of: .output).count > "/held\n".utf8.count
      }
      said = script.bytes(of: .error).count
    }
    #expect(try await script.nextLine() == "v", "\(String(decoding: script.bytes(of: .error), as: UTF8.self))")
    try await ensemble.stop()
  }
}
