import EnsembleCore
import ServerCore
import StorageTesting
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// One server of the simulated ensemble: the same member and runner as in a real server, over a disk that can fail.
///
/// What the driver of a real server does with sockets and threads is done with events in the queue.
final class SimulatedServer {
  let id: ServerID
  let configuration: QuorumConfiguration
  let options: SimulationOptions
  let disk = MemoryFileSystem()
  private(set) var runner: MemberRunner<MemoryFileSystem, SimulatedServer>?
  var log = SimulatedLog()
  /// The number of starts, so that events that were added for an earlier start are ignored.
  private(set) var generation = 0
  var isPaused = false
  /// Whether its disk fails, or is about to.
  private(set) var isDiskFailing = false
  /// Until when its disk is slow, and the additional time of each write, in microseconds.
  var slowWrites: (until: Int64, delay: Int64) = (0, 0)
  /// The additional time of its next write, in microseconds.
  var nextWriteDelay: Int64 = 0
  /// The events that arrived while the server was paused.
  private(set) var inbox: [SimulationEvent] = []
  var severed: Set<ServerID> = []
  var savedEpochs: (accepted: Int64, current: Int64) = (0, 0)
  /// The number of transactions that were appended since the last snapshot began.
  var sinceSnapshot = 0
  /// The snapshot that is being written.
  private(set) var snapshot: SnapshotJob?
  /// Whether a snapshot that waited for the log can continue.
  var hasSnapshotStep = false
  private var snapshotWriter: SnapshotWriter<MemoryFileSystem>?
  /// The number of snapshots that were begun, so that a late step of an earlier one is ignored.
  private(set) var snapshotNumber = 0
  var plannedTick = Int64.max
  /// How far its clocks are ahead of the simulation's.
  var skewMilliseconds: Int64
  /// How far the clock that people read is ahead of the other one.
  var wallOffsetMilliseconds: Int64 = 0
  /// The core for clients that are content with reads, while the member has no quorum.
  private var readOnlyCore: ServerCore?
  /// Snapshots that are restored after TRUNC, for the mutation `truncationKeepsSnapshots`.
  private var keptSnapshots: [String: [UInt8]] = [:]

  init(_ id: ServerID, _ configuration: QuorumConfiguration, _ options: SimulationOptions, skewMilliseconds: Int64) {
    self.id = id
    self.configuration = configuration
    self.options = options
    self.skewMilliseconds = skewMilliseconds
    disk.hasDirectWrites = options.hasDirectWrites
  }

  var member: EnsembleMember? { runner?.member }

  var isUp: Bool { runner != nil }

  /// The core that clients talk to.
  var core: ServerCore? { member?.core ?? readOnlyCore }

  /// Whether only clients that are content with reads are served.
  var servesReaders: Bool { readOnlyCore != nil }

  /// Serves clients that are content with reads, as `ServedCore.serveReaders` does.
  func serveReaders(_ time: ServerTime) {
    guard let member else { return }
    readOnlyCore = ServerCore(
      settings: serverSettings, tree: member.state.tree, sessions: member.state.sessions, time: time, role: .readOnly)
  }

  /// Ends that.
  func stopServingReaders() { readOnlyCore = nil }

  /// The log is durable up to here.
  var durable: Zxid { log.durable }

  var directory: DataDirectory<MemoryFileSystem> { DataDirectory(disk, dataDirectory: "/data") }

