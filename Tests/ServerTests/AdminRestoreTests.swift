import Foundation
import TestKit
import Testing

/// The command `restore` of the AdminServer.
@Suite(.timeLimit(.minutes(5)))
struct AdminRestoreTests {
  private static let credentials = "Authorization: digest op:secret\r\n"

  private struct Answer {
    let status: String
    let text: String
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

  private func children(_ server: ServerUnderTest) async throws -> [Substring] {
    try await shell(server, "ls", "/").output.split(separator: "\n")
  }

  private func answer(_ socket: LoopbackSocket) throws -> Answer {
    let text = String(decoding: try socket.readToEnd(), as: UTF8.self)
    return Answer(status: String(text.split(separator: " ").dropFirst().first ?? ""), text: text)
  }

  private func snapshot(port: UInt16) throws -> [UInt8] {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(
      Array("GET /commands/snapshot HTTP/1.1\r\nHost: localhost\r\n\(Self.credentials)Connection: close\r\n\r\n".utf8))
    let bytes = try socket.readToEnd()
    let end = try #require((3..<bytes.count).first { bytes[($0 - 3)...$0] == [13, 10, 13, 10] })
    return Array(bytes[(end + 1)...])
  }

  private func head(_ length: Int, _ headers: String = credentials, command: String = "restore") -> [UInt8] {
    Array(
      ("POST /commands/\(command) HTTP/1.1\r\nHost: localhost\r\n\(headers)Connection: close\r\n"
        + "Content-Type: application/octet-stream\r\nContent-Length: \(length)\r\n\r\n").utf8)
  }

  private func restore(_ body: [UInt8], port: UInt16, _ headers: String = credentials) throws -> Answer {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(head(body.count, headers))
    // A server that refuses answers before it has everything, and may close the connection then.
    _ = try? socket.write(body)
    return try answer(socket)
  }

