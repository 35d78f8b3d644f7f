import NIOCore
import NIOPosix
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// An attempt to connect to another server.
struct OutboundCall: Sendable {
  let loop: any EventLoop
  let timeoutMilliseconds: Int
  let transport: NIOLoopBound<PeerTransport>

  private static let readSizes = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 2048, maximum: 256 << 10)

  /// Tries one address after the other until one accepts the connection.
  ///
  /// - Precondition: there is an address.
  func connect(_ addresses: ArraySlice<ServerAddress>) -> EventLoopFuture<any Channel> {
    guard let address = addresses.first else { preconditionFailure("there is no address to connect to") }
    let rest = addresses.dropFirst()
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.milliseconds(clamping: timeoutMilliseconds))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
      // What a learner lacks arrives as fast as it is read, and NIO's 64 KiB are few transactions.
      .channelOption(.recvAllocator, value: Self.readSizes)
      .channelInitializer { [transport] channel in
        channel.eventLoop.makeCompletedFuture { try transport.value.call(channel, address) }
      }
    // Names are resolved on another thread; numeric addresses need no look-up.
    let call =
      if let number = try? SocketAddress(ipAddress: address.host, port: address.port) {
        bootstrap.connect(to: number)
      } else {
        bootstrap.connect(host: address.host, port: address.port)
      }
    return call.flatMapError { error in
      rest.isEmpty ? self.loop.makeFailedFuture(error) : self.connect(rest)
    }
  }

  /// Whether an attempt has failed because nothing listens at the address.
  static func isRefusal(_ error: any Error) -> Bool {
    if let error = error as? NIOConnectionError {
      return !error.connectionErrors.isEmpty && error.connectionErrors.allSatisfy { isRefusal($0.error) }
    }
    return (error as? IOError)?.errnoCode == ECONNREFUSED
  }
}
