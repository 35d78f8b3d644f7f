import Jute
import Logging
import NIOCore
import NIOPosix
import Zab
import ZooKeeperProtocol

/// The connections on which servers exchange their votes.
///
/// There is one for each pair of servers, which the server with the larger id opens. A server that wants to talk to one
/// with a larger id connects, identifies itself and closes the connection; the other one then connects back. Only the
/// newest message waits for a connection: an earlier vote is of no use once it has been changed.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumCnxManager`; `QuorumProtocol` A.1.
///
/// *Thread*: the server's event loop.
final class ElectionPort: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// What the port reports to the driver.
  struct Events {
    let onMessage: (ElectionNotification, ServerID) -> Void
    /// Nothing listens at the election port of a server that a message is for.
    let onRefused: (ServerID) -> Void
  }

  private struct Peer {
    var channel: (any Channel)?
    var waiting: [UInt8]?
    /// The last message for the server, whether or not it has been sent.
    var last: [UInt8]?
    /// When a message was sent on a connection.
    var sentLast = NIODeadline.distantPast
    var isDialing = false
    /// When the connection was opened.
    var connectedSince = NIODeadline.distantPast
    /// The number of connection attempts that have failed in a row.
    var failedCalls = 0
    /// The addresses in its greeting, which are used if the configuration has none.
    var announced: [ServerAddress] = []
    /// What a slow link holds back on `channel`; nil while it is not slow.
    var line: DelayLine?
  }

  /// The number of connection attempts that follow quickly; later ones wait for the next notification.
  private static let quickCallCount = 4
  /// The largest number of inbound connections. Each has a limited time to identify itself.
  private static let maximumConnections = 1000
  /// How far apart two connections can be that two servers have opened to each other at the same time.
  private static let crossing = TimeAmount.milliseconds(300)
  /// For how long a message may be on its way, so that it is lost when its connection ends.
  private static let flight = TimeAmount.milliseconds(300)

  private let id: ServerID
  private let settings: ServerConfiguration.Ensemble
  private var members: QuorumConfiguration
  private let transport: PeerTransport
  private let links: FaultyLinks
  private let tap: MessageTap
  private let loop: any EventLoop
  private let logger: Logger
  private let events: Events
  private var listeners: [any Channel] = []
  private var peers: [ServerID: Peer] = [:]
  private var isStopped = false
  /// Servers with which traffic is blocked, to simulate a network partition.
  var severed: Set<ServerID> = [] {
    didSet { for server in severed { disconnect(server) } }
  }

  init(
    _ settings: ServerConfiguration.Ensemble, _ transport: PeerTransport, _ links: FaultyLinks, _ tap: MessageTap,
    loop: any EventLoop, logger: Logger, events: Events
  ) {
    id = settings.serverID
    self.settings = settings
    members = settings.quorum
    self.transport = transport
    self.links = links
    self.tap = tap
    self.loop = loop
    self.logger = logger
    self.events = events
  }

  /// For a connection, which keeps the port as long as it exists.
  private var reports: ElectionConnection.Reports {
    ElectionConnection.Reports(
      onGreeting: { self.onGreeting($0, $1) }, onNotification: { self.onNotification($0, from: $1) },
      onClosed: { self.onClosed($0, of: $1) }, onBadBytes: { self.onBadBytes($0, $1) },
      onError: { self.onError($0, on: $1) }, gate: { self.gate() })
  }

  /// Listens on this server's election addresses.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    let limit = ConnectionLimit(Self.maximumConnections, purpose: "the election port", logger: logger)
    let bootstrap = ServerBootstrap.forPorts(on: loop)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          guard limit.admit(channel) else { return }
          try transport.accept(channel)
          try channel.pipeline.syncOperations.addHandler(ElectionConnection(peer: nil, limits: settings, reports))
        }
      }
    let addresses = settings.ownMember.addresses.map(\.election)
    return EventLoopFuture.andAllSucceed(
      addresses.map { address in
        let host = settings.times.listensEverywhere ? "0.0.0.0" : address.host
        return listening.bind(
          bootstrap, ServerAddress(host: host, port: address.port), purpose: "the election port"
        ).map { [self] in listeners.append($0) }
      }, on: loop)
  }

  /// Uses the addresses of these members from now on, and closes connections to removed servers.
  func configurationChanged(_ configuration: QuorumConfiguration) {
    members = configuration
    for server in peers.keys where configuration.member(server) == nil { disconnect(server) }
  }

  /// Closes the port and all connections.
  func stop() {
    isStopped = true
    for listener in listeners { listener.stopListening() }
    for peer in peers.values {
      peer.line?.cancel()
      peer.channel?.close(promise: nil)
    }
  }

  /// Sends a message as soon as there is a connection, unless a newer one replaces it before.
  func send(_ notification: ElectionNotification, to server: ServerID) {
    guard !isStopped, !severed.contains(server) else { return }
    tap.onEvent?(.sent(.vote(notification), to: server))
    var writer = JuteWriter()
    let start = writer.reserveFrame()
    notification.encode(into: &writer)
    writer.finishFrame(at: start)
    let message = writer.takeBytes()
    peers[server, default: Peer()].last = message
    if let channel = peers[server]?.channel, channel.isActive {
      deliver(message, on: channel, to: server)
    } else {
      peers[server, default: Peer()].waiting = message
      dial(server)
    }
  }

  private func dial(_ server: ServerID) {
    guard !isStopped, peers[server]?.isDialing != true, !severed.contains(server) else { return }
    let configured = members.member(server)?.addresses.map(\.election) ?? []
    let addresses = configured.isEmpty ? peers[server]?.announced ?? [] : configured
    guard !addresses.isEmpty else { return }
    peers[server, default: Peer()].isDialing = true
    call(addresses, timeoutMilliseconds: settings.times.connectTimeoutMilliseconds).whenComplete { [self] result in
      peers[server]?.isDialing = false
      let channel: any Channel
      switch result {
      case .success(let opened): channel = opened
      case .failure(let error):
        // Of several addresses only the last one's error is known.
        if addresses.count == 1, OutboundCall.isRefusal(error) { events.onRefused(server) }
        return onCallFailed(server)
      }
      peers[server]?.failedCalls = 0
      guard !isStopped, !severed.contains(server) else { return channel.close(promise: nil) }
      let greeting = ElectionGreeting(serverID: id, addresses: settings.ownMember.addresses.map(\.election))
      channel.writeAndFlush(ByteBuffer(bytes: greeting.encoded)).whenComplete { [self] result in
        if case .failure(let error) = result { return onGreetingFailed(error, channel) }
        logIn(channel, to: server, host: addresses[0].host)
      }
    }
  }

  /// Authenticates to the other server if the configuration says so, and uses the connection that it was greeted on.
  private func logIn(_ channel: any Channel, to server: ServerID, host: String) {
    let use: () throws -> Void = { [self] in
      peers[server]?.isDialing = false
      // The server with the larger id opens the connection, and knows from the greeting that it must.
      if server > id || isStopped { return channel.close(promise: nil) }
      try channel.pipeline.syncOperations.addHandler(ElectionConnection(peer: server, limits: settings, reports))
      // A server that is called back may wait for the first message before it says anything: only that shows it that
      // this one does not authenticate. Apache's servers repeat their last message too.
      if let peer = peers[server], peer.waiting == nil { peers[server]?.waiting = peer.last }
      adopt(channel, of: server)
    }
    do {
      guard let authentication = settings.authentication, authentication.logsIn else { return try use() }
      let gate = QuorumAuthGate(
        .loggingIn(authentication, host: host), limit: settings.authenticationLimit, logger: logger)
      peers[server]?.isDialing = true
      gate.onPassed = use
      gate.onRefused = { [weak self] in
        self?.peers[server]?.isDialing = false
        self?.onCallFailed(server)
      }
      try channel.pipeline.syncOperations.addHandler(gate)
    } catch {
      channel.close(promise: nil)
    }
  }

  /// The gate that an inbound connection passes after its greeting; nil if servers do not authenticate.
  private func gate() -> QuorumAuthGate? {
    settings.authentication.map {
      QuorumAuthGate(.accepting($0, settings.quorum), limit: settings.authenticationLimit, logger: logger)
    }
  }

  /// Gives up a connection on which not even the greeting could be sent, as without a common idea of encryption.
  private func onGreetingFailed(_ error: any Error, _ channel: any Channel) {
    onError(error, on: channel)
    channel.close(promise: nil)
  }

  /// Connects again soon, a few times: a server that was started at the same time may not listen yet. After that, the
  /// next notification for the server causes the next attempt.
  private func onCallFailed(_ server: ServerID) {
    let failedCalls = peers[server]?.failedCalls ?? 0
    peers[server]?.failedCalls = failedCalls + 1
    guard failedCalls < Self.quickCallCount, !isStopped else { return }
    loop.scheduleTask(in: .milliseconds(10 << Int64(failedCalls))) { [weak self] in
      guard let self, peers[server]?.waiting != nil, peers[server]?.channel == nil else { return }
      dial(server)
    }
  }

  private func call(_ addresses: [ServerAddress], timeoutMilliseconds: Int) -> EventLoopFuture<any Channel> {
    OutboundCall(
      loop: loop, timeoutMilliseconds: timeoutMilliseconds, transport: NIOLoopBound(transport, eventLoop: loop)
    ).connect(addresses[...])
  }

  private func adopt(_ channel: any Channel, of server: ServerID) {
    if let older = peers[server]?.channel, older !== channel { older.close(promise: nil) }
    dropDelayed(server)
    peers[server, default: Peer()].channel = channel
    peers[server]?.connectedSince = .now()
    if let waiting = peers[server]?.waiting {
      peers[server]?.waiting = nil
      deliver(waiting, on: channel, to: server)
    }
  }

  /// Sends a message now, or later on a slow link, unless a fault breaks the connection.
  private func deliver(_ bytes: [UInt8], on channel: any Channel, to server: ServerID) {
    peers[server]?.sentLast = .now()
    let line = peers[server]?.line
    guard links.isActive || line != nil else {
      return channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }
    if links.breaksConnection(to: server) {
      dropDelayed(server)
      return channel.close(promise: nil)
    }
    let delay = links.delay(to: server)
    if line == nil, delay <= .zero { return channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    let used = line ?? DelayLine(loop) { channel.writeAndFlush(ByteBuffer(bytes: $0), promise: nil) }
    peers[server]?.line = used
    used.send(bytes, after: delay)
  }

  /// Sends what slow links hold back.
  func releaseDelayed() {
    for server in peers.keys {
      peers[server]?.line?.releaseAll()
      peers[server]?.line = nil
    }
  }

  private func dropDelayed(_ server: ServerID) {
    peers[server]?.line?.cancel()
    peers[server]?.line = nil
  }

  private func disconnect(_ server: ServerID) {
    dropDelayed(server)
    peers[server]?.channel?.close(promise: nil)
    peers[server]?.channel = nil
    peers[server]?.waiting = nil
  }

  // MARK: Reports of connections

  /// Handles the greeting on an inbound connection.
  ///
  /// - Returns: whether the connection is used; false closes it.
  private func onGreeting(_ greeting: ElectionGreeting, _ channel: any Channel) -> Bool {
    let server = greeting.serverID
    guard server != id, !severed.contains(server), !isStopped else { return false }
    peers[server, default: Peer()].announced = greeting.addresses
    if server < id {
      // Two servers that are started together connect to each other at the same time. A connection that was opened just
      // now is the one that the other server asks for, and may carry a vote already.
      if hasJustConnected(server) { return false }
      disconnectKeepingWaiting(server)
      dial(server)
      return false
    }
    adopt(channel, of: server)
    return true
  }

  private func hasJustConnected(_ server: ServerID) -> Bool {
    guard let peer = peers[server], peer.channel?.isActive == true else { return false }
    return NIODeadline.now() - peer.connectedSince < Self.crossing
  }

  private func disconnectKeepingWaiting(_ server: ServerID) {
    dropDelayed(server)
    peers[server]?.channel?.close(promise: nil)
    peers[server]?.channel = nil
  }

  /// Passes on the vote of another server.
  private func onNotification(_ notification: ElectionNotification, from server: ServerID) {
    guard !severed.contains(server) else { return }
    tap.onEvent?(.received(.vote(notification), from: server))
    events.onMessage(notification, server)
  }

  /// Says why a connection could not be encrypted. Its end is reported separately.
  private func onError(_ error: any Error, on channel: any Channel) {
    guard let reason = PeerTransport.reason(error, on: channel) else { return }
    logger.warning(
      "closing an election connection",
      metadata: ["peer": "\(channel.remoteAddress.map { "\($0)" } ?? "?")", "reason": "\(reason)"])
  }

  /// Removes a connection that has ended, and connects again if a message was lost with it.
  ///
  /// Servers that lose their leader often send it their votes before they notice that this connection has ended too.
  /// The next attempt shows whether its process has. A new connection that ends at once is not replaced.
  private func onClosed(_ channel: any Channel, of server: ServerID) {
    guard let peer = peers[server], peer.channel === channel else { return }
    dropDelayed(server)
    peers[server]?.channel = nil
    let now = NIODeadline.now()
    guard now - peer.sentLast < Self.flight, now - peer.connectedSince > Self.crossing else { return }
    peers[server]?.waiting = peer.last
    dial(server)
  }

  /// Closes a connection on which something invalid has arrived. The server goes on.
  private func onBadBytes(_ error: JuteError, _ channel: any Channel) {
    logger.warning(
      "closing an election connection",
      metadata: ["peer": "\(channel.remoteAddress.map { "\($0)" } ?? "?")", "reason": "\(error)"])
    channel.close(promise: nil)
  }
}
