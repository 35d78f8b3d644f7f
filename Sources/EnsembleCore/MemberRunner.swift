package import ServerCore
package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// Runs a member on its disk: performs what concerns the disk, reports the results to the member, and hands all other
/// effects to a driver.
///
/// The order in which files change and in which the member is informed decides whether acknowledged writes survive, so
/// it is implemented once. The server and the simulator both use it, and supply the network, the time and a
/// `MemberLog`.
///
/// A driver
/// 1. calls `start` before the first event,
/// 2. gives events to `step`, and calls `settle` when clients have sent requests,
/// 3. after each of these takes effects from `next` until there are none, and performs each before it takes the next,
/// 4. calls `onPersisted` when the log has become durable,
/// 5. reads a tree with `treeReader`, and gives it to `install`, after `DriverEffect.receiveTree`,
/// 6. stops for good after `DriverEffect.failed`.
///
/// The time is read after the disk has done its work, which may take seconds: a member that heard of a large tree as of
/// the time before it was written would take its leader for silent.
///
/// What every packet passes through is inlinable, so that a driver's module specializes it for its disk and its log;
/// unspecialized, it took a tenth of all instructions of an ensemble's write.
///
/// *Thread*: any, but one at a time.
package final class MemberRunner<Files: FileSystem, Log: MemberLog> {
  package let member: EnsembleMember
  package let directory: DataDirectory<Files>
  private let treeSettings: TreeSettings
  @usableFromInline unowned let log: Log
  /// The current generation of the log; it changes when a log is started and when it is stopped.
  @usableFromInline var generation = 0
  /// The effects that are being performed; those that were are replaced by one without a value.
  @usableFromInline var effects: [MemberEffect] = []
  /// How many of them were performed.
  @usableFromInline var performedCount = 0
  /// The tree that the leader has announced.
  @usableFromInline var expectedTree: (connection: ConnectionID, zxid: Zxid)?
  @usableFromInline var hasFailed = false

  /// Called when something happens to the disk. The simulator checks it.
  package var onStorage: ((StorageEvent) -> Void)?

  /// Something that happens to the disk.
  package enum StorageEvent {
    case willSaveCurrentEpoch(Epoch)
    case willTruncate
    case savedAcceptedEpoch(Epoch)
    case savedCurrentEpoch(Epoch)
    case truncated(to: Zxid)
    case installed(Zxid)
  }

  /// Creates a runner for a member that was recovered from `directory`.
  package init(
    _ member: EnsembleMember, _ directory: DataDirectory<Files>, _ treeSettings: TreeSettings, log: Log
  ) {
    self.member = member
    self.directory = directory
    self.treeSettings = treeSettings
    self.log = log
  }

  /// Starts the log.
  package func start() { startLog(after: member.zab.history.last) }

  // MARK: Events

  /// Gives an event to the member.
  @inlinable
  package func step(_ event: ZabEvent, _ time: ServerTime) {
    guard !hasFailed else { return }
    member.step(event, time)
  }

  /// Lets the member propose or forward what clients have requested.
  @inlinable
  package func settle(_ time: ServerTime) {
    guard !hasFailed else { return }
    member.settle(time)
  }

  /// Handles a report that the log of a generation is durable up to a transaction.
  ///
  /// - Returns: whether that generation is the current one. An earlier one may have written transactions that are no
  ///   longer part of the history, so its reports are ignored.
  @inlinable
  @discardableResult
  package func onPersisted(through zxid: Zxid, generation: Int, _ time: ServerTime) -> Bool {
    guard generation == self.generation || trustsReportsOfEarlierLogs else { return false }
    step(.persisted(through: zxid), time)
    return true
  }

  /// The next effect for the driver; nil if there is none. Everything that concerns the disk and precedes the effect is
  /// already done.
  @inlinable
  package func next(_ now: @autoclosure () -> ServerTime) -> DriverEffect? {
    while !hasFailed {
      guard performedCount < effects.count else {
        performedCount = 0
        guard member.takeEffects(into: &effects) else {
          effects.removeAll(keepingCapacity: true)
          return nil
        }
        continue
      }
      // Swapped out, because an effect that is read from an array is copied, with a reference count for each part.
      var effect = MemberEffect.driver(.stopServing)
      swap(&effects[performedCount], &effect)
      performedCount += 1
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
        do throws(TxnLogError) { try perform(action, now) } catch { return fail(error) }
      }
    }
    return nil
  }

  /// Whether a bug is put in on purpose, see `ZabMutation`.
  @usableFromInline
  var trustsReportsOfEarlierLogs: Bool { member.zab.settings.trustsReportsOfEarlierLogs }

  /// Ends the member's work, because the disk has failed.
  @usableFromInline
  func fail(_ error: TxnLogError) -> DriverEffect {
    hasFailed = true
    return .failed(.storage(error))
  }

  /// Makes durable what must be on disk before the driver performs an effect.
  @usableFromInline
  func prepare(_ effect: borrowing DriverEffect) throws(TxnLogError) {
    switch effect {
    // After a restart, the log alone does not show that the configuration was committed.
    case .activate(let configuration): try EpochFiles(directory).saveAgreedConfiguration(configuration.text)
    case .receiveTree(let connection, let zxid): expectedTree = (connection, zxid)
    case .failed: hasFailed = true
    default: break
    }
  }

  // MARK: The disk

  /// Carries out an action on the disk, and reports it to the member.
  @usableFromInline
  func perform(_ action: StorageAction, _ now: () -> ServerTime) throws(TxnLogError) {
    switch action {
    case .append(let entry): log.append(entry)
    case .truncate(let zxid, let rebuildsTree): try truncate(to: zxid, rebuildsTree: rebuildsTree, now)
    case .saveAcceptedEpoch(let epoch):
      try EpochFiles(directory).saveAccepted(epoch.rawValue)
      onStorage?(.savedAcceptedEpoch(epoch))
      member.step(.acceptedEpochSaved(epoch), now())
    case .prepareCurrentEpoch(let epoch): try EpochFiles(directory).prepareCurrent(epoch.rawValue)
    case .saveCurrentEpoch(let epoch):
      onStorage?(.willSaveCurrentEpoch(epoch))
      try EpochFiles(directory).saveCurrent(epoch.rawValue)
      onStorage?(.savedCurrentEpoch(epoch))
      member.step(.currentEpochSaved(epoch), now())
    }
  }

  private func startLog(after last: Zxid) {
    generation += 1
    log.startLog(after: last, generation: generation)
  }

  /// Ends the log. Reports that are still in a queue are ignored from here on, so the member must learn here what the
  /// end of the log has made durable. Otherwise it could wait indefinitely to acknowledge a history that does not grow.
  private func stopLog(_ now: () -> ServerTime) throws(TxnLogError) -> Zxid {
    generation += 1
    let durable = try log.stopLog()
    if !member.zab.settings.forgetsPersistedWhenLogEnds { member.step(.persisted(through: durable), now()) }
    return durable
  }

  private func truncate(to zxid: Zxid, rebuildsTree: Bool, _ now: () -> ServerTime) throws(TxnLogError) {
    let durable = try stopLog(now)
    onStorage?(.willTruncate)
    do throws(TxnLogError) {
      try directory.truncate(to: zxid)
    } catch {
      guard case .truncationPointMissing = error.code else { throw error }
      // The log could not be truncated, and nothing has changed: it continues where it was.
      startLog(after: durable)
      return member.step(.truncationFailed(zxid), now())
    }
    onStorage?(.truncated(to: zxid))
    var rebuilt: RecoveredState?
    if rebuildsTree {
      var loader = TreeLoader(treeSettings)
      _ = try directory.recover(into: &loader)
      rebuilt = loader.state
    }
    startLog(after: zxid)
    member.truncated(to: zxid, rebuilt: rebuilt, now())
  }

  // MARK: A leader's tree

  /// Creates a reader for the tree that `DriverEffect.receiveTree` has announced.
  package func treeReader(zxid: Zxid) -> TreeStreamReader { TreeStreamReader(zxid: zxid, treeSettings) }

  /// Installs a leader's tree that has arrived completely, on disk first and then in memory, where it replaces the
  /// history. Does nothing if the member no longer waits for it.
  ///
  /// - Throws: the failure of the disk; the driver stops as after `DriverEffect.failed`.
  package func install(
    _ state: RecoveredState, from connection: ConnectionID, _ now: @autoclosure () -> ServerTime
  ) throws(TxnLogError) {
    guard !hasFailed, let expected = expectedTree, expected.connection == connection,
      member.zab.leaderConnection == connection
    else { return }
    expectedTree = nil
    do throws(TxnLogError) {
      _ = try stopLog(now)
      try directory.install(state, hasDigest: treeSettings.hasDigest)
    } catch {
      hasFailed = true
      throw error
    }
    startLog(after: expected.zxid)
    onStorage?(.installed(expected.zxid))
    member.installed(state, zxid: expected.zxid, now())
  }
}
