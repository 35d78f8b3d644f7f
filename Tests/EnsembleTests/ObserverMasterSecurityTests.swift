import Foundation
import TestKit
import Testing
import ZooKeeperClient

/// The port for observers demands what the quorum port does: TLS and SASL.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ObserverMasterSecurityTests {
  /// OBSERVERINFO of server 4, in plain text.
  private static let plainInfo: [UInt8] =
    [0, 0, 0, 16] + [0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 20] + [0, 0, 0, 0, 0, 0, 0, 4] + [0, 1, 0, 0]
    + [0, 0, 0, 0, 0, 0, 0, 0] + [0xff, 0xff, 0xff, 0xff]

  /// What the port answers to a stranger.
  private func answer(_ port: UInt16) throws -> [UInt8] {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(Self.plainInfo)
    return try socket.readToEnd()
  }

  private func serveEncrypted(voters: MemberKind, observer: MemberKind) async throws {
    let port = try LoopbackPorts.reserve()
    let ensemble = try await ObserverMasterEnsemble.startVoters(
      ObserverMasterEnsemble.configuration(
        voters: voters, observer: observer, port: port, ["sslQuorum=true"] + StoreFiles.lines("ssl.quorum"))
    )
    try await ensemble[4].launch()
    try await ensemble.waitUntilServing()
    try await ObserverMasterEnsemble.expectMaster(ensemble)
    try await ensemble.writeThroughEach("/by")
    if voters == .ours {
      // What is not encrypted gets no LEADERINFO: at most an alert of TLS.
      let answer = try answer(port)
      #expect(answer.isEmpty || answer[0] == 0x15, "\(answer)")
    }
    try await ensemble.kill()
  }

  @Test func encryptedAmongOurs() async throws { try await serveEncrypted(voters: .ours, observer: .ours) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func encryptedToApaches() async throws {
    try await serveEncrypted(voters: .apache, observer: .ours)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func encryptedFromApaches() async throws {
    try await serveEncrypted(voters: .ours, observer: .apache)
  }

  private func serveAuthentic(voters: MemberKind, observer: MemberKind) async throws {
    let port = try LoopbackPorts.reserve()
    let required = [
      "quorum.auth.enableSasl=true", "quorum.auth.learnerRequireSasl=true", "quorum.auth.serverRequireSasl=true",
    ]
    var configuration = ObserverMasterEnsemble.configuration(voters: voters, observer: observer, port: port, required)
    let login = try QuorumSASLTests.login()
    configuration.javaProperties["java.security.auth.login.config"] = login
    for id in 1...4 where configuration.kinds[id - 1] == .ours {
      configuration.ownLines[id, default: []].append("java.security.auth.login.config=\(login)")
    }
    let ensemble = try await ObserverMasterEnsemble.startVoters(configuration)
    if voters == .ours {
      // Without a login there is no LEADERINFO, and the connection is closed.
      #expect(try answer(port) == [])
      #expect(ensemble[1].figure("synced_observers") == "0")
    }
    try await ensemble[4].launch()
    try await ensemble.waitUntilServing()
    try await ObserverMasterEnsemble.expectMaster(ensemble)
    try await ensemble.writeThroughEach("/by")
    try await ensemble.kill()
  }

  @Test func authenticAmongOurs() async throws { try await serveAuthentic(voters: .ours, observer: .ours) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func authenticToApaches() async throws {
    try await serveAuthentic(voters: .apache, observer: .ours)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func authenticFromApaches() async throws {
    try await serveAuthentic(voters: .ours, observer: .apache)
  }
}
