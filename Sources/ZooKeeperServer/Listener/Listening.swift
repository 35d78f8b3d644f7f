import Logging
import NIOCore
import NIOPosix
import Synchronization
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How this server's ports come to be listened on.
///
/// In a container a server's own name may not be known yet, or still stand for where the server was before: that is
/// waited for, as Apache's server does.
///
/// *Source*: `QuorumCnxManager.Listener`: `electionPortBindRetry` attempts, a second apart.
///
/// *Thread*: the event loop, but for names, which are looked up on a thread of their own.
struct Listening: Sendable {
  let loop: any EventLoop
  let logger: Logger
  /// How often an address that is not there yet is tried again; 0 for ever.
  var retries: Int
  /// Whether the server was asked to end meanwhile.
  let isGivenUp: @Sendable () -> Bool

  private static let pause = TimeAmount.seconds(1)

  /// Takes calls at an address; where it stands for any address of the machine, at those of both families.
  ///
  /// - Parameter purpose: the port's name, for messages.
  /// - Returns: the listening channel; fails with a `ServerStartError`.
  func bind(_ bootstrap: ServerBootstrap, _ address: HostAndPort, purpose: String) -> EventLoopFuture<any Channel> {
    attempt(bootstrap, address, purpose, count: 1)
  }

  private func attempt(
    _ bootstrap: ServerBootstrap, _ address: HostAndPort, _ purpose: String, count: Int
  ) -> EventLoopFuture<any Channel> {
    // Whatever a bootstrap is used from, it is the loop.
    let bootstrap = NIOLoopBound(bootstrap, eventLoop: loop)
    return once(bootstrap, address).flatMapError { error in
      let failure = ListenFailure(error)
      let isLast = retries > 0 && count > retries || isGivenUp()
      guard failure.mayPass, !isLast else {
        return loop.makeFailedFuture(failure.startError(address, purpose))
      }
      logger.warning(
        "\(purpose) cannot be listened on yet; trying again",
        metadata: ["address": "\(address)", "reason": "\(failure.words(address))", "attempt": "\(count)"])
      return loop.scheduleTask(in: Self.pause) {}.futureResult.flatMap {
        attempt(bootstrap.value, address, purpose, count: count + 1)
      }
    }
  }

  private func once(
    _ bootstrap: NIOLoopBound<ServerBootstrap>, _ address: HostAndPort
  ) -> EventLoopFuture<any Channel> {
    if address.isWildcard {
      return bootstrap.value.bind(host: "::", port: address.port).flatMapError { error in
        guard ListenFailure(error).isMissingFamily else { return loop.makeFailedFuture(error) }
        return bootstrap.value.bind(host: "0.0.0.0", port: address.port)
      }
    }
    // Numbers need no looking up.
    if let number = try? SocketAddress(ipAddress: address.host, port: address.port) {
      return bootstrap.value.bind(to: number)
    }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
    }.flatMap { bootstrap.value.bind(to: $0) }
  }
}

extension ServerBootstrap {
  /// A bootstrap whose wildcard address takes calls of both families, whatever the system's default.
  static func forPorts(on loop: any EventLoop) -> ServerBootstrap {
    ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        // A socket of the older family has no such option.
        channel.setOption(.socket(.init(IPPROTO_IPV6), .init(IPV6_V6ONLY)), value: 0).recover { _ in }
      }
  }
}

/// Why an address cannot be listened on.
struct ListenFailure {
  /// What callers tell apart.
  enum Kind: Equatable {
    case taken, notOurs, unknownName, forbidden, missingFamily, other
  }

  let kind: Kind
  private let error: any Error

  init(_ error: any Error) {
    self.error = error
    kind =
      switch error {
      case is SocketAddressError.UnknownHost: .unknownName
      case SocketAddressError.unknown: .unknownName
      case let error as IOError: Self.kind(error.errnoCode)
      default: .other
      }
  }

