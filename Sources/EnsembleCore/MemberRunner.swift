package import ServerCore
package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// Runs a member on its disk: carries out what it wants stored, tells it what came of that, and hands everything else
/// to a driver.
///
/// The order in which files change and in which the member hears of it decides whether acknowledged writes survive, so
/// it exists once. The server and the simulator both use it; they bring the network, the time, and a `MemberLog`.
///
/// A driver
/// 1. calls `start` before the first event,
/// 2. gives events to `step` and what clients asked for to `settle`,
/// 3. after each of these takes effects from `next` until there are none, and performs each before it takes the next,
/// 4. calls `onPersisted` when the log has become durable,
/// 5. reads a tree with `treeReader`, and gives it to `install`, after `DriverEffect.receiveTree`,
/// 6. stops for good after `DriverEffect.failed`.
///
/// What every packet passes through is inlinable, so that a driver's module specializes it for its disk and its log;
/// unspecialized, it took a tenth of all instructions of an ensemble's write.
///
/// *Thread*: one at a time.
package final class MemberRunner<Files: FileSystem, Log: MemberLog> {
  package let member: EnsembleMember
  package let directory: DataDirectory<Files>
  private let treeSettings: TreeSettings
  @usableFromInline unowned let log: Log
  /// Counts the logs that were begun and ended.
  @usableFromInline var generation = 0
  /// What is being done, the next one last.
  @usableFromInline var effects: [MemberEffect] = []
  /// The tree that is on its way.
  @usableFromInline var expectedTree: (connection: ConnectionID, zxid: Zxid)?
  @usableFromInline var hasFailed = false

  /// Called around what is done to the disk: a checker's tap.
  package var onStorage: ((StorageEvent) -> Void)?

  /// What happens to the disk.
  package enum StorageEvent {
    case willSaveCurrentEpoch(Epoch)
    case willTruncate
    case savedAcceptedEpoch(Epoch)
    case savedCurrentEpoch(Epoch)
    case truncated(to: Zxid)
    case installed(Zxid)
  }

  /// A runner of a member that has read `directory`.
  package init(
    _ member: EnsembleMember, _ directory: DataDirectory<Files>, _ treeSettings: TreeSettings, log: Log
  ) {
    self.member = member
    self.directory = directory
    self.treeSettings = treeSettings
    self.log = log
  }

  /// Begins the log.
  package func start() { startLog(after: member.zab.history.last) }

  // MARK: Events

  /// Gives an event to the member.
  @inlinable
  package func step(_ event: ZabEvent, _ time: ServerTime) {
    guard !hasFailed else { return }
    member.step(event, time)
  }

  /// Passes on what clients have asked for.
  @inlinable
  package func settle(_ time: ServerTime) {
    guard !hasFailed else { return }
    member.settle(time)
  }

  /// The log is durable up to a transaction.
  ///
  /// - Returns: whether the report is of the current log; one that was stopped may have written transactions that are
  ///   not part of the history any more.
  @inlinable
  @discardableResult
  package func onPersisted(through zxid: Zxid, generation: Int, _ time: ServerTime) -> Bool {
    guard generation == self.generation || trustsReportsOfEarlierLogs else { return false }
    step(.persisted(through: zxid), time)
    return true
  }

  /// The next thing for the driver to do. Everything that concerns the disk and comes before it has been done.
  @inlinable
  package func next(_ time: ServerTime) -> DriverEffect? {
    while !hasFailed {
      guard let effect = effects.popLast() else {
        guard member.takeEffects(into: &effects) else { return nil }
        continue
      }
      switch consume effect {
      case .driver(let effect):
        if case .transport = effect { return effect }
        do throws(TxnLogError) {
          try prepare(effect)
          return effect
        } catch {
          return fail(error)
        }
      case .storage(.append(let entry)): log.append(entry)
      case .storage(let action):
        do throws(TxnLogError) { try perform(action, time) } catch { return fail(error) }
      }
    }
    return nil
  }

  /// Whether a bug is put in on purpose, see `ZabMutation`.
  @usableFromInline
  var trustsReportsOfEarlierLogs: Bool { member.zab.settings.trustsReportsOfEarlierLogs }

  /// Ends the member's work: the disk has failed.
  @usableFromInline
  func fail(_ error: TxnLogError) -> DriverEffect {
    hasFailed = true
    return .failed(.storage(error))
  }

  /// Does what has to be on the disk before the driver acts.
  @usableFromInline
  func prepare(_ effect: borrowing DriverEffect) throws(TxnLogError) {
    switch effect {
    // That it was agreed on is kept: after a restart the log alone does not show that.
    case .activate(let configuration): try EpochFiles(directory).saveAgreedConfiguration(configuration.text)
    case .receiveTree(let connection, let zxid): expectedTree = (connection, zxid)
    case .failed: hasFailed = true
    default: break
    }
  }

  // MARK: The disk

  /// Carries out an action on the disk, and reports it to the member.
  @usableFromInline
  func perform(_ action: StorageAction, _ time: ServerTime) throws(TxnLogError) {
    switch action {
    case .append(let entry): log.append(entry)
    case .truncate(let zxid, let rebuildsTree): try truncate(to: zxid, rebuildsTree: rebuildsTree, time)
    case .saveAcceptedEpoch(let epoch):
      try EpochFiles(directory).saveAccepted(epoch.rawValue)
      onStorage?(.savedAcceptedEpoch(epoch))
      member.step(.acceptedEpochSaved(epoch), time)
    case .prepareCurrentEpoch(let epoch): try EpochFiles(directory).prepareCurrent(epoch.rawValue)
    case .saveCurrentEpoch(let epoch):
      onStorage?(.willSaveCurrentEpoch(epoch))
      try EpochFiles(directory).saveCurrent(epoch.rawValue)
      onStorage?(.savedCurrentEpoch(epoch))
      member.step(.currentEpochSaved(epoch), time)
    }
  }

  private func startLog(after last: Zxid) {
    generation += 1
    log.startLog(after: last, generation: generation)
  }

  /// Ends the log. Reports that are still on their way are out of date from here on, so the member hears of what the
  /// end has made durable here, or never: it would wait forever to acknowledge a history that nothing is added to.
  private func stopLog(_ time: ServerTime) throws(TxnLogError) -> Zxid {
    generation += 1
    let durable = try log.stopLog()
    if !member.zab.settings.forgetsPersistedWhenLogEnds { member.step(.persisted(through: durable), time) }
    return durable
  }

  private func truncate(to zxid: Zxid, rebuildsTree: Bool, _ time: ServerTime) throws(TxnLogError) {
    let durable = try stopLog(time)
    onStorage?(.willTruncate)
    do throws(TxnLogError) {
      try directory.truncate(to: zxid)
    } catch {
      guard case .truncationPointMissing = error.code else { throw error }
      // Nothing has changed.
      startLog(after: durable)
      return member.step(.truncationFailed(zxid), time)
    }
    onStorage?(.truncated(to: zxid))
    var rebuilt: RecoveredState?
    if rebuildsTree {
      var loader = TreeLoader(treeSettings)
      _ = try directory.recover(into: &loader)
      rebuilt = loader.state
    }
    startLog(after: zxid)
    member.truncated(to: zxid, rebuilt: rebuilt, time)
  }

  // MARK: A leader's tree

  /// Reads the tree that `DriverEffect.receiveTree` announced.
  package func treeReader(zxid: Zxid) -> TreeStreamReader { TreeStreamReader(zxid: zxid, treeSettings) }

  /// A leader's tree is complete: it becomes the only history on this disk, then in memory. Nothing happens if the
  /// member does not wait for it any more.
  ///
  /// - Throws: the failure of the disk; the driver stops as after `DriverEffect.failed`.
  package func install(
    _ state: RecoveredState, from connection: ConnectionID, _ time: ServerTime
  ) throws(TxnLogError) {
    guard !hasFailed, let expected = expectedTree, expected.connection == connection,
      member.zab.leaderConnection == connection
    else { return }
    expectedTree = nil
    do throws(TxnLogError) {
      _ = try stopLog(time)
      try directory.install(state, hasDigest: treeSettings.hasDigest)
    } catch {
      hasFailed = true
      throw error
    }
    startLog(after: expected.zxid)
    onStorage?(.installed(expected.zxid))
    member.installed(state, zxid: expected.zxid, time)
  }
}
