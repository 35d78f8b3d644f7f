import Logging
import NIOCore
import ZooKeeperProtocol

/// The HTTP ports for operators: the AdminServer's, and that of the metrics.
///
/// *Thread*: the event loop.
final class OperatorServers: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private let configuration: ServerConfiguration
  private let reporter: Reporter
  private let encryption: ServerEncryption
  private let logger: Logger
  private var servers: [AdminServer] = []
  /// The AdminServer's port; nil when there is none.
  private(set) var adminPort: Int?

  init(
    _ configuration: ServerConfiguration, _ reporter: Reporter, _ encryption: ServerEncryption, logger: Logger
  ) {
    self.configuration = configuration
    self.reporter = reporter
    self.encryption = encryption
    self.logger = logger
  }

  /// Opens the ports that are configured.
  ///
  /// - Returns: fails with a `ServerStartError` if the metrics' port cannot be opened.
  func start(_ listening: Listening) -> EventLoopFuture<Void> {
    var listening = listening
    // A server can work without these ports, so it does not wait for them indefinitely.
    if listening.retries == 0 { listening.retries = 3 }
    var starting: [EventLoopFuture<Void>] = []
    if configuration.admin.isEnabled { starting.append(startAdmin(configuration.admin, listening)) }
    if let metrics = configuration.metrics { starting += startMetrics(metrics, listening) }
    return EventLoopFuture.andAllSucceed(starting, on: listening.loop)
  }

  /// Closes the ports.
  func stop() { for server in servers { server.stop() } }

  private func startAdmin(_ admin: ServerConfiguration.Admin, _ listening: Listening) -> EventLoopFuture<Void> {
    let address = ServerAddress(host: admin.address, port: admin.port)
    let timeout = TimeAmount.milliseconds(clamping: admin.idleTimeoutMilliseconds)
    return AdminServer.start(
      listening, address, purpose: "the AdminServer's port", idleTimeout: timeout,
      encryption: encryption.ofAdmin.map { .init(port: $0, isMixed: !admin.requiresEncryption) }, logger: logger,
      receive: { [reporter] in reporter.receiver(ofAdmin: $0) }, answer: { [reporter] in reporter.answer(toAdmin: $0) }
    ).map { [self] server in
      servers.append(server)
      adminPort = server.port
    }.flatMapErrorThrowing { [logger] error in
      // As in Apache's ensembles, a port in use is no reason not to serve clients.
      let reason = ServerStartError(listening: error).message
      logger.warning("the AdminServer was not started", metadata: ["address": "\(address)", "reason": "\(reason)"])
    }
  }

  private func startMetrics(
    _ metrics: ServerConfiguration.Metrics, _ listening: Listening
  ) -> [EventLoopFuture<Void>] {
    let secure = encryption.ofMetrics.map { AdminServer.Encryption(port: $0, isMixed: metrics.tls.acceptsBoth) }
    var starting: [EventLoopFuture<Void>] = []
    if let port = metrics.port, !metrics.tls.acceptsBoth {
      starting.append(startMetrics(metrics.address, port, listening, nil))
    }
    if let port = metrics.securePort { starting.append(startMetrics(metrics.address, port, listening, secure)) }
    return starting
  }

  private func startMetrics(
    _ address: String, _ port: Int, _ listening: Listening, _ encryption: AdminServer.Encryption?
  ) -> EventLoopFuture<Void> {
    AdminServer.start(
      listening, ServerAddress(host: address, port: port), purpose: "the metrics port", idleTimeout: .seconds(30),
      encryption: encryption, logger: logger
    ) { [reporter, loop = listening.loop] question in
      guard question.path == "/metrics" else { return loop.makeSucceededFuture(.notFound) }
      return reporter.report(.metrics) {
        HTTPAnswer(contentType: "text/plain; version=0.0.4", body: Monitor.prometheus($0))
      }
    }.map { [self] in servers.append($0) }
  }
}
