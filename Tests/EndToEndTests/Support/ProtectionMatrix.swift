import Foundation
import TestKit

/// Every way to protect a client's connection together with every way to prove who the client is.
enum ProtectionMatrix {
  /// How a connection is protected.
  enum Transport: String, CaseIterable, Sendable {
    case plaintext, tls, mutual
  }

  /// How a client proves who it is; `stranger` does not, and asks for what is another's.
  enum Identity: String, CaseIterable, Sendable {
    case none, digest, md5, kerberos, x509, stranger

    /// The znode that is read; those that are not for all can only be read by those who have this identity.
    var path: String { self == .stranger ? "/digest" : "/\(rawValue)" }
  }

  /// One of the combinations.
  struct Cell: Hashable, Sendable, CustomStringConvertible {
    let transport: Transport
    let identity: Identity

    var description: String { "\(transport.rawValue) \(identity.rawValue)" }

    /// What the client reads, or why it cannot.
    var expected: String {
      switch identity {
      // A certificate is only presented by a client of mutual TLS.
      case .x509: transport == .mutual ? "v" : "NoAuth"
      case .stranger: "NoAuth"
      default: "v"
      }
    }
  }

  static let cells = Transport.allCases.flatMap { transport in
    Identity.allCases.map { Cell(transport: transport, identity: $0) }
  }

  /// The clients, by who made them.
  enum Client: String, CaseIterable, Sendable {
    case zkcli, kazoo, java
  }
}

/// Two servers of one kind, which differ in how they accept logins, and everything that clients need for them.
///
/// Apache's servers have either users with passwords or a key table. A port takes plaintext and TLS, and asks clients
/// for certificates without requiring them, so one port serves a column of the matrix.
struct ProtectedServers: Sendable {
  private let withUsers: SASLTests.Running
  private let withKeys: SASLTests.Running
  private let realm: KerberosRealm
  private let login: String
  private let tickets: String
  private let passwordFile: String

  private static let password = "bob's \"secret\""

  /// Starts the servers, and creates the znodes.
  static func start(_ kind: ServerKind) async throws -> ProtectedServers {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let (users, keys) = (try SASLTests.digestLogin(), try SASLTests.kerberosLogin(realm))
    let lines =
      [
        "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory", "client.portUnification=true",
        "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider", "ssl.clientAuth=want",
      ] + StoreFiles.lines("ssl")
    async let withUsers = SASLTests.Running(kind, login: users, lines: lines)
    async let withKeys = SASLTests.Running(kind, login: keys, realm: realm, lines: lines)
    // One file with the logins of both clients, for a client that chooses the section.
    let login = "\(try Scratch.directory("login"))/jaas.conf"
    var sections = ""
    for (file, name) in [(users, "md5"), (keys, "kerberos")] {
      let text = try String(contentsOfFile: file, encoding: .utf8)
      sections += "\(name) {" + text[(text.firstRange(of: "Client {")?.upperBound ?? text.endIndex)...]
    }
    try Scratch.write(sections, to: login)
    let servers = ProtectedServers(
      withUsers: try await withUsers, withKeys: try await withKeys, realm: realm, login: login,
      tickets: try await realm.ticket(of: "bob"), passwordFile: try SASLTests.passwordFile(Self.password))
    try await servers.createZnodes()
    return servers
  }

  private func createZnodes() async throws {
    for identity in ProtectionMatrix.Identity.allCases where identity != .stranger {
      let cell = ProtectionMatrix.Cell(transport: identity == .x509 ? .mutual : .plaintext, identity: identity)
      let acl = identity == .none ? "world:anyone:r" : "auth::r"
      let run = try await run(cell, ["create", identity.path, "v", acl])
      guard run.exitStatus == 0 else { throw TestKitError(.ended, "\(cell): \(run.errorOutput)") }
    }
  }

  /// The server for an identity, by its name, which certificates and principals are for.
  private func server(_ identity: ProtectionMatrix.Identity) -> String {
    (identity == .kerberos ? withKeys : withUsers).connectString.replacing("127.0.0.1", with: "localhost")
  }

  /// The cells with their servers and paths, as the scripts read them.
  private var table: String {
    ProtectionMatrix.cells.map { "\($0) \(server($0.identity)) \($0.identity.path)\n" }.joined()
  }

  /// Runs a command of our shell in a cell.
  private func run(_ cell: ProtectionMatrix.Cell, _ command: [String]) async throws -> CommandRun {
    var options: [String] = []
    if cell.transport != .plaintext { options += ["--tls"] + TLSTests.authority }
    if cell.transport == .mutual { options += TLSTests.certificate }
    switch cell.identity {
    case .none, .stranger, .x509: break
    case .digest: options += ["--auth", "digest:alice:secret"]
    case .md5: options += ["--sasl", "digest", "--user", "bob", "--password-file", passwordFile]
    case .kerberos: options += ["--sasl", "gssapi"]
    }
    var environment = realm.environment
    environment["KRB5CCNAME"] = tickets
    return try await Zkcli(server: server(cell.identity), environment: environment).run(options + command)
  }

