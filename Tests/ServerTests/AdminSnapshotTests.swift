import Foundation
import TestKit
import Testing

/// The command `snapshot` of the AdminServer.
@Suite(.timeLimit(.minutes(5)))
struct AdminSnapshotTests {
  private static let operatorHeader = "Authorization: digest op:secret\r\n"

  private struct Answer {
    let head: String
    let body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? {
      head.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
    }
  }

  private func ask(_ path: String, port: UInt16, _ headers: String = operatorHeader) throws -> Answer {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)Connection: close\r\n\r\n".utf8))
    let bytes = try socket.readToEnd()
    let end = try #require((3..<bytes.count).first { bytes[($0 - 3)...$0] == [13, 10, 13, 10] })
    return Answer(head: String(decoding: bytes[..<(end - 3)], as: UTF8.self), body: Array(bytes[(end + 1)...]))
  }

  private func server(_ lines: [String] = []) async throws -> (server: ServerUnderTest, port: UInt16) {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(["admin.enableServer=true", "admin.serverPort=\(port)"] + lines)
    try await server.start()
    return (server, port)
  }

  private func shell(_ server: ServerUnderTest, _ arguments: String...) async throws -> CommandRun {
    try await CommandRun.run(try Products.executable("zkcli"), ["-s", server.connectString] + arguments)
  }

  @Test func aSnapshotStartsAnotherServer() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    let value = String(repeating: "v", count: 100_000)
    for index in 0..<20 { #expect(try await shell(server, "create", "/large\(index)", value).exitStatus == 0) }
    let answer = try ask("/commands/snapshot", port: port)
    #expect(answer.head.hasPrefix("HTTP/1.1 200"), "\(answer.head)")
    #expect(answer.header("Content-Type") == "application/octet-stream")
    #expect(answer.header("snapshot_size") == "\(answer.body.count)")
    #expect(answer.body.count > 2_000_000)
    let zxid = try #require(answer.header("last_zxid"))

    let directory = FileManager.default.temporaryDirectory.appending(path: "snapshot-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let version = directory.appending(path: "version-2")
    try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
    try Data(answer.body).write(to: version.appending(path: "snapshot.\(zxid.dropFirst(2))"))
    let other = try ServerUnderTest([], dataDirectory: directory.path)
    try await other.start()
    #expect(try await shell(other, "get", "/large19").output.trimmingCharacters(in: .newlines) == value)

    let metadata = try ask("/commands/snap?streaming=false", port: port)
    #expect(metadata.header("last_zxid") != nil && metadata.header("snapshot_size") != nil, "\(metadata.head)")
    #expect(metadata.text.contains(#""command" : "snapshot""#) && metadata.text.contains(#""error" : null"#))
  }

  @Test func onlyWhoMayDoEverythingToTheRootGetsOne() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    #expect(try ask("/commands/snapshot", port: port, "Authorization: ip\r\n").head.hasPrefix("HTTP/1.1 200"))
    #expect(
      server.errorOutput.contains("the ACL of / lets everybody who reaches the AdminServer"), "\(server.errorOutput)")
    let set = try await shell(server, "--auth", "digest:op:secret", "setAcl", "/", "auth::cdrwa,world:anyone:r")
    #expect(set.exitStatus == 0, "\(set.errorOutput)")
    for (header, status, error) in [
      ("", 401, "Auth info is missing for the command"),
      ("Authorization: foreign x\r\n", 401, "Not authenticated"),
      ("Authorization: digest\r\n", 401, "Not authenticated"),
      ("Authorization: digest op:wrong\r\n", 403, "Not authorized"),
      ("Authorization: ip\r\n", 403, "Not authorized"),
    ] {
      let answer = try ask("/commands/snapshot", port: port, header)
      #expect(answer.head.hasPrefix("HTTP/1.1 \(status) ") && answer.text.contains(error), "\(header): \(answer.head)")
    }
    #expect(try ask("/commands/snapshot", port: port).head.hasPrefix("HTTP/1.1 200"))
  }

  @Test func snapshotsAreLimited() async throws {
    let (limited, port) = try await server()
    #expect(try ask("/commands/snapshot", port: port).head.hasPrefix("HTTP/1.1 200"))
    #expect(try ask("/commands/snapshot", port: port).head.hasPrefix("HTTP/1.1 429"))
    #expect(try await shell(limited, "create", "/still", "serves").exitStatus == 0)
    let (silent, disabled) = try await server(["admin.snapshot.enabled=false"])
    #expect(try ask("/commands/snapshot", port: disabled).head.hasPrefix("HTTP/1.1 503"))
    let (withoutSection, old) = try await server(["serializeLastProcessedZxid.enabled=false"])
    #expect(try ask("/commands/snapshot", port: old).head.hasPrefix("HTTP/1.1 500"))
    for server in [limited, silent, withoutSection] { #expect(try server.ask("ruok") == "imok") }
  }

  @Test func theTraceMaskIsKept() async throws {
    let (server, port) = try await server()
    #expect(try ask("/commands/get_trace_mask", port: port).text.contains(#""tracemask" : 306"#))
    #expect(try ask("/commands/set_trace_mask?traceMask=305", port: port).text.contains(#""tracemask" : 305"#))
    #expect(try ask("/commands/gtmk", port: port).text.contains(#""tracemask" : 305"#))
    #expect(
      try ask("/commands/stmk?traceMask=x", port: port).text
        .contains("setTraceMask requires long traceMask argument, got x"))
    #expect(try server.ask("gtmk") == "305")
  }

  @Test func aLogThatIsLargeEnoughIsFollowedByAnother() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "segments-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let server = try ServerUnderTest(["txnLogSizeLimitInKb=50", "preAllocSize=64"], dataDirectory: directory.path)
    try await server.start()
    let value = String(repeating: "v", count: 30_000)
    for index in 0..<9 { #expect(try await shell(server, "create", "/n\(index)", value).exitStatus == 0) }
    let logs = try FileManager.default.contentsOfDirectory(atPath: directory.path + "/version-2")
      .filter { $0.hasPrefix("log.") }
    #expect((4...6).contains(logs.count), "\(logs)")
  }
}
