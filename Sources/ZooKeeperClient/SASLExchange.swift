import GSSAPI
import NIOCore
import NIOPosix
import SASL
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One connection's SASL exchange: the mechanism, and where its steps run.
///
/// *Thread*: the event loop. The steps of Kerberos, which reads files and asks the KDC, run on a thread of NIO's pool.
final class SASLExchange: @unchecked Sendable {
  // @unchecked: touched on the event loop only, except for a step of Kerberos, of which there is one at a time.

  private let login: SASLLogin
  private let server: ServerAddress
  /// The numeric address of the server; nil if it has none.
  private let address: SocketAddress?
  private var digest: DigestMD5Client?
  private var kerberos: GSSAPIClient?

  init(_ login: SASLLogin, server: ServerAddress, address: SocketAddress?) {
    self.login = login
    self.server = server
    self.address = address
    if case .digest(let user, let password) = login.method {
      digest = DigestMD5Client(user: user, password: password, clientNonce: Self.nonce())
    }
  }

  /// Handles a token of the server; nil begins the exchange.
  func step(
    _ token: [UInt8]?, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<SASLStep, SASLError>) -> Void
  ) {
    guard digest == nil else { return completion(Result { () throws(SASLError) in try digestStep(token) }) }
    NIOSingletons.posixBlockingThreadPool.runIfActive(eventLoop: loop) { [self] in
      Result { () throws(SASLError) in try kerberosStep(token ?? []) }
    }.whenSuccess(completion)
  }

  private func digestStep(_ token: [UInt8]?) throws(SASLError) -> SASLStep {
    // The server begins; it is asked to by an empty message.
    guard let token else { return .reply([]) }
    return try digest!.step(token)
  }

  private func kerberosStep(_ token: [UInt8]) throws(SASLError) -> SASLStep {
    if kerberos == nil, case .kerberos(let login) = login.method { kerberos = GSSAPIClient(login, service()) }
    return try kerberos!.step(token)
  }

  /// The service that the connection leads to.
  ///
  /// *Source*: `org.apache.zookeeper.SaslServerPrincipal`.
  private func service() -> KerberosService {
    if let principal = login.servicePrincipal { return .principal(principal) }
    guard login.canonicalizesHostName else { return .principal(login.service + "/" + server.host) }
    return .onHost(login.service, address.flatMap(Self.hostName) ?? server.host)
  }

  /// The name of the host with an address; nil if the DNS has none.
  private static func hostName(of address: SocketAddress) -> String? {
    address.withSockAddr { pointer, size in
      var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let status = getnameinfo(
        pointer, socklen_t(size), &name, socklen_t(name.count), nil, 0, NI_NAMEREQD)
      guard status == 0 else { return nil }
      return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// 192 random bits, as text that needs no quoting.
  private static func nonce() -> String {
    (0..<3).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined(separator: ".")
  }
}
