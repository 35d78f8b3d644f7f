import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// A session machine with a clock, and with what it asked for sorted by kind; it plays the driver and the server.
struct Harness {
  typealias Machine = SessionMachine<Int>
  typealias Outcome = Result<[UInt8], ZooKeeperError>

  var machine: Machine
  var now: Int64 = 1_000_000
  /// Everything that was asked for and not yet taken.
  var actions: [Machine.Action] = []

  static let session = SessionID(rawValue: 0x0100_0000_0000_0001)
  static let password = [UInt8](repeating: 0x5a, count: 16)

  init(servers: Int = 1, _ change: (inout SessionSettings) -> Void = { _ in }) {
    let addresses = (0..<servers).map { ServerAddress(host: "zk\($0)", port: 2181) }
    var settings = SessionSettings(servers: addresses, sessionTimeoutMilliseconds: 9_000, seed: 1)
    change(&settings)
    machine = Machine(settings: settings)
  }

  /// A machine whose session is connected, with nothing left over.
  static func connected(servers: Int = 1, _ change: (inout SessionSettings) -> Void = { _ in }) throws -> Harness {
    var harness = Harness(servers: servers, change)
    harness.start()
    try harness.connect()
    harness.actions = []
    _ = harness.frames()
    return harness
  }

  // MARK: Events

  mutating func start() { machine.start(now: now, into: &actions) }

  mutating func tick(after milliseconds: Int64 = 0) {
    now += milliseconds
    machine.tick(now: now, into: &actions)
  }

  /// The connection opens and the server grants a session.
  mutating func connect(
    session: SessionID = session, timeout: Int32 = 9_000, readOnly: Bool? = false
  ) throws {
    machine.onConnected(attempt: machine.attempt, now: now, into: &actions)
    try respond(
      ConnectResponse(
        timeoutMilliseconds: timeout, sessionID: session, password: Self.password, readOnly: readOnly))
  }

  mutating func open() { machine.onConnected(attempt: machine.attempt, now: now, into: &actions) }

  mutating func respond(_ response: ConnectResponse) throws { try receive(response.encoded) }

  /// The attempt fails before anything is connected.
  mutating func refuse() {
    machine.onConnectFailed(attempt: machine.attempt, .refused, now: now, into: &actions)
  }

  /// A server that has closed the connection reports its last zxid.
  mutating func compare(_ zxid: Int64?) {
    machine.onCompared(attempt: machine.attempt, zxid: zxid.map(Zxid.init), now: now, into: &actions)
  }

  mutating func disconnect(_ protocolError: JuteError? = nil) {
    machine.onDisconnected(
      attempt: machine.attempt, reason: protocolError.map { .notZooKeeper($0) }, now: now, into: &actions)
  }

