import EnsembleCore
import ServerCore
import StorageTesting
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// One server of the simulated ensemble: the member and the runner that ship, over a disk that fails.
///
/// What the driver of a real server does with sockets and threads is done here with planned events.
final class SimulatedServer {
  let id: ServerID
  let configuration: QuorumConfiguration
  let options: SimulationOptions
  let disk = MemoryFileSystem()
  private(set) var runner: MemberRunner<MemoryFileSystem, SimulatedServer>?
  var log = SimulatedLog()
  /// Counts the starts: what was planned for an earlier one does not happen.
  private(set) var generation = 0
  var isPaused = false
  /// Whether its disk refuses work, or is about to.
  private(set) var isDiskFailing = false
  /// Until when its disk is slow, and by how much, in microseconds.
  var slowWrites: (until: Int64, delay: Int64) = (0, 0)
  /// How long its next write takes beyond the others, in microseconds.
  var nextWriteDelay: Int64 = 0
  /// What arrived while the server was frozen.
  var inbox: [SimulationEvent] = []
  var severed: Set<ServerID> = []
  var savedEpochs: (accepted: Int64, current: Int64) = (0, 0)
  /// Transactions that were appended since the last snapshot began.
  var sinceSnapshot = 0
  /// The snapshot that is being written.
  private(set) var snapshot: SnapshotJob?
  /// Whether a snapshot that waited for the log can go on.
  var hasSnapshotStep = false
  private var snapshotWriter: SnapshotWriter<MemoryFileSystem>?
  /// Counts the snapshots that were begun, so that a step of an earlier one is not taken for the current one's.
  private(set) var snapshotNumber = 0
  var plannedTick = Int64.max
  /// Its clock is ahead of the simulation's by so much.
  let skewMilliseconds: Int64
  /// Snapshots that TRUNC removed and that are put back, for one of the bugs.
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

  /// The log is safe up to here, as far as the disk knows.
  var durable: Zxid { log.durable }

  var directory: DataDirectory<MemoryFileSystem> { DataDirectory(disk, dataDirectory: "/data") }

  private static let treeSettings = TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: 7)

  private var settings: ZabSettings {
    var settings = ZabSettings()
    settings.tickMilliseconds = 200
    settings.historyCount = options.historyCount
    settings.isReconfigEnabled = true
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
    settings.skipACL = true
    settings.maximumTxnBytes = options.mutation == .writesLargeTransactions ? .max : StateChecker.maximumTxnBytes
    return settings
  }

  /// Reads the disk.
  ///
  /// - Throws: when the disk fails, or says that nothing may start on it.
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

  /// The disk begins to refuse work after some calls: it is full, or broken. A server that sees it ends itself.
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

  /// The disk does its work from now on.
  func repairDisk() {
    isDiskFailing = false
    slowWrites = (0, 0)
    nextWriteDelay = 0
    disk.fault = nil
    disk.crashAtOperation = nil
  }

  /// The power fails.
  func crash(_ survival: MemoryFileSystem.Survival) {
    isDiskFailing = false
    disk.fault = nil
    // Nothing is tidied up any more.
    disk.crashAtOperation = disk.operationCount
    generation += 1
    runner = nil
    log.crash()
    endSnapshot()
    inbox = []
    isPaused = false
    disk.crash(survival)
  }

  // MARK: Snapshots

  /// Begins a snapshot if enough transactions were logged since the last one, as a server that serves does.
  ///
  /// - Returns: whether it has begun.
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

  /// What a step of a snapshot has led to.
  enum SnapshotProgress {
    case goesOn
    /// For the log, or for nothing any more.
    case waits
    case isDone
  }

  /// Does the next step of the snapshot.
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

  /// The snapshot is done, or is not to be.
  func endSnapshot() {
    hasSnapshotStep = false
    snapshot = nil
    snapshotWriter = nil
  }

  /// The log is durable up to a transaction.
  func onLogged(through zxid: Zxid) { if snapshot?.onLogged(through: zxid) == true { hasSnapshotStep = true } }

  /// The log ends: a snapshot that waits for it is abandoned.
  func onLogEnded() { if snapshot?.onLogEnded() == true { endSnapshot() } }

  /// Takes a snapshot of what is in memory at once, for one of the bugs.
  func snapshotAtOnce() throws(TxnLogError) {
    guard let member else { return }
    try directory.writeSnapshot(member.state, hasDigest: true)
  }

  /// Remembers the snapshots on disk, for one of the bugs.
  func keepSnapshots() { keptSnapshots = disk.visibleFiles.filter { $0.key.contains("/snapshot.") } }

  /// Puts back what was removed of them.
  func restoreSnapshots() {
    for (path, bytes) in keptSnapshots.sorted(by: { $0.key < $1.key }) where !disk.exists(path) {
      disk.install(path, bytes)
    }
    keptSnapshots = [:]
  }
}
