import ZooKeeperProtocol
import ZooKeeperServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The ports and directories of a sandbox's servers, which stay the same while servers are stopped and started.
struct EnsemblePlan: Sendable {
  /// The maximum number of servers in one process.
  static let maximumSize = 9

  /// `LocalEnsemble.superuser` in the form of a server's configuration, with its SHA-1 in base64.
  private static let superDigest = "super:WCo+aqEZfTf8oYIQkfqdYXKhC3M="

  let members: [ServerConfiguration.LocalMember]
  let settings: LocalEnsemble.Settings
  /// The directory with all data.
  private let directory: String
  /// Whether the directory is removed at the end.
  let isTemporary: Bool
  private let reservations: [PortReservation]

  /// Reserves ports and, if none is given, creates a directory.
  ///
  /// - Throws: if the number of servers is out of range, the directory contains an ensemble of another size, or there
  ///   are no free ports.
  init(_ settings: LocalEnsemble.Settings) throws(SandboxError) {
    guard (1...Self.maximumSize).contains(settings.size) else {
      throw SandboxError(
        "cannot start \(settings.size) servers: a sandbox has 1 to \(Self.maximumSize)", isConfiguration: true)
    }
    guard (0...65_536 - settings.size).contains(settings.port) else {
      throw SandboxError(
        "\(settings.port) is not a port for the first of \(settings.size) servers", hint: "0 takes free ports",
        isConfiguration: true)
    }
    guard !settings.allowsReconfig || settings.size > 1 else {
      throw SandboxError(
        "a standalone server cannot be reconfigured", hint: "start an ensemble, such as --local 3",
        isConfiguration: true)
    }
    guard !settings.allowsReconfig || ServerAddress(host: settings.address, port: 0).isLoopback else {
      throw SandboxError(
        "servers that allow reconfiguration cannot listen on \(settings.address)",
        hint: "the password of their superuser is public, so they listen on 127.0.0.1 only", isConfiguration: true)
    }
    self.settings = settings
    if let directory = settings.dataDirectory { try Self.checkSize(settings.size, of: directory) }
    var reservations: [PortReservation] = []
    var members: [ServerConfiguration.LocalMember] = []
    for index in 0..<settings.size {
      var ports: [Int] = []
      for kind in 0..<(settings.size == 1 ? 1 : 3) {
        if kind == 0, settings.port != 0 {
          ports.append(settings.port + index)
        } else {
          let reservation = try PortReservation(on: kind == 0 ? settings.address : "127.0.0.1")
          reservations.append(reservation)
          ports.append(reservation.port)
        }
      }
      members.append(.init(clientPort: ports[0], quorumPort: ports.last!, electionPort: ports[ports.count / 2]))
    }
    self.members = members
    self.reservations = reservations
    isTemporary = settings.dataDirectory == nil
    directory = if let given = settings.dataDirectory { given } else { try TemporaryDirectory.make() }
    if settings.size > 1 { mkdir(directory, 0o755) }
  }

  /// `host:port` of one server.
  func address(of id: Int) -> String {
    let host = settings.address.contains(":") ? "[\(settings.address)]" : settings.address
    return "\(host):\(members[id - 1].clientPort)"
  }

  /// The addresses of all servers, separated by commas.
  var connectString: String { (1...members.count).map(address).joined(separator: ",") }

  /// Releases the reserved ports for their server.
  func prepareToListen(_ id: Int) {
    // On Linux the server can listen despite the reservation, which excludes other programs even while the server is
    // down.
    #if !os(Linux)
      for reservation in reservations { reservation.release() }
    #endif
  }

  /// The configuration of one server.
  func configuration(of id: Int) -> ServerConfiguration {
    var configuration = ServerConfiguration(
      dataDirectory: members.count == 1 ? directory : "\(directory)/\(id)")
    configuration.clientAddress = settings.address
    configuration.clientPort = members[id - 1].clientPort
    configuration.tickTimeMilliseconds = settings.tickTimeMilliseconds ?? (members.count == 1 ? 2000 : 500)
    configuration.maximumConnectionsPerAddress = 0
    configuration.fourLetterWords = FourLetterWordPolicy(allowed: ["*"])
    configuration.admin.isEnabled = false
    configuration.features.hasExtendedTypes = true
    configuration.features.enforcesQuota = settings.enforcesQuota
    if settings.allowsReconfig {
      configuration.features.allowsReconfig = true
      configuration.features.superDigest = Self.superDigest
    }
    configuration.logging.forcesSync = !isTemporary
    configuration.logging.preallocationBytes = 1 << 20
    if members.count > 1 {
      // Followers abandon a leader that hangs after three seconds; a busy machine does not delay one that long.
      configuration.quorumTimes.initLimitTicks = 8
      configuration.quorumTimes.syncLimitTicks = 6
      configuration.maximumSessionTimeoutMilliseconds = 40_000
      configuration.join(members, as: id)
    }
    return configuration
  }

  /// Removes the temporary directory, if there is one.
  func removeTemporary() {
    if isTemporary { TemporaryDirectory.remove(directory) }
  }

  /// Checks the size, because an ensemble of another size than that which wrote the data could elect a leader without
  /// the data.
  private static func checkSize(_ size: Int, of directory: String) throws(SandboxError) {
    func exists(_ name: String) -> Bool { access("\(directory)/\(name)", F_OK) == 0 }
    let found = exists("version-2") ? 1 : (1...maximumSize).count { exists("\($0)/version-2") }
    guard found != 0, found != size else { return }
    throw SandboxError(
      "\(directory) has the data of \(found == 1 ? "a single server" : "\(found) servers")",
      hint: "start it with --local\(found == 1 ? "" : " \(found)"), or give another directory")
  }
}

/// A port that no other program gets while this object exists.
///
/// The port is bound without listening. The kernel does not assign it to other programs that ask for a free port, or to
/// outgoing connections, but the server can still listen on it.
final class PortReservation: Sendable {
  let port: Int
  private let descriptor: Int32

  /// Reserves a free port of a local address.
  ///
  /// - Throws: if the address does not belong to this machine.
  init(on host: String) throws(SandboxError) {
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "0", &hints, &list) == 0, let list else {
      throw SandboxError("\(host) is not an address of this machine", isConfiguration: true)
    }
    defer { freeaddrinfo(list) }
    let info = list.pointee
    let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw SandboxError("cannot have a port of \(host): \(reason)")
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    precondition(status == 0, "a bound socket has a name")
    // The port is at the same offset for both families.
    self.descriptor = descriptor
    port = withUnsafeBytes(of: &storage) { Int($0[2]) << 8 | Int($0[3]) }
  }

  deinit { close(descriptor) }
}
