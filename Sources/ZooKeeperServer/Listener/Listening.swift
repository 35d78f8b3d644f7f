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

/// Opens this server's ports.
///
/// In a container, a server's own name may not be resolvable yet, or may still resolve to a previous address. The
/// server waits for that and tries again, as Apache's server does.
///
/// *Source*: `QuorumCnxManager.Listener`: `electionPortBindRetry` attempts, a second apart.
///
/// *Thread*: the event loop, except for names, which are resolved on another thread.
struct Listening: Sendable {
  let loop: any EventLoop
  let logger: Logger
  /// How often an address that is not available yet is tried again; 0 means indefinitely.
  var retries: Int
  /// Whether the server was asked to stop meanwhile.
  let isGivenUp: @Sendable () -> Bool

  private static let pause = TimeAmount.seconds(1)

  /// Listens at an address. The wildcard address covers IPv4 and IPv6.
  ///
  /// - Parameter purpose: the port's name, for messages.
  /// - Returns: the listening channel; fails with a `ServerStartError`.
  func bind(_ bootstrap: ServerBootstrap, _ address: ServerAddress, purpose: String) -> EventLoopFuture<any Channel> {
    attempt(bootstrap, address, purpose, count: 1)
  }

  private func attempt(
    _ bootstrap: ServerBootstrap, _ address: ServerAddress, _ purpose: String, count: Int
  ) -> EventLoopFuture<any Channel> {
    // A bootstrap is not Sendable, and is used on the loop only.
    let bootstrap = NIOLoopBound(bootstrap, eventLoop: loop)
    return once(bootstrap, address).flatMapError { error in
      let failure = ListenFailure(error)
      let isLast = retries > 0 && count > retries || isGivenUp()
      guard failure.mayPass, !isLast else {
        return loop.makeFailedFuture(failure.startError(address, purpose))
      }
      logger.warning(
        "cannot listen on \(purpose) yet; trying again",
        metadata: ["address": "\(address)", "reason": "\(failure.words(address))", "attempt": "\(count)"])
      return loop.scheduleTask(in: Self.pause) {}.futureResult.flatMap {
        attempt(bootstrap.value, address, purpose, count: count + 1)
      }
    }
  }

  private func once(
    _ bootstrap: NIOLoopBound<ServerBootstrap>, _ address: ServerAddress
  ) -> EventLoopFuture<any Channel> {
    if address.isWildcard {
      return bootstrap.value.bind(host: "::", port: address.port).flatMapError { error in
        guard ListenFailure(error).isMissingFamily else { return loop.makeFailedFuture(error) }
        return bootstrap.value.bind(host: "0.0.0.0", port: address.port)
      }
    }
    // Numeric addresses need no look-up.
    if let number = try? SocketAddress(ipAddress: address.host, port: address.port) {
      return bootstrap.value.bind(to: number)
    }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
    }.flatMap { bootstrap.value.bind(to: $0) }
  }
}

extension ServerBootstrap {
  /// How many connections are accepted before others are read, for up to a millisecond. All clients of a server that
  /// has ended come at once, and with NIO's four at a time they would wait for thousands of rounds of the loop.
  private static let acceptedAtOnceCount: UInt = 16

  /// A bootstrap whose wildcard address accepts connections over IPv4 and IPv6, whatever the system's default is.
  ///
  /// - Parameter backlog: how many connections may wait to be accepted; nil for as many as the system allows
  ///   (`net.core.somaxconn`). One that comes when there are too many is dropped, and its client tries again after a
  ///   second: Java's 50 made 1,000 clients that had lost their server wait for two.
  static func forPorts(on loop: any EventLoop, backlog: Int? = nil) -> ServerBootstrap {
    ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: Int32(clamping: backlog ?? .max))
      .serverChannelOption(.maxMessagesPerRead, value: acceptedAtOnceCount)
      .serverChannelInitializer { channel in
        // IPv4 sockets do not have this option.
        channel.setOption(.socket(.init(IPPROTO_IPV6), .init(IPV6_V6ONLY)), value: 0).recover { _ in }
      }
  }
}

