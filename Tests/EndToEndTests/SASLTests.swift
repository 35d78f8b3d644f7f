import Foundation
import TestKit
import Testing

/// SASL between our shell and Apache's client on one side, our server and Apache's on the other.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct SASLTests {
  /// A server that clients can log in to; it lives as long as this does.
  struct Running: Sendable {
    let port: UInt16
    private let owner: any Sendable

    var connectString: String { "127.0.0.1:\(port)" }

    /// What the server has logged so far.
    var log: String { (owner as? ZkcliServer)?.logText ?? (owner as? ApacheServer)?.log ?? "" }

    /// Starts a server with a login configuration.
    init(_ kind: ServerKind, login: String, realm: KerberosRealm? = nil, lines: [String] = []) async throws {
      let provider = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
      switch kind {
      case .zkcli:
        let server = try await ZkcliServer.start(
          extraLines: ["authProvider.1=\(provider)", "java.security.auth.login.config=\(login)"] + lines,
          environment: realm?.environment ?? RunningCommand.cleanEnvironment)
        port = server.port
        owner = server
      case .apache:
        var configuration = ApacheConfiguration()
        configuration.systemProperties["zookeeper.authProvider.1"] = provider
        configuration.systemProperties["java.security.auth.login.config"] = login
        if let realm { configuration.systemProperties["java.security.krb5.conf"] = realm.configuration }
        configuration.extraLines = lines
        let server = try await ApacheServer.start(configuration)
        port = server.port
        owner = server
      }
    }
  }

  // MARK: DIGEST-MD5

  /// A login configuration for a server with two users, and for clients as `bob`.
  static func digestLogin(password: String = "bob's \\\"secret\\\"") throws -> String {
    let path = "\(try Scratch.directory("login"))/jaas.conf"
    let module = "org.apache.zookeeper.server.auth.DigestLoginModule required"
    try Scratch.write(
      """
      Server { \(module) user_super="adminsecret" user_bob="bob's \\\"secret\\\""; };
      Client { \(module) username="bob" password="\(password)"; };

      """, to: path)
    #expect(chmod(path, 0o600) == 0)
    return path
  }

  static func passwordFile(_ password: String) throws -> String {
    let path = "\(try Scratch.directory("password"))/password"
    try Scratch.write(password + "\n", to: path)
    #expect(chmod(path, 0o600) == 0)
    return path
  }

  @Test(arguments: ServerKind.allCases) func shellLogsInWithAPassword(_ kind: ServerKind) async throws {
    let server = try await Running(kind, login: try Self.digestLogin())
    let zkcli = Zkcli(server: server.connectString)
    let digest = ["--sasl", "digest", "--user", "bob", "--password-file", try Self.passwordFile("bob's \"secret\"")]
    expect(try await zkcli.run(digest + ["create", "/mine", "v", "sasl:bob:cdrwa"]), output: "/mine\n")
    expect(try await zkcli.run(digest + ["get", "/mine"]), output: "v")
    let run = try await zkcli.run(digest + ["create", "/auth", "v", "auth::r"])
    expect(run, output: "/auth\n")
    expect(try await zkcli.run(digest + ["getAcl", "/auth"]), output: "sasl:bob:r\n")
    // Whoever has not logged in, or as another, may not.
    expect(try await zkcli.run(["get", "/mine"]), status: 5, error: "NoAuth")
    let wrong = ["--sasl", "digest", "--user", "bob", "--password-file", try Self.passwordFile("wrong")]
    expect(try await zkcli.run(wrong + ["get", "/mine"]), status: 5, error: "the SASL login failed")
    let unknown = ["--sasl", "digest", "--user", "eve", "--password-file", try Self.passwordFile("wrong")]
    expect(try await zkcli.run(unknown + ["get", "/mine"]), status: 5, error: "the SASL login failed")
    // The variables, and Java's files.
    let variables = ["ZKCLI_SASL": "digest", "ZKCLI_USER": "bob", "ZKCLI_PASSWORD_FILE": digest[5]]
    expect(try await zkcli.with(variables).run(["get", "/mine"]), output: "v")
    let java = zkcli.with(["JVMFLAGS": "-Djava.security.auth.login.config=\(try Self.digestLogin())"])
    let compat = try await java.run(["--compat", "-server", server.connectString, "get", "/mine"])
    #expect(compat.output.contains("v\n") && compat.exitStatus == 0, "\(compat.errorOutput)")
  }

  @Test(arguments: ServerKind.allCases) func otherClientsLogInWithAPassword(_ kind: ServerKind) async throws {
    let login = try Self.digestLogin()
    let server = try await Running(kind, login: login)
    let zkcli = Zkcli(server: server.connectString)
    let file = try Self.passwordFile("bob's \"secret\"")
    expect(
      try await zkcli(
        "--sasl", "digest", "--user", "bob", "--password-file", file, "create", "/mine", "v", "sasl:bob:r"),
      output: "/mine\n")
    let java = try await Self.java(server.connectString, ["get", "/mine"], login: login)
    // Only bob may read it. Java's shell also prints events, but may end before it has printed them.
    #expect(java.output.contains("\nv\n"), "\(java.output)")
    let wrong = try await Self.java(
      server.connectString, ["get", "/mine"], login: try Self.digestLogin(password: "wrong"))
    let said = wrong.output + wrong.errorOutput
    #expect(!said.contains("\nv\n") && said.contains("AuthFailed"), "\(said)")
  }

  /// Runs a command of Apache's shell.
  private static func java(
    _ server: String, _ command: [String], login: String, realm: KerberosRealm? = nil
  ) async throws -> CommandRun {
    let properties =
      ["java.security.auth.login.config=\(login)"]
      + (realm.map { ["java.security.krb5.conf=\($0.configuration)"] } ?? [])
    return try await CommandRun.run(
      "/usr/bin/java",
      properties.map { "-D" + $0 } + ["-XX:TieredStopAtLevel=1", "-cp", ApacheServer.clientClassPath]
        + ["org.apache.zookeeper.ZooKeeperMain", "-server", server] + command,
      environment: RunningCommand.cleanEnvironment, timeLimit: .seconds(90))
  }

  @Test func serverThatRequiresALoginRefusesOthers() async throws {
    let server = try await Running(
      .zkcli, login: try Self.digestLogin(), lines: ["sessionRequireClientSASLAuth=true", "superUser=super"])
    let zkcli = Zkcli(server: server.connectString)
    expect(try await zkcli("ls", "/"), status: 5, error: "requires authentication")
    expect(
      try await zkcli("--auth", "digest:u:p", "ls", "/"), status: 5, error: "requires authentication")
    let bob = ["--sasl", "digest", "--user", "bob", "--password-file", try Self.passwordFile("bob's \"secret\"")]
    expect(try await zkcli.run(bob + ["create", "/mine", "v", "sasl:bob:cdrwa"]), output: "/mine\n")
    let superuser = ["--sasl", "digest", "--user", "super", "--password-file", try Self.passwordFile("adminsecret")]
    expect(try await zkcli.run(superuser + ["get", "/mine"]), output: "v")
  }

  @Test func optionsThatDoNotBelongTogetherAreRefused() async throws {
    let zkcli = Zkcli()
    expect(try await zkcli("--user", "bob", "ls", "/"), status: 2, error: "--user belongs to --sasl")
    expect(try await zkcli("--sasl", "digest", "ls", "/"), status: 2, error: "--sasl digest needs --user")
    expect(
      try await zkcli("--sasl", "digest", "--keytab", "k", "ls", "/"), status: 2, error: "--keytab does not belong")
    expect(try await zkcli("--sasl", "plain", "ls", "/"), status: 2, error: "--sasl")
  }

  // MARK: Kerberos

  static func kerberosLogin(_ realm: KerberosRealm) throws -> String {
    let path = "\(try Scratch.directory("login"))/jaas.conf"
    func section(_ name: String, _ principal: String) -> String {
      """
      \(name) {
        com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true useTicketCache=false
        keyTab="\(realm.keytab(of: principal))" principal="\(principal)@\(KerberosRealm.name)";
      };

      """
    }
    try Scratch.write(section("Server", "zookeeper/localhost") + section("Client", "bob"), to: path)
    return path
  }

  @Test(.enabled(if: KerberosRealm.isInstalled), arguments: ServerKind.allCases)
  func clientsLogInWithKerberos(_ kind: ServerKind) async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let login = try Self.kerberosLogin(realm)
    let server = try await Running(kind, login: login, realm: realm)
    let zkcli = Zkcli(server: server.connectString, environment: realm.environment)
    let keys = ["--sasl", "gssapi", "--principal", "bob", "--keytab", realm.keytab(of: "bob")]
    let acl = "sasl:bob@\(KerberosRealm.name):cdrwa"
    expect(try await zkcli.run(keys + ["create", "/mine", "v", acl]), output: "/mine\n")
    expect(try await zkcli("get", "/mine"), status: 5, error: "NoAuth")
    // With a ticket, as a person has it; and by the name of one principal for all servers.
    let cached = zkcli.with(["KRB5CCNAME": try await realm.ticket(of: "bob")])
    expect(try await cached("--sasl", "gssapi", "get", "/mine"), output: "v")
    expect(try await cached("--sasl", "gssapi", "--service", "zookeeper/localhost", "get", "/mine"), output: "v")
    let java = try await Self.java(server.connectString, ["get", "/mine"], login: login, realm: realm)
    #expect(java.output.contains("\nv\n"), "\(java.output)\(java.errorOutput.suffix(3000))")
  }

  @Test(.enabled(if: KerberosRealm.isInstalled)) func failuresOfKerberosSayWhatToDo() async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let server = try await Running(.zkcli, login: try Self.kerberosLogin(realm), realm: realm)
    let zkcli = Zkcli(server: server.connectString, environment: realm.environment)
    let keytab = realm.keytab(of: "bob")
    func login(_ words: String..., as zkcli: Zkcli) async throws -> CommandRun {
      try await zkcli.run(["--sasl", "gssapi"] + words + ["ls", "/"])
    }
    expect(try await login(as: zkcli), status: 5, error: "log in with kinit")
    expect(
      try await login("--principal", "bob", "--keytab", "/nonexistent", as: zkcli), status: 5, error: "cannot be read")
    expect(
      try await login("--principal", "eve", "--keytab", keytab, as: zkcli), status: 5,
      error: "has no key of the principal")
    let cached = zkcli.with(["KRB5CCNAME": try await realm.ticket(of: "bob")])
    expect(try await login("--service", "other", as: cached), status: 5, error: "does not know the service's principal")
    // A login by password, which the server does not have.
    let digest = ["--sasl", "digest", "--user", "bob", "--password-file", try Self.passwordFile("x")]
    expect(try await zkcli.run(digest + ["ls", "/"]), status: 5, error: "the SASL login failed")
    let short = try await realm.ticket(of: "bob", lifetime: "1s")
    try await eventually("the end of the ticket", within: .seconds(60)) { try await !realm.isValid(short) }
    expect(try await login(as: zkcli.with(["KRB5CCNAME": short])), status: 5, error: "expired")
    try await realm.stop()
    expect(
      try await login("--principal", "bob", "--keytab", keytab, as: zkcli), status: 5, error: "no KDC of the realm")
  }

  /// The identity without the host and the realm.
  @Test(.enabled(if: KerberosRealm.isInstalled)) func namesAreShortened() async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "app/host7"])
    let path = "\(try Scratch.directory("login"))/jaas.conf"
    try Scratch.write(
      """
      Server {
        com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true
        keyTab="\(realm.keytab(of: "zookeeper/localhost"))" principal="zookeeper/localhost@\(KerberosRealm.name)";
      };
      """, to: path)
    let server = try await Running(
      .zkcli, login: path, realm: realm,
      lines: ["kerberos.removeHostFromPrincipal=true", "kerberos.removeRealmFromPrincipal=true"])
    let zkcli = Zkcli(server: server.connectString, environment: realm.environment)
    let run = try await zkcli(
      "--sasl", "gssapi", "--principal", "app/host7", "--keytab", realm.keytab(of: "app/host7"), "whoami")
    expect(run, output: "ip: 127.0.0.1\nsasl: app\n")
  }
}
