import Synchronization
import ZooKeeperProtocol
import ZooKeeperServer

/// The messages between the servers of an ensemble, from `LocalEnsemble.startTrace` on.
///
/// ```swift
/// let trace = await ensemble.startTrace()
/// // ... write something ...
/// for event in trace.take().events where event.kind == .proposal { print(event.server, event.direction) }
/// await ensemble.end(trace)
/// ```
///
/// *Thread*: any.
public final class ConsensusTrace: Sendable {
  private struct Buffer {
    var events: [ConsensusEvent] = []
    var lostCount = 0
  }

  /// The maximum number of buffered events.
  public let limit: Int
  private let buffer = Mutex(Buffer())

  init(limit: Int) { self.limit = max(1, limit) }

  /// Takes the events since the last call, in order.
  ///
  /// - Returns: also the number of events that were lost because `limit` events were buffered.
  public func take() -> (events: [ConsensusEvent], lostCount: Int) {
    buffer.withLock { buffer in
      defer { buffer = Buffer() }
      return (buffer.events, buffer.lostCount)
    }
  }

  /// Buffers an event. If the buffer is full, the event is only counted.
  func add(_ event: ConsensusEvent) {
    buffer.withLock { buffer in
      if buffer.events.count < limit { buffer.events.append(event) } else { buffer.lostCount += 1 }
    }
  }
}

extension LocalEnsemble {
  /// Starts a trace of the messages between the servers. Several traces can run at the same time.
  ///
  /// - Parameter limit: the maximum number of buffered events; further ones are counted and lost.
  public func startTrace(limit: Int = 100_000) async -> ConsensusTrace {
    let trace = ConsensusTrace(limit: limit)
    recorder.add(trace)
    await updateTaps()
    return trace
  }

  /// Ends a trace. Buffered events can still be taken.
  public func end(_ trace: ConsensusTrace) async {
    recorder.remove(trace)
    await updateTaps()
  }

  private func updateTaps() async {
    for (index, life) in lives.withLock({ $0 }).enumerated() {
      switch life {
      case .running(let node), .paused(let node): await node.trace(recorder.tap(of: index + 1))
      case .killed: break
      }
    }
  }
}

/// Passes events of the servers to all traces.
///
/// *Thread*: any.
final class ConsensusRecorder: Sendable {
  private let start = ContinuousClock.now
  private let traces = Mutex<[ConsensusTrace]>([])

  /// Adds a trace.
  func add(_ trace: ConsensusTrace) { traces.withLock { $0.append(trace) } }

  /// Removes a trace.
  func remove(_ trace: ConsensusTrace) { traces.withLock { $0.removeAll { $0 === trace } } }

  /// The callback for a server's events; nil while there is no trace.
  func tap(of server: Int) -> (@Sendable (TracedEvent) -> Void)? {
    guard traces.withLock({ !$0.isEmpty }) else { return nil }
    return { [weak self] event in self?.note(event, at: server) }
  }

  private func note(_ event: TracedEvent, at server: Int) {
    var described = ConsensusEvent(event, at: server)
    // The time is read under the lock, so that the events of all servers are ordered by it.
    traces.withLock { traces in
      described.time = ContinuousClock.now - start
      for trace in traces { trace.add(described) }
    }
  }
}

extension ConsensusEvent {
  /// The maximum number of characters of a path.
  private static let maximumDetailLength = 300

  fileprivate init(_ event: TracedEvent, at server: Int) {
    switch event {
    case .sent(let message, let peer): self.init(message, .sent, at: server, peer)
    case .received(let message, let peer): self.init(message, .received, at: server, peer)
    case .role(let role, let zxid):
      let kind: Kind =
        switch role {
        case "leader": .leading
        case "follower": .following
        case "observer": .observing
        default: .looking
        }
      self.init(time: .zero, server: server, direction: .local, kind: kind)
      note(zxid)
    }
  }

  private init(_ message: TracedEvent.Message, _ direction: Direction, at server: Int, _ peer: ServerID?) {
    self.init(
      time: .zero, server: server, peer: peer.flatMap { Int(exactly: $0.rawValue) }, direction: direction,
      kind: .vote)
    switch message {
    case .vote(let vote):
      note(vote.zxid)
      epoch = Int(exactly: vote.peerEpoch.rawValue)
      // An observer initially votes for no server.
      leader = vote.leader.isAssignable ? Int(exactly: vote.leader.rawValue) : nil
      round = vote.round
      detail = "\(vote.state)"
    case .packet(let packet):
      kind = packet.kind.map(Kind.init) ?? .unknown
      switch kind {
      case .leaderInfo, .ackEpoch, .followerInfo, .observerInfo: epoch = Int(packet.zxid.epoch)
      default: note(packet.zxid)
      }
      detail = Self.detail(of: packet).map { String($0.prefix(Self.maximumDetailLength)) }
    }
  }

  /// Sets the zxid and its epoch, unless the value is not a zxid, as in a request.
  private mutating func note(_ zxid: Zxid) {
    guard zxid.rawValue >= 0 else { return }
    self.zxid = zxid.rawValue
    epoch = Int(zxid.epoch)
  }

  private static func detail(of packet: QuorumPacket) -> String? {
    guard let data = packet.data else { return nil }
    switch packet.kind {
    case .proposal, .inform:
      guard let entry = try? TxnEntry(decoding: data, allowingTrailingBytes: true) else { return nil }
      return describe(entry.txn)
    case .request:
      guard let request = try? ForwardedRequest(decoding: data, allowingTrailingBytes: true),
        let operation = OpCode(rawValue: request.type)
      else { return nil }
      switch operation {
      case .create, .create2, .createContainer, .createTTL, .delete, .setData, .setACL, .sync:
        let path = try? PathRequest(decoding: request.body, allowingTrailingBytes: true).path
        return "\(operation) \(path ?? "")"
      default: return "\(operation)"
      }
    default: return nil
    }
  }

  private static func describe(_ txn: Txn) -> String {
    switch txn {
    case .create(let body), .create2(let body), .createContainer(let body), .createTTL(let body, _):
      "create \(body.path)"
    case .delete(let path), .deleteContainer(let path): "delete \(path)"
    case .setData(let body): "setData \(body.path)"
    case .reconfig: "reconfig"
    case .setACL(let body): "setACL \(body.path)"
    case .check(let path, _): "check \(path)"
    case .createSession: "createSession"
    case .closeSession: "closeSession"
    case .error(let error): "error \(error.name)"
    case .multi(let txns): "multi of \(txns.count)"
    }
  }
}

extension ConsensusEvent.Kind {
  fileprivate init(_ kind: QuorumPacket.Kind) {
    self =
      switch kind {
      case .request: .request
      case .proposal: .proposal
      case .ack: .ack
      case .commit: .commit
      case .ping: .ping
      case .revalidate: .revalidate
      case .sync: .sync
      case .inform: .inform
      case .commitAndActivate: .commitAndActivate
      case .newLeader: .newLeader
      case .followerInfo: .followerInfo
      case .upToDate: .upToDate
      case .diff: .diff
      case .trunc: .trunc
      case .snap: .snap
      case .observerInfo: .observerInfo
      case .leaderInfo: .leaderInfo
      case .ackEpoch: .ackEpoch
      case .informAndActivate: .informAndActivate
      }
  }
}
