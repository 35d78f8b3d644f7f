import Foundation
import TestKit
import Testing

/// What is not TLS, or only half of it, on ports that expect TLS; and files that are not what they should be.
@Suite(.timeLimit(.minutes(10)))
struct HostileTLSTests {
  /// The beginning of a ClientHello of 512 bytes.
  private static let halfHello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]
  private static let lines = StoreFiles.lines("ssl") + ["ssl.clientAuth=none"]

  @Test func halfOpenHandshakesKeepNoClientOut() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try await ZkcliServer.start(
      extraLines: Self.lines + [
        "secureClientPort=\(port)", "secureClientPortAddress=127.0.0.1", "netty.server.outstandingHandshake.limit=20",
      ])
    let start = ContinuousClock.now
    let sockets = try (0..<60).map { number in
      let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
      try? socket.write([[], [0x16], Self.halfHello][number % 3])
      return socket
    }
    // The first ones had to go at once; the others have some seconds.
    for socket in sockets[..<40] { #expect((try? socket.readToEnd()) ?? [] == []) }
    #expect(ContinuousClock.now - start < .seconds(9))
    let zkcli = Zkcli(server: "zks://localhost:\(port)")
    for _ in 0..<3 { expect(try await zkcli.run(TLSTests.authority + ["ls", "/"]), output: "zookeeper\n") }
    for socket in sockets[40...] { #expect((try? socket.readToEnd()) ?? [] == []) }
    try await eventually("the log tells it") { server.logText.contains("too many handshakes are under way") }
    #expect(server.logText.components(separatedBy: "too many handshakes are under way").count == 2)
  }

  /// On a port that takes both kinds, a connection must soon show which one it is.
  @Test func silentConnectionsEnd() async throws {
    let server = try await ZkcliServer.start(
      extraLines: Self.lines + ["client.portUnification=true", "ssl.handshakeDetectionTimeoutMillis=300"])
    let start = ContinuousClock.now
    let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))
    #expect(try socket.readToEnd() == [])
    #expect(ContinuousClock.now - start < .seconds(9))
  }

  @Test func otherBytesEndTheirConnectionOnly() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try await ZkcliServer.start(
      extraLines: Self.lines + [
        "secureClientPort=\(port)", "secureClientPortAddress=127.0.0.1", "client.portUnification=true",
      ])
    let connect: [UInt8] = [0, 0, 0, 45] + [UInt8](repeating: 0, count: 45)
    let inputs: [[UInt8]] = [
      connect, Array("ruok".utf8), Array("GET / HTTP/1.0\r\n\r\n".utf8), [UInt8](repeating: 0xff, count: 100_000),
      // A record of a length that none may have; a handshake that is none; one of SSL 2; an alert.
      [0x16, 3, 3, 0xff, 0xff] + [UInt8](repeating: 0, count: 70_000), [0x16, 3, 3, 0, 4, 0xff, 0xff, 0xff, 0xff],
      [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80], [0x15, 3, 3, 0, 2, 2, 40], [0x16, 3, 0, 0, 0],
    ]
    for (number, input) in inputs.enumerated() {
      let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(60))
      try? socket.write(input)
      socket.shutdownOutput()
      // Nothing is said before the end but an alert, which is what tells a client what is wrong.
      let answer = (try? socket.readToEnd()) ?? []
      #expect(answer.isEmpty || answer[0] == 0x15 && answer.count == 7, "\(number): \(answer.prefix(20))")
      // The same, where both kinds are taken.
      if input[0] == 0x16 {
        let mixed = try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))
        try? mixed.write(input)
        mixed.shutdownOutput()
        #expect((try? mixed.readToEnd())?.count ?? 0 <= 7, "\(number)")
      }
    }
    expect(
      try await Zkcli(server: "zks://localhost:\(port)").run(TLSTests.authority + ["ls", "/"]), output: "zookeeper\n")
  }

  /// A new handshake within a connection of TLS 1.2, which costs a server much and serves no client.
  @Test func renegotiationIsRefused() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try await ZkcliServer.start(
      extraLines: Self.lines + ["secureClientPort=\(port)", "secureClientPortAddress=127.0.0.1"])
    let run = try await CommandRun.run(
      "/usr/bin/openssl", ["s_client", "-tls1_2", "-connect", "127.0.0.1:\(port)"], input: Array("R\n".utf8))
    #expect(run.output.contains("Cipher is ECDHE"), "\(run.output)")
    #expect(run.errorOutput.contains("RENEGOTIATING"))
    try await eventually("the reason") { server.logText.contains("NO_RENEGOTIATION") }
    #expect(server.mode == "standalone")
  }

  // MARK: Files

  /// Files that are not what they should be, by what is wrong with them. All users can read what root can, so a file
  /// that cannot be read is a directory here.
  private static func files() throws -> [String: String] {
    let directory = try Scratch.directory("files")
    var files = ["missing": "\(directory)/missing", "unreadable": "\(directory)/directory"]
    try FileManager.default.createDirectory(atPath: "\(directory)/directory", withIntermediateDirectories: false)
    for (kind, text) in [
      ("empty", ""), ("text", "hello\n"),
      ("cut", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIIB\n"),
    ] {
      files[kind] = "\(directory)/\(kind)"
      try Scratch.write(text, to: "\(directory)/\(kind)")
    }
    return files
  }

  /// Every key that names a file, with what else it needs.
  private static let keys: [(key: String, lines: [String])] = [
    ("ssl.keyStore.location", ["secureClientPort=0", "ssl.clientAuth=none"]),
    (
      "ssl.trustStore.location",
      ["secureClientPort=0", "ssl.keyStore.location=\(StoreFiles.path("all.pem"))"]
    ),
    (
      "ssl.keyStore.passwordPath",
      ["secureClientPort=0", "ssl.clientAuth=none", "ssl.keyStore.location=\(StoreFiles.path("server.jks"))"]
    ),
    ("ssl.quorum.keyStore.location", ["sslQuorum=true"]),
    (
      "ssl.quorum.trustStore.location",
      ["sslQuorum=true", "ssl.quorum.keyStore.location=\(StoreFiles.path("all.pem"))"]
    ),
    ("ssl.quorum.keyStore.location", ["admin.forceHttps=true"]),
    (
      "metricsProvider.ssl.keyStore.location",
      [
        "metricsProvider.className=a.PrometheusMetricsProvider", "metricsProvider.httpsPort=0",
        "metricsProvider.ssl.need.client.auth=false", "metricsProvider.ssl.want.client.auth=false",
      ]
    ),
    ("java.security.auth.login.config", ["authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider"]),
    ("DigestAuthenticationProvider.superDigestPath", []),
  ]

  @Test func serversDoNotStartWithUnusableFiles() async throws {
    let directory = try Scratch.directory("configuration")
    let zkcli = Zkcli()
    let files = try Self.files()
    for (number, (key, lines)) in Self.keys.enumerated() {
      for (kind, path) in files.sorted(by: { $0.key < $1.key }) {
        let configuration = "\(directory)/\(number)-\(kind).cfg"
        let text = ["dataDir=\(directory)/data", "clientPort=0"] + lines + ["\(key)=\(path)"]
        try Scratch.write(text.joined(separator: "\n") + "\n", to: configuration)
        let check = try await zkcli("server", "check", configuration)
        #expect(check.exitStatus != 0 && check.exitStatus != nil, "\(key), \(kind): \(check.output)")
        #expect(check.errorOutput.contains(path), "\(key), \(kind): \(check.errorOutput)")
        guard kind == "text" else { continue }
        let run = try await zkcli.run(["server", "run", configuration], timeLimit: .seconds(20))
        #expect(run.exitStatus != 0 && !run.wasOverTime, "\(key), \(kind): \(run.errorOutput.prefix(2000))")
      }
    }
  }

  @Test func shellSaysWhichFileIsUnusable() async throws {
    let server = try await ZkcliServer.shared()
    let zkcli = Zkcli(server: server.connectString)
    let identity = ["--cert", StoreFiles.path("chain.pem")]
    let options: [(option: String, others: [String])] = [
      ("--cacert", ["--tls"]), ("--key", ["--tls"] + identity),
      ("--cert", ["--tls", "--key", TLSTests.certificate[3]]),
      ("--key-password-file", ["--tls"] + identity + ["--key", StoreFiles.path("server-key-encrypted.pem")]),
      ("--keytab", ["--sasl", "gssapi", "--principal", "bob"]),
    ]
    for (option, others) in options {
      for (kind, path) in try Self.files().sorted(by: { $0.key < $1.key }) {
        let run = try await zkcli.run(others + [option, path, "ls", "/"], timeLimit: .seconds(20))
        #expect(![0, nil].contains(run.exitStatus), "\(option), \(kind): \(run.output)")
        #expect(run.errorOutput.contains(path), "\(option), \(kind): \(run.errorOutput)")
      }
    }
  }
}
