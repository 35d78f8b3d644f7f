import Foundation
import TestKit
import Testing

/// Snapshots that are saved from a running server, and AdminServers over HTTPS.
@Suite(.timeLimit(.minutes(5)))
struct SnapshotTests {
  private func server(_ lines: [String] = []) async throws -> (zkcli: Zkcli, admin: UInt16, server: ServerUnderTest) {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(["admin.enableServer=true", "admin.serverPort=\(port)"] + lines)
    try await server.start()
    return (Zkcli(server: server.connectString), port, server)
  }

  private func scratch() throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "save-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  @Test func aSnapshotIsSavedAndChecked() async throws {
    let (zkcli, port, running) = try await server(["admin.rateLimiterIntervalInMS=0"])
    let value = String(repeating: "v", count: 100_000)
    for index in 0..<40 { #expect(try await zkcli("create", "/n\(index)", value).exitStatus == 0) }
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let file = "\(directory)/saved"
    let admin = "127.0.0.1:\(port)"
    let saved = try await zkcli("snapshot", "save", file, "--admin", admin, "-o", "json")
    #expect(saved.exitStatus == 0, "\(saved.errorOutput)")
    let document = try #require(try json(saved.output) as? [String: Any])
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    #expect(document["bytes"] as? Int == attributes[.size] as? Int)
    #expect((document["bytes"] as? Int ?? 0) > 4_000_000)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    // The root has two names in Apache's count; a snapshot has it once.
    #expect(document["znodes"] as? Int == 44)
    #expect(try await zkcli("snap", "cat", file, "/n9").output.trimmingCharacters(in: .newlines) == value)

    let again = try await zkcli("snapshot", "save", file, "--admin", admin)
    #expect(again.exitStatus == 4 && again.errorOutput.contains("exists already"), "\(again.errorOutput)")
    #expect(try await zkcli("snapshot", "save", file, "--admin", admin, "--overwrite").exitStatus == 0)
    let piped = try await zkcli.shell("zkcli snapshot save - --admin \(admin) > \(directory)/piped")
    #expect(piped.exitStatus == 0, "\(piped.errorOutput)")
    #expect(try Data(contentsOf: URL(filePath: "\(directory)/piped")).starts(with: Array("ZKSN".utf8)))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["piped", "saved"])
    _ = running
  }

  @Test func whatIsRefusedIsExplained() async throws {
    let (zkcli, port, running) = try await server()
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let admin = "127.0.0.1:\(port)"
    let set = try await zkcli("--auth", "digest:op:secret", "setAcl", "/", "auth::cdrwa,world:anyone:r")
    #expect(set.exitStatus == 0, "\(set.errorOutput)")
    let denied = try await zkcli("snapshot", "save", "\(directory)/a", "--admin", admin)
    #expect(denied.exitStatus == 5 && denied.errorOutput.contains("cdrwa in the ACL of /"), "\(denied.errorOutput)")
    let wrong = try await zkcli("--auth", "digest:op:wrong", "snapshot", "save", "\(directory)/a", "--admin", admin)
    #expect(wrong.exitStatus == 5, "\(wrong.errorOutput)")
    let right = try await zkcli("--auth", "digest:op:secret", "snapshot", "save", "\(directory)/a", "--admin", admin)
    #expect(right.exitStatus == 0, "\(right.errorOutput)")
    let soon = try await zkcli("--auth", "digest:op:secret", "snapshot", "save", "\(directory)/b", "--admin", admin)
    #expect(soon.exitStatus == 10 && soon.errorOutput.contains("rateLimiterIntervalInMS"), "\(soon.errorOutput)")
    let far = try await zkcli(
      "--auth", "digest:op:secret", "snapshot", "save", "\(directory)/b", "--admin", "192.0.2.1:8080")
    #expect(far.exitStatus == 2 && far.errorOutput.contains("unencrypted"), "\(far.errorOutput)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["a"])
    _ = running
  }

  private static let file = "application/octet-stream"

  /// Answers that are no snapshot, torn ones and damaged ones leave no file.
  @Test(arguments: [
    (file, "hello", 5, "not a complete snapshot"), (file, "ZKSN", 50, "not one of an HTTP server"),
    ("application/json", "{}", 2, "the status 200"),
    ("application/json", #"{"error":"Unknown command: snapshot"}"#, 37, "from 3.9 on"),
  ])
  func foreignAnswersLeaveNoFile(type: String, body: String, length: Int, message: String) async throws {
    let admin = try FakeServer(
      .script { socket in
        _ = try socket.read()
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(length)\r\n\r\n"
        try socket.write(Array((head + body).utf8))
      })
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let zkcli = Zkcli(server: "127.0.0.1:1")
    let run = try await zkcli("snapshot", "save", "\(directory)/a", "--admin", "127.0.0.1:\(admin.port)")
    #expect(run.exitStatus != 0 && run.errorOutput.contains(message), "\(run.errorOutput)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
  }

  @Test func adminServersAreAskedOverHTTPS() async throws {
    let (zkcli, port, running) = try await server(
      ["admin.forceHttps=true", "admin.rateLimiterIntervalInMS=0"] + StoreFiles.lines("ssl.quorum"))
    let admin = "https://localhost:\(port)"
    let trusting = zkcli.with(["ZKCLI_CACERT": StoreFiles.path("ca.pem")])
    let answer = try await trusting("admin", "ruok", "--admin", admin)
    #expect(answer.exitStatus == 0 && answer.output.contains("ruok"), "\(answer.errorOutput)")
    #expect(try await zkcli("admin", "ruok", "--admin", admin).exitStatus == 7, "the certificate is not to be trusted")
    #expect(try await trusting("admin", "ruok", "--admin", "localhost:\(port)").exitStatus == 7)
    let health = try await trusting("health", "-o", "json", "--limit", "5s", "--admin", "https://127.0.0.1:\(port)")
    #expect(health.output.contains(#""verdict""#), "\(health.errorOutput)")
    let mixed = try await trusting("admin", "ruok", "--admin", "\(admin),http://localhost:1")
    #expect(mixed.exitStatus == 2 && mixed.errorOutput.contains("mixes"), "\(mixed.errorOutput)")
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let saved = try await trusting("snapshot", "save", "\(directory)/a", "--admin", admin)
    #expect(saved.exitStatus == 0 && saved.output.contains("its checksums are right"), "\(saved.errorOutput)")
    _ = running
  }
}
