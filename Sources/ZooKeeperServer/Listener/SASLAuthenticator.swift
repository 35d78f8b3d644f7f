import GSSAPI
import Logging
import NIOCore
import NIOPosix
import SASL
import ServerCore

/// Carries out the SASL exchanges of a server's clients.
///
/// DIGEST-MD5 is computed at once. Kerberos reads and writes files, so that its steps run on another thread; a
/// connection has at most one step under way.
///
/// *Thread*: the event loop.
final class SASLAuthenticator: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only, except for exchanges that a step has on the thread.

  private enum Exchange {
    case digest(DigestMD5Server)
    case kerberos(GSSAPIServer)
  }

  private let login: ServerConfiguration.SASLLogin
  private let loop: any EventLoop
  private let logger: Logger
  private var exchanges: [UInt64: Exchange] = [:]
  private lazy var threads: NIOThreadPool = {
    let threads = NIOThreadPool(numberOfThreads: 1)
    threads.start()
    hasThreads = true
    return threads
  }()
  private var hasThreads = false

  init(_ login: ServerConfiguration.SASLLogin, loop: any EventLoop, logger: Logger) {
    self.login = login
    self.loop = loop
    self.logger = logger
  }

  /// Checks that the server can log in, before it serves.
  ///
  /// - Throws: the reason why it cannot.
  static func check(_ login: ServerConfiguration.SASLLogin) throws(SASLError) {
    if case .kerberos(let login) = login.method { try Kerberos.check(acceptor: login) }
  }

  /// Handles a client's token.
  ///
  /// - Parameter client: the client's address, for the log.
  /// - Parameter completion: gets the answer, now or later.
  func handle(
    _ token: [UInt8], of connection: UInt64, client: String, _ completion: @escaping (SASLAnswer) -> Void
  ) {
    switch exchanges[connection] ?? begin() {
    case .digest(var server):
      let result = Result { () throws(SASLError) in
        let step = try server.step(token) { login.password(of: $0) }
        return try self.answer(step, name: server.user, defaultRealm: nil)
      }
      exchanges[connection] = .digest(server)
      completion(report(result, client: client))
    case .kerberos(let server):
      exchanges[connection] = .kerberos(server)
      threads.runIfActive(eventLoop: loop) { [self] in
        Result { () throws(SASLError) in
          let step = try server.step(token)
          return try answer(step, name: server.principal, defaultRealm: try Kerberos.defaultRealm())
        }
      }.assumeIsolated().whenSuccess { [self] result in completion(report(result, client: client)) }
    }
  }

  /// Drops the exchange of a connection that has ended.
  func forget(_ connection: UInt64) { exchanges[connection] = nil }

  /// Ends the thread. Steps under way get no answer.
  func stop() {
    exchanges = [:]
    if hasThreads { threads.shutdownGracefully { _ in } }
  }

  private func begin() -> Exchange {
    switch login.method {
    case .digest: .digest(DigestMD5Server(nonce: Nonce.make()))
    case .kerberos(let login): .kerberos(GSSAPIServer(login))
    }
  }

  /// What the core is told about a step.
  private func answer(_ step: SASLStep, name: String?, defaultRealm: String?) throws(SASLError) -> SASLAnswer {
    switch step {
    case .reply(let token): return .reply(token)
    case .complete(let token):
      var rules = login.names
      rules.defaultRealm = defaultRealm
      guard let name, let id = rules.identity(of: name) else {
        throw SASLError(.notAuthentic, "the name \(name ?? "") cannot be an identity")
      }
      return .complete(token, id: id)
    }
  }

  private func report(_ result: Result<SASLAnswer, SASLError>, client: String) -> SASLAnswer {
    switch result {
    case .success(let answer):
      if case .complete(_, let id) = answer {
        logger.info("a client has logged in", metadata: ["client": "\(client)", "sasl": "\(id)"])
      }
      return answer
    case .failure(let error):
      logger.warning("a client cannot log in", metadata: ["client": "\(client)", "reason": "\(error)"])
      return .refused
    }
  }
}

/// Numbers that are never the same again, for DIGEST-MD5.
enum Nonce {
  /// 192 random bits, as text that needs no quoting.
  static func make() -> String {
    (0..<3).map { _ in
      let digits = String(UInt64.random(in: .min ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
