import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import TransportSecurity
import ZooKeeperProtocol

/// The HTTP servers for administrators and for Prometheus.
///
/// They run on the server's event loop, so a report is made between two requests, and its view of the tree is
/// consistent.
final class AdminServer: Sendable {
  private let channel: any Channel

  /// The port that is listened on.
  var port: Int { channel.localAddress?.port ?? 0 }

  private init(_ channel: any Channel) { self.channel = channel }

  /// How connections to a port are encrypted.
  struct Encryption: Sendable {
    let port: PortEncryption
    /// Whether connections in the clear are accepted too.
    let isMixed: Bool
  }

  /// The largest number of connections: there are few administrators, and Prometheus keeps one connection.
  static let maximumConnections = 100

  /// Starts to listen; `answer` is called on the loop with each GET.
  ///
  /// - Parameters:
  ///   - purpose: the port's name, for messages.
  ///   - idleTimeout: how long a connection may take to complete a request, and to take the answer.
  ///   - encryption: nil for connections in the clear.
  ///   - receive: called on the loop with each POST, returns what takes its body; nil if a GET is needed.
  /// - Throws: a `ServerStartError` when the address cannot be bound.
  static func start(
    _ listening: Listening, _ address: ServerAddress, purpose: String, idleTimeout: TimeAmount,
    encryption: Encryption?, logger: Logger,
    receive: @escaping @Sendable (HTTPQuestion) -> (any HTTPBodyReceiver)? = { _ in nil },
    answer: @escaping @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  ) -> EventLoopFuture<AdminServer> {
    let limit = ConnectionLimit(maximumConnections, purpose: purpose, logger: logger)
    let bootstrap = ServerBootstrap.forPorts(on: listening.loop)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard limit.admit(channel) else { return }
          let handler = HTTPHandler(
            idleTimeout: idleTimeout, purpose: purpose, logger: logger, receive: receive, answer: answer)
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(handler)
          try encryption?.port.accept(channel, isMixed: encryption?.isMixed == true) { [weak handler] certificate in
            handler?.isEncrypted = true
            handler?.certificate = certificate
          }
        }
      }
    return listening.bind(bootstrap, address, purpose: purpose).map(AdminServer.init)
  }

  /// Stops listening. Answers that are being sent are completed.
  func stop() { channel.stopListening() }
}

/// A request, but for its body.
struct HTTPQuestion: Sendable {
  var path: String
  /// What follows the question mark in the target; empty if there is none.
  var query: Substring
  /// The content of the header `Authorization`.
  var authorization: String?
  /// The numeric address of the client.
  var address: String
  /// The certificate of the client; nil if it has shown none.
  var certificate: CertificateDetails?

  /// The value of a parameter of the query; nil if it is not there.
  func parameter(_ name: String) -> Substring? {
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0] == name { return parts.count > 1 ? parts[1] : "" }
    }
    return nil
  }
}

/// The answer to a request.
struct HTTPAnswer: Sendable {
  var status = HTTPResponseStatus.ok
  var contentType: String
  var headers: [(name: String, value: String)] = []
  var body: String
  /// A file that is sent instead of `body`.
  var file: AnsweredFile?

  /// An answer in JSON.
  static func json(_ body: String) -> HTTPAnswer { HTTPAnswer(contentType: "application/json", body: body) }

  /// The answer for an unknown path.
  static let notFound = HTTPAnswer(status: .notFound, contentType: "text/plain", body: "Not found\n")
}
