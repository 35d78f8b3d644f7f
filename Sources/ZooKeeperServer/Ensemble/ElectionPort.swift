import Jute
import Logging
import NIOCore
import NIOPosix
import Zab
import ZooKeeperProtocol

/// The connections on which servers tell each other their votes.
///
/// There is one for each pair of servers, and the one with the larger id makes it: a server that wants to talk to a
/// larger one calls, says who it is, and is called back. Of what waits for a connection only the newest message is
/// kept: a vote that has been changed is worth nothing.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumCnxManager`; `QuorumProtocol` A.1.
///
/// *Thread*: the server's event loop.
final class ElectionPort: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private struct Peer {
    var channel: (any Channel)?
    var waiting: [UInt8]?
    var isDialing = false
    /// When the connection was made.
    var connectedSince = NIODeadline.distantPast
    /// Calls in a row that were not taken.
    var failedCalls = 0
    /// Where it says that it takes calls, if that is not in the configuration.
    var announced: [HostAndPort] = []
  }

  /// Calls that are repeated before the next round of the election.
  private static let quickCallCount = 4
  /// Calls at a time, of strangers too, of whom each has a short while to say who it is.
  private static let maximumConnections = 1000
  /// How far apart calls may be that have crossed each other.
  private static let crossing = TimeAmount.milliseconds(300)

  private let id: ServerID
  private let settings: ServerConfiguration.Ensemble
  private var members: QuorumConfiguration
  private let loop: any EventLoop
  private let logger: Logger
  private let onMessage: (ElectionNotification, ServerID) -> Void
  private var listeners: [any Channel] = []
  private var peers: [ServerID: Peer] = [:]
  private var isStopped = false
  /// Servers with which no word is exchanged: a sandbox's broken cable.
  var severed: Set<ServerID> = [] {
    didSet { for server in severed { disconnect(server) } }
  }

  init(
    _ settings: ServerConfiguration.Ensemble, loop: any EventLoop, logger: Logger,
    onMessage: @escaping (ElectionNotification, ServerID) -> Void
  ) {
    id = settings.serverID
    self.settings = settings
    members = settings.quorum
    self.loop = loop
    self.logger = logger
    self.onMessage = onMessage
  }

  /// Takes calls at this server's addresses.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    let limit = ConnectionLimit(Self.maximumConnections)
    let bootstrap = ServerBootstrap.forPorts(on: loop)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          guard limit.admit(channel) else { return }
          try channel.pipeline.syncOperations.addHandler(ElectionConnection(self, peer: nil, limits: settings))
        }
      }
    let addresses = settings.ownMember.addresses.map(\.election)
    return EventLoopFuture.andAllSucceed(
      addresses.map { address in
        let host = settings.times.listensEverywhere ? "0.0.0.0" : address.host
        return listening.bind(
          bootstrap, HostAndPort(host: host, port: address.port), purpose: "the election port"
        ).map { [self] in listeners.append($0) }
      }, on: loop)
  }

  /// Calls go to these members from now on; connections to servers that are none any more end.
  func configurationChanged(_ configuration: QuorumConfiguration) {
    members = configuration
    for server in peers.keys where configuration.member(server) == nil { disconnect(server) }
  }

  /// Ends all connections and takes no more calls.
  func stop() {
    isStopped = true
    for listener in listeners { listener.close(promise: nil) }
    for peer in peers.values { peer.channel?.close(promise: nil) }
  }

  /// Sends a message as soon as there is a connection, unless a newer one comes first.
  func send(_ notification: ElectionNotification, to server: ServerID) {
    guard !isStopped, !severed.contains(server) else { return }
    var writer = JuteWriter()
    let start = writer.reserveFrame()
    notification.encode(into: &writer)
    writer.finishFrame(at: start)
    if let channel = peers[server]?.channel, channel.isActive {
      channel.writeAndFlush(ByteBuffer(bytes: writer.bytes), promise: nil)
    } else {
      peers[server, default: Peer()].waiting = writer.bytes
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
      guard case .success(let channel) = result else { return onCallFailed(server) }
      peers[server]?.failedCalls = 0
      guard !isStopped, !severed.contains(server) else { return channel.close(promise: nil) }
      let greeting = ElectionGreeting(serverID: id, addresses: settings.ownMember.addresses.map(\.election))
      channel.writeAndFlush(ByteBuffer(bytes: greeting.encoded)).whenComplete { [self] _ in
        // The larger one makes the connection: it has been told that it is wanted.
        if server > id { return channel.close(promise: nil) }
        do {
          try channel.pipeline.syncOperations.addHandler(ElectionConnection(self, peer: server, limits: settings))
          adopt(channel, of: server)
        } catch {
          channel.close(promise: nil)
        }
      }
    }
  }

  /// A server that starts at the same time may not listen yet: it is called again soon, a few times. After that the
  /// next round of the election does it.
  private func onCallFailed(_ server: ServerID) {
    let failedCalls = peers[server]?.failedCalls ?? 0
    peers[server]?.failedCalls = failedCalls + 1
    guard failedCalls < Self.quickCallCount, !isStopped else { return }
    loop.scheduleTask(in: .milliseconds(10 << Int64(failedCalls))) { [weak self] in
      guard let self, peers[server]?.waiting != nil, peers[server]?.channel == nil else { return }
      dial(server)
    }
  }

  private func call(_ addresses: [HostAndPort], timeoutMilliseconds: Int) -> EventLoopFuture<any Channel> {
    OutboundCall(loop: loop, timeoutMilliseconds: timeoutMilliseconds).connect(addresses[...])
  }

  private func adopt(_ channel: any Channel, of server: ServerID) {
    if let older = peers[server]?.channel, older !== channel { older.close(promise: nil) }
    peers[server, default: Peer()].channel = channel
    peers[server]?.connectedSince = .now()
    if let waiting = peers[server]?.waiting {
      peers[server]?.waiting = nil
      channel.writeAndFlush(ByteBuffer(bytes: waiting), promise: nil)
    }
  }

  private func disconnect(_ server: ServerID) {
    peers[server]?.channel?.close(promise: nil)
    peers[server]?.channel = nil
    peers[server]?.waiting = nil
  }

  // MARK: What connections tell

  /// A caller has said who it is.
  ///
  /// - Returns: whether the connection stays.
  func onGreeting(_ greeting: ElectionGreeting, _ channel: any Channel) -> Bool {
    let server = greeting.serverID
    guard server != id, !severed.contains(server), !isStopped else { return false }
    peers[server, default: Peer()].announced = greeting.addresses
    if server < id {
      // Two that start at the same time call each other at the same time: what has just been connected, and may carry
      // a vote already, is what the other wants.
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
    peers[server]?.channel?.close(promise: nil)
    peers[server]?.channel = nil
  }

  /// Another server has told its vote.
  func onNotification(_ notification: ElectionNotification, from server: ServerID) {
    guard !severed.contains(server) else { return }
    onMessage(notification, server)
  }

  /// A connection is gone.
  func onClosed(_ channel: any Channel, of server: ServerID) {
    if peers[server]?.channel === channel { peers[server]?.channel = nil }
  }

  /// A connection brought what no server sends: it ends, and nothing else.
  func onBadBytes(_ error: JuteError, _ channel: any Channel) {
    logger.warning(
      "closing an election connection",
      metadata: ["peer": "\(channel.remoteAddress.map { "\($0)" } ?? "?")", "reason": "\(error)"])
    channel.close(promise: nil)
  }
}
