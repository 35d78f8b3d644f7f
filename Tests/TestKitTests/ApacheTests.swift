import Foundation
import TestKit
import Testing

/// Apache's servers: that they start, answer, survive what tests do to them, and do not survive the tests.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ApacheTests {
  @Test func sharedServerIsOneServer() async throws {
    let server = try await ApacheServer.shared()
    #expect(try server.fourLetterWord("ruok") == "imok")
    #expect(server.mode == "standalone")
    #expect(try await ApacheServer.shared() === server)
  }

  @Test func settingsReachTheServer() async throws {
    var configuration = ApacheConfiguration()
    configuration.tickTimeMilliseconds = 300
    configuration.extraLines = ["minSessionTimeout=700"]
    configuration.systemProperties["zookeeper.serverCnxnFactory"] = "org.apache.zookeeper.server.NIOServerCnxnFactory"
    let server = try await ApacheServer.start(configuration)
    let settings = try server.fourLetterWord("conf")
    #expect(settings.contains("tickTime=300\n"))
    #expect(settings.contains("minSessionTimeout=700\n"))
    let environment = try server.fourLetterWord("envi")
    #expect(environment.contains("java.io.tmpdir=\(server.directory)\n"))
    try await server.stop()
    #expect(server.mode == nil)
  }

  @Test func killedServerRestartsOnItsPort() async throws {
    let server = try await ApacheServer.start()
    let first = try #require(server.processID)
    try await server.kill()
    #expect(kill(first, 0) != 0)
    #expect(throws: TestKitError.self) { try server.fourLetterWord("ruok") }
    try await server.restart()
    #expect(server.processID != first)
    #expect(try server.fourLetterWord("ruok") == "imok")
  }

  @Test func pausedServerSaysNothingUntilResumed() async throws {
    let server = try await ApacheServer.start()
    try await server.pause()
    #expect(throws: TestKitError.self) { try server.fourLetterWord("ruok", timeout: .milliseconds(100)) }
    server.resume()
    #expect(try server.fourLetterWord("ruok") == "imok")
  }

  @Test func serverThatCannotStartSaysWhy() async throws {
    var configuration = ApacheConfiguration()
    configuration.extraLines = ["tickTime=never"]
    let error = await #expect(throws: TestKitError.self) { try await ApacheServer.start(configuration) }
    #expect(error?.code == .ended)
    #expect(error?.context.contains("NumberFormatException") == true)
  }

  @Test func unreferencedServerLeavesNothingBehind() async throws {
    var server: ApacheServer? = try await ApacheServer.start()
    let processID = try #require(server?.processID)
    let directory = try #require(server?.directory)
    server = nil
    try await eventually("end of the server") { kill(processID, 0) != 0 }
    #expect(!FileManager.default.fileExists(atPath: directory))
  }

  @Test func serversDieWithACrashingTestProcess() async throws {
    let result = try await #require(
      processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
    ) {
      let server = try await ApacheServer.start()
      try await server.pause()
      let processID = try #require(server.processID)
      FileHandle.standardOutput.write(Data("<\(processID) \(server.directory)>".utf8))
      kill(getpid(), SIGKILL)
    }
    let output = String(decoding: result.standardOutputContent, as: UTF8.self)
    let words = try #require(output.split(separator: "<").last?.split(separator: ">").first).split(separator: " ")
    let processID = try #require(Int32(words[0]))
    try await eventually("end of the server") { kill(processID, 0) != 0 }
    try await eventually("removal of its files") { !FileManager.default.fileExists(atPath: String(words[1])) }
  }

  @Test func ensembleElectsAnotherLeaderWhenTheFirstIsKilled() async throws {
    let ensemble = try await ApacheEnsemble.start()
    let first = try await ensemble.waitForLeader()
    #expect(ensemble.members.compactMap(\.mode).sorted() == ["follower", "follower", "leader"])
    try await ensemble.members[first].kill()
    let second = try await ensemble.waitForLeader()
    #expect(second != first)
    try await ensemble.members[first].restart()
    #expect(ensemble.members[first].mode == "follower")
    try await ensemble.stop()
  }

  @Test func sharedEnsembleServesWithReconfigurationAllowed() async throws {
    let ensemble = try await ApacheEnsemble.shared()
    _ = try await ensemble.waitForLeader()
    #expect(ensemble.members.count == 3)
    for member in ensemble.members {
      #expect(try member.fourLetterWord("conf").contains("membership: \nserver.1=127.0.0.1:"))
    }
  }

  @Test func memberWithoutQuorumIsReadOnlyIfAllowed() async throws {
    var configuration = ApacheConfiguration()
    configuration.systemProperties["readonlymode.enabled"] = "true"
    let ensemble = try await ApacheEnsemble.start(configuration, standaloneEnabled: false)
    try await ensemble.members[0].kill()
    try await ensemble.members[1].kill()
    try await eventually("read-only mode", within: .seconds(60)) { ensemble.members[2].mode == "read-only" }
  }

  @Test func pathsAreUnique() {
    let paths = (0..<100).map { _ in uniquePath("same") }
    #expect(Set(paths).count == 100)
  }
}
