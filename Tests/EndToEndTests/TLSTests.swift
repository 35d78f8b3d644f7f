import Foundation
import TestKit
import Testing

/// TLS between our shell, Apache's client and kazoo on one side, our server and Apache's on the other, and between
/// servers of both kinds.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct TLSTests {
  /// The servers, by who made them.
  enum Server: String, CaseIterable {
    case zkcli, apache
  }

  /// The stores of the unit tests.
  static func store(_ name: String, file: String = #filePath) -> String {
    let tests = file.components(separatedBy: "/EndToEndTests/")[0]
    return "\(tests)/TransportSecurityTests/Stores/\(name)"
  }

  /// The keys of `zoo.cfg` for a key store and the authority, after a prefix.
  static func stores(_ prefix: String, key: String = "server.jks", trust: String = "trust.jks") -> [String] {
    [
      "\(prefix).keyStore.location=\(store(key))", "\(prefix).keyStore.password=secret1",
      "\(prefix).trustStore.location=\(store(trust))", "\(prefix).trustStore.password=secret1",
    ]
  }

  /// A server whose client port takes both kinds of connections; it lives as long as this does.
  private struct Running {
    let port: UInt16
    private let owner: any Sendable

    init(_ kind: Server, _ lines: [String]) async throws {
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

  static let authority = ["--cacert", store("ca.pem")]
  /// A client's certificate and key. A checkout leaves the key readable for everybody, about which the shell warns.
  static let certificate: [String] = {
    let directory = (try? Scratch.directory("key")) ?? "/tmp"
    let key = "\(directory)/key.pem"
    try? FileManager.default.copyItem(atPath: store("server-key.pem"), toPath: key)
    try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
    return ["--cert", store("chain.pem"), "--key", key]
  }()
  private static let subject = #"x509: CN=server,OU=a\+b,O=Example\, Inc.,C=DE"#

  // MARK: Clients

  @Test(arguments: Server.allCases) func shellConnects(_ kind: Server) async throws {
    let server = try await Running(kind, Self.stores("ssl") + ["ssl.clientAuth=want"])
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

  @Test(arguments: Server.allCases) func failuresAreExplained(_ kind: Server) async throws {
    let server = try await Running(kind, Self.stores("ssl") + ["ssl.clientAuth=need"])
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
      extraLines: Self.stores("ssl") + ["ssl.clientAuth=none", "secureClientPort=\(securePort)"])
    _ = server
    expect(
      try await Zkcli(server: "127.0.0.1:\(securePort)").run(["ls", "/"]), status: 7,
      error: "expects TLS")
    expect(
      try await Zkcli(server: "127.0.0.1:\(securePort)").run(["--tls"] + Self.authority + ["ls", "/"]),
      output: "zookeeper\n")
  }

  @Test(arguments: Server.allCases) func otherClientsConnect(_ kind: Server) async throws {
    let server = try await Running(kind, Self.stores("ssl") + ["ssl.clientAuth=need"])
    expect(
      try await server.encrypted.run(Self.authority + Self.certificate + ["create", "/mine", "v", "auth::cdrwa"]),
      output: "/mine\n")
    let properties =
      ["zookeeper.client.secure=true", "zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty"]
      + Self.stores("zookeeper.ssl")
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
    guard let python = await SASLPython.shared() else { return }
    let kazoo = try await CommandRun.run(
      python,
      [
        "-c", Self.kazoo, "localhost:\(server.port)", Self.store("ca.pem"), Self.store("chain.pem"),
        Self.store("server-key.pem"),
      ], environment: RunningCommand.cleanEnvironment, timeLimit: .seconds(60))
    #expect(kazoo.output == "b'v'\n", "\(kazoo.errorOutput)")
  }

  private static let kazoo = """
    import sys
    from kazoo.client import KazooClient
    server, ca, certificate, key = sys.argv[1:]
    client = KazooClient(server, use_ssl=True, ca=ca, certfile=certificate, keyfile=key, timeout=20)
    client.start(timeout=30)
    print(client.get("/mine")[0])
    client.stop()
    """

  // MARK: Servers

  @Test func ensembleOfBothKindsIsEncrypted() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .apache, .ours])
    configuration.extraLines = ["sslQuorum=true"] + Self.stores("ssl.quorum")
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

  /// The steps of Apache's guide: both kinds are accepted, then calls are encrypted, then nothing else is accepted.
  @Test func ensembleChangesOverWhileItServes() async throws {
    let steps = [
      ["sslQuorum=false", "portUnification=true"], ["sslQuorum=true", "portUnification=true"],
      ["sslQuorum=true", "portUnification=false"],
    ]
    let configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    let ensemble = try await ServerEnsemble.start(configuration)
    let zkcli = Zkcli(server: ensemble.connectString)
    // One session all the time, which holds a znode.
    let holder = try zkcli.start("--session-timeout", "30s", "-f", "-")
    try holder.write("create -e /held v\n")
    #expect(try await holder.nextLine() == "/held")
    for (step, lines) in steps.enumerated() {
      for member in ensemble.members {
        try await member.kill()
        let path = "\(member.directory)/zoo.cfg"
        let kept = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter {
          !$0.hasPrefix("ssl") && !$0.hasPrefix("portUnification")
        }
        let text = kept.map(String.init) + lines + Self.stores("ssl.quorum")
        try Scratch.write(text.joined(separator: "\n") + "\n", to: path)
        try await member.launch()
        try await ensemble.waitUntilServing()
        expect(try await zkcli("create", "/step-\(step)-\(member.id)", "v"), output: "/step-\(step)-\(member.id)\n")
      }
    }
    expect(try await zkcli("get", "/held"), output: "v")
    holder.killAll()
  }
}
