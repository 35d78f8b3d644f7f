import EnsembleCore
import ServerCore
import StorageTesting
import Testing
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// What `MemberRunner` does to the disk, and in which order it informs the member.
struct MemberRunnerTests {
  /// A log that is written when a test requests it.
  private final class ManualLog: MemberLog {
    let directory: DataDirectory<MemoryFileSystem>
    private var writer: LogWriter<MemoryFileSystem>?
    private var waiting: [TxnHistory.Entry] = []
    private(set) var generation = 0
    private(set) var starts: [Zxid] = []

    init(_ directory: DataDirectory<MemoryFileSystem>) { self.directory = directory }

    func startLog(after last: Zxid, generation: Int) {
      self.generation = generation
      starts.append(last)
      writer = LogWriter(directory.files, directory: directory.logDirectory, after: last)
    }

    func append(_ entry: TxnHistory.Entry) { waiting.append(entry) }

    func sync() throws(TxnLogError) -> Zxid {
      for entry in waiting { try writer?.append(entry.bytes) }
      waiting = []
      return try writer?.sync() ?? .zero
    }

    func stopLog() throws(TxnLogError) -> Zxid {
      let last = try sync()
      writer = nil
      return last
    }
  }

  private static let time = ServerTime(monotonicMilliseconds: 1, wallMilliseconds: 1)
  private static let trees = TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: 1)
  private static let configuration = QuorumConfiguration(
    members: (1...3).map {
      .init(id: ServerID(rawValue: $0), addresses: [.init(host: "h\($0)", quorumPort: 1, electionPort: 2)])
    })

  private let disk = MemoryFileSystem()
  private let log: ManualLog
  private let runner: MemberRunner<MemoryFileSystem, ManualLog>

  /// Server 2 of three, on an empty disk.
  init() throws {
    let directory = DataDirectory(disk, dataDirectory: "/data")
    try directory.create()
    let state = RecoveredState(tree: DataTree(hashSeed: 1))
    try directory.writeSnapshot(state, hasDigest: true)
    let member = try EnsembleMember(
      ServerID(rawValue: 2), file: Self.configuration, EpochFiles(directory), state, TxnHistory(base: .zero),
      lastZxid: .zero, zab: ZabSettings(), settings: ServerSettings())
    log = ManualLog(directory)
    runner = MemberRunner(member, directory, Self.trees, log: log)
    runner.start()
  }

  private func drain() -> [DriverEffect] {
    var effects: [DriverEffect] = []
    while let effect = runner.next(Self.time) { effects.append(effect) }
    return effects
  }

  @discardableResult
  private func step(_ event: ZabEvent) -> [DriverEffect] {
    runner.step(event, Self.time)
    return drain()
  }

  private func receive(_ packet: QuorumPacket, _ link: UInt64) -> [DriverEffect] {
    step(.received(packet, ConnectionID(rawValue: link)))
  }

  private func sent(_ effects: [DriverEffect]) -> [QuorumPacket.Kind] {
    effects.compactMap { if case .transport(.send(let packet, _)) = $0 { packet.kind } else { nil } }
  }

  /// Follows a leader that begins an epoch, up to its promise.
  private func follow(_ leader: Int64, epoch: Int64, link: UInt64) throws {
    step(.started)
    let other = ServerID(rawValue: 4 - leader)
    for (voter, state) in [(ServerID(rawValue: leader), ElectionNotification.State.leading), (other, .following)] {
      let notification = ElectionNotification(
        state: state, leader: ServerID(rawValue: leader), zxid: .zero, round: 1,
        peerEpoch: Epoch(rawValue: epoch - 1), configuration: nil)
      step(.notification(notification, from: voter))
    }
    step(.leaderConnected(ConnectionID(rawValue: link)))
    let info = QuorumPacket(.leaderInfo, zxid: Epoch(rawValue: epoch).newLeaderZxid, data: [0, 1, 0, 0])
    try #require(sent(receive(info, link)) == [.ackEpoch])
  }

  private func entry(_ zxid: Zxid) -> [UInt8] {
    TxnEntry(
      header: TxnHeader(
        sessionID: .none, cxid: Xid(rawValue: 0), zxid: zxid, timeMilliseconds: 0, opCode: .error),
      txn: .error(.ok), digest: nil
    ).encoded
  }

  private func zxid(_ epoch: Int64, _ counter: Int64) -> Zxid { Zxid(rawValue: epoch << 32 | counter) }

  /// Receives three transactions of epoch 1 that its log has not synced, then loses the leader and follows another one,
  /// which has the first two.
  private func loseLeaderWithUnsyncedLog() throws {
    try follow(1, epoch: 1, link: 1)
    _ = receive(QuorumPacket(.diff, zxid: zxid(1, 3)), 1)
    for counter in Int64(1)...3 {
      let zxid = zxid(1, counter)
      _ = receive(QuorumPacket(.proposal, zxid: zxid, data: entry(zxid)), 1)
    }
    step(.disconnected(ConnectionID(rawValue: 1)))
    try #require(runner.member.zab.persisted == .zero)
    try follow(3, epoch: 2, link: 2)
  }

  /// What the end of the log has made durable is acknowledged, although that log does not report again.
  @Test func truncationTellsWhatIsDurable() throws {
    try loseLeaderWithUnsyncedLog()
    _ = receive(QuorumPacket(.trunc, zxid: zxid(1, 2)), 2)
    #expect(runner.member.zab.persisted == zxid(1, 2))
    #expect(log.starts == [.zero, zxid(1, 2)])
    let effects = receive(QuorumPacket(.newLeader, zxid: zxid(2, 0)), 2)
    #expect(sent(effects).first == .ack)
    #expect(try EpochFiles(runner.directory).load(lastZxid: zxid(1, 2)).current == 2)
  }

  /// A log that cannot be written at its end has made nothing durable that may be acknowledged.
  @Test func failedEndOfLogEndsTheMember() throws {
    try loseLeaderWithUnsyncedLog()
    disk.fault = { operation, path, _ in
      operation == .syncData && path.contains("/log.") ? .failure(.other) : nil
    }
    let effects = receive(QuorumPacket(.trunc, zxid: zxid(1, 2)), 2)
    guard case .failed(.storage)? = effects.last else {
      Issue.record("\(effects)")
      return
    }
    #expect(runner.member.zab.persisted == .zero)
    #expect(receive(QuorumPacket(.newLeader, zxid: zxid(2, 0)), 2).isEmpty, "a failed member does nothing more")
  }

  /// A late report of a generation of the log that was stopped is ignored.
  @Test func reportsOfEarlierLogsAreIgnored() throws {
    try loseLeaderWithUnsyncedLog()
    let stale = log.generation
    _ = receive(QuorumPacket(.trunc, zxid: .zero), 2)
    let next = zxid(2, 1)
    _ = receive(QuorumPacket(.proposal, zxid: next, data: entry(next)), 2)
    _ = receive(QuorumPacket(.newLeader, zxid: zxid(2, 0)), 2)
    #expect(!runner.onPersisted(through: zxid(9, 3), generation: stale, Self.time))
    #expect(sent(drain()).isEmpty)
    #expect(runner.member.zab.persisted == .zero)
    #expect(runner.onPersisted(through: try log.sync(), generation: log.generation, Self.time))
    #expect(sent(drain()) == [.ack, .ack])
  }

  /// A log that cannot be truncated continues unchanged, and the member asks the leader for its tree.
  @Test func failedTruncationChangesNothing() throws {
    try loseLeaderWithUnsyncedLog()
    // Without the snapshot that the log follows, nothing on the disk ends with the transaction.
    for snapshot in try runner.directory.snapshots() { try disk.remove(snapshot.path) }
    let effects = receive(QuorumPacket(.trunc, zxid: zxid(1, 2)), 2)
    #expect(effects.contains(.note(.asksForSnapshotInsteadOfTruncating)))
    #expect(log.starts == [.zero, zxid(1, 3)])
    #expect(runner.member.zab.history.last == zxid(1, 3))
    #expect(runner.member.zab.persisted == zxid(1, 3))
  }

  /// A tree is installed for the connection that announced it, once, and only while its sender is the leader.
  @Test func treesOfOthersAreNotInstalled() throws {
    try follow(1, epoch: 1, link: 1)
    let tree = RecoveredState(tree: DataTree(hashSeed: 1), sessions: [SessionID(rawValue: 7): 4000])
    let place = zxid(1, 0)
    let effects = receive(QuorumPacket(.snap, zxid: place), 1)
    #expect(effects.contains(.receiveTree(ConnectionID(rawValue: 1), place)))
    try runner.install(tree, from: ConnectionID(rawValue: 5), Self.time)
    #expect(runner.member.state.sessions.isEmpty)
    try runner.install(tree, from: ConnectionID(rawValue: 1), Self.time)
    #expect(runner.member.state.sessions.count == 1)
    #expect(log.starts == [.zero, place])
    try runner.install(tree, from: ConnectionID(rawValue: 1), Self.time)
    #expect(log.starts.count == 2)
  }

  /// The member hears of what the disk has done as of the time after it, however long that took.
  @Test func clockIsReadAfterTheDiskHasWorked() throws {
    try follow(1, epoch: 1, link: 1)
    let tree = RecoveredState(tree: DataTree(hashSeed: 1))
    _ = receive(QuorumPacket(.snap, zxid: zxid(1, 0)), 1)
    var order: [String] = []
    runner.onStorage = { if case .installed = $0 { order.append("installed") } }
    func now() -> ServerTime {
      order.append("clock")
      return Self.time
    }
    try runner.install(tree, from: ConnectionID(rawValue: 1), now())
    #expect(order.last == "clock" && order.contains("installed"))
  }

  /// A configuration is on disk before the driver receives the effect.
  @Test func configurationsAreSavedFirst() throws {
    try follow(1, epoch: 1, link: 1)
    _ = receive(QuorumPacket(.diff, zxid: .zero), 1)
    var next = Self.configuration
    next.version = zxid(1, 5).rawValue
    _ = receive(QuorumPacket(.newLeader, zxid: zxid(1, 0), data: Array(next.text.utf8)), 1)
    runner.step(.received(QuorumPacket(.upToDate, zxid: Zxid(rawValue: -1)), ConnectionID(rawValue: 1)), Self.time)
    var saved: QuorumConfiguration?
    while let effect = runner.next(Self.time) {
      if case .activate = effect { saved = try MemberConfiguration.agreed(EpochFiles(runner.directory)) }
    }
    #expect(saved?.version == next.version)
  }
}
