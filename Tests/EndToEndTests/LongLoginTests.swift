import Foundation
import TestKit
import Testing

/// Sessions that log in again, and what becomes of them when they cannot; clocks that differ.
@Suite(.timeLimit(.minutes(10)))
struct LongLoginTests {
  /// A session of a script, which is cut off from its server now and then.
  private struct Session {
    private let proxy: TCPProxy
    private let command: RunningCommand

    /// Starts a session that has created `/mine` for the identity which it has logged in as.
    init(_ port: UInt16, _ options: [String], _ environment: [String: String]) async throws {
      proxy = try TCPProxy(to: port)
      var variables = environment
      variables["ZKCLI_SERVER"] = "localhost:\(proxy.port)"
      command = try RunningCommand(
        try Products.executable("zkcli"), options + ["--session-timeout", "30s", "-f", "-"], environment: variables)
      try command.write("create -e /mine v auth::cdrwa\n")
      #expect(try await command.nextLine(within: .seconds(30)) == "/mine")
    }

    /// Connects again, and reads what only its identity may.
    func readsAgain() async throws {
      let count = proxy.connectionCount
      proxy.cut()
      try command.write("get /mine\n")
      #expect(try await command.nextLine(within: .seconds(30)) == "v", "\(errors)")
      #expect(proxy.connectionCount > count)
    }

    /// Connects again, which must fail.
    func fails(_ error: String) async throws {
      proxy.cut()
      try command.write("get /mine\n")
      command.closeInput()
      #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(5))
      #expect(errors.contains(error), "\(errors)")
    }

    func end() { command.killAll() }

    private var errors: String { String(decoding: command.bytes(of: .error), as: UTF8.self) }
  }

  @Test(arguments: ServerKind.allCases)
  func sessionsLogInAgainWithTheirPassword(_ kind: ServerKind) async throws {
    let server = try await SASLTests.Running(kind, login: try SASLTests.digestLogin())
    let file = try SASLTests.passwordFile("bob's \"secret\"")
    let session = try await Session(
      server.port, ["--sasl", "digest", "--user", "bob", "--password-file", file], RunningCommand.cleanEnvironment)
    for _ in 0..<3 { try await session.readsAgain() }
    session.end()
  }

  @Test(.enabled(if: KerberosRealm.isInstalled)) func ticketsAreRenewedWithAKeyTable() async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let server = try await SASLTests.Running(.zkcli, login: try SASLTests.kerberosLogin(realm), realm: realm)
    // The library renews tickets after half of the time that they are valid for. So long a time, because a busy machine
    // may need seconds between that look and the use of the tickets.
    let text = try String(contentsOfFile: realm.configuration, encoding: .utf8)
    let path = "\(try Scratch.directory("krb5"))/krb5.conf"
    try Scratch.write(text.replacing("[libdefaults]", with: "[libdefaults]\n ticket_lifetime = 16s"), to: path)
    let session = try await Session(
      server.port, ["--sasl", "gssapi", "--principal", "bob", "--keytab", realm.keytab(of: "bob")],
      realm.environment.merging(["KRB5_CONFIG": path]) { _, new in new })
    #expect(realm.loginCount(of: "bob") == 1)
    try await eventually("a second ticket", within: .seconds(60), every: .milliseconds(500)) {
      try await session.readsAgain()
      return realm.loginCount(of: "bob") > 1
    }
    try await session.readsAgain()
    session.end()
  }

  /// A person's session needs the tickets that the person gets.
  @Test(.enabled(if: KerberosRealm.isInstalled)) func ticketsOfKinitAreUsedAsLongAsTheyLast() async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let server = try await SASLTests.Running(.zkcli, login: try SASLTests.kerberosLogin(realm), realm: realm)
    let cache = try await realm.ticket(of: "bob", lifetime: "10s")
    let session = try await Session(
      server.port, ["--sasl", "gssapi"], realm.environment.merging(["KRB5CCNAME": cache]) { _, new in new })
    try await eventually("the end of the ticket", within: .seconds(60)) { try await !realm.isValid(cache) }
    try await realm.ticket(of: "bob", lifetime: "16s", in: cache)
    try await session.readsAgain()
    // The tickets at hand are enough without the KDC.
    try await realm.stop()
    try await session.readsAgain()
    try await eventually("the end of the ticket", within: .seconds(60)) { try await !realm.isValid(cache) }
    try await session.fails("expired")
  }

  /// The KDC says it, and a server does for a ticket that the client has already.
  @Test(.enabled(if: KerberosRealm.isInstalled)) func clocksThatDifferAreNamed() async throws {
    let realm = try await KerberosRealm.start(principals: ["zookeeper/localhost", "bob"])
    let server = try await SASLTests.Running(.zkcli, login: try SASLTests.kerberosLogin(realm), realm: realm)
    func login(_ cache: String) async throws -> CommandRun {
      try await Zkcli(
        server: server.connectString.replacing("127.0.0.1", with: "localhost"),
        environment: realm.environment.merging(["KRB5CCNAME": cache]) { _, new in new })("--sasl", "gssapi", "ls", "/")
    }
    let early = try await realm.ticket(of: "bob", lifetime: "1h")
    try realm.shiftClock(of: early, bySeconds: 1000)
    expect(try await login(early), status: 5, error: "set the clocks")
    let holder = try await realm.ticket(of: "bob", lifetime: "1h")
    try await realm.serviceTicket(for: "zookeeper/localhost", in: holder)
    expect(try await login(holder), output: "zookeeper\n")
    try realm.shiftClock(of: holder, bySeconds: 1000)
    expect(try await login(holder), status: 5, error: "the SASL login failed")
    let log = server.log
    #expect(log.contains("Clock skew too great") && log.contains("set the clocks"), "\(log)")
  }
}
