import EnsembleCore
import ServerCore
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// One server of the simulated ensemble: the member that ships, over a disk that fails.
///
/// What the driver of a real server does with sockets and threads is done here with planned events.
final class SimulatedServer {
  let id: ServerID
  let configuration: QuorumConfiguration
  let options: SimulationOptions
  let disk = MemoryFileSystem()
  private(set) var member: EnsembleMember?
  private var writer: LogWriter<MemoryFileSystem>?
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
  /// Entries that wait for the disk.
  var unwritten: [TxnHistory.Entry] = []
  var isWriting = false
  /// Counts the logs that were begun.
  private(set) var logGeneration = 0
  /// The log is safe up to here, as far as the disk knows.
  private(set) var durable = Zxid.zero
  private(set) var savedEpochs: (accepted: Int64, current: Int64) = (0, 0)
  private var sinceSnapshot = 0
  var plannedTick = Int64.max
  /// Its clock is ahead of the simulation's by so much.
  let skewMilliseconds: Int64
  /// Where a TRUNC leaves what it should have removed, for one of the bugs.
  private var keptSnapshots: [String: [UInt8]] = [:]

  init(_ id: ServerID, _ configuration: QuorumConfiguration, _ options: SimulationOptions, skewMilliseconds: Int64) {
    self.id = id
    self.configuration = configuration
    self.options = options
    self.skewMilliseconds = skewMilliseconds
  }

  var isUp: Bool { member != nil }

  var directory: DataDirectory<MemoryFileSystem> { DataDirectory(disk, dataDirectory: "/data") }

  private func loader() -> TreeLoader {
    TreeLoader(hasExtendedTypes: true, hasDigest: true, hashSeed: 7, historyLimits: settings)
  }

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
    logGeneration += 1
    isWriting = false
    unwritten = []
    plannedTick = .max
    try directory.create()
    var loader = loader()
    let report = try directory.recover(into: &loader)
    if report.isEmpty, report.snapshot == nil { try directory.writeSnapshot(loader.state, hasDigest: true) }
    let epochs = try EpochFiles(directory).load(lastZxid: report.lastZxid)
    savedEpochs = (epochs.accepted, epochs.current)
    checker.onEpochs(id, accepted: epochs.accepted, current: epochs.current)
    if loader.state.digestMismatches > 0 { checker.fail("server \(id) recovers a tree of another digest") }
    checker.onRecovery(id, loader.history, digest: loader.state.tree.treeDigest)
    durable = report.lastZxid
    let known = try MemberConfiguration(
      file: configuration, EpochFiles(directory), tree: loader.state.tree)
    let zab = ZabPeer(
      id: id, configuration: known.committed, proposed: known.proposed, settings: settings,
      acceptedEpoch: Epoch(rawValue: options.mutation == .forgetsPromises ? epochs.current : epochs.accepted),
      currentEpoch: Epoch(rawValue: epochs.current), history: loader.history)
    startLog(after: report.lastZxid)
    member = EnsembleMember(zab, state: loader.state, settings: serverSettings)
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
    generation += 1
    member = nil
    writer = nil
    inbox = []
    isPaused = false
    disk.crash(survival)
  }

  // MARK: The log

  private func startLog(after last: Zxid) {
    logGeneration += 1
    isWriting = false
    var logSettings = LogSettings()
    logSettings.preallocationBytes = 0
    writer = LogWriter(disk, directory: directory.logDirectory, after: last, settings: logSettings)
  }

  /// Writes and syncs all that waits.
  ///
  /// - Returns: the last transaction that is safe.
  func writeLog() throws(TxnLogError) -> Zxid {
    let batch = unwritten
    unwritten = []
    for entry in batch { try writer?.append(entry.bytes) }
    durable = try writer?.sync() ?? durable
    return durable
  }

  // MARK: The small files

  /// Saves the accepted epoch.
  func save(accepted epoch: Epoch, _ checker: inout StateChecker) throws(TxnLogError) {
    try EpochFiles(directory).saveAccepted(epoch.rawValue)
    savedEpochs.accepted = epoch.rawValue
    checker.onEpochs(id, accepted: savedEpochs.accepted, current: savedEpochs.current)
  }

  /// Announces an epoch.
  func save(announced epoch: Epoch) throws(TxnLogError) { try EpochFiles(directory).prepareCurrent(epoch.rawValue) }

  /// Saves the current epoch.
  func save(current epoch: Epoch, _ checker: inout StateChecker) throws(TxnLogError) {
    try EpochFiles(directory).saveCurrent(epoch.rawValue)
    savedEpochs.current = epoch.rawValue
    checker.onEpochs(id, accepted: savedEpochs.accepted, current: savedEpochs.current)
  }

  /// Keeps a configuration that was agreed on.
  func save(_ agreed: QuorumConfiguration) throws(TxnLogError) {
    try EpochFiles(directory).saveAgreedConfiguration(agreed.text)
  }

  // MARK: Replacing the history

  /// Cuts the log, and reads the tree again where needed.
  func truncate(to zxid: Zxid, rebuildsTree: Bool) throws(TxnLogError) -> RecoveredState? {
    _ = try writeLog()
    writer = nil
    let snapshots = disk.visibleFiles.filter { $0.key.contains("/snapshot.") }
    try directory.truncate(to: zxid)
    if options.mutation == .truncationKeepsSnapshots {
      for (path, bytes) in snapshots.sorted(by: { $0.key < $1.key }) where !disk.exists(path) {
        disk.install(path, bytes)
      }
    }
    var rebuilt: RecoveredState?
    if rebuildsTree {
      var loader = loader()
      _ = try directory.recover(into: &loader)
      rebuilt = loader.state
    }
    durable = min(durable, zxid)
    startLog(after: zxid)
    return rebuilt
  }

  /// The log goes on after an attempt to cut it that changed nothing.
  func reopenLog(after last: Zxid) { startLog(after: last) }

  /// Makes a leader's tree the only history.
  func install(_ state: RecoveredState) throws(TxnLogError) {
    _ = try writeLog()
    writer = nil
    try directory.install(state, hasDigest: true)
    durable = state.tree.lastProcessedZxid
    startLog(after: durable)
  }

  /// Takes a snapshot now and then, as a server that serves does.
  func snapshotIfDue() throws(TxnLogError) {
    sinceSnapshot += 1
    guard let member, member.core != nil, sinceSnapshot >= options.snapshotInterval else { return }
    sinceSnapshot = 0
    try writer?.roll()
    try snapshot()
    _ = try directory.purge(retainCount: 3)
  }

  /// Takes a snapshot of what is in memory.
  func snapshot() throws(TxnLogError) {
    guard let member else { return }
    try directory.writeSnapshot(member.state, hasDigest: true)
  }
}
