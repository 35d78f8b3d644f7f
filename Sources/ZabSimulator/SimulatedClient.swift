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
    case readShared(watch: Bool)
    case sync
    case closeSession
    /// Register the watch again, on a new connection.
    case setWatches
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
  /// Whether the server of the connection has no quorum, and serves reads only.
  private(set) var isReadOnly = false
  var received: [UInt8] = []
  var xid: Int32 = 0
  var request: Request?
  /// The request that was sent along with it, and is answered after it.
  private var nextRequest: Request?
  var requestedAt: Int64 = 0
  private(set) var createCount = 0
  private var setUpPaths = ["/sequence", "/shared"]
  /// Whether the client has closed its session.
  private(set) var hasEnded = false
  /// Paths whose creation was acknowledged.
  private(set) var acknowledgedPaths: [String] = []
  /// The sessions with which paths were to be created, in the order of the requests.
  private(set) var requestedPaths: [(session: SessionID, path: String)] = []
  /// The sequential names that it was given, with their transactions.
  private(set) var sequence: [(zxid: Zxid, name: String)] = []
  /// The version of the shared znode that this session must see at least, because it has seen it or has synced.
  private var sharedVersion: Int32 = -1
  /// The newest version of the shared znode that any client had seen when the last sync was requested.
  private var knownAtSync: Int32 = -1
  /// Whether the last request was a sync, after which the shared znode is read.
  private var hasSynced = false
  /// The version of the shared znode at which it is watched; nil without a watch. The watch lasts until its event, on
  /// whatever connection of the session.
  private(set) var watchedVersion: Int32?
  /// Whether the server of the connection knows the watch.
  private var isWatchRegistered = false
  /// The newest version of the shared znode that this client has written or read.
  private(set) var knownShared: Int32 = -1
  private(set) var acknowledgedCount = 0
  var violation: String?

  private let options: SimulationOptions

  init(number: Int, options: SimulationOptions) {
    self.number = number
    self.options = options
    isReader = number == options.clientCount
  }

  /// Whether the client is content with a server that has no quorum.
  private var acceptsReadOnly: Bool { options.hasReadOnlyServers && (isReader || number % 2 == 0) }

  /// The frame that starts or resumes a session.
  mutating func connectFrame() -> [UInt8] {
    received = []
    isConnected = false
    return Self.frame(
      ConnectRequest(
        lastZxidSeen: lastZxid, timeoutMilliseconds: 4000, sessionID: session, password: password,
        readOnly: acceptsReadOnly
      ).encoded)
  }

  /// Handles the end of the connection. The request that was not answered may or may not have been performed.
  mutating func disconnect() {
    server = nil
    isConnected = false
    nextRequest = nil
    // The session that a server without a quorum gives lasts as long as its connection here.
    if isReadOnly { forgetSession() }
    isReadOnly = false
    isWatchRegistered = false
    request = nil
    connection += 1
  }

  /// Prepares a new session after the end of the previous one.
  mutating func forgetSession() {
    session = .none
    password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
    xid = 0
    sharedVersion = -1
    watchedVersion = nil
    hasSynced = false
    hasEnded = false
  }

  /// Draws the next request, and perhaps one that follows it at once.
  ///
  /// - Parameter known: the newest version of the shared znode that any client has seen.
  mutating func nextFrames(_ random: inout SplitMix64, now: Int64, known: Int32) -> [[UInt8]] {
    requestedAt = now
    var writer = JuteWriter()
    if let watch = watchFrame(&writer) { return [watch] }
    xid += 1
    let request = hasSynced ? .readShared(watch: false) : draw(&random)
    hasSynced = false
    if request == .sync { knownAtSync = known }
    self.request = request
    writer.writeInt(xid)
    switch request {
    case .setUp(let path): create(path, .persistent, &writer)
    case .create(let path):
      requestedPaths.append((session, path))
      create(path, .persistent, &writer)
    case .createSequential: create("/sequence/n-", .persistentSequential, &writer)
    case .createEphemeral(let path): create(path, .ephemeral, &writer)
    case .readOwn(let path):
      writer.writeInt(OpCode.getData.rawValue)
      PathWatchRequest(path: path, watch: false).encode(into: &writer)
    case .setShared:
      writer.writeInt(OpCode.setData.rawValue)
      SetDataRequest(path: "/shared", data: Array("client \(number) at \(now)".utf8), version: -1)
        .encode(into: &writer)
    case .readShared(let watch):
      writer.writeInt(OpCode.getData.rawValue)
      PathWatchRequest(path: "/shared", watch: watch).encode(into: &writer)
    case .sync:
      writer.writeInt(OpCode.sync.rawValue)
      writer.writeString("/")
    case .setWatches: break
    case .closeSession: writer.writeInt(OpCode.closeSession.rawValue)
    case .reconfigure(let members):
      writer.writeInt(OpCode.reconfig.rawValue)
      ReconfigRequest(joiningServers: nil, leavingServers: nil, newMembers: members, configVersion: -1)
        .encode(into: &writer)
    }
    let isFollowed = request == .sync && options.sendsSyncsWithReads && random.chance(500)
    return [Self.frame(writer.bytes)] + (isFollowed ? [followingRead()] : [])
  }

  /// The read that is sent along with a sync, without waiting for its answer.
  private mutating func followingRead() -> [UInt8] {
    nextRequest = .readShared(watch: false)
    var writer = JuteWriter()
    writer.writeInt(xid + 1)
    writer.writeInt(OpCode.getData.rawValue)
    PathWatchRequest(path: "/shared", watch: false).encode(into: &writer)
    return Self.frame(writer.bytes)
  }

  /// The first request of a connection if the session has a watch: what the client reads before the server knows of the
  /// watch could show a change before its event.
  private mutating func watchFrame(_ writer: inout JuteWriter) -> [UInt8]? {
    guard watchedVersion != nil, !isWatchRegistered else { return nil }
    isWatchRegistered = true
    request = .setWatches
    writer.writeInt(Xid.setWatches.rawValue)
    writer.writeInt(OpCode.setWatches.rawValue)
    SetWatches(relativeZxid: lastZxid, dataWatches: ["/shared"]).encode(into: &writer, withPersistent: false)
    return Self.frame(writer.bytes)
  }

  private func drawRead(_ random: inout SplitMix64) -> Request {
    .readShared(watch: options.hasWatches && random.chance(500))
  }

  private mutating func draw(_ random: inout SplitMix64) -> Request {
    if let path = setUpPaths.last, !isReadOnly { return .setUp(path: path) }
    // A client that also writes waits for its own writes, and so would miss a stale read.
    if isReader { return random.chance(400) ? .sync : drawRead(&random) }
    if options.reconfiguresOften, random.chance(100) { return .reconfigure(drawMembers(&random)) }
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
      guard let path = acknowledgedPaths.last else { return drawRead(&random) }
      return .readOwn(path: path)
    case 68..<80: return .setShared
    case 80..<89: return drawRead(&random)
    case 89..<96: return .sync
    case 96..<98: return .reconfigure(drawMembers(&random))
    default: return .closeSession
    }
  }

  /// Draws members: all servers, some of them as observers, with at least as many voters as an ensemble needs.
  private func drawMembers(_ random: inout SplitMix64) -> String {
    let serverCount = options.voterCount + options.observerCount
    var observers = options.observerCount
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
    isReadOnly = response.readOnly == true
    if isReadOnly, !acceptsReadOnly { fail("a server without a quorum serves a client that needs one") }
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
        switch xid == Xid.notification.rawValue ? nil : request {
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
    if parsed?.0 == Xid.notification.rawValue { return onEvent(payload) }
    guard let (xid, zxid, error, path, stat) = parsed, let asked = request else { return }
    let expected = asked == .setWatches ? Xid.setWatches.rawValue : self.xid
    guard xid == expected else { return fail("the answer to request \(xid) came for \(expected)") }
    request = nextRequest
    nextRequest = nil
    if request != nil { self.xid += 1 }
    if zxid.rawValue > 0 {
      if zxid < lastZxid { fail("an answer shows \(zxid) after \(lastZxid)") }
      lastZxid = zxid
    }
    check(asked, zxid, error, path, stat)
  }

  /// Handles the event of a watch.
  private mutating func onEvent(_ payload: [UInt8]) {
    let event = payload.withUnsafeBytes { raw -> WatcherEvent? in
      var reader = JuteReader(UnsafeRawBufferPointer(rebasing: raw.dropFirst(16)))
      return try? WatcherEvent(from: &reader)
    }
    guard let event, event.path == "/shared", event.type == .nodeDataChanged else {
      return fail("an event that no watch is for: \(event.map { "\($0)" } ?? "unreadable")")
    }
    if watchedVersion == nil { fail("an event came without a watch") }
    watchedVersion = nil
  }

  private mutating func checkVersion(_ version: Int32) {
    if version < sharedVersion { fail("/shared went from version \(sharedVersion) to \(version)") }
    if let watchedVersion, version > watchedVersion {
      fail("version \(version) of /shared was shown before the event of the watch at version \(watchedVersion)")
    }
    // Without a quorum a server may show a transaction that will never be committed, and that no sync brings.
    if !isReadOnly { knownShared = max(knownShared, version) }
  }

  private mutating func check(_ asked: Request, _ zxid: Zxid, _ error: KeeperError, _ path: String?, _ stat: Stat?) {
    switch asked {
    case .create, .createSequential, .createEphemeral, .setShared, .sync, .reconfigure:
      if isReadOnly, error == .ok { fail("\(asked) was acknowledged by a server without a quorum") }
    default: break
    }
    switch asked {
    case .create(let wanted):
      // A name is never requested twice, and the end of the session is reported by another code.
      if error == .nodeExists { fail("\(wanted) exists already") }
      guard error == .ok else { return }
      if path != wanted { fail("asked for \(wanted), got \(path ?? "nothing")") }
      acknowledgedPaths.append(wanted)
    case .createSequential: if error == .ok, let path { sequence.append((zxid, path)) }
    case .readOwn(let path): if error == .noNode { fail("\(path), which was acknowledged, is gone at \(zxid)") }
    case .readShared(let watch):
      guard error == .ok, let stat else { return }
      checkVersion(stat.version)
      sharedVersion = stat.version
      if watch {
        watchedVersion = stat.version
        isWatchRegistered = true
      }
    case .setShared: if let stat { checkVersion(stat.version) }
    case .sync:
      guard error == .ok else { return }
      // From here on this session must see what any client had seen when the sync was requested.
      sharedVersion = max(sharedVersion, knownAtSync)
      hasSynced = true
    case .setUp(let path): if error == .ok || error == .nodeExists { setUpPaths.removeAll { $0 == path } }
    case .closeSession: hasEnded = error == .ok
    case .createEphemeral, .reconfigure, .setWatches: break
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
