import EnsembleCore
import Logging
import NIOCore
import NIOPosix
import ServerCore
import TransportSecurity
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The clients' ports, and their connections.
///
/// *Thread*: the event loop.
final class ClientListener: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// How long a connection may exist without a session, or take to accept its last output.
  private static let patience = TimeAmount.seconds(10)
  /// How long clients wait for a server that has lost its leader, or has just started, to find one. An election takes a
  /// part of it. A client that is sent away tries again at once, and uses the processor that the election needs.
  private static let electionPatience = TimeAmount.milliseconds(500)
  /// How many connections are sent to in a turn, and in each later one. A send takes some 5 us.
  private static let pieceCount = 500
  /// How many connections are closed, or begin, in a turn. Each takes some 50 us, and an election has several messages,
  /// each of which waits for one of these turns.
  private static let closedAtOnceCount = 20

  let served: ServedCore
  /// Answers a four-letter word with its argument. Set by the owner before the port is opened.
  var onWord: ((String, Int64?) -> EventLoopFuture<String>)?
  /// The port that clients connect to, once it is open; 0 if there is none for connections in the clear.
  private(set) var port = 0
  /// The port of encrypted connections, once it is open; 0 if there is none.
  private(set) var securePort = 0
  private let configuration: ServerConfiguration
  private let turns: TurnLoop
  private let loop: any EventLoop
  private let logger: Logger
  private let encryption: PortEncryption?
  /// Logs clients in by SASL; nil if they cannot.
  private let authenticator: SASLAuthenticator?
  private var channels: [any Channel] = []
  private var handlers: [UInt64: ServerConnectionHandler] = [:]
  private var connectionsByAddress: [String: Int] = [:]
  private let audit: AuditLog?
  private let metrics: ServerMetrics
  /// The connections with output for which a turn had no time.
  private var unsent = CircularBuffer<ServerConnectionHandler>()
  private var isSendingMore = false
  private var withLargeOutput: [ServerConnectionHandler] = []
  private lazy var leaving = ConnectionPieces(loop, count: Self.closedAtOnceCount) { $0.close() }
  private lazy var resuming = ConnectionPieces(loop, count: Self.closedAtOnceCount) { $0.stopWaiting() }
  /// Until when clients that come while none are served wait.
  private var patienceEnd = NIODeadline.now()
  private var isPatienceTimed = false
  private var isThrottling = false
  private var isDraining = false
  private var isStopped = false

  init(
    _ configuration: ServerConfiguration, _ served: ServedCore, _ turns: TurnLoop, _ encryption: PortEncryption?,
    audit: AuditLog?, metrics: ServerMetrics, loop: any EventLoop, logger: Logger
  ) {
    self.metrics = metrics
    self.configuration = configuration
    self.served = served
    self.turns = turns
    self.encryption = encryption
    self.audit = audit
    self.loop = loop
    self.logger = logger
    authenticator = configuration.sasl.map { SASLAuthenticator($0, loop: loop, logger: logger) }
    served.onAuthFailure = { [unowned self] in onAuthFailure($0, scheme: $1) }
  }

  /// What is spoken on a port.
  private enum Encryption {
    case none, always, either
  }

  /// Opens the ports.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    DescriptorBudget.shared.measure()
    patienceEnd = .now() + Self.electionPatience
    var opening: [EventLoopFuture<Void>] = []
    if configuration.opensClientPort {
      let address = ServerAddress(host: configuration.clientAddress, port: configuration.clientPort)
      opening.append(
        listen(
          listening, address, configuration.clientTLS.acceptsBoth ? .either : .none, purpose: "the client port"
        ).map { [self] in port = $0 })
    }
    if let securePort = configuration.secureClientPort {
      let address = ServerAddress(host: configuration.secureClientAddress, port: securePort)
      opening.append(
        listen(listening, address, .always, purpose: "the secure client port").map { [self] in self.securePort = $0 })
    }
    return EventLoopFuture.andAllSucceed(opening, on: loop)
  }

  private func listen(
    _ listening: Listening, _ address: ServerAddress, _ encryption: Encryption, purpose: String
  ) -> EventLoopFuture<Int> {
    let bootstrap = ServerBootstrap.forPorts(on: loop, backlog: configuration.listenBacklog)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try Self.setOptions(of: channel)
          try accept(channel, encryption)
        }
      }
    return listening.bind(bootstrap, address, purpose: purpose).map { [self] channel in
      channels.append(channel)
      return channel.localAddress?.port ?? 0
    }
  }

  /// Closes the ports and all connections.
  func stop() {
    isStopped = true
    for channel in channels { channel.stopListening() }
    for handler in handlers.values { handler.close() }
    authenticator?.stop()
  }

  // MARK: The end

  /// Stops accepting connections and reading requests. Requests that were read are answered.
  func beginDraining() {
    isDraining = true
    for channel in channels { channel.stopListening() }
    channels = []
    for handler in handlers.values { handler.setThrottled(true) }
  }

  /// Whether all requests that were read are answered.
  var isDrained: Bool { served.core.counters.outstandingRequests == 0 }

  /// Sends the answers, and ends this server's side of all connections.
  func closeInOrder() {
    flush(all: true)
    for handler in handlers.values { handler.closeInOrder() }
  }

  /// Whether clients have connections.
  var hasConnections: Bool { !handlers.isEmpty }

  // MARK: Connections

  /// Sets up a connection. A bootstrap does the same with futures, which took a fifth of what a session costs.
  private static func setOptions(of channel: any Channel) throws {
    guard let options = channel.syncOptions else { preconditionFailure("a socket's channel has options") }
    try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
    try options.setOption(.allowRemoteHalfClosure, value: true)
    // Every connection keeps its buffer, so it is small until the client has sent much at a time.
    try options.setOption(
      .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 128, initial: 128, maximum: 65_536))
    try options.setOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
  }

  private func accept(_ channel: any Channel, _ spoken: Encryption) throws {
    let address = channel.remoteAddress?.peerAddress ?? "127.0.0.1"
    let count = connectionsByAddress[address, default: 0]
    let isOver =
      (configuration.maximumConnectionsPerAddress > 0 && count >= configuration.maximumConnectionsPerAddress)
      || (configuration.maximumConnections > 0 && handlers.count >= configuration.maximumConnections)
    guard !isStopped, !isDraining else { return channel.close(promise: nil) }
    guard !isOver, DescriptorBudget.shared.take(for: channel) else {
      metrics.rejectedConnections += 1
      logger.warning(
        "too many connections",
        metadata: [
          "client": "\(address)", "connections": .stringConvertible(count),
          "total": .stringConvertible(handlers.count),
        ])
      return channel.close(promise: nil)
    }
    let port = channel.remoteAddress?.port ?? 0
    let connection = served.core.accept(address: address)
    let text = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    let handler = ServerConnectionHandler(
      connection, remoteAddress: text, served, turns, maximumFrameBytes: configuration.maximumFrameBytes,
      mayBeEncrypted: spoken != .none, logger: logger, owner: self)
    handlers[connection.number] = handler
    connectionsByAddress[address] = count + 1
    if spoken == .none { countWithoutCertificate(address) }
    if spoken != .none {
      // A port that was to be encrypted must not be served in the clear.
      guard let encryption else { preconditionFailure("a port with TLS has no keys") }
      try encryption.accept(channel, isMixed: spoken == .either) { [self, weak handler] certificate in
        guard let certificate else { return countWithoutCertificate(address) }
        handler?.identify(configuration.features.x509Identity.identity(of: certificate))
      }
    }
    try channel.pipeline.syncOperations.addHandler(handler)
    logger.debug("a client has connected", metadata: ["client": "\(text)"])
  }

  private func onAuthFailure(_ connection: ClientConnection, scheme: String) {
    logger.warning(
      "a client could not prove who it is",
      metadata: [
        "client": "\(handlers[connection.number]?.remoteAddress ?? connection.address)", "scheme": "\(scheme)",
        "session": "\(connection.sessionID)",
      ])
  }

  private func countWithoutCertificate(_ address: String) {
    let isLocal = address == "::1" || address.hasPrefix("127.")
    if isLocal {
      metrics.localConnectionsWithoutCertificate += 1
    } else {
      metrics.remoteConnectionsWithoutCertificate += 1
    }
  }

  /// Sends the core's output to its clients; to all of them, or at most to as many as a turn has time for.
  ///
  /// The clients that were added last are the first: a client that has written something comes after the thousands of
  /// others whose watches that has triggered.
  func flush(all: Bool = false) {
    if served.core.hasSASLRequests { authenticate() }
    let touched = served.core.takeTouched()
    if unsent.isEmpty, touched.count <= Self.pieceCount {
      for connection in touched { handlers[connection.number]?.flush() }
      return
    }
    for connection in touched {
      guard let handler = handlers[connection.number], !handler.isUnsent else { continue }
      handler.isUnsent = true
      unsent.append(handler)
    }
    for _ in 0..<(all ? unsent.count : min(unsent.count, Self.pieceCount)) { send(to: unsent.popLast()) }
    sendMore()
  }

  private func send(to handler: ServerConnectionHandler?) {
    handler?.isUnsent = false
    handler?.flush()
  }

  /// Sends to the clients that have waited longest, after what has arrived meanwhile.
  private func sendMore() {
    guard !unsent.isEmpty, !isSendingMore else { return }
    isSendingMore = true
    loop.assumeIsolated().scheduleTask(in: TurnLoop.breath) { [self] in
      isSendingMore = false
      for _ in 0..<min(unsent.count, Self.pieceCount) { send(to: unsent.popFirst()) }
      sendMore()
    }
  }

  /// Handles requests that waited until fewer were unanswered.
  func admitWaitingRequests() {
    let core = served.core
    guard core.hasWaitingRequests else { return }
    if core.admitWaitingRequests(served.clock.now) { turns.schedule() }
  }

  /// Passes the clients' tokens to their exchanges.
  private func authenticate() {
    let core = served.core
    for request in core.takeSASLRequests() {
      let connection = request.connection
      let client = handlers[connection.number]?.remoteAddress ?? connection.address
      guard let authenticator else { core.answerSASL(connection, .refused, served.clock.now); continue }
      authenticator.handle(request.token, of: connection.number, client: client) {
        [turns, clock = served.clock] answer in
        core.answerSASL(connection, answer, clock.now)
        // Requests that waited for the answer may have become proposals.
        turns.schedule()
      }
    }
  }

  /// Releases the memory of large answers that were sent a while ago. 10,000 clients, each of which has once listed the
  /// children of a large znode, would otherwise occupy that much for as long as they are connected.
  func releaseMemory() { withLargeOutput.removeAll { $0.releaseMemory() } }

  /// Closes connections that only occupy resources: those that did not ask for a session in time, whatever else they
  /// have sent, and those that do not accept their last output.
  func closeSilentConnections() {
    let now = NIODeadline.now()
    for handler in handlers.values where handler.connection.sessionID == .none || handler.isClosing {
      let since = handler.isClosing ? handler.lastHeard : handler.acceptedAt
      guard now - since > Self.patience else { continue }
      if !handler.isClosing { metrics.sessionlessConnectionsExpired += 1 }
      handler.close()
    }
  }

  /// Stops reading connections with unanswered requests while there are too many such requests, and all connections
  /// while too much waits to be written to the audit log.
  func updateThrottling() {
    let isBehind = audit?.isBehind == true
    let isOver = isBehind || served.core.counters.outstandingRequests > configuration.outstandingLimit
    guard isOver || isThrottling, !isDraining else { return }
    isThrottling = isOver
    for handler in handlers.values {
      handler.setThrottled(isOver && (isBehind || handler.connection.outstandingCount > 0))
    }
  }

  /// The handler of one of the core's connections; nil when the connection has ended.
  func handler(of connection: ClientConnection) -> ServerConnectionHandler? { handlers[connection.number] }

  /// The number of connections with a session.
  var sessionConnectionCount: Int { handlers.values.count { $0.connection.sessionID != .none } }

  // MARK: Changes of role

  /// Serves clients with the core of a leader or learner from now on.
  func startServing(_ core: ServerCore) {
    guard !isStopped else { return }
    served.serve(core)
    moveSilentConnections()
  }

  /// Serves the clients of a standalone server from another state from now on.
  func startServing(_ state: RecoveredState) {
    guard !isStopped else { return }
    served.serve(state)
    moveSilentConnections()
  }

  /// Serves read-only clients, while the member has no quorum.
  func startServingReaders(_ state: RecoveredState) {
    guard !served.isServing, !isStopped else { return }
    served.serveReaders(state)
    moveSilentConnections()
  }

  /// Moves connections on which nothing has arrived yet to the new core. All others are being closed.
  private func moveSilentConnections() {
    let silent = handlers.values.filter { !$0.hasSpoken && !$0.isClosing }
      .sorted { $0.connection.number < $1.connection.number }
    for handler in silent {
      handlers[handler.connection.number] = nil
      handler.rebind(
        served.core.accept(address: handler.connection.address, certificateSubject: handler.certificateSubject))
      handlers[handler.connection.number] = handler
    }
    resuming.add(silent)
  }

  /// Closes all connections, because the member has lost its role and clients must try another server.
  func stopServing() {
    guard served.isServing else { return }
    // Answers that were made before the role was lost are valid, so they are sent.
    flush(all: true)
    // 10,000 connections take half a second to close, and the election should not wait for that. Clients that wait for
    // an answer learn first that none will come.
    let all = handlers.values.sorted { $0.connection.number < $1.connection.number }
    let waiting = all.filter { $0.connection.outstandingCount > 0 }
    let idle = all.filter { $0.connection.outstandingCount == 0 }
    for handler in all { handler.abandon() }
    leaving.add(waiting + idle)
    served.serveNobody()
    patienceEnd = .now() + Self.electionPatience
  }

  /// Sends the clients away that have waited long enough.
  private func endPatience() {
    isPatienceTimed = true
    loop.assumeIsolated().scheduleTask(deadline: patienceEnd) { [self] in
      isPatienceTimed = false
      guard !served.isServing, !isStopped else { return }
      // The role may have been lost once more meanwhile.
      if NIODeadline.now() < patienceEnd { return endPatience() }
      resuming.add(handlers.values.filter { !$0.hasSpoken }.sorted { $0.connection.number < $1.connection.number })
    }
  }
}

