import Foundation
import TestKit
import Testing

/// Certificates that are unusual, and certificates that are replaced.
@Suite(.timeLimit(.minutes(10)))
struct CertificateTests {
  private static let localhost = "DNS:localhost,IP:127.0.0.1"
  private static let tooMany = (0..<10_000).map { "DNS:host\($0).example.org" }

  /// A server with one encrypted port; it lives as long as this does.
  private struct Server {
    let zkcli: Zkcli
    private let owner: any Sendable

    init(
      _ kind: ServerKind, _ authority: CertificateAuthority, clientAuth: String, lines: [String] = []
    ) async throws {
      let store = try await authority.issue("server.pem", subject: "/CN=server", names: localhost)
      let port = try LoopbackPorts.reserve()
      let lines =
        lines + [
          "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory", "secureClientPort=\(port)",
          "secureClientPortAddress=127.0.0.1", "ssl.keyStore.location=\(store)", "ssl.clientAuth=\(clientAuth)",
          "ssl.trustStore.location=\(authority.certificate)",
          "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
        ]
      switch kind {
      case .zkcli: owner = try await ZkcliServer.start(extraLines: lines)
      case .apache:
        var configuration = ApacheConfiguration()
        configuration.extraLines = lines
        owner = try await ApacheServer.start(configuration)
      }
      zkcli = Zkcli(server: "zks://localhost:\(port)")
    }
  }

  private static func options(_ authority: CertificateAuthority, _ file: String) -> [String] {
    let path = "\(authority.directory)/\(file)"
    return ["--cacert", authority.certificate, "--cert", path, "--key", path]
  }

