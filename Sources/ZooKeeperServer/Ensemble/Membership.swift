import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// How a server agrees on transactions: with others, or by itself, which leaves out most steps.
///
/// The only place where the two differ. An enum instead of a protocol, as there are exactly two, and as every turn of
/// the loop goes through here.
enum Membership {
  case standalone(StandaloneMember)
  case ensemble(EnsembleDriver)

  /// Puts together what the configuration asks for.
  ///
  /// - Throws: when the files about epochs or members contradict the log or cannot be read.
  init(
    _ configuration: ServerConfiguration, _ recovered: Storage.Recovered, _ log: LogPipeline, _ turns: TurnLoop,
    _ clients: ClientListener, loop: any EventLoop, logger: Logger
  ) throws(TxnLogError) {
    let storage = recovered.storage
    guard var settings = configuration.ensemble else {
      self = .standalone(StandaloneMember(clients.served, log, lastZxid: storage.report.lastZxid))
      return
    }
    let files = EpochFiles(storage.directory)
    let member = try EnsembleMember(
      settings.serverID, file: settings.quorum, files, recovered.state, recovered.history,
      lastZxid: storage.report.lastZxid, zab: settings.zabSettings, settings: configuration.coreSettings)
    let agreed = member.zab.configuration
    if !agreed.hasSameMembers(as: settings.quorum) {
      logger.warning("\(ServerConfiguration.agreedMembersWarning(agreed, path: files.configurationPath))")
    }
    settings.quorum = agreed
    self = .ensemble(
      EnsembleDriver(member, recovered, settings, configuration, log, turns, clients, loop: loop, logger: logger))
  }

  /// Begins the log.
  func startLog() {
    switch self {
    case .standalone(let member): member.startLog()
    case .ensemble(let driver): driver.startLog()
    }
  }

  /// Opens the ports for other servers, and begins the election.
  func join(_ listening: Listening) -> EventLoopFuture<Void> {
    switch self {
    case .standalone: listening.loop.makeSucceededVoidFuture()
    case .ensemble(let driver): driver.listen(listening).map { driver.start() }
    }
  }

  /// Turns what clients have asked for into proposals.
  func propose() {
    switch self {
    case .standalone(let member): member.propose()
    case .ensemble(let driver): driver.propose()
    }
  }

  /// Sends to other servers what the turn has brought.
  func flush() { if case .ensemble(let driver) = self { driver.flush() } }

  /// The log of a generation is durable up to a transaction.
  ///
  /// - Returns: whether that generation is the current one.
  func onPersisted(through zxid: Zxid, generation: Int) -> Bool {
    switch self {
    case .standalone(let member):
      member.onPersisted(through: zxid)
      return true
    case .ensemble(let driver): return driver.onPersisted(through: zxid, generation: generation)
    }
  }

  /// Ends all connections to other servers.
  func shutDown() { if case .ensemble(let driver) = self { driver.shutDown() } }

  /// The driver of an ensemble's member, for what only that has.
  var driver: EnsembleDriver? { if case .ensemble(let driver) = self { driver } else { nil } }

  // MARK: Reports

  /// The log is durable up to here, as far as the tree in `core` is concerned.
  func durableZxid(_ core: ServerCore) -> Zxid { driver?.member.zab.persisted ?? core.tree.lastProcessedZxid }

  /// The last transaction; a leader counts the beginning of its epoch as one.
  func reportedZxid(_ core: ServerCore) -> Zxid {
    guard let zab = driver?.member.zab, zab.role == .leading, let epoch = zab.servingEpoch else {
      return core.lastProcessedZxid
    }
    return max(core.lastProcessedZxid, epoch.newLeaderZxid)
  }

  /// `standalone`, or the role in the ensemble.
  var roleName: String { driver?.member.zab.role.word ?? "standalone" }
}