  /// What a client gets in each cell; nil if the client cannot be had.
  func results(of client: ProtectionMatrix.Client) async throws -> [String: String]? {
    switch client {
    case .zkcli:
      var results: [String: String] = [:]
      for cell in ProtectionMatrix.cells {
        let run = try await run(cell, ["get", cell.identity.path])
        results["\(cell)"] =
          run.exitStatus == 0 ? run.output : run.errorOutput.contains("NoAuth") ? "NoAuth" : run.errorOutput
      }
      return results
    case .kazoo:
      guard let python = await SASLPython.shared() else { return nil }
      var environment = realm.environment
      environment["KRB5CCNAME"] = tickets
      let key = TLSTests.certificate[3]
      return results(
        try await CommandRun.run(
          python, ["-c", Self.kazoo, StoreFiles.path("ca.pem"), StoreFiles.path("chain.pem"), key, Self.password],
          environment: environment, input: Array(table.utf8), timeLimit: .seconds(300)))
    case .java:
      guard Curator.isInstalled else { return nil }
      let script = try Scratch.directory("matrix") + "/script.bsh"
      try Scratch.write(Self.java, to: script)
      let flags = [
        "-Djava.security.auth.login.config=\(login)", "-Djava.security.krb5.conf=\(realm.configuration)", "-Xmx128m",
        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp",
        "/usr/share/java/bsh.jar:\(ApacheServer.clientClassPath)", "bsh.Interpreter", script,
      ]
      return results(
        try await CommandRun.run(
          "/usr/bin/java", flags + [StoreFiles.path("server.jks"), StoreFiles.path("trust.jks")],
          input: Array(table.utf8), timeLimit: .seconds(300)))
    }
  }

  /// Reads lines of the form `transport identity result`; others are the library's messages.
  private func results(_ run: CommandRun) -> [String: String] {
    var results: [String: String] = [:]
    for line in run.output.split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 2)
      if fields.count == 3 { results["\(fields[0]) \(fields[1])"] = String(fields[2]) }
    }
    if run.exitStatus != 0 { print(run.output.suffix(2000), run.errorOutput.suffix(2000)) }
    return results
  }

  private static let kazoo = """
    import sys
    from kazoo.client import KazooClient
    from kazoo.exceptions import NoAuthError
    ca, certificate, key, password = sys.argv[1:]
    for line in sys.stdin.read().splitlines():
        transport, identity, server, path = line.split()
        options = {"timeout": 20}
        if transport != "plaintext":
            options.update(use_ssl=True, ca=ca)
        if transport == "mutual":
            options.update(certfile=certificate, keyfile=key)
        if identity == "digest":
            options["auth_data"] = [("digest", "alice:secret")]
        if identity == "md5":
            options["sasl_options"] = {"mechanism": "DIGEST-MD5", "username": "bob", "password": password}
        if identity == "kerberos":
            options["sasl_options"] = {"mechanism": "GSSAPI"}
        client = KazooClient(server, **options)
        try:
            client.start(timeout=60)
            result = client.retry(client.get, path)[0].decode()
        except NoAuthError:
            result = "NoAuth"
        except Exception as error:
            result = repr(error)
        print(transport, identity, result, flush=True)
        client.stop()
        client.close()
    """

  private static let java = """
    import org.apache.zookeeper.*;
    import org.apache.zookeeper.client.ZKClientConfig;

    read(transport, identity, server, path) {
        config = new ZKClientConfig();
        if (!transport.equals("plaintext")) {
            config.setProperty("zookeeper.client.secure", "true");
            config.setProperty("zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty");
            config.setProperty("zookeeper.ssl.trustStore.location", bsh.args[1]);
            config.setProperty("zookeeper.ssl.trustStore.password", "secret1");
        }
        if (transport.equals("mutual")) {
            config.setProperty("zookeeper.ssl.keyStore.location", bsh.args[0]);
            config.setProperty("zookeeper.ssl.keyStore.password", "secret1");
        }
        isLogin = identity.equals("md5") || identity.equals("kerberos");
        config.setProperty("zookeeper.sasl.client", isLogin ? "true" : "false");
        config.setProperty("zookeeper.sasl.clientconfig", identity);
        watcher = new Watcher() { public void process(WatchedEvent event) {} };
        client = new ZooKeeper(server, 20000, watcher, config);
        if (identity.equals("digest")) client.addAuthInfo("digest", "alice:secret".getBytes());
        result = null;
        // On a busy machine, connections may be lost before they are used.
        end = System.currentTimeMillis() + 60000;
        while (result == null || (result.contains("ConnectionLoss") && System.currentTimeMillis() < end)) {
            if (result != null) Thread.sleep(1000);
            try {
                result = new String(client.getData(path, false, null));
            } catch (KeeperException.NoAuthException error) {
                result = "NoAuth";
            } catch (KeeperException error) {
                result = error.toString();
            }
        }
        client.close();
        return result;
    }

    reader = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
    while ((line = reader.readLine()) != null) {
        cell = line.split(" ");
        print(cell[0] + " " + cell[1] + " " + read(cell[0], cell[1], cell[2], cell[3]));
    }
    System.exit(0);
    """
}
