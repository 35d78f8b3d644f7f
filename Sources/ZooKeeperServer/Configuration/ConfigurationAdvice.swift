import NIOCore
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds settings of a valid configuration that the administrator may not have intended.
struct ConfigurationAdvice {
  /// The properties of the machine that the advice depends on.
  struct Machine: Sendable {
    /// The numeric address of a host's name; nil if it cannot be resolved.
    var address: @Sendable (_ host: String) -> String?
    /// The number of the disk that a directory is on; nil if the directory does not exist.
    var disk: @Sendable (_ directory: String) -> UInt64?
    /// How many files and connections a process may have open.
    var descriptorLimit: Int

    /// The machine that the process runs on. Names are resolved while the caller waits.
    static var own: Machine {
      Machine(
        address: { try? SocketAddress.makeAddressResolvingHost($0, port: 0).ipAddress },
        disk: { directory in
          var status = stat()
          return stat(directory, &status) == 0 ? UInt64(status.st_dev) : nil
        },
        descriptorLimit: Host.fileDescriptors.maximum)
    }
  }

  let configuration: ServerConfiguration
  let machine: Machine

  /// With fewer descriptors, some hundred clients are too many.
  private static let enoughDescriptors = 4096

  /// A sentence for each.
  var sentences: [String] { [openPort, sharedDisk, fewDescriptors].compactMap(\.self) + directories + ensemble }

  /// A port that serves any client without a login.
  private var openPort: String? {
    let features = configuration.features
    let isOpen = ServerAddress(host: configuration.clientAddress, port: 0).isWildcard
    guard configuration.opensClientPort, isOpen, features.requiredSchemes.isEmpty else { return nil }
    return "every host that can reach this machine can use the client port \(configuration.clientPort) without a login:"
      + " clientPortAddress limits it to one address, enforce.auth.enabled and sessionRequireClientSASLAuth to those"
      + " who log in"
  }

  private var sharedDisk: String? {
    guard let data = machine.disk(configuration.dataDirectory), data == machine.disk(configuration.logDirectory) else {
      return nil
    }
    return "transaction logs and snapshots are on one disk, so that writes wait while a snapshot is written: dataLogDir"
      + " can be on another one"
  }

  private var fewDescriptors: String? {
    guard machine.descriptorLimit < Self.enoughDescriptors else { return nil }
    return "a process may open \(machine.descriptorLimit) files and connections here, and each client takes one:"
      + " raise the limit with `ulimit -n` or LimitNOFILE in the unit"
  }

  /// Missing directories that the server does not create.
  private var directories: [String] {
    var paths = configuration.audit?.directory.map { [$0] } ?? []
    if !configuration.logging.createsDirectories {
      paths += [configuration.dataDirectory]
      if configuration.logDirectory != configuration.dataDirectory { paths.append(configuration.logDirectory) }
    }
    return paths.filter { machine.disk($0) == nil }
      .map { "the directory \($0) does not exist, and the server does not create it" }
  }

  /// Advice about the ensemble.
  private var ensemble: [String] {
    guard let ensemble = configuration.ensemble else { return [] }
    var sentences: [String] = []
    let voters = ensemble.quorum.members.filter { !$0.isObserver }.count
    if voters.isMultiple(of: 2), ensemble.quorum.groups.isEmpty {
      let spare = (voters - 1) / 2
      sentences.append(
        "\(voters) servers vote, which is no safer than \(voters - 1): the ensemble survives the loss of \(spare)")
    }
    let id = ensemble.serverID
    let hosts = (ensemble.quorum.member(id)?.addresses ?? []).map(\.host)
    let others = ensemble.quorum.members.filter { $0.id != id }.flatMap { $0.addresses.map(\.host) }
    for host in hosts {
      guard let address = machine.address(host) else {
        sentences.append("the name \(host) of this server, server.\(id), cannot be resolved here")
        continue
      }
      guard Self.isLoopback(address) else { continue }
      // If all servers are on one machine, loopback addresses are fine.
      if others.contains(where: { machine.address($0).map { !Self.isLoopback($0) } ?? true }) {
        sentences.append(
          "\(host), the address of this server, server.\(id), is \(address) here, where other machines cannot reach it")
      }
    }
    return sentences
  }

  private static func isLoopback(_ address: String) -> Bool { ServerAddress(host: address, port: 0).isLoopback }
}

extension ServerConfiguration {
  /// What an administrator may not have meant, a sentence for each. Names of hosts are resolved while the caller waits.
  package var advice: [String] { ConfigurationAdvice(configuration: self, machine: .own).sentences }
}
