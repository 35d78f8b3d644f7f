package import NIOCore
package import NIOPosix
import TransportSecurity
package import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension ClientBootstrap {
  /// Connects to a server. If its name has several addresses, they are tried one after the other.
  package func connect(to address: ServerAddress) -> EventLoopFuture<any Channel> {
    // A literal address needs no resolver, which would cost a thread.
    if let literal = try? SocketAddress(ipAddress: address.host, port: address.port) { return connect(to: literal) }
    return connect(host: address.host, port: address.port)
  }
}

extension ConnectFailure.Reason {
  /// Translates an error with which NIO's attempt to connect has failed.
  package init(connecting error: any Error, limitMilliseconds: Int64) {
    self.init(error, limitMilliseconds: limitMilliseconds)
  }

  /// As `init(connecting:limitMilliseconds:)`.
  init(_ error: any Error, limitMilliseconds: Int64) {
    switch error {
    case let error as NIOConnectionError:
      if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
        self = .unresolved
      } else if let first = error.connectionErrors.last {
        self.init(first.error, limitMilliseconds: limitMilliseconds)
      } else {
        self = .network("no address could be reached")
      }
    case let error as IOError where error.errnoCode == ECONNREFUSED: self = .refused
    case let error as IOError: self = .network(String(cString: strerror(error.errnoCode)))
    case ChannelError.connectTimeout: self = .timedOut(connected: false, milliseconds: limitMilliseconds)
    case is SocketAddressError: self = .unresolved
    case let error as TLSFailure: self = .tls(error)
    default: self = .network("\(error)")
    }
  }
}