  /// The identities are those that Apache's server makes, but for a subject that is empty.
  @Test(arguments: ServerKind.allCases)
  func unusualNamesAreIdentities(_ kind: ServerKind) async throws {
    let authority = try await CertificateAuthority.make()
    let server = try await Server(kind, authority, clientAuth: "need")
    func identity(_ subject: String, _ names: String? = nil, hasNUL: Bool = false) async throws -> CommandRun {
      try await authority.issue("client.pem", subject: subject, names: names, hasNUL: hasNUL)
      return try await server.zkcli.run(Self.options(authority, "client.pem") + ["whoami"])
    }
    // With Apache's server, all whose certificates have no subject have each other's permissions.
    let anonymous = kind == .apache ? "x509: \n" : ""
    expect(try await identity("/", "critical,email:a@b.org"), output: "ip: 127.0.0.1\n" + anonymous)
    expect(
      try await identity("/CN=admin!!!evil/O=x", hasNUL: true),
      output: #"ip: 127.0.0.1\#nx509: O=x,CN=admin\00\00\00evil\#n"#)
    expect(
      try await identity("/CN=a", "DNS:localhost!!!.example.org", hasNUL: true), output: "ip: 127.0.0.1\nx509: CN=a\n")
    let many = Self.tooMany[..<1000].joined(separator: ",")
    expect(try await identity("/CN=thousand", many), output: "ip: 127.0.0.1\nx509: CN=thousand\n")
    // More than either takes: the certificate has 220,000 bytes.
    expect(try await identity("/CN=many", Self.tooMany.joined(separator: ",")), status: 7, error: "TLS with the server")
    expect(try await identity("/CN=last"), output: "ip: 127.0.0.1\nx509: CN=last\n")
  }

  /// The name of a client's address counts only where that is allowed.
  @Test func clientsMayHaveToConnectFromTheirAddress() async throws {
    let authority = try await CertificateAuthority.make()
    for isLookedUp in [false, true] {
      let server = try await Server(
        .zkcli, authority, clientAuth: "need",
        lines: ["ssl.clientHostnameVerification=true", "ssl.allowReverseDnsLookup=\(isLookedUp)"])
      func answer(_ names: String) async throws -> CommandRun {
        try await authority.issue("client.pem", subject: "/CN=client", names: names)
        return try await server.zkcli.run(Self.options(authority, "client.pem") + ["ls", "/"])
      }
      expect(try await answer("IP:127.0.0.1"), output: "zookeeper\n")
      try await #expect(answer("DNS:localhost").exitStatus == (isLookedUp ? 0 : 7))
      try await #expect(answer("DNS:other.example.org,IP:127.0.0.2").exitStatus == 7)
    }
  }

  /// What a server presents must be for its name, also if the name ends before a NUL.
  @Test func unusualServersAreRefused() async throws {
    let authority = try await CertificateAuthority.make()
    let port = try LoopbackPorts.reserve()
    let store = "\(authority.directory)/server.pem"
    func answer(_ subject: String, _ names: String?, hasNUL: Bool = false) async throws -> CommandRun {
      try await authority.issue("server.pem", subject: subject, names: names, hasNUL: hasNUL)
      let server = try await ZkcliServer.start(extraLines: [
        "secureClientPort=\(port)", "secureClientPortAddress=127.0.0.1", "ssl.keyStore.location=\(store)",
        "ssl.clientAuth=none",
      ])
      defer { withExtendedLifetime(server) {} }
      let run = try await Zkcli(server: "zks://localhost:\(port)")("--cacert", authority.certificate, "ls", "/")
      try await server.kill()
      return run
    }
    expect(try await answer("/", "critical,DNS:localhost"), output: "zookeeper\n")
    expect(try await answer("/", "critical,email:a@b.org"), status: 7, error: "certificate is not for this name")
    for (subject, names) in [
      ("/CN=localhost!!!.example.org", nil), ("/CN=localhost", "DNS:localhost!!!.example.org"),
    ] {
      expect(
        try await answer(subject, names, hasNUL: true), status: 7, error: "the server's certificate is for CN=localhost"
      )
    }
    expect(try await answer("/CN=localhost", "DNS:other.org"), status: 7, error: "certificate is for other.org")
    expect(
      try await answer("/CN=a", Self.tooMany.joined(separator: ",")), status: 7, error: "TLS with the server failed")
  }

  /// Connections go on; new ones get the new certificate; and if that cannot be used, the former one.
  @Test func certificatesAreReplacedWhileConnectionsGoOn() async throws {
    let (first, second) = (try await CertificateAuthority.make("First"), try await CertificateAuthority.make("Second"))
    let store = try await first.issue("server.pem", subject: "/CN=server", names: Self.localhost)
    let next = try await second.issue("server.pem", subject: "/CN=server", names: Self.localhost)
    let foreign = try await second.issue("foreign.pem", subject: "/CN=foreign", names: Self.localhost)
    let port = try LoopbackPorts.reserve()
    let server = try await ZkcliServer.start(extraLines: [
      "secureClientPort=\(port)", "secureClientPortAddress=127.0.0.1", "ssl.keyStore.location=\(store)",
      "ssl.clientAuth=none", "client.certReload=true",
    ])
    let zkcli = Zkcli(server: "zks://localhost:\(port)")
    let session = try zkcli.start("--cacert", first.certificate, "-f", "-")
    try session.write("create -e /held v\n")
    #expect(try await session.nextLine() == "/held")
    try Self.replace(store, with: try String(contentsOfFile: next, encoding: .utf8))
    try await eventually("the new certificate", within: .seconds(30)) {
      try await zkcli("--cacert", second.certificate, "get", "/held").output == "v"
    }
    expect(
      try await zkcli("--cacert", first.certificate, "get", "/held"), status: 7,
      error: "is not trusted: it was issued by CN=Second")
    // A key without its certificate, something else, no file.
    let key = try String(contentsOfFile: foreign + ".key", encoding: .utf8)
    let certificate = try String(contentsOfFile: next + ".crt", encoding: .utf8)
    let broken: [(String?, String)] = [
      (key + certificate, "the private key does not belong to any certificate in it"), ("hello\n", "is neither PEM"),
      (nil, "No such file or directory"),
    ]
    for (text, reason) in broken {
      try Self.replace(store, with: text)
      try await eventually("the report of \(reason)", within: .seconds(30)) {
        let line = server.logText.split(separator: "\n").last { $0.contains("the former ones stay in use") }
        return line?.contains(reason) == true
      }
      expect(try await zkcli("--cacert", second.certificate, "get", "/held"), output: "v")
    }
    try session.write("set /held w\n")
    try session.write("get /held\n")
    #expect(try await session.nextLine() == "w")
    session.killAll()
  }

  /// Replaces a file, or removes it, in one step.
  private static func replace(_ path: String, with text: String?) throws {
    guard let text else { return try FileManager.default.removeItem(atPath: path) }
    try Scratch.write(text, to: path + ".new")
    guard rename(path + ".new", path) == 0 else { throw TestKitError(.systemCall, "rename") }
  }
}
