import Foundation
import TestKit
import Testing

/// The audit log of a server, beside that of Apache's for the same commands.
@Suite(.timeLimit(.minutes(10)))
struct AuditTests {
  /// Without a TTL znode: 3.8.0 cannot read its own request for one, and leaves the line out.
  private static let script = """
    create /a hello
    create /a again
    create -s /a/s- v
    create -e /e v
    create -c /c
    set /a v1
    set -v 77 /a v2
    get /a
    set /none v
    delete /none
    addauth digest bob:secret
    create /own v auth::cdrwa
    setAcl /own world:anyone:r,auth::cdrwa
    setAcl /none world:anyone:r
    deleteall /a
    quit

    """

  private static func run(_ server: String) async throws {
    _ = try await CommandRun.run(
      try Products.executable("zkcli"), ["-q", "-k", "-s", server], input: Array(script.utf8), timeLimit: .seconds(60))
  }

  /// The lines without what differs between two runs.
  private static func messages(_ log: String, after mark: String) -> [String] {
    log.split(separator: "\n").compactMap { line in
      line.firstRange(of: mark).map { String(line[$0.upperBound...]) }
    }.map { $0.replacing(/session=0x[0-9a-f]+/, with: "session=S") }
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func linesAreApaches() async throws {
    var configuration = ApacheConfiguration.permissive
    configuration.systemProperties["zookeeper.audit.enable"] = "true"
    let apache = try await ApacheServer.start(configuration)
    let server = try ServerUnderTest(["audit.enable=true", "extendedTypesEnabled=true"])
    try await server.start()
    try await Self.run(apache.connectString)
    try await Self.run(server.connectString)
    try await apache.stop()
    try await server.end(by: SIGTERM)
    let expected = Self.messages(apache.log, after: "AuditLogger - ")
    let text = try String(contentsOfFile: "\(server.dataDirectory)/zookeeper_audit.log", encoding: .utf8)
    let found = Self.messages(text, after: "o.a.z.a.Slf4jAuditLogger: ")
    #expect(expected.count > 15)
    #expect(found.difference(from: expected).map { "\($0)" } == [])
    for line in text.split(separator: "\n") {
      let level = line.hasSuffix("result=failure") ? "ERROR" : "INFO"
      #expect(line.contains(#/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} /#) && line.contains(" \(level) o.a.z."), "\(line)")
    }
    let mode = try FileManager.default.attributesOfItem(atPath: "\(server.dataDirectory)/zookeeper_audit.log")
    #expect((mode[.posixPermissions] as? Int ?? 0o777) & 0o007 == 0)
  }

  @Test func serverWithoutItsAuditLogDoesNotStart() async throws {
    let server = try ServerUnderTest(["audit.enable=true", "auditlog.dir=/nonexistent/directory"])
    try server.launch()
    let ending = try await server.command?.waitForEnd(within: .seconds(60))
    #expect(ending != .exited(0))
    #expect(server.errorOutput.contains("the audit log /nonexistent/directory/zookeeper_audit.log cannot be opened"))
  }

  @Test func startThatFailsIsInTheAuditLog() async throws {
    let listener = try LoopbackSocket.listen()
    let server = try ServerUnderTest(["audit.enable=true", "clientPort=\(listener.localPort)"])
    try server.launch()
    _ = try await server.command?.waitForEnd(within: .seconds(60))
    let text = try String(contentsOfFile: "\(server.dataDirectory)/zookeeper_audit.log", encoding: .utf8)
    #expect(text.contains("\toperation=serverStart\tresult=failure\n") && text.split(separator: "\n").count == 1)
  }

  /// Files follow each other, and the oldest are removed.
  @Test func filesAreLimited() async throws {
    let server = try ServerUnderTest(["audit.enable=true"])
    let log = "\(server.dataDirectory)/zookeeper_audit.log"
    try FileManager.default.createDirectory(atPath: server.dataDirectory, withIntermediateDirectories: true)
    // As after some time: every file is full, and has its number in it.
    for number in 0...10 {
      let text = "\(number)\n" + String(repeating: "x", count: 10 << 20)
      try Scratch.write(text, to: number == 0 ? log : "\(log).\(number)")
    }
    try await server.start()
    try await Self.run(server.connectString)
    try await server.end(by: SIGTERM)
    let names = try FileManager.default.contentsOfDirectory(atPath: server.dataDirectory)
    #expect(names.count { $0.contains("audit") } == 11)
    func firstLine(_ number: Int) throws -> Substring? {
      try String(contentsOfFile: "\(log).\(number)", encoding: .utf8).split(separator: "\n").first
    }
    #expect(try firstLine(1) == "0" && firstLine(10) == "9")
    #expect(try String(contentsOfFile: log, encoding: .utf8).contains("operation=create"))
  }
}
