import Jute
import ServerCore
import StorageTesting
import ZooKeeperProtocol

/// A client of the simulated ensemble. It has one session and one request at a time, and remembers the answers, which
/// it checks against each other.
///
/// *Source*: items 10 to 12 of `QuorumProtocol` F.2, which clients rely on.
struct SimulatedClient {
  /// A request that is not answered yet.
  enum Request: Hashable {
    /// Create a znode that all clients use; any of them may be the first.
    case setUp(path: String)
    case create(path: String)
    case createSequential
    case createEphemeral(path: String)
    case readOwn(path: String)
    case setShared
    case readShared
    case sync
    case closeSession
    /// Change the members of the ensemble to these.
    case reconfigure(String)
  }

  let number: Int
  /// Whether the client only reads what others write.
  let isReader: Bool
  var session = SessionID.none
  var password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
  var lastZxid = Zxid.zero
  /// The server of the current connection, and the number of the connection.
  var server: ServerID?
  /// The server to which the client connected last.
  var lastServer: ServerID?
  var connection = 0
  var isConnected = false
  var received: [UInt8] = []
  var xid: Int32 = 0
  var request: Request?
  var requestedAt: Int64 = 0
  private(set) var createCount = 0
  private var setUpPaths = ["/sequence", "/shared"]
  /// Whether the client has closed its session.
  private(set) var hasEnded = false
  /// Paths whose creation was acknowledged.
  private(set) var acknowledgedPaths: [String] = []
  /// The sequential names that it was given, with their transactions.
  private(set) var sequence: [(zxid: Zxid, name: String)] = []
  /// The version of the shared znode that this session must see at least, because it has seen it or has synced.
  private var sharedVersion: Int32 = -1
  /// The newest version of the shared znode that any client had seen when the last sync was requested.
  private var knownAtSync: Int32 = -1
  /// Whether the last request was a sync, after which the shared znode is read.
  private var hasSynced = false
  /// The newest version of the shared znode that this client has written or read.
  private(set) var knownShared: Int32 = -1
  private(set) var acknowledgedCount = 0
  var violation: String?

  /// The number of servers that can be voters.
  private let voterCount: Int
  private let serverCount: Int

  init(number: Int, isReader: Bool, voterCount: Int, observerCount: Int) {
    self.number = number
    self.isReader = isReader
    self.voterCount = voterCount
    serverCount = voterCount + observerCount
  }

  /// The frame that starts or resumes a session.
  mutating func connectFrame() -> [UInt8] {
    received = []
    isConnected = false
    return Self.frame(
      ConnectRequest(
        lastZxidSeen: lastZxid, timeoutMilliseconds: 4000, sessionID: session, password: password, readOnly: false
      ).encoded)
  }

  /// Handles the end of the connection. The request that was not answered may or may not have been performed.
  mutating func disconnect() {
    server = nil
    isConnected = false
    request = nil
    connection += 1
  }

  /// Prepares a new session after the end of the previous one.
  mutating func forgetSession() {
    session = .none
    password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
    xid = 0
    sharedVersion = -1
    hasSynced = false
    hasEnded = false
  }

  /// Draws the next request.
  ///
  /// - Parameter known: the newest version of the shared znode that any client has seen.
  mutating func nextFrame(_ random: inout SplitMix64, now: Int64, known: Int32) -> [UInt8] {
    requestedAt = now
    xid += 1
    let request = hasSynced ? .readShared : draw(&random)
    hasSynced = false
    if request == .sync { knownAtSync = known }
    self.request = request
    var writer = JuteWriter()
    writer.writeInt(xid)
    switch request {
    case .setUp(let path), .create(let path): create(path, .persistent, &writer)
    case .createSequential: create("/sequence/n-", .persistentSequential, &writer)
    case .createEphemeral(let path): create(path, .ephemeral, &writer)
    case .readOwn(let path):
      writer.writeInt(OpCode.getData.rawValue)
      PathWatchRequest(path: path, watch: false).encode(into: &writer)
    case .setShared:
      writer.writeInt(OpCode.setData.rawValue)
      SetDataRequest(path: "/shared", data: Array("client \(number) at \(now)".utf8), version: -1)
        .encode(into: &writer)
    case .readShared:
      writer.writeInt(OpCode.getData.rawValue)
      PathWatchRequest(path: "/shared", watch: false).encode(into: &writer)
    case .sync:
      writer.writeInt(OpCode.sync.rawValue)
      writer.writeString("/")
    case .closeSession: writer.writeInt(OpCode.closeSession.rawValue)
    case .reconfigure(let members):
      writer.writeInt(OpCode.reconfig.rawValue)
      ReconfigRequest(joiningServers: nil, leavingServers: nil, newMembers: members, configVersion: -1)
        .encode(into: &writer)
    }
    return Self.frame(writer.bytes)
  }