  private func files(_ server: ServerUnderTest) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: server.dataDirectory).sorted()
  }

  @Test func theSnapshotIsTheStateAfterwards() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0", "snapCount=20"])
    for index in 0..<30 { #expect(try await shell(server, "create", "/old\(index)", "v").exitStatus == 0) }
    let saved = try snapshot(port: port)
    for index in 0..<5 { #expect(try await shell(server, "create", "/new\(index)", "v").exitStatus == 0) }
    #expect(try await shell(server, "set", "/old3", "changed").exitStatus == 0)
    // A snapshot that is still being written gets another name.
    let before = try await eventually("no file is unfinished", within: .seconds(30)) {
      let files = try files(server).filter { $0.hasPrefix("version-2/") }
      return files.contains { $0.hasSuffix(".tmp") } ? nil : files
    }

    let restored = try restore(saved, port: port)
    #expect(restored.status == "200" && restored.text.contains(#""consistent" : true"#), "\(restored.text)")
    #expect(restored.text.contains(#""error" : null"#) && restored.text.contains("before-restore-1"))
    #expect(try await children(server).count == 31)
    #expect(try await shell(server, "get", "/old3").output == "v")
    let kept = try files(server).filter { $0.hasPrefix("before-restore-1/version-2/") }
    #expect(Set(before).isSubset(of: kept.map { String($0.dropFirst("before-restore-1/".count)) }), "\(kept)")

    // The log goes on after the snapshot, and the next start knows nothing else.
    #expect(try await shell(server, "create", "/after", "x").exitStatus == 0)
    try await server.end(by: SIGKILL)
    try await server.start()
    #expect(try await children(server).count == 32)
    #expect(try await shell(server, "get", "/after").output == "x")
    // The earlier state is a data directory.
    let earlier = try ServerUnderTest(dataDirectory: "\(server.dataDirectory)/before-restore-1")
    try await earlier.start()
    #expect(try await children(earlier).count == 36)
    #expect(try await shell(earlier, "get", "/old3").output == "changed")
    // And again, over what was restored.
    #expect(try restore(saved, port: port).text.contains("before-restore-2"))
    #expect(try await children(server).count == 31)
  }

  @Test func sessionsOfTheSnapshotLiveOn() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    let holder = try RunningCommand(
      try Products.executable("zkcli"),
      ["-s", server.connectString, "--session-timeout", "30s", "lock", "/lock", "--", "sleep", "60"])
    defer { holder.killAll() }
    try await eventually("the lock is held", within: .seconds(30)) {
      try await shell(server, "ls", "/lock").output.contains("lock-")
    }
    let saved = try snapshot(port: port)
    #expect(try restore(saved, port: port).status == "200")
    try await eventually("the session is connected again", within: .seconds(30)) {
      try server.ask("cons").contains("sid=0x")
    }
    #expect(try await shell(server, "ls", "/lock").output.contains("lock-"))
    #expect(holder.ending == nil)
  }

  @Test func whatIsNotWantedIsRefused() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    #expect(try await shell(server, "create", "/kept", "v").exitStatus == 0)
    #expect(
      try await shell(server, "--auth", "digest:op:secret", "setAcl", "/", "auth::cdrwa,world:anyone:r").exitStatus == 0
    )
    let saved = try snapshot(port: port)
    for (headers, status, error) in [
      ("", "401", "Auth info is missing for the command"),
      ("Authorization: digest op:wrong\r\n", "403", "Not authorized"),
      ("Authorization: ip\r\n", "403", "Not authorized"),
    ] {
      let answer = try restore(saved, port: port, headers)
      #expect(answer.status == status && answer.text.contains(error), "\(answer.text)")
    }
    var damaged = saved
    damaged[saved.count / 2] ^= 1
    for bytes in [[], Array("hello".utf8), Array(saved.dropLast(3)), damaged, saved + [0]] {
      let answer = try restore(bytes, port: port)
      #expect(answer.status == "400" && answer.text.contains("no whole snapshot"), "\(answer.text)")
    }
    #expect(try restore([0x1f, 0x8b, 8, 0], port: port).status == "400")
    #expect(try restore([0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], port: port).status == "400")
    // Refused before it is sent.
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(head(1 << 60))
    #expect(try answer(socket).status == "507")
    let get = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try get.write(Array("GET /commands/rest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
    #expect(try answer(get).status == "405")
    let other = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try other.write(head(0, command: "ruok"))
    #expect(try answer(other).status == "405")
    #expect(try await shell(server, "get", "/kept").output == "v")
    #expect(try files(server).allSatisfy { !$0.contains("unfinished") && !$0.contains("before-restore") })
  }

  @Test func whatIsSwitchedOffIsRefused() async throws {
    let (limited, port) = try await server()
    let saved = try snapshot(port: port)
    #expect(try restore(saved, port: port).status == "200")
    #expect(try restore(saved, port: port).status == "429")
    let (silent, disabled) = try await server(["admin.restore.enabled=false"])
    #expect(try restore(saved, port: disabled).status == "503")
    let (withoutSection, old) = try await server(["serializeLastProcessedZxid.enabled=false"])
    #expect(try restore(saved, port: old).status == "500")
    for server in [limited, silent, withoutSection] { #expect(try server.ask("ruok") == "imok") }
  }

  @Test func aMemberOfAnEnsembleSaysHowItIsDone() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.hasAdminServers = true
    let ensemble = try ServerEnsemble(configuration)
    for member in ensemble.members { try await member.launch() }
    try await ensemble.waitUntilServing()
    let answer = try restore([1, 2, 3], port: ensemble.members[0].ports.admin)
    #expect(answer.status == "409" && answer.text.contains("stop all members"), "\(answer.text)")
    try await ensemble.kill()
  }

  @Test func anUploadThatEndsEarlyChangesNothing() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    #expect(try await shell(server, "create", "/kept", "v").exitStatus == 0)
    let saved = try snapshot(port: port)
    do {
      let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
      try socket.write(head(saved.count + 1_000_000))
      try socket.write(saved)
      try await eventually("it is being received", within: .seconds(30)) {
        try files(server).contains { $0.contains("unfinished") }
      }
      #expect(try restore(saved, port: port).status == "429", "one at a time")
      socket.shutdown()
    }
    try await eventually("it is forgotten", within: .seconds(30)) {
      try files(server).allSatisfy { !$0.contains("unfinished") }
    }
    #expect(try await shell(server, "get", "/kept").output == "v")
    #expect(try restore(saved, port: port).status == "200")
  }

  /// A large snapshot in chunks of all sizes, without a length, while clients write.
  @Test func aLargeSnapshotArrivesInChunks() async throws {
    let (server, port) = try await server(["admin.rateLimiterIntervalInMS=0"])
    let value = String(repeating: "v", count: 100_000)
    for index in 0..<40 { #expect(try await shell(server, "create", "/large\(index)", value).exitStatus == 0) }
    let saved = try snapshot(port: port)
    let writer = try RunningCommand(
      "/bin/sh",
      ["-c", "while :; do \(try Products.executable("zkcli")) -s \(server.connectString) create -s /w x || :; done"])
    defer { writer.killAll() }
    try await eventually("clients write", within: .seconds(30)) { try await children(server).count > 42 }
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
    try socket.write(
      Array(
        ("POST /commands/restore HTTP/1.1\r\nHost: localhost\r\n\(Self.credentials)Connection: close\r\n"
          + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n").utf8))
    let wanted = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    #expect(try socket.readExactly(wanted.count) == wanted)
    var position = 0
    var size = 1
    while position < saved.count {
      let chunk = saved[position..<min(saved.count, position + size)]
      try socket.write(Array(String(chunk.count, radix: 16).utf8) + [13, 10] + chunk + [13, 10])
      position += chunk.count
      size = min(size * 3, 1_000_003)
    }
    try socket.write(Array("0\r\n\r\n".utf8))
    let restored = try answer(socket)
    #expect(restored.status == "200", "\(restored.text)")
    writer.killAll()
    let left = try await children(server)
    #expect(left.filter { $0.hasPrefix("large") }.count == 40)
    try await server.end(by: SIGKILL)
    try await server.start()
    #expect(try await children(server).filter { $0.hasPrefix("large") }.count == 40)
  }
}
