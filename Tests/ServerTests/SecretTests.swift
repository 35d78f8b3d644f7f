import Foundation
import TestKit
import Testing

/// What a server knows of secrets is shown to nobody.
@Suite(.timeLimit(.minutes(10)))
struct SecretTests {
  /// The digest of `super:secret`.
  private static let digest = "lK75jTNcA+U9vtVEw5vB51mj/w4="

  @Test func noReportShowsTheSuperusersDigest() async throws {
    let admin = try LoopbackPorts.reserve()
    let server = try ServerUnderTest([
      "DigestAuthenticationProvider.superDigest=super:\(Self.digest)", "admin.enableServer=true",
      "admin.serverPort=\(admin)",
    ])
    try await server.start()
    for word in ["conf", "envi", "srvr", "stat", "mntr", "dump", "cons"] {
      let answer = try server.ask(word)
      #expect(!answer.isEmpty && !answer.contains(Self.digest), "\(word)")
    }
    let commands = [
      "configuration", "environment", "initial_configuration", "system_properties", "monitor", "stats", "voting_view",
    ]
    for command in commands {
      let socket = try LoopbackSocket.connect(to: admin, timeout: .seconds(10))
      try socket.write(Array("GET /commands/\(command) HTTP/1.0\r\n\r\n".utf8))
      let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
      #expect(answer.contains("\"command\"") && !answer.contains(Self.digest), "\(answer)")
    }
    try await server.end(by: SIGTERM)
    #expect(!server.errorOutput.contains(Self.digest), "\(server.errorOutput)")
  }

  @Test func superuserComesFromAFile() async throws {
    let directory = try Scratch.directory("secret")
    let file = "\(directory)/superuser"
    try Scratch.write("super:\(Self.digest)\n", to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    let server = try ServerUnderTest(["DigestAuthenticationProvider.superDigestPath=\(file)"])
    func check() async throws -> CommandRun {
      try await CommandRun.run(try Products.executable("zkcli"), ["server", "check", "\(server.directory)/zoo.cfg"])
    }
    let warned = try await check()
    #expect(warned.exitStatus == 0 && warned.errorOutput.contains("\(file) contains secrets and is accessible"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    let quiet = try await check()
    #expect(quiet.exitStatus == 0 && quiet.errorOutput.isEmpty, "\(quiet.errorOutput)")
    try await server.start()
    let secret = "\(directory)/password"
    try Scratch.write("secret\n", to: secret)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
    let script = """
      create /locked v digest:nobody:x:r
      addauth digest super --password-file \(secret)
      set /locked w
      get /locked
      addauth digest super:secret --password-file \(secret)
      addauth digest super --password-file \(directory)/none

      """
    let run = try await CommandRun.run(
      try Products.executable("zkcli"), ["-k", "-s", server.connectString], input: Array(script.utf8))
    #expect(run.output == "/locked\nw\n", "\(run.errorOutput)")
    #expect(run.errorOutput.contains("stdin:5: --password-file needs the user without a password"))
    #expect(run.errorOutput.contains("stdin:6: ") && run.errorOutput.contains("cannot open \(directory)/none"))
    try await server.end(by: SIGTERM)
  }
}