extension ClientListener: ServerConnectionOwner {
  /// Answers a four-letter word.
  func answer(to word: String, argument: Int64?) -> EventLoopFuture<String> {
    onWord?(word, argument) ?? loop.makeSucceededFuture("")
  }

  /// Removes a connection that has ended.
  func onDisconnected(_ handler: ServerConnectionHandler) {
    logger.debug(
      "a client has disconnected",
      metadata: ["client": "\(handler.remoteAddress)", "session": "\(handler.connection.sessionID)"])
    // A client that ends its session is closed by the core.
    if handler.connection.state == .open { metrics.droppedConnections += 1 }
    handlers[handler.connection.number] = nil
    let address = handler.connection.address
    connectionsByAddress[address] = connectionsByAddress[address].flatMap { $0 > 1 ? $0 - 1 : nil }
    served.core.disconnected(handler.connection)
    authenticator?.forget(handler.connection.number)
    if !isStopped { turns.schedule() }
  }

  /// Releases the memory of a large answer a second or two later.
  func onLargeOutput(_ handler: ServerConnectionHandler) { withLargeOutput.append(handler) }

  /// Whether a client waits for this server to find its role: it has only just lost the last one.
  func mayWait(_ handler: ServerConnectionHandler) -> Bool {
    guard !isStopped, !isDraining, NIODeadline.now() < patienceEnd else { return false }
    if !isPatienceTimed { endPatience() }
    return true
  }

  /// Counts a client that is sent to another server.
  func onRefused(_ handler: ServerConnectionHandler) { metrics.connectionsWhileNotServing += 1 }

  /// Counts a connection that could not be encrypted.
  func onFailedHandshake(_ handler: ServerConnectionHandler) { metrics.failedHandshakes += 1 }
}
