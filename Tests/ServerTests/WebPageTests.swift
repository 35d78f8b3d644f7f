import Foundation
import TestKit
import Testing

/// The page that a server shows of itself.
@Suite(.timeLimit(.minutes(5)))
struct WebPageTests {
  /// Sends a request in the clear; what comes back, head and body.
  private func ask(_ port: UInt16, _ request: String, _ headers: [String] = [], body: String = "") throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    try socket.write(Array(Self.text(port, request, headers, body).utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  private static func text(_ port: UInt16, _ request: String, _ headers: [String], _ body: String) -> String {
    let all = ["Host: localhost:\(port)", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
    return "\(request) HTTP/1.1\r\n" + all.map { "\($0)\r\n" }.joined() + "\r\n" + body
  }

  @Test func aServerShowsItself() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(["web.enable=true", "web.serverPort=\(port)"])
    try await server.start()
    try await eventually("the page") { server.errorOutput.contains("serving the page at http://127.0.0.1:\(port)/") }
    #expect(try ask(port, "GET /").contains("<title>"))
    let session = try ask(port, "GET /api/v1/session")
    let token = try #require(session.firstMatch(of: /"token":"([^"]*)"/)).1
    let made = try ask(port, "POST /api/v1/znode", ["X-Zkcli-Token: \(token)"], body: #"{"path":"/made"}"#)
    #expect(made.hasPrefix("HTTP/1.1 201"), "\(made)")
    #expect(try ask(port, "GET /api/v1/children?path=/").contains(#""made""#))
    let line = try await eventually("the line of the access log") {
      server.errorOutput.split(separator: "\n").first { $0.contains("/made") }
    }
    #expect(line.contains("127.0.0.1 -") && line.contains("201 ok"), "\(line)")
    #expect(try await server.end(by: SIGTERM) == .exited(0))
  }

  @Test func thePageIsEncryptedAndWantsALogin() async throws {
    let port = try LoopbackPorts.reserve()
    let token = "\(try Scratch.directory("page-token"))/token"
    try Scratch.write("a-token-of-sixteen-bytes\n", to: token)
    let server = try ServerUnderTest([
      "web.enable=true", "web.serverPort=\(port)", "web.serverAddress=0.0.0.0", "web.tokenFile=\(token)",
      "web.readOnly=true", "web.ssl.keyStore.location=\(StoreFiles.path("server.jks"))",
      "web.ssl.keyStore.password=secret1",
    ])
    try await server.start()
    try await eventually("the page") { server.errorOutput.contains("serving the page at https://localhost:\(port)/") }
    func secure(_ request: String, body: String = "") async throws -> String {
      let words = ["s_client", "-quiet", "-CAfile", StoreFiles.path("ca.pem"), "-connect", "127.0.0.1:\(port)"]
      let run = try await CommandRun.run(
        "/usr/bin/openssl", words, input: Array(Self.text(port, request, [], body).utf8))
      return run.output
    }
    #expect(try await secure("GET /api/v1/children?path=/").hasPrefix("HTTP/1.1 401"))
    let wrong = try await secure("POST /api/v1/login", body: #"{"token":"another"}"#)
    #expect(wrong.hasPrefix("HTTP/1.1 401"), "\(wrong)")
    let right = try await secure("POST /api/v1/login", body: #"{"token":"a-token-of-sixteen-bytes"}"#)
    #expect(right.hasPrefix("HTTP/1.1 200") && right.contains("Secure"), "\(right)")
    #expect((try? ask(port, "GET /"))?.contains("<title>") != true)
  }

  @Test func aPortInUseIsNoReasonNotToServe() async throws {
    let port = try LoopbackPorts.reserve()
    let first = try ServerUnderTest(["web.enable=true", "web.serverPort=\(port)"])
    try await first.start()
    try await eventually("the page") { first.errorOutput.contains("serving the page at") }
    let second = try ServerUnderTest(["web.enable=true", "web.serverPort=\(port)"])
    try await second.start()
    try await eventually("the reason") {
      second.errorOutput.contains("the page was not started: 127.0.0.1:\(port) is in use")
    }
    #expect(try second.ask("ruok") == "imok")
  }

  @Test func checkFindsFilesThatCannotBeUsed() async throws {
    let server = try ServerUnderTest(["web.enable=true", "web.tokenFile=/nonexistent/token"])
    let check = try await CommandRun.run(
      try Products.executable("zkcli"), ["server", "check", "\(server.directory)/zoo.cfg"])
    #expect(check.exitStatus == 2 && check.errorOutput.contains("/nonexistent/token"), "\(check.errorOutput)")
    let json = try await CommandRun.run(
      try Products.executable("zkcli"), ["server", "check", "\(server.directory)/zoo.cfg", "-o", "json"])
    #expect(json.exitStatus == 2 && json.output.contains("/nonexistent/token"), "\(json.output)")
  }

  /// A client that must encrypt, and a page that has no certificate to show.
  @Test func thePageOfAServerThatTakesOnlyTLS() async throws {
    let (port, client) = (try LoopbackPorts.reserve(), try LoopbackPorts.reserve())
    let directory = try Scratch.directory("secure-page")
    let lines = [
      "dataDir=\(directory)/data", "secureClientPort=\(client)", "secureClientPortAddress=127.0.0.1",
      "admin.enableServer=false", "ssl.keyStore.location=\(StoreFiles.path("server.jks"))",
      "ssl.keyStore.password=secret1", "ssl.clientAuth=none", "web.enable=true", "web.serverPort=\(port)",
    ]
    try Scratch.write(lines.joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
    let server = try RunningCommand(try Products.executable("zkcli"), ["server", "run", "\(directory)/zoo.cfg"])
    defer { server.killAll() }
    try await eventually("the page", within: .seconds(60)) {
      String(decoding: server.bytes(of: .error), as: UTF8.self).contains("serving the page at")
    }
    #expect(try ask(port, "GET /api/v1/children?path=/").contains(#""zookeeper""#))
  }
}
