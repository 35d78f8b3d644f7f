import Jute
import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// What a connection was sent: replies and events, in order.
enum Received: Hashable {
  case reply(ReplyHeader, ServerReply?)
  case event(WatcherEvent, Zxid)

  var error: KeeperError? { if case .reply(let header, _) = self { header.error } else { nil } }
  var body: ServerReply? { if case .reply(_, let body) = self { body } else { nil } }
  var event: String? {
    if case .event(let event, let zxid) = self { "\(event.type.name) \(event.path) \(zxid.rawValue)" } else { nil }
  }
}

/// A server core with a clock and a disk that obey the test.
final class Bench {
  let core: ServerCore
  var now: Int64 = 1_000_000
  /// When set, proposals stay in flight until `commit`.
  var holdsCommits = false
  var proposals: [Proposal] = []

  init(extended: Bool = true, role: ServerRole = .standalone, _ configure: (inout ServerSettings) -> Void = { _ in }) {
    var settings = ServerSettings()
    configure(&settings)
    core = ServerCore(
      settings: settings, tree: DataTree(extendedTypesEnabled: extended), time: Bench.time(1_000_000), role: role)
  }

  static func time(_ now: Int64) -> ServerTime { ServerTime(monotonicMilliseconds: now, wallMilliseconds: now + 5) }
  var time: ServerTime { Self.time(now) }

  func commit() {
    core.drainProposals { proposals.append(copy $0) }
    if let last = proposals.last { core.commit(through: last.zxid, time) }
    core.drainProposals { proposals.append(copy $0) }
  }

  func settle() {
    core.drainProposals { proposals.append(copy $0) }
    if !holdsCommits { commit() }
  }

  func connect(timeout: Int32 = 10_000) -> Client {
    let client = Client(self)
    client.connect(timeout: timeout)
    return client
  }
}

/// One client of a bench.
final class Client {
  let bench: Bench
  let connection: ClientConnection
  private var xid: Int32 = 0
  private var sent: [Int32: OpCode] = [:]

  init(_ bench: Bench, address: String = "127.0.0.1") {
    self.bench = bench
    connection = bench.core.accept(address: address)
  }

  var isClosed: Bool { if case .closed = connection.state { true } else { false } }

  func send(_ payload: [UInt8]) {
    payload.withUnsafeBytes { bench.core.receive($0, on: connection, bench.time) }
    bench.settle()
  }

  func connect(
    timeout: Int32 = 10_000, session: SessionID = .none, password: [UInt8]? = nil, lastZxid: Int64 = 0
  ) {
    send(
      ConnectRequest(
        lastZxidSeen: Zxid(rawValue: lastZxid), timeoutMilliseconds: timeout, sessionID: session,
        password: password ?? [UInt8](repeating: 0, count: 16), readOnly: false
      ).encoded)
    if !bench.holdsCommits, !isClosed { _ = takeConnectResponse() }
  }

  func takeConnectResponse() -> ConnectResponse? {
    defer { connection.output.removeAll() }
    return try? ConnectResponse(decoding: Array(connection.output.bytes.dropFirst(4)))
  }

  func submit(_ request: ClientRequest) {
    xid += 1
    sent[xid] = request.opCode
    var writer = JuteWriter()
    request.encodeFrame(xid: Xid(rawValue: xid), into: &writer)
    send(Array(writer.bytes.dropFirst(4)))
  }

  func submitRaw(type: Int32, body: [UInt8] = []) {
    xid += 1
    sent[xid] = OpCode(rawValue: type)
    var writer = JuteWriter()
    writer.writeInt(xid)
    writer.writeInt(type)
    send(writer.bytes + body)
  }

  /// Everything sent since the last call.
  func received() -> [Received] {
    let bytes = connection.output.bytes
    connection.output.removeAll()
    return bytes.withUnsafeBytes { raw in
      var list: [Received] = []
      var rest = raw[...]
      while let payload = try? FrameSplitter.firstPayload(
        in: UnsafeRawBufferPointer(rebasing: rest), limitBytes: 1 << 20)
      {
        rest = rest.dropFirst(4 + payload.count)
        var reader = JuteReader(payload)
        guard let header = try? ReplyHeader(from: &reader) else { break }
        if header.xid == .notification, let event = try? WatcherEvent(from: &reader) {
          list.append(.event(event, header.zxid))
        } else {
          let opCode = header.xid == .ping ? OpCode.ping : sent[header.xid.rawValue]
          let body = header.error == .ok ? opCode.flatMap { try? ServerReply(to: $0, from: &reader) } : nil
          list.append(.reply(header, body))
        }
      }
      return list
    }
  }

  /// Sends a request and returns its reply's code; events before it are dropped.
  @discardableResult
  func call(_ request: ClientRequest) -> KeeperError? {
    submit(request)
    return received().last?.error
  }

  func body(_ request: ClientRequest) -> ServerReply? {
    submit(request)
    return received().last?.body
  }

  func stat(_ path: String) -> Stat? {
    if case .stat(let stat)? = body(.exists(PathWatchRequest(path: path))) { stat } else { nil }
  }

  @discardableResult
  func create(_ path: String, _ data: String = "", acl: [ACL] = ACL.openUnsafe, flags: Int32 = 0) -> KeeperError? {
    call(.create(Bench.create(path, data, acl: acl, flags: flags)))
  }
}

extension Bench {
  static func create(_ path: String, _ data: String = "", acl: [ACL] = ACL.openUnsafe, flags: Int32 = 0)
    -> CreateRequest
  {
    CreateRequest(path: path, data: Array(data.utf8), acl: acl, flags: flags)
  }

  static func delete(_ path: String, _ version: Int32 = -1) -> ClientRequest {
    .delete(PathVersionRequest(path: path, version: version))
  }

  static func set(_ path: String, _ data: String, _ version: Int32 = -1) -> ClientRequest {
    .setData(SetDataRequest(path: path, data: Array(data.utf8), version: version))
  }
}