  private static func kind(_ code: CInt) -> Kind {
    switch code {
    case EADDRINUSE: .taken
    case EADDRNOTAVAIL: .notOurs
    case EACCES, EPERM: .forbidden
    case EAFNOSUPPORT, EPROTONOSUPPORT: .missingFamily
    default: .other
    }
  }

  /// Whether it may be another a moment later.
  var mayPass: Bool { kind == .unknownName || kind == .notOurs }

  /// Whether the machine has no IPv6.
  var isMissingFamily: Bool { kind == .missingFamily || kind == .notOurs }

  /// What is wrong, in words.
  func words(_ address: HostAndPort) -> String {
    switch kind {
    case .taken: "the port is taken"
    case .notOurs: "\(address.host) is no address of this machine"
    case .unknownName: "the name \(address.host) is not known"
    case .forbidden: "permission denied"
    case .missingFamily, .other: "\(error)"
    }
  }

  /// The error with which a server does not start.
  func startError(_ address: HostAndPort, _ purpose: String) -> ServerStartError {
    let hint: String? =
      switch kind {
      case .taken: "stop what listens there, or choose another port"
      case .notOurs: "the server listens at its own addresses; 0.0.0.0 stands for all of them"
      case .unknownName: "the name must be in DNS or /etc/hosts; electionPortBindRetry=0 waits for it"
      case .forbidden: "ports below 1024 are for privileged users"
      case .missingFamily, .other: nil
      }
    return ServerStartError("cannot listen on \(address) (\(purpose)): \(words(address))", hint: hint)
  }
}

/// Keeps a port from being filled with connections: what is over the limit is closed at once.
///
/// *Thread*: the event loop.
final class ConnectionLimit: @unchecked Sendable {
  // @unchecked: touched on one event loop only.

  private let maximum: Int
  private var count = 0

  /// A limit of so many connections at a time.
  init(_ maximum: Int) { self.maximum = maximum }

  /// Counts a connection until it is closed.
  ///
  /// - Returns: false, with the connection closed, when there are too many.
  func admit(_ channel: any Channel) -> Bool {
    guard count < maximum, DescriptorBudget.shared.take(for: channel) else {
      channel.close(promise: nil)
      return false
    }
    count += 1
    channel.closeFuture.assumeIsolated().whenComplete { [self] _ in count -= 1 }
    return true
  }
}

/// Keeps some of the process's descriptors for files: connections may take the others only, so that a log that is full
/// can be followed by the next one, however many clients come.
///
/// *Thread*: any; all servers of a process share one budget.
final class DescriptorBudget: Sendable {
  static let shared = DescriptorBudget()

  /// The next log, a snapshot that is written, one that is read, the directories' own, and calls of other servers.
  private static let reserve = 24

  private struct State {
    /// Connections that there may be; without a limit until it is measured.
    var maximum = Int.max
    var count = 0
  }

  private let state = Mutex(State())

  /// Finds out how many descriptors are left for connections. Called by a server that has opened what it always has.
  func measure() {
    let (open, maximum) = Host.fileDescriptors
    state.withLock { $0.maximum = max(1, maximum - (open - $0.count) - Self.reserve) }
  }

  /// Counts a connection until it is closed.
  ///
  /// - Returns: false when there are no descriptors for it; the caller closes it.
  func take(for channel: any Channel) -> Bool {
    let isTaken = state.withLock { state in
      guard state.count < state.maximum else { return false }
      state.count += 1
      return true
    }
    if isTaken { channel.closeFuture.whenComplete { [self] _ in state.withLock { $0.count -= 1 } } }
    return isTaken
  }
}

extension SocketAddress {
  /// The peer's numeric address; of one that came over IPv4 to a socket for both families, that of IPv4.
  var peerAddress: String? {
    guard let text = ipAddress else { return nil }
    return text.contains(".") && text.contains(":") ? IPv6Literal(parsing: text)?.mappedIPv4 ?? text : text
  }
}