  private static let treeSettings = TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: 7)

  private var settings: ZabSettings {
    var settings = ZabSettings()
    settings.tickMilliseconds = 200
    settings.historyCount = options.historyCount
    settings.isReconfigEnabled = true
    settings.readsLogForLearners = options.readsLogForLearners
    settings.alwaysSendsTree = options.alwaysSendsTree
    settings.hasObserverMasters = options.hasObserverMasters
    settings.observerElectionMilliseconds = options.observerDelayMilliseconds
    settings.observerReconnectMilliseconds = options.observerDelayMilliseconds
    #if ZAB_MUTATIONS
      settings.mutation = options.mutation
    #endif
    return settings
  }

  private var serverSettings: ServerSettings {
    var settings = ServerSettings()
    settings.serverID = id.rawValue
    settings.tickTimeMilliseconds = 200
    settings.reconfigEnabled = true
    settings.hasLocalSessions = options.hasLocalSessions
    settings.upgradesLocalSessions = true
    settings.expiredAtOnceCount = options.expiredAtOnceCount
    settings.skipACL = true
    settings.maximumTxnBytes = options.mutation == .writesLargeTransactions ? .max : StateChecker.maximumTxnBytes
    return settings
  }

  /// Recovers the disk, and creates the member and its runner.
  ///
  /// - Throws: when the disk fails, or has damage on which a server must not start.
  func start(_ checker: inout StateChecker) throws(TxnLogError) {
    generation += 1
    plannedTick = .max
    try directory.create()
    var loader = TreeLoader(Self.treeSettings, historyLimits: settings)
    let report = try directory.recover(into: &loader)
    if report.isEmpty { try directory.writeSnapshot(loader.state, hasDigest: true) }
    let files = EpochFiles(directory)
    let member = try EnsembleMember(
      id, file: configuration, files, loader.state, loader.history, lastZxid: report.lastZxid, zab: settings,
      settings: serverSettings)
    let epochs = try files.load(lastZxid: report.lastZxid)
    savedEpochs = (epochs.accepted, epochs.current)
    checker.onEpochs(id, accepted: epochs.accepted, current: epochs.current)
    if loader.state.digestMismatches > 0 { checker.fail("server \(id) recovers a tree of another digest") }
    checker.onRecovery(id, loader.history, digest: loader.state.tree.treeDigest)
    let runner = MemberRunner(member, directory, Self.treeSettings, log: self)
    self.runner = runner
    runner.start()
  }

  /// Lets the disk fail after some more calls, because it is full or cannot sync. A server that encounters that stops.
  func failDisk(afterCalls count: Int, isFull: Bool) {
    let start = disk.operationCount + count
    isDiskFailing = true
    disk.fault = { operation, _, number in
      guard number >= start else { return nil }
      switch operation {
      case .write, .allocate: return isFull ? .failure(.noSpace) : nil
      case .syncData, .syncAll, .syncDirectory: return isFull ? nil : .failure(.other)
      default: return nil
      }
    }
  }

  /// Lets the disk work from now on.
  func repairDisk() {
    isDiskFailing = false
    slowWrites = (0, 0)
    nextWriteDelay = 0
    disk.fault = nil
    disk.crashAtOperation = nil
  }

  /// Simulates a power failure.
  func crash(_ survival: MemoryFileSystem.Survival) {
    isDiskFailing = false
    disk.fault = nil
    // Every later call fails, so that deinitializers cannot change the disk.
    disk.crashAtOperation = disk.operationCount
    generation += 1
    runner = nil
    readOnlyCore = nil
    log.crash()
    endSnapshot()
    inbox = []
    isPaused = false
    disk.crash(survival)
  }

  /// Keeps an event until a paused server goes on. Packets that wait one after the other in a connection's socket are
  /// read together.
  func keep(_ event: SimulationEvent) {
    guard let joined = inbox.last?.joined(with: event) else { return inbox.append(event) }
    inbox[inbox.count - 1] = joined
  }

  /// Returns the events that waited, in their order.
  func takeInbox() -> [SimulationEvent] {
    defer { inbox = [] }
    return inbox
  }

  // MARK: Snapshots

  /// Begins a snapshot if enough transactions were logged since the last one, as a server does while it serves.
  ///
  /// - Returns: whether one was begun.
  func beginSnapshotIfDue() -> Bool {
    guard let member, let core = member.core, snapshot == nil, sinceSnapshot >= options.snapshotInterval else {
      return false
    }
    sinceSnapshot = 0
    log.roll()
    snapshotNumber += 1
    snapshot = SnapshotJob(
      core.tree, sessions: core.committedSessions, logged: member.zab.persisted, hasDigest: true,
      ignoresLog: member.zab.settings.snapshotsIgnoreLog)
    return true
  }

  /// The result of a step of a snapshot.
  enum SnapshotProgress {
    case goesOn
    /// The snapshot waits for the log, or there is none.
    case waits
    case isDone
  }

  /// Performs the next step of the snapshot.
  func continueSnapshot() throws(TxnLogError) -> SnapshotProgress {
    guard let job = snapshot else { return .waits }
    guard snapshotWriter != nil else {
      snapshotWriter = try SnapshotWriter(job, directory)
      return .goesOn
    }
    switch job.next(budgetBytes: options.pieceBytes) {
    case .write(let slice):
      try snapshotWriter?.append(slice)
      return .goesOn
    case .awaitLog: return .waits
    case .abandon:
      endSnapshot()
      return .waits
    case .finish(let digest):
      try snapshotWriter.take()?.finish(digest: digest, lastProcessed: job.zxid)
      endSnapshot()
      _ = try directory.purge(retainCount: 3)
      return .isDone
    }
  }

  /// Forgets the snapshot, which is complete or abandoned.
  func endSnapshot() {
    hasSnapshotStep = false
    snapshot = nil
    snapshotWriter = nil
  }

  /// Lets a snapshot that waits for the log continue once the log is durable that far.
  func onLogged(through zxid: Zxid) { if snapshot?.onLogged(through: zxid) == true { hasSnapshotStep = true } }

  /// Abandons the snapshot that is being written, because the history is about to be truncated or replaced.
  func abandonSnapshot() {
    _ = snapshot?.abandon()
    endSnapshot()
  }

  /// Writes a snapshot of the state in memory at once, for the mutation `truncationKeepsSnapshots`.
  func snapshotAtOnce() throws(TxnLogError) {
    guard let member else { return }
    try directory.writeSnapshot(member.state, hasDigest: true)
  }

  /// Remembers the snapshots on disk, for the mutation `truncationKeepsSnapshots`.
  func keepSnapshots() { keptSnapshots = disk.visibleFiles.filter { $0.key.contains("/snapshot.") } }

  /// Restores those that were removed since.
  func restoreSnapshots() {
    for (path, bytes) in keptSnapshots.sorted(by: { $0.key < $1.key }) where !disk.exists(path) {
      disk.install(path, bytes)
    }
    keptSnapshots = [:]
  }
}