extension Channel {
  /// Closes a port, so that another server can listen on it at once.
  ///
  /// A child of this process has copies of its descriptors until it executes its own program. With one of them the port
  /// would still be in use, unless the socket is told to stop listening.
  ///
  /// *Thread*: the event loop.
  func stopListening() {
    _ = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
      shutdown(descriptor, Int32(SHUT_RDWR))
    }
    close(promise: nil)
  }
}

/// Why the server cannot listen on an address.
struct ListenFailure {
  /// The kinds of failures that are handled differently.
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

  /// Whether another attempt may succeed a moment later.
  var mayPass: Bool { kind == .unknownName || kind == .notOurs }

  /// Whether the machine may have no IPv6.
  var isMissingFamily: Bool { kind == .missingFamily || kind == .notOurs }

  /// A description for the operator.
  func words(_ address: ServerAddress) -> String {
    switch kind {
    case .taken: "the port is in use"
    case .notOurs: "\(address.host) is not an address of this machine"
    case .unknownName: "the name \(address.host) is not known"
    case .forbidden: "permission denied"
    case .missingFamily, .other: "\(error)"
    }
  }

  /// The error with which a server does not start.
  func startError(_ address: ServerAddress, _ purpose: String) -> ServerStartError {
    let hint: String? =
      switch kind {
      case .taken: "stop the process that listens there, or choose another port"
      case .notOurs: "use an address of this machine, or 0.0.0.0 for all of them"
      case .unknownName: "add the name to DNS or /etc/hosts; with electionPortBindRetry=0 the server waits for it"
      case .forbidden: "choose another port; those below 1024 are for privileged users"
      case .missingFamily, .other: nil
      }
    return ServerStartError("cannot listen on \(address) (\(purpose)): \(words(address))", hint: hint)
  }
}

/// Limits the number of connections to a port: those above the limit are closed at once.
///
/// *Thread*: the event loop.
final class ConnectionLimit: @unchecked Sendable {
  // @unchecked: touched on one event loop only.

  private let maximum: Int
  private let purpose: String
  private let logger: Logger
  private var count = 0

  /// Creates a limit of `maximum` connections at a time.
  ///
  /// - Parameter purpose: the port's name, for the log.
  init(_ maximum: Int, purpose: String, logger: Logger) {
    self.maximum = maximum
    self.purpose = purpose
    self.logger = logger
  }

  /// Counts a connection until it is closed.
  ///
  /// - Returns: false, with the connection closed, when there are too many.
  func admit(_ channel: any Channel) -> Bool {
    guard count < maximum, DescriptorBudget.shared.take(for: channel) else {
      logger.warning(
        "too many connections to \(purpose)",
        metadata: ["client": "\(channel.remoteAddress?.peerAddress ?? "?")", "connections": .stringConvertible(count)])
      channel.close(promise: nil)
      return false
    }
    count += 1
    channel.closeFuture.assumeIsolated().whenComplete { [self] _ in count -= 1 }
    return true
  }
}

/// Reserves some of the process's descriptors for files, so that the server can open the next log however many clients
/// connect.
///
/// *Thread*: any; all servers of a process share one budget.
final class DescriptorBudget: Sendable {
  static let shared = DescriptorBudget()

  /// Enough for the next log, a snapshot that is written, one that is read, directories, and connections to other
  /// servers.
  private static let reserve = 24

  private struct State {
    /// The largest number of connections; unlimited until `measure` is called.
    var maximum = Int.max
    var count = 0
  }

  private let state = Mutex(State())

  /// Determines how many descriptors are left for connections. Called by a server that has opened its permanent files.
  func measure() {
    let (open, maximum) = Host.fileDescriptors
    state.withLock { $0.maximum = max(1, maximum - (open - $0.count) - Self.reserve) }
  }

  /// Counts a connection until it is closed.
  ///
  /// - Returns: false when there is no descriptor for it; the caller must close it.
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
  /// The peer's numeric address. For an IPv4 connection to an IPv6 socket, it is the IPv4 address.
  var peerAddress: String? {
    guard let text = ipAddress else { return nil }
    return text.contains(".") && text.contains(":") ? IPv6Literal(parsing: text)?.mappedIPv4 ?? text : text
  }
}
