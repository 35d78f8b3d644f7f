import Foundation
import TestKit
import Testing

/// `snapshot restore`, on running servers and on the files of stopped ones.
@Suite(.timeLimit(.minutes(5)))
struct SnapshotRestoreTests {
  private func scratch() throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "restore-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  private func server(_ lines: [String] = []) async throws -> (zkcli: Zkcli, admin: String, server: ServerUnderTest) {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(
      ["admin.enableServer=true", "admin.serverPort=\(port)", "admin.rateLimiterIntervalInMS=0"] + lines)
    try await server.start()
    return (Zkcli(server: server.connectString), "127.0.0.1:\(port)", server)
  }

  private func create(_ zkcli: Zkcli, _ paths: String...) async throws {
    for path in paths { #expect(try await zkcli("create", path, "v").exitStatus == 0) }
  }

  @Test func aRunningServerIsRestored() async throws {
    let (zkcli, admin, running) = try await server()
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await create(zkcli, "/a", "/b")
    let file = "\(directory)/saved"
    #expect(try await zkcli("snapshot", "save", file, "--admin", admin).exitStatus == 0)
    try await create(zkcli, "/c")
    #expect(try await zkcli("delete", "/a").exitStatus == 0)

    let dry = try await zkcli("snapshot", "restore", file, "--admin", admin, "--dry-run")
    #expect(dry.exitStatus == 0 && dry.output.contains("would restore"), "\(dry.errorOutput)")
    #expect(dry.output.contains("6 znodes") && dry.errorOutput.contains("cannot reconnect with their sessions"))
    let unasked = try await zkcli("snapshot", "restore", file, "--admin", admin)
    #expect(unasked.exitStatus == 2 && unasked.errorOutput.contains("needs --yes"), "\(unasked.errorOutput)")
    #expect(try await zkcli("ls", "/").output == "b\nc\nzookeeper\n")

    let restored = try await zkcli("snapshot", "restore", file, "--admin", admin, "--yes", "-o", "json")
    #expect(restored.exitStatus == 0, "\(restored.errorOutput)")
    let document = try #require(try json(restored.output) as? [String: Any])
    #expect(document["znodes"] as? Int == 6)
    #expect((document["kept"] as? [String])?.first?.hasSuffix("before-restore-1") == true)
    #expect(try await zkcli("ls", "/").output == "a\nb\nzookeeper\n")

    try await create(zkcli, "/d")
    let piped = try await zkcli.shell("zkcli snapshot restore - --admin \(admin) --yes < \(file)")
    #expect(piped.exitStatus == 0 && piped.output.contains("restored stdin"), "\(piped.errorOutput)")
    #expect(try await zkcli("ls", "/").output == "a\nb\nzookeeper\n")
    _ = running
  }

  @Test func whatIsRefusedIsExplained() async throws {
    let (zkcli, admin, running) = try await server()
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await create(zkcli, "/a")
    let file = "\(directory)/saved"
    #expect(try await zkcli("snapshot", "save", file, "--admin", admin).exitStatus == 0)
    let bytes = try Data(contentsOf: URL(filePath: file))
    try bytes.dropLast(5).write(to: URL(filePath: "\(directory)/torn"))
    let torn = try await zkcli("snapshot", "restore", "\(directory)/torn", "--admin", admin, "--yes")
    #expect(torn.exitStatus == 12 && torn.errorOutput.contains("not a complete snapshot"), "\(torn.errorOutput)")
    let missing = try await zkcli("snapshot", "restore", "\(directory)/none", "--admin", admin, "--yes")
    #expect(missing.exitStatus == 12, "\(missing.errorOutput)")
    let several = try await zkcli("snapshot", "restore", file, "--admin", "\(admin),localhost:1", "--yes")
    #expect(several.exitStatus == 2 && several.errorOutput.contains("changes one server"), "\(several.errorOutput)")
    let mixed = try await zkcli("snapshot", "restore", file, "--overwrite", "--yes")
    #expect(mixed.exitStatus == 2 && mixed.errorOutput.contains("no option --overwrite"), "\(mixed.errorOutput)")
    let none = try await zkcli("snapshot", "restore", file, "--admin", "127.0.0.1:1", "--yes")
    #expect(none.exitStatus == 7, "\(none.errorOutput)")
    let running1 = try await zkcli("snapshot", "restore", file, "--dir", running.dataDirectory, "--yes")
    #expect(running1.exitStatus == 4 || running1.exitStatus == 12, "\(running1.errorOutput)")
    #expect(try await zkcli("--auth", "digest:op:x", "setAcl", "/", "auth::cdrwa,world:anyone:r").exitStatus == 0)
    let denied = try await zkcli("snapshot", "restore", file, "--admin", admin, "--yes")
    #expect(denied.exitStatus == 5 && denied.errorOutput.contains("cdrwa in the ACL"), "\(denied.errorOutput)")
    #expect(try await zkcli("ls", "/").output == "a\nzookeeper\n")
  }

  /// What other servers answer, before and after they have read the file.
  @Test(arguments: [
    (405, "Only GET", "not have the command restore"),
    (200, #"{"error":"Unknown command: restore"}"#, "not have the command restore"),
    (409, "{}", "which cannot be restored while it runs"), (429, "{}", "was restored recently"),
    (503, "{}", "restore.enabled"),
    (507, #"{"error":"full"}"#, "not enough disk space"), (500, #"{"error":null}"#, "the status 500"),
    (200, "<html>", "status 200"),
  ])
  func otherAnswersAreExplained(status: Int, body: String, message: String) async throws {
    let (zkcli, admin, running) = try await server()
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let file = "\(directory)/saved"
    #expect(try await zkcli("snapshot", "save", file, "--admin", admin).exitStatus == 0)
    let fake = try FakeServer(
      .script { socket in
        let request = String(decoding: try socket.read(), as: UTF8.self)
        let isStatus = request.hasPrefix("GET")
        let text = isStatus ? #"{"server_stats":{"server_state":"standalone"}}"# : body
        let head = "HTTP/1.1 \(isStatus ? 200 : status) X\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
        try socket.write(Array((head + text).utf8))
      })
    let run = try await zkcli("snapshot", "restore", file, "--admin", "127.0.0.1:\(fake.port)", "--yes")
    #expect(run.exitStatus == 10 && run.errorOutput.contains(message), "\(run.errorOutput)")
    _ = running
  }

  /// Three members of Apache's, all of which are restored while they are stopped.
  @Test func aStoppedEnsembleIsRestored() async throws {
    let ensemble = try await ApacheEnsemble.start()
    let zkcli = Zkcli(server: ensemble.connectString)
    try await create(zkcli, "/a", "/b")
    try await ensemble.stop()
    let directory = try scratch()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    // A server of ours makes a snapshot of one member's files.
    let copy = "\(directory)/copy"
    try FileManager.default.copyItem(atPath: ensemble.members[0].dataDirectory, toPath: copy)
    let port = try LoopbackPorts.reserve()
    let source = try ServerUnderTest(["admin.enableServer=true", "admin.serverPort=\(port)"], dataDirectory: copy)
    try await source.start()
    let file = "\(directory)/saved"
    let saved = try await Zkcli(server: source.connectString)(
      "snapshot", "save", file, "--admin", "127.0.0.1:\(port)")
    #expect(saved.exitStatus == 0, "\(saved.errorOutput)")
    try await ensemble.restart()
    #expect(try await zkcli("delete", "/a").exitStatus == 0)
    try await create(zkcli, "/c")
    let before = try await zkcli("stat", "/c", "-o", "json").output

    try await ensemble.stop()
    for member in ensemble.members {
      let dry = try await zkcli("snapshot", "restore", file, "--dir", member.dataDirectory, "--dry-run")
      #expect(dry.exitStatus == 0 && dry.output.contains("would restore"), "\(dry.errorOutput)")
      let run = try await zkcli("snapshot", "restore", file, "--dir", member.dataDirectory + "/version-2", "--yes")
      #expect(run.exitStatus == 0 && run.output.contains("before-restore-1"), "\(run.errorOutput)")
    }
    try await ensemble.restart()
    #expect(try await zkcli("ls", "/").output == "a\nb\nzookeeper\n")
    try await create(zkcli, "/d")
    // The new epoch is later than every one that clients have seen.
    let after = try await zkcli("stat", "/d", "-o", "json").output
    #expect(try zxid(after) > zxid(before), "\(after)")
    // The earlier state is there, and can be looked into.
    let earlier = try await zkcli("snap", "ls", ensemble.members[1].dataDirectory + "/before-restore-1", "/")
    #expect(earlier.output == "b\nc\nzookeeper\n", "\(earlier.errorOutput)")
  }

  private func zxid(_ stat: String) throws -> Int {
    let document = try #require(try json(stat) as? [String: Any])
    let text = try #require((document["stat"] as? [String: Any] ?? document)["czxid"] as? String)
    return try #require(Int(text.dropFirst(2), radix: 16))
  }
}