  /// A frame arrives; what the driver does with a broken one is left to the test.
  mutating func receive(_ payload: [UInt8]) throws(JuteError) {
    let now = now
    let result = payload.withUnsafeBytes { bytes -> Result<Void, JuteError> in
      do throws(JuteError) {
        return .success(try machine.onFrame(bytes, now: now, into: &actions))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// A reply arrives.
  mutating func reply(
    _ xid: Int32, zxid: Int64 = 1, _ error: KeeperError = .ok, body: [UInt8] = []
  ) throws(JuteError) {
    let header = ReplyHeader(xid: Xid(rawValue: xid), zxid: Zxid(rawValue: zxid), error: error)
    try receive(header.encoded + body)
  }

  /// A notification arrives.
  mutating func notify(_ type: EventType, _ path: String, zxid: Int64 = -1) throws(JuteError) {
    let event = WatcherEvent(type: type, state: .syncConnected, path: path)
    try reply(-1, zxid: zxid, body: event.encoded)
  }

  mutating func submit(
    _ id: Int, _ request: ClientRequest = .getData(PathWatchRequest(path: "/a")), watch: WatchIntent? = nil,
    limit: Int64? = nil
  ) {
    let call = Machine.Call(
      id: RequestID(rawValue: id), request: request, watch: watch, deadline: limit.map { now + $0 }, completion: id)
    machine.submit(call, now: now, into: &actions)
  }

  mutating func wait(_ id: Int, failsFast: Bool = true, limit: Int64? = nil) {
    let waiter = Machine.Waiter(
      id: RequestID(rawValue: id), completion: id, failsFast: failsFast, deadline: limit.map { now + $0 })
    machine.wait(waiter, into: &actions)
  }

  mutating func cancel(_ id: Int) { machine.cancel(RequestID(rawValue: id), into: &actions) }

  mutating func addIdentity(_ id: Int, _ name: String = "user:pass", limit: Int64? = nil) {
    let packet = AuthPacket(scheme: "digest", auth: Array(name.utf8))
    let deadline = limit.map { now + $0 }
    machine.addIdentity(
      .init(packet: packet, id: RequestID(rawValue: id), deadline: deadline, completion: id), now: now, into: &actions)
  }

  mutating func close(_ id: Int, limit: Int64 = 2_000) {
    machine.close(id, deadline: now + limit, into: &actions)
  }

  /// Sets a watch: submits the read and lets it succeed or fail.
  mutating func watch(
    _ kind: WatchKind, _ path: String, _ watcher: Int, _ error: KeeperError = .ok
  ) throws(JuteError) {
    let request: ClientRequest =
      switch kind {
      case .data: .getData(PathWatchRequest(path: path, watch: true))
      case .exist: .exists(PathWatchRequest(path: path, watch: true))
      case .child: .getChildren(PathWatchRequest(path: path, watch: true))
      case .persistent: .addWatch(AddWatchRequest(path: path, mode: .persistent))
      case .persistentRecursive: .addWatch(AddWatchRequest(path: path, mode: .persistentRecursive))
      }
    submit(900 + watcher, request, watch: .init(path: path, kind: kind, watcher: WatcherID(rawValue: watcher)))
    try reply(machine.pending.last?.xid.rawValue ?? 0, error)
  }

  // MARK: Results

  /// Everything asked for since the last call.
  mutating func take() -> [Machine.Action] {
    defer { actions = [] }
    return actions
  }

  /// The frames to be sent, the first one of a connection apart.
  mutating func frames() -> [Frame] {
    defer { machine.outbound.removeAll() }
    return Frame.all(in: machine.outbound.bytes)
  }
}

/// A frame on its way to the server.
enum Frame: Hashable {
  case connect(ConnectRequest)
  case request(Xid, ClientRequest)
  case unreadable([UInt8])

  var xid: Int32? { if case .request(let xid, _) = self { xid.rawValue } else { nil } }

  var request: ClientRequest? { if case .request(_, let request) = self { request } else { nil } }

  /// The frames of a stream. A request begins with an xid that is not 0, a connect request with version 0.
  static func all(in bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while rest.count >= 4 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      guard rest.count >= 4 + length else { return frames + [.unreadable(Array(rest))] }
      frames.append(Frame(Array(rest.dropFirst(4).prefix(length))))
      rest = rest.dropFirst(4 + length)
    }
    return rest.isEmpty ? frames : frames + [.unreadable(Array(rest))]
  }

  init(_ payload: [UInt8]) {
    if payload.starts(with: [0, 0, 0, 0]), let request = try? ConnectRequest(decoding: payload) {
      self = .connect(request)
      return
    }
    let frame = payload.withUnsafeBytes { bytes -> Frame? in
      var reader = JuteReader(bytes)
      guard let header = try? RequestHeader(from: &reader), let opCode = header.opCode,
        let request = try? ClientRequest(opCode: opCode, from: &reader), reader.remainingBytes == 0
      else { return nil }
      return .request(header.xid, request)
    }
    self = frame ?? .unreadable(payload)
  }
}

extension [Harness.Machine.Action] {
  /// The servers to connect to.
  var connects: [String] { compactMap { if case .connect(let address, _) = $0 { address.host } else { nil } } }

  /// The attempts to be ended.
  var disconnects: [Int] { compactMap { if case .disconnect(let attempt) = $0 { attempt } else { nil } } }

  /// Who is answered, in order.
  var completed: [Int] { compactMap { if case .complete(let id, _) = $0 { id } else { nil } } }

  /// The only answer to `id`; nil when there is none, or more than one.
  func result(_ id: Int) -> Harness.Outcome? {
    let results = compactMap { action -> Harness.Outcome? in
      if case .complete(id, let result) = action { result } else { nil }
    }
    return results.count == 1 ? results[0] : nil
  }

  /// Why `id` failed.
  func failure(_ id: Int) -> ZooKeeperError.Code? {
    if case .failure(let error)? = result(id) { error.code } else { nil }
  }

  /// Whether `id` succeeded.
  func succeeded(_ id: Int) -> Bool { if case .success? = result(id) { true } else { false } }

  /// The changes of state that the default watcher is told of.
  var states: [KeeperState] {
    compactMap {
      if case .notify(let who, let event) = $0, event.type == .none, who.contains(.default) { event.state } else { nil }
    }
  }

  /// The events of znodes, as `watchers type path`.
  var events: [String] {
    compactMap {
      guard case .notify(let watchers, let event) = $0, event.type != .none else { return nil }
      return "\(watchers.map(\.rawValue)) \(event.type.name) \(event.path ?? "-")"
    }
  }

  /// The watchers that get nothing more.
  var finished: [Int] { compactMap { if case .finish(let watcher) = $0 { watcher.rawValue } else { nil } } }

  /// The servers to be asked for their last zxid.
  var compared: [String] { compactMap { if case .compare(let address, _) = $0 { address.host } else { nil } } }

  /// The servers to be asked whether they are read-write.
  var probes: [String] { compactMap { if case .probe(let address) = $0 { address.host } else { nil } } }
}
