import Foundation
import TestKit
import Testing

/// Sessions of Apache's own clients: the same bytes from our server as from Apache's.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ForeignClientTests {
  @Test(arguments: ZkCliSessions.sessions)
  func zkCliSeesNoDifference(_ session: ZkCliSessions.Session) async throws {
    let apache = try await ApacheServer.start(.permissive)
    let server = try ServerUnderTest(["extendedTypesEnabled=true"])
    try await server.start()
    let zkCli = "/usr/share/zookeeper/bin/zkCli.sh"
    async let theirs = session.run(zkCli, ["-server", apache.connectString])
    async let ours = session.run(zkCli, ["-server", server.connectString])
    let (expected, found) = (try await theirs, try await ours)
    // Identities come in the order of a hash table from Apache's server.
    let lines = ZkCliSessions.sortedLines(found.standardOutput)
    #expect(lines.difference(from: ZkCliSessions.sortedLines(expected.standardOutput)).map { "\($0)" } == [])
    #expect(ZkCliSessions.difference(of: found.standardError, to: expected.standardError) == [])
    #expect(found.exitStatus == expected.exitStatus)
    try await apache.stop()
    try await server.end(by: SIGKILL)
  }

  /// What is asked of the C client, in its own words; each gets one line with `rc = `.
  private static let commands = [
    "create /c", "create /c", "set /c hello", "get /c", "get /nope", "exists /nope", "exists /c", "wexists /c",
    "set /c world",
    "create /c/a", "create2 /c/b", "create +e /e", "create +s /s", "create +es /es", "create +c /container",
    "create +t=100000 /ttl", "ls /", "ls2 /", "ls /c", "ls /nope", "delete /c", "delete /c/a", "delete /nope", "sync /",
    "addauth digest u:p", "create /after", "get /zookeeper/quota", "acreate /asynchronous", "aget /c", "als /c",
    "adelete /asynchronous",
  ]

  @Test func theCClientSeesNoDifference() async throws {
    let apache = try await ApacheServer.start(.permissive)
    let server = try ServerUnderTest(["extendedTypesEnabled=true"])
    try await server.start()
    async let theirs = Self.cClient(apache.connectString)
    async let ours = Self.cClient(server.connectString)
    let (expected, found) = (try await theirs, try await ours)
    #expect(expected.count > 60)
    #expect(found.difference(from: expected).map { "\($0)" } == [])
    try await apache.stop()
  }

  /// The lines of a session of `cli_mt`, one command after the other.
  private static func cClient(_ server: String) async throws -> [String] {
    let client = try RunningCommand("/usr/lib/zookeeper/bin/cli_mt", ["-h", server])
    func lines() -> [String] {
      String(decoding: client.bytes(of: .error), as: UTF8.self).split(separator: "\n").map(String.init)
    }
    try await eventually("a session of the C client") { lines().contains { $0.hasPrefix("Got a new session id") } }
    var answered = 0
    for command in commands {
      try client.write(command + "\n")
      // These say it in another way, or nothing.
      if command.hasPrefix("addauth") || command.contains("exists") { continue }
      answered += 1
      try await eventually("the answer to \(command)") { lines().count { $0.contains("rc = ") } >= answered }
    }
    try client.write("quit\n")
    try await client.waitForEnd(within: .seconds(90))
    return lines().filter { !$0.contains(":ZOO_") }.map { line in
      line.replacing(/session id: 0x[0-9a-f]+/, with: "session id: ID")
        .replacing(/ephemeralOwner = [1-9a-f][0-9a-f]*/, with: "ephemeralOwner = ID")
        .replacing(/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) .* \d{4}/, with: "DATE")
        .replacing(/time = -?\d+ msec/, with: "time")
    }.sorted()
  }
}
