import TestKit
import Testing

/// The AdminServer and the metrics over HTTPS.
@Suite(.timeLimit(.minutes(5)))
struct OperatorTLSTests {
  private static let metrics =
    "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"

  /// Asks for a path over TLS, with or without a certificate; the answer is empty if there is none.
  private func ask(_ port: UInt16, _ path: String, hasCertificate: Bool = false) async throws -> String {
    let files = ["-cert", StoreFiles.path("chain.pem"), "-key", StoreFiles.path("server-key.pem")]
    let identity = hasCertificate ? files : []
    let run = try await CommandRun.run(
      "/usr/bin/openssl",
      ["s_client", "-quiet", "-verify_return_error", "-CAfile", StoreFiles.path("ca.pem")] + identity
        + ["-verify_hostname", "localhost", "-connect", "127.0.0.1:\(port)"],
      input: Array("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
    return run.output
  }

  /// Asks for a path in the clear.
  private func askInTheClear(_ port: UInt16, _ path: String) throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    try socket.write(Array("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
    return String(decoding: (try? socket.readToEnd()) ?? [], as: UTF8.self)
  }

  @Test(arguments: ["admin.forceHttps", "admin.portUnification"])
  func administratorsAreAnswered(_ key: String) async throws {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(
      [
        "admin.enableServer=true", "admin.serverAddress=127.0.0.1", "admin.serverPort=\(port)", "\(key)=true",
      ] + StoreFiles.lines("ssl.quorum"))
    try await server.start()
    let answer = try await ask(port, "/commands/ruok")
    #expect(answer.hasPrefix("HTTP/1.0 200") && answer.contains(#""command" : "ruok""#), "\(answer)")
    #expect(answer.contains("Strict-Transport-Security: max-age=86400; includeSubDomains"))
    let clear = try askInTheClear(port, "/commands/ruok")
    #expect(clear.contains(#""command" : "ruok""#) == (key == "admin.portUnification"), "\(clear)")
    #expect(!clear.contains("Strict-Transport-Security"))
  }

  @Test func certificatesAreDemanded() async throws {
    let (admin, secure) = (try LoopbackPorts.reserve(), try LoopbackPorts.reserve())
    let server = try ServerUnderTest(
      [
        "admin.enableServer=true", "admin.serverAddress=127.0.0.1", "admin.serverPort=\(admin)",
        "admin.forceHttps=true", "admin.needClientAuth=true", Self.metrics, "metricsProvider.httpsPort=\(secure)",
      ] + StoreFiles.lines("ssl.quorum") + StoreFiles.lines("metricsProvider.ssl"))
    try await server.start()
    for (port, path, text) in [(admin, "/commands/ruok", #""command" : "ruok""#), (secure, "/metrics", "# TYPE")] {
      #expect(try await ask(port, path) == "")
      #expect(try await ask(port, path, hasCertificate: true).contains(text))
      #expect(try !askInTheClear(port, path).contains(text))
    }
    try await eventually("the log tells it") {
      server.errorOutput.contains("the client has presented no certificate")
    }
  }
}
