import Foundation
import TestKit
import Testing

/// One data directory, served in turn by Apache's server and by this one.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct DataDirectoryTests {
  /// Creates znodes of every kind, with a history.
  private static let script = """
    create /plain 'some data'
    create /null
    create /empty ''
    create -p /deep/er/still bottom
    create '/with space' x
    create /ünï\\ cödé 'wörld'
    create /binary '\\x00\\xff\\x80'
    create /sequence
    create -s /sequence/n- a
    create -s /sequence/n- b
    delete /sequence/n-0000000000
    create -s /sequence/n- c
    create -c /container
    create /container/child
    create -t 3600000 /ttl forgotten
    set /plain 'other data'
    set /plain 'third data'
    addauth digest bob:secret
    create /secret hush auth::cdrwa
    create /mixed data digest:bob:3dJ1TgzGpVDRv3Cz5DUyjbGgpSk=:cdrwa,world:anyone:r,ip:127.0.0.1:rw
    setAcl /deep world:anyone:cdrwa,ip:10.0.0.0/8:r
    create /deep/counted '12345'
    multi create /multi a , create /multi/b c , set /multi d , check /multi 1
    create /gone
    delete /gone

    """

  private static let settings = ["extendedTypesEnabled=true", "snapCount=30", "maxSessionTimeout=600000"]

  private static var apacheConfiguration: ApacheConfiguration {
    var configuration = ApacheConfiguration.permissive
    configuration.systemProperties["zookeeper.snapCount"] = "30"
    configuration.maxSessionTimeoutMilliseconds = 600_000
    return configuration
  }

  @Test func apachesDirectoryIsServedHereAndGivenBack() async throws {
    let apache = try await ApacheServer.start(Self.apacheConfiguration)
    let written = try await Self.write(to: apache.connectString)
    try await apache.kill()
    let server = try ServerUnderTest(Self.settings, dataDirectory: apache.dataDirectory)
    try await server.start()
    try await expectDump(of: server.connectString, written)
    // What is written here, Apache reads again.
    let more = try await Self.write(to: server.connectString, under: "/second")
    try await server.end(by: SIGKILL)
    try await apache.restart()
    try await expectDump(of: apache.connectString, more)
    #expect(!apache.log.contains("Digests are not matching"))
    try await apache.stop()
  }

  @Test func ourDirectoryIsServedByApacheAndGivenBack() async throws {
    let server = try ServerUnderTest(Self.settings)
    try await server.start()
    let written = try await Self.write(to: server.connectString)
    try await server.end(by: SIGTERM)
    let apache = try await ApacheServer.start(Self.apacheConfiguration) { directory in
      try FileManager.default.removeItem(atPath: directory)
      try FileManager.default.copyItem(atPath: server.dataDirectory, toPath: directory)
    }
    try await expectDump(of: apache.connectString, written)
    #expect(!apache.log.contains("Digests are not matching"))
    let more = try await Self.write(to: apache.connectString, under: "/second")
    try await apache.kill()
    let second = try ServerUnderTest(Self.settings, dataDirectory: apache.dataDirectory)
    try await second.start()
    try await expectDump(of: second.connectString, more)
    try await second.end(by: SIGKILL)
  }

  /// Writes everything, under a chroot or at the root, and gives the dump of all that is there.
  ///
  /// A session that is left alone holds an ephemeral znode through it all.
  private static func write(to server: String, under root: String = "") async throws -> [String] {
    if !root.isEmpty { _ = try await zkcli(["-s", server, "create", root]) }
    try await expectSuccess(["-s", "\(server)\(root)"], script)
    // Quotas are kept under the servers' own root.
    try await expectSuccess(["-s", server], "setquota -n 100 \(root)/deep\ncreate \(root)/deep/counted-too 12\n")
    let holder = try RunningCommand(
      try Products.executable("zkcli"), ["-s", "\(server)\(root)", "--session-timeout", "600s", "-q"])
    try holder.write("create -e /ephemeral 'held'\n")
    #expect(try await holder.nextLine(within: .seconds(90)) == "/ephemeral")
    holder.killAll()
    return try await dump(server)
  }

  private static func expectSuccess(_ options: [String], _ script: String) async throws {
    let run = try await zkcli(options, input: script)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
  }

  private static func zkcli(_ arguments: [String], input: String = "") async throws -> CommandRun {
    try await CommandRun.run(
      try Products.executable("zkcli"), arguments, input: Array(input.utf8), timeLimit: .seconds(180))
  }

  private func expectDump(of server: String, _ expected: [String]) async throws {
    let found = try await Self.dump(server)
    #expect(found.difference(from: expected).map { "\($0)" } == [])
  }

  /// Every znode with its data, its whole stat and its ACL, as JSON.
  private static func dump(_ server: String) async throws -> [String] {
    let bob = ["--auth", "digest:bob:secret"]
    let listing = try await zkcli(["-s", server] + bob + ["ls", "-R", "/"])
    #expect(listing.exitStatus == 0, "\(listing.errorOutput)")
    let paths = listing.output.split(separator: "\n").sorted()
    #expect(paths.count > 25)
    let lines = paths.flatMap { ["get -s '\($0)'", "getAcl '\($0)'"] }
    let run = try await zkcli(
      ["-s", server] + bob + ["-o", "jsonl"], input: lines.joined(separator: "\n") + "\n")
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    let answers = run.output.split(separator: "\n").map(String.init)
    #expect(answers.count >= lines.count)
    return answers
  }
}
