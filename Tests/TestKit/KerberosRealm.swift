import Foundation
import Synchronization

/// A realm of Kerberos for tests: MIT's KDC on loopback, with its database and configuration in a temporary directory.
///
/// Nothing outside of the directory is read or written, and no privileges are needed.
///
/// *Thread*: any.
public final class KerberosRealm: Sendable {
  /// The name of the realm, which is the default one of `environment`.
  public static let name = "ZK.TEST"

  /// Holds the configuration, the database and the key tables.
  public let directory: String
  private let process = Mutex<GuardedProcess?>(nil)

  private init(directory: String) { self.directory = directory }

  /// Whether Debian's `krb5-kdc`, `krb5-admin-server` and `krb5-user` are installed.
  public static var isInstalled: Bool {
    ["/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local", "/usr/bin/kinit"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// The configuration of clients, for Java's `java.security.krb5.conf`.
  public var configuration: String { "\(directory)/krb5.conf" }

  /// The environment of programs that use the realm.
  public var environment: [String: String] {
    var environment = RunningCommand.cleanEnvironment
    environment["KRB5_CONFIG"] = configuration
    environment["KRB5_KDC_PROFILE"] = "\(directory)/kdc.conf"
    // The default one is the user's own.
    environment["KRB5CCNAME"] = "FILE:\(directory)/no-cache"
    environment["KRB5RCACHEDIR"] = directory
    return environment
  }

  /// Makes a realm with some principals, each with a key table, and starts its KDC.
  ///
  /// - Throws: `TestKitError.missing` if a program is missing or fails.
  public static func start(principals: [String]) async throws -> KerberosRealm {
    guard isInstalled else { throw TestKitError(.missing, "krb5-kdc, krb5-admin-server or krb5-user") }
    return try await ApacheServer.retryingPortConflicts {
      let realm = KerberosRealm(directory: try Scratch.directory("kerberos"))
      let port = try LoopbackPorts.reserve()
      try realm.writeConfiguration(port: port)
      try await realm.run("/usr/sbin/kdb5_util", ["create", "-s", "-P", "master", "-r", name])
      for principal in principals {
        try await realm.run("/usr/sbin/kadmin.local", ["-q", "addprinc -randkey \(principal)"])
        try await realm.run("/usr/sbin/kadmin.local", ["-q", "ktadd -k \(realm.keytab(of: principal)) \(principal)"])
      }
      let process = try await GuardedProcess.start(
        "/usr/sbin/krb5kdc", ["-n"], environment: realm.environment, log: "\(realm.directory)/output")
      realm.process.withLock { $0 = process }
      try await eventually("a KDC on port \(port)", within: .seconds(30), every: .milliseconds(20)) {
        if process.hasEnded { throw TestKitError(.ended, "krb5kdc") }
        return (try? LoopbackSocket.connect(to: port, timeout: .seconds(1))) != nil
      }
      return realm
    }
  }

  /// The file with the keys of a principal.
  public func keytab(of principal: String) -> String {
    "\(directory)/\(principal.replacing("/", with: "-")).keytab"
  }

  /// Gets a ticket as a person does.
  ///
  /// - Parameters:
  ///   - lifetime: as `kinit -l` takes it.
  ///   - cache: where it is kept; nil for a new cache.
  /// - Returns: the cache, for `KRB5CCNAME`.
  @discardableResult
  public func ticket(
    of principal: String, lifetime: String = "10m", in cache: String? = nil
  ) async throws -> String {
    let cache = try cache ?? "FILE:\(Scratch.directory("tickets"))/cache"
    try await run("/usr/bin/kinit", ["-k", "-t", keytab(of: principal), "-l", lifetime, "-c", cache, principal])
    return cache
  }

  /// Gets a ticket for a service with the ticket of a cache.
  public func serviceTicket(for service: String, in cache: String) async throws {
    try await run("/usr/bin/kvno", ["-c", cache, service])
  }

  /// Changes a cache so that programs which use it believe that the KDC's clock differs from theirs.
  ///
  /// *Source*: the format of MIT's caches, version 4: the first field of the head is the difference.
  public func shiftClock(of cache: String, bySeconds seconds: Int32) throws {
    let url = URL(filePath: String(cache.dropFirst("FILE:".count)))
    var bytes = [UInt8](try Data(contentsOf: url))
    guard bytes.starts(with: [5, 4, 0, 12, 0, 1, 0, 8]) else { throw TestKitError(.missing, "a cache of version 4") }
    bytes.replaceSubrange(8..<12, with: withUnsafeBytes(of: seconds.bigEndian) { Array($0) })
    try Data(bytes).write(to: url)
  }

  /// How many tickets the KDC has issued to a principal by its keys.
  public func loginCount(of principal: String) -> Int {
    let log = (try? String(contentsOfFile: "\(directory)/kdc.log", encoding: .utf8)) ?? ""
    return log.split(separator: "\n").count {
      $0.contains("AS_REQ") && $0.contains("ISSUE") && $0.contains("\(principal)@\(Self.name) for")
    }
  }

  /// Whether the tickets of a cache can be used.
  public func isValid(_ cache: String) async throws -> Bool {
    let run = try await CommandRun.run("/usr/bin/klist", ["-s", "-c", cache], environment: environment)
    return run.exitStatus == 0
  }

  /// Ends the KDC; tickets that were got remain valid.
  public func stop() async throws {
    let process = process.withLock { process in
      defer { process = nil }
      return process
    }
    try await process?.kill()
  }

  private func run(_ program: String, _ arguments: [String]) async throws {
    let run = try await CommandRun.run(program, arguments, environment: environment, timeLimit: .seconds(60))
    guard run.exitStatus == 0 else { throw TestKitError(.missing, "\(program): \(run.errorOutput)") }
  }

  private func writeConfiguration(port: UInt16) throws(TestKitError) {
    try Scratch.write(
      """
      [libdefaults]
       default_realm = \(Self.name)
       dns_lookup_kdc = false
       dns_lookup_realm = false
       udp_preference_limit = 1
      [realms]
       \(Self.name) = {
        kdc = 127.0.0.1:\(port)
       }

      """, to: configuration)
    try Scratch.write(
      """
      [kdcdefaults]
       kdc_listen = 127.0.0.1:\(port)
       kdc_tcp_listen = 127.0.0.1:\(port)
      [realms]
       \(Self.name) = {
        database_name = \(directory)/principal
        key_stash_file = \(directory)/stash
        acl_file = \(directory)/acl
       }
      [logging]
       kdc = FILE:\(directory)/kdc.log

      """, to: "\(directory)/kdc.conf")
  }
}
