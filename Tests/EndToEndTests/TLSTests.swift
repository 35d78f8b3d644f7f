import Foundation
import TestKit
import Testing

/// TLS between our shell and Apache's client on one side, our server and Apache's on the other, and between
/// servers of both kinds.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct TLSTests {
  /// A server whose client port takes both kinds of connections; it lives as long as this does.
  private struct Running {
    let port: UInt16
    private let owner: any Sendable

    init(_ kind: ServerKind, _ lines: [String]) async throws {
      let netty = "org.apache.zookeeper.server.NettyServerCnxnFactory"
      let provider = "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider"
      let all = ["serverCnxnFactory=\(netty)", "client.portUnification=true", provider] + lines
      switch kind {
      case .zkcli:
        let server = try await ZkcliServer.start(extraLines: all)
        (port, owner) = (server.port, server)
      case .apache:
        var configuration = ApacheConfiguration()
        configuration.extraLines = all
        let server = try await ApacheServer.start(configuration)
        (port, owner) = (server.port, server)
      }
    }

    var plain: Zkcli { Zkcli(server: "localhost:\(port)") }
    var encrypted: Zkcli { Zkcli(server: "zks://localhost:\(port)") }
  }

  static let authority = ["--cacert", StoreFiles.path("ca.pem")]
  /// A client's certificate and key. A checkout leaves the key readable for everybody, about which the shell warns.
  static let certificate: [String] = {
    let directory = (try? Scratch.directory("key")) ?? "/tmp"
    let key = "\(directory)/key.pem"
    try? FileManager.default.copyItem(atPath: StoreFiles.path("server-key.pem"), toPath: key)
    try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    return ["--cert", StoreFiles.path("chain.pem"), "--key", key]
  }()
  private static let subject = #"x509: CN=server,OU=a\+b,O=Example\, Inc.,C=DE"#

  // MARK: Clients

  @Test(arguments: ServerKind.allCases) func shellConnects(_ kind: ServerKind) async throws {
    let server = try await Running(kind, StoreFiles.lines("ssl") + ["ssl.clientAuth=want"])
    let zkcli = server.encrypted
    expect(try await zkcli.run(Self.authority + ["create", "/tls", "v"]), output: "/tls\n")
    // The same port, in the clear.
    expect(try await server.plain("get", "/tls"), output: "v")
    let large = String(repeating: "x", count: 300_000)
    expect(try await zkcli.run(Self.authority + ["set", "/tls", "-"], input: [UInt8](large.utf8)), output: "")
    expect(try await zkcli.run(Self.authority + ["get", "/tls"]), output: large)
    let anonymous = try await zkcli.run(Self.authority + ["whoami"])
    #expect(anonymous.output == "ip: 127.0.0.1\n", "\(anonymous.errorOutput)")
    let known = try await zkcli.run(Self.authority + Self.certificate + ["whoami"])
    #expect(known.output == "ip: 127.0.0.1\n\(Self.subject)\n", "\(known.errorOutput)")
    let acl = #"x509:CN=server\,OU=a\\+b\,O=Example\\\, Inc.\,C=DE:cdrwa"#
    let owner = Self.authority + Self.certificate
    expect(try await zkcli.run(owner + ["create", "/mine", "v", "auth::cdrwa"]), output: "/mine\n")
    expect(try await zkcli.run(owner + ["getAcl", "/mine"]), output: acl + "\n")
    expect(try await zkcli.run(Self.authority + ["get", "/mine"]), status: 5, error: "NoAuth")
  }

  @Test(arguments: ServerKind.allCases) func failuresAreExplained(_ kind: ServerKind) async throws {
    let server = try await Running(kind, StoreFiles.lines("ssl") + ["ssl.clientAuth=need"])
    let zkcli = server.encrypted
    expect(try await zkcli.run(Self.authority + Self.certificate + ["ls", "/"]), output: "zookeeper\n")
    expect(try await zkcli.run(["ls", "/"]), status: 7, error: "is not trusted: it was issued by CN=Test CA,O=zkcli")
    expect(
      try await zkcli.run(Self.authority + Self.certificate + ["--tls-server-name", "other.example.com", "ls", "/"]),
      status: 7, error: "the server's certificate is for localhost, *.example.org")
    let anonymous = try await zkcli.run(Self.authority + ["ls", "/"])
    #expect(anonymous.exitStatus == 7, "\(anonymous.errorOutput)")
    #expect(
      anonymous.errorOutput.contains("certificate") || anonymous.errorOutput.contains("closed the connection"),
      "\(anonymous.errorOutput)")
    let insecure = try await zkcli.run(["--insecure"] + Self.certificate + ["ls", "/"])
    expect(insecure, output: "zookeeper\n", error: "anybody could be the server")
  }

  @Test func wrongKindsOfPortsAreExplained() async throws {
    let plain = try await ZkcliServer.start()
    expect(
      try await Zkcli(server: "zks://\(plain.connectString)").run(Self.authority + ["ls", "/"]), status: 7,
      error: "the server closed the connection during the TLS handshake; is this the server's secureClientPort")
    let securePort = try LoopbackPorts.reserve()
    let server = try await ZkcliServer.start(
      extraLines: StoreFiles.lines("ssl") + ["ssl.clientAuth=none", "secureClientPort=\(securePort)"])
    _ = server
    expect(
      try await Zkcli(server: "127.0.0.1:\(securePort)").run(["ls", "/"]), status: 7,
      error: "expects TLS")
    expect(
      try await Zkcli(server: "127.0.0.1:\(securePort)").run(["--tls"] + Self.authority + ["ls", "/"]),
      output: "zookeeper\n")
  }

  @Test(arguments: ServerKind.allCases) func otherClientsConnect(_ kind: ServerKind) async throws {
    let server = try await Running(kind, StoreFiles.lines("ssl") + ["ssl.clientAuth=need"])
    expect(
      try await server.encrypted.run(Self.authority + Self.certificate + ["create", "/mine", "v", "auth::cdrwa"]),
      output: "/mine\n")
    let properties =
      ["zookeeper.client.secure=true", "zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty"]
      + StoreFiles.lines("zookeeper.ssl")
    let java = try await CommandRun.run(
      "/usr/bin/java",
      properties.map { "-D" + $0 } + ["-XX:TieredStopAtLevel=1", "-cp", ApacheServer.clientClassPath]
        + ["org.apache.zookeeper.ZooKeeperMain", "-server", "localhost:\(server.port)", "get", "/mine"],
      environment: RunningCommand.cleanEnvironment, timeLimit: .seconds(90))
    #expect(java.output.contains("\nv\n"), "\(java.output)\(java.errorOutput)")
    // The same properties are enough for our shell.
    let flags = properties.map { "-D" + $0 }.joined(separator: " ")
    let compat = server.plain.with(["CLIENT_JVMFLAGS": flags])
    let run = try await compat.run(["--compat", "-server", "localhost:\(server.port)", "get", "/mine"])
    #expect(run.output.contains("v\n") && run.exitStatus == 0, "\(run.output)\(run.errorOutput)")
  }

  // MARK: Servers

  @Test func ensembleOfBothKindsIsEncrypted() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .apache, .ours])
    configuration.extraLines = ["sslQuorum=true"] + StoreFiles.lines("ssl.quorum")
    let ensemble = try await ServerEnsemble.start(configuration, first: [1, 2])
    let zkcli = Zkcli(server: ensemble.connectString)
    expect(try await zkcli("create", "/shared", "1"), output: "/shared\n")
    let leader = try await ensemble.waitForLeader()
    try await leader.kill()
    try await eventually("a write with another leader", within: .seconds(40)) {
      try await zkcli("set", "/shared", "2").exitStatus == 0
    }
    try await leader.launch()
    try await ensemble.waitUntilServing()
    for member in ensemble.members {
      expect(try await Zkcli(server: member.connectString)("get", "/shared"), output: "2")
    }
  }
}
