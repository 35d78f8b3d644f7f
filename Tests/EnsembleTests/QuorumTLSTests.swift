import Foundation
import TestKit
import Testing
import ZooKeeperClient

/// Members that change to encrypted connections.
@Suite(.timeLimit(.minutes(5)))
struct QuorumTLSTests {
  /// The steps of Apache's guide: both kinds are accepted, then calls are encrypted, then nothing else is accepted.
  private static let steps = [
    ["sslQuorum=false", "portUnification=true"], ["sslQuorum=true", "portUnification=true"],
    ["sslQuorum=true", "portUnification=false"],
  ]

  /// No client loses its session, and nothing that was acknowledged is lost.
  @Test func rollingChangeUnderLoad() async throws {
    let random = SeededGenerator(for: "a change to TLS")
    let ensemble = try await ServerEnsemble.start(ServerEnsemble.Configuration([.ours, .ours, .ours]))
    let load = SessionLoad(ensemble.connectString, clientCount: 4, sessionTimeout: .seconds(30))
    try await load.prepare()
    try await withThrowingTaskGroup(of: Void.self) { group in
      var generator = random
      for number in 0..<load.clientCount {
        let own = SeededGenerator(from: &generator)
        group.addTask { try await load.run(client: number, own) }
      }
      for lines in Self.steps {
        for member in ensemble.members { try await Self.change(member, of: ensemble, lines) }
        load.forgetSuccesses()
        try await eventually("service for all clients", within: .seconds(60)) { load.allHaveWritten }
      }
      load.stop()
      try await group.waitForAll()
    }
    #expect(load.violations == [])
    #expect(load.expiryCount == 0 && load.acknowledgedCount > 20)
    for member in ensemble.members { #expect(try await member.withClient { try await load.check($0) } == []) }
    // The clients' ports take both kinds since the first step.
    for member in ensemble.members {
      let run = try await CommandRun.run(
        try Products.executable("zkcli"),
        ["-s", "zks://localhost:\(member.ports.client)", "--cacert", StoreFiles.path("ca.pem"), "exists", "/counter"])
      #expect(run.exitStatus == 0, "\(run.errorOutput)")
    }
    // What is not encrypted does not come in any more.
    let socket = try LoopbackSocket.connect(to: ensemble[1].ports.election, timeout: .seconds(60))
    try socket.write([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0])
    let answer = try socket.readToEnd()
    #expect(answer.isEmpty || answer[0] == 0x15, "\(answer)")
    try await ensemble.kill()
  }

  /// Starts a member again with other lines, and waits until all serve.
  private static func change(_ member: ServerMember, of ensemble: ServerEnsemble, _ lines: [String]) async throws {
    try await member.stop()
    let path = "\(member.directory)/zoo.cfg"
    let kept = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init).filter {
      !$0.hasPrefix("ssl") && !$0.hasPrefix("portUnification") && !$0.hasPrefix("client.portUnification")
    }
    let clients = ["client.portUnification=true", "ssl.clientAuth=none"] + StoreFiles.lines("ssl")
    let all = kept + lines + StoreFiles.lines("ssl.quorum") + clients
    try Scratch.write(all.joined(separator: "\n") + "\n", to: path)
    try await member.launch()
    try await ensemble.waitUntilServing()
  }
}
