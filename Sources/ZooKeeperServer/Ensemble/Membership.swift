import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// How a server commits transactions: with an ensemble, or standalone, which leaves out most steps.
///
/// This is the only place where the two differ. It is an enum instead of a protocol because there are exactly two
/// cases, and because every turn of the loop passes through here.
enum Membership {
  case standalone(StandaloneMember)
  case ensemble(EnsembleDriver)

  /// Creates the standalone member, or the driver of a member of an ensemble, as the configuration says.
  ///
  /// - Throws: when the files with the epochs or the members contradict the log or cannot be read.
  init(
    _ configuration: ServerConfiguration, _ recovered: Storage.Recovered, _ log: LogPipeline, _ turns: TurnLoop,
    _ clients: ClientListener, _ encryption: PortEncryption?, _ metrics: ServerMetrics, loop: any EventLoop,
    logger: Logger
  ) throws(TxnLogError) {
    let storage = recovered.storage
    guard var settings = configuration.ensemble else {
      self = .standalone(StandaloneMember(clients.served, log, metrics, lastZxid: storage.report.lastZxid))
      return
    }
    let files = EpochFiles(storage.directory)
    let member = try EnsembleMember(
      settings.serverID, file: settings.quorum, files, recovered.state, recovered.history,
      lastZxid: storage.report.lastZxid, lacksData: recovered.lacksData, zab: settings.zabSettings,
      settings: configuration.coreSettings, metrics: metrics.core)
    let agreed = member.zab.configuration
    if !agreed.hasSameMembers(as: settings.quorum) {
      logger.warning("\(ServerConfiguration.agreedMembersWarning(agreed, path: files.configurationPath))")
    }
    settings.quorum = agreed
    self = .ensemble(
      EnsembleDriver(
        member, recovered, settings, configuration, log, turns, clients, PeerTransport(encryption, configuration),
        metrics, loop: loop, logger: logger))
  }

  /// Starts the log.
  func startLog() {
    switch self {
    case .standalone(let member): member.startLog()
    case .ensemble(let driver): driver.startLog()
    }
  }

  /// Opens the ports for other servers, and starts an election.
  func join(_ listening: Listening) -> EventLoopFuture<Void> {
    switch self {
    case .standalone: listening.loop.makeSucceededVoidFuture()
    case .ensemble(let driver): driver.listen(listening).map { driver.start() }
    }
  }

  /// Proposes the transactions that were made from clients' requests.
  func propose() {
    switch self {
    case .standalone(let member): member.propose()
    case .ensemble(let driver): driver.propose()
    }
  }

  /// Sends the packets of this turn to other servers.
  func flush() { if case .ensemble(let driver) = self { driver.flush() } }

  /// Handles a report that the log of a generation is durable up to a transaction.
  ///
  /// - Returns: whether that generation is the current one.
  func onPersisted(through zxid: Zxid, generation: Int) -> Bool {
    switch self {
    case .standalone(let member):
      guard member.isCurrent(generation) else { return false }
      member.onPersisted(through: zxid)
      return true
    case .ensemble(let driver): return driver.onPersisted(through: zxid, generation: generation)
    }
  }

  /// Closes all connections to other servers.
  func shutDown() { if case .ensemble(let driver) = self { driver.shutDown() } }

  /// The driver of a member of an ensemble; nil for a standalone server.
  var driver: EnsembleDriver? { if case .ensemble(let driver) = self { driver } else { nil } }

  // MARK: Reports

  /// The last durable transaction. A standalone server applies only durable ones, so it is the last one of the tree.
  func durableZxid(_ core: ServerCore) -> Zxid { driver?.member.zab.persisted ?? core.tree.lastProcessedZxid }

  /// The zxid that operators are shown. A leader that has proposed nothing yet shows the beginning of its epoch.
  func reportedZxid(_ core: ServerCore) -> Zxid {
    guard let zab = driver?.member.zab, zab.role == .leading, let epoch = zab.servingEpoch else {
      return core.lastProcessedZxid
    }
    return max(core.lastProcessedZxid, epoch.newLeaderZxid)
  }

  /// `standalone`, or the role in the ensemble.
  var roleName: String { driver?.member.zab.role.word ?? "standalone" }
}