  private mutating func draw(_ random: inout SplitMix64) -> Request {
    if let path = setUpPaths.last { return .setUp(path: path) }
    // A client that also writes waits for its own writes, and so would miss a stale read.
    if isReader { return random.chance(400) ? .sync : .readShared }
    switch random.index(100) {
    case 0..<40:
      createCount += 1
      return .create(path: "/client-\(number)-\(createCount)")
    case 40..<52: return .createSequential
    case 52..<58:
      createCount += 1
      // The end of a session with several such names exceeds the largest transaction.
      let padding = String(repeating: "x", count: StateChecker.maximumTxnBytes / 4)
      return .createEphemeral(path: "/ephemeral-\(number)-\(createCount)-\(padding)")
    case 58..<68:
      guard let path = acknowledgedPaths.last else { return .readShared }
      return .readOwn(path: path)
    case 68..<80: return .setShared
    case 80..<89: return .readShared
    case 89..<96: return .sync
    case 96..<98: return .reconfigure(drawMembers(&random))
    default: return .closeSession
    }
  }

  /// Draws members: all servers, some of them as observers, with at least as many voters as an ensemble needs.
  private func drawMembers(_ random: inout SplitMix64) -> String {
    var observers = serverCount - voterCount
    if serverCount > 3 { observers = random.index(serverCount - 2) }
    let shift = random.index(serverCount)
    return (1...serverCount).map { number in
      let isObserver = (number + shift) % serverCount < observers
      return "server.\(number)=s\(number):1:2:\(isObserver ? "observer" : "participant")"
    }.joined(separator: ",")
  }

  private func create(_ path: String, _ mode: CreateMode, _ writer: inout JuteWriter) {
    writer.writeInt(OpCode.create.rawValue)
    CreateRequest(path: path, data: Array("client \(number)".utf8), acl: ACL.openUnsafe, flags: mode.flags)
      .encode(into: &writer)
  }

  /// Handles bytes that have arrived.
  ///
  /// - Returns: false when the session has ended.
  mutating func receive(_ bytes: [UInt8]) -> Bool {
    received += bytes
    while received.count >= 4 {
      let length = received[..<4].reduce(0) { $0 << 8 | Int($1) }
      guard received.count >= 4 + length else { break }
      let payload = [UInt8](received[4..<(4 + length)])
      received.removeFirst(4 + length)
      guard isConnected else {
        if !onConnected(payload) { return false }
        continue
      }
      onReply(payload)
    }
    return true
  }

  private mutating func onConnected(_ payload: [UInt8]) -> Bool {
    guard let response = try? ConnectResponse(decoding: payload), response.timeoutMilliseconds > 0 else { return false }
    isConnected = true
    session = response.sessionID
    password = response.password ?? []
    return true
  }

  private mutating func onReply(_ payload: [UInt8]) {
    let parsed = payload.withUnsafeBytes { raw -> (Int32, Zxid, KeeperError, String?, Stat?)? in
      var reader = JuteReader(raw)
      guard let xid = try? reader.readInt(), let zxid = try? reader.readLong(), let code = try? reader.readInt() else {
        return nil
      }
      var path: String?
      var stat: Stat?
      if code == 0 {
        switch request {
        case .setUp?, .create?, .createSequential?, .createEphemeral?: path = try? reader.readString()
        case .readOwn?, .readShared?:
          _ = try? reader.readBuffer()
          stat = try? Stat(from: &reader)
        case .setShared?: stat = try? Stat(from: &reader)
        default: break
        }
      }
      return (xid, Zxid(rawValue: zxid), KeeperError(rawValue: code), path, stat)
    }
    guard let (xid, zxid, error, path, stat) = parsed, let asked = request else { return }
    guard xid == self.xid else { return fail("the answer to request \(xid) came for \(self.xid)") }
    request = nil
    if zxid.rawValue > 0 {
      if zxid < lastZxid { fail("an answer shows \(zxid) after \(lastZxid)") }
      lastZxid = zxid
    }
    check(asked, zxid, error, path, stat)
  }

  private mutating func check(_ asked: Request, _ zxid: Zxid, _ error: KeeperError, _ path: String?, _ stat: Stat?) {
    switch asked {
    case .create(let wanted):
      // A name is never requested twice, and the end of the session is reported by another code.
      if error == .nodeExists { fail("\(wanted) exists already") }
      guard error == .ok else { return }
      if path != wanted { fail("asked for \(wanted), got \(path ?? "nothing")") }
      acknowledgedPaths.append(wanted)
    case .createSequential: if error == .ok, let path { sequence.append((zxid, path)) }
    case .readOwn(let path): if error == .noNode { fail("\(path), which was acknowledged, is gone at \(zxid)") }
    case .readShared:
      guard error == .ok, let stat else { return }
      if stat.version < sharedVersion { fail("/shared went from version \(sharedVersion) to \(stat.version)") }
      sharedVersion = stat.version
      knownShared = max(knownShared, stat.version)
    case .setShared: if let stat { knownShared = max(knownShared, stat.version) }
    case .sync:
      guard error == .ok else { return }
      // From here on this session must see what any client had seen when the sync was requested.
      sharedVersion = max(sharedVersion, knownAtSync)
      hasSynced = true
    case .setUp(let path): if error == .ok || error == .nodeExists { setUpPaths.removeAll { $0 == path } }
    case .closeSession: hasEnded = error == .ok
    case .createEphemeral, .reconfigure: break
    }
    if error == .ok { acknowledgedCount += 1 }
  }

  private mutating func fail(_ text: String) {
    if violation == nil { violation = "client \(number): \(text)" }
  }

  private static func frame(_ payload: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(payload.count).bigEndian) { [UInt8]($0) } + payload
  }
}
