import Foundation
import TestKit
import Testing

/// Members that authenticate to each other by SASL, ours and Apache's.
@Suite(.timeLimit(.minutes(8)), .serialized)
struct QuorumSASLTests {
  private static let required = [
    "quorum.auth.enableSasl=true", "quorum.auth.learnerRequireSasl=true", "quorum.auth.serverRequireSasl=true",
  ]

  private static let digest = "org.apache.zookeeper.server.auth.DigestLoginModule required"

  /// A login configuration for members that all have one user.
  static func login(password: String = "secret") throws -> String {
    let path = "\(try Scratch.directory("login"))/jaas.conf"
    try Scratch.write(
      """
      QuorumServer { \(digest) user_zk="secret"; };
      QuorumLearner { \(digest) username="zk" password="\(password)"; };

      """, to: path)
    return path
  }

  private func configuration(_ kinds: [MemberKind], login: String) -> ServerEnsemble.Configuration {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    configuration.syncLimit = 20
    configuration.javaProperties["java.security.auth.login.config"] = login
    for (index, kind) in kinds.enumerated() where kind == .ours {
      configuration.ownLines[index + 1] = ["java.security.auth.login.config=\(login)"]
    }
    return configuration
  }

  /// Elects, serves, loses its leader and goes on.
  private func live(_ ensemble: ServerEnsemble) async throws {
    try await ensemble.waitUntilServing()
    try await ensemble.writeThroughEach("/first")
    let leader = try await ensemble.waitForLeader()
    try await leader.kill()
    let rest = ensemble.members.filter { $0 !== leader }.map(\.id)
    try await ensemble.waitUntilServing(rest)
    try await leader.launch()
    try await ensemble.waitUntilServing()
    try await ensemble.writeThroughEach("/second")
  }

  @Test func oursWithPasswords() async throws {
    var configuration = configuration([.ours, .ours, .ours], login: try Self.login())
    configuration.extraLines = Self.required
    let ensemble = try await ServerEnsemble.start(configuration)
    try await live(ensemble)
    try await ensemble.kill()
  }

  @Test(
    .enabled(if: ApacheServer.isInstalled), arguments: [[MemberKind.ours, .apache, .ours], [.apache, .ours, .apache]])
  func oursAndApachesWithPasswords(_ kinds: [MemberKind]) async throws {
    var configuration = configuration(kinds, login: try Self.login())
    configuration.extraLines = Self.required
    // The logins of one of the ensembles are encrypted.
    if kinds[0] == .apache { configuration.extraLines += ["sslQuorum=true"] + StoreFiles.lines("ssl.quorum") }
    let ensemble = try await ServerEnsemble.start(configuration)
    try await live(ensemble)
    try await ensemble.kill()
  }

  @Test func memberWithAnotherPasswordStaysOut() async throws {
    var configuration = configuration([.ours, .ours, .ours], login: try Self.login())
    configuration.extraLines = Self.required
    configuration.ownLines[3] = ["java.security.auth.login.config=\(try Self.login(password: "wrong"))"]
    let ensemble = try ServerEnsemble(configuration)
    for member in ensemble.members { try await member.launch() }
    try await ensemble.waitUntilServing([1, 2])
    try await eventually("a refusal of server 3", within: .seconds(60)) {
      ensemble[3].log.contains("refuses this one's login") || ensemble[3].log.contains("has closed the connection")
    }
    #expect(![ensemble[1], ensemble[2]].filter { $0.log.contains("user and password do not match") }.isEmpty)
    #expect(!["leader", "follower"].contains(ensemble[3].mode))
    try await ensemble.kill()
  }

  /// As Apache's guide enables it: members that are willing first, then those that log in, then those that demand it.
  @Test func rollingChange() async throws {
    let steps = [
      ["quorum.auth.enableSasl=true"], Array(Self.required.prefix(2)), Self.required,
    ]
    let configuration = configuration([.ours, .ours, .ours], login: try Self.login())
    let ensemble = try await ServerEnsemble.start(configuration)
    try await ensemble.writeThroughEach("/plain")
    for (number, lines) in steps.enumerated() {
      for member in ensemble.members {
        try await member.stop()
        let file = "\(member.directory)/zoo.cfg"
        let old = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").filter {
          !$0.hasPrefix("quorum.auth.")
        }
        try Scratch.write(old.joined(separator: "\n") + "\n" + lines.joined(separator: "\n") + "\n", to: file)
        try await member.launch()
        try await ensemble.waitUntilServing()
      }
      try await ensemble.writeThroughEach("/step-\(number)")
    }
    try await ensemble.kill()
  }

  @Test(.enabled(if: KerberosRealm.isInstalled)) func oursWithKerberos() async throws {
    let principal = "zkquorum/127.0.0.1"
    let realm = try await KerberosRealm.start(principals: [principal])
    let path = "\(try Scratch.directory("login"))/jaas.conf"
    let module = """
      com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true useTicketCache=false
      keyTab="\(realm.keytab(of: principal))" principal="\(principal)@\(KerberosRealm.name)";
      """
    try Scratch.write("QuorumServer {\n\(module)\n};\nQuorumLearner {\n\(module)\n};\n", to: path)
    var configuration = configuration([.ours, .ours, .ours], login: path)
    configuration.extraLines = Self.required + ["quorum.auth.kerberos.servicePrincipal=zkquorum/_HOST"]
    configuration.environment = realm.environment
    let ensemble = try await ServerEnsemble.start(configuration)
    try await live(ensemble)
    try await ensemble.kill()
  }
}
