import NIOCore
import NIOPosix
import ZooKeeperProtocol

/// Calls another server.
struct OutboundCall: Sendable {
  let loop: any EventLoop
  let timeoutMilliseconds: Int

  /// Calls one address after the other until one answers.
  ///
  /// - Precondition: there is an address.
  func connect(_ addresses: ArraySlice<HostAndPort>) -> EventLoopFuture<any Channel> {
    guard let address = addresses.first else { preconditionFailure("there is no address to call") }
    let rest = addresses.dropFirst()
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.milliseconds(clamping: timeoutMilliseconds))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
    // Names are looked up on a thread of their own; numbers need none.
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
}
