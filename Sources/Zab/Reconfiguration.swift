package import ZooKeeperProtocol

/// A configuration that has been proposed and is not committed yet.
///
/// *Source*: Shraer, Reed, Malkhi, Junqueira, "Dynamic Reconfiguration of Primary/Backup Clusters" (USENIX ATC 2012);
/// `QuorumProtocol` B.14.
struct PendingConfiguration: Equatable, Sendable {
  /// The transaction that contains it; the beginning of the epoch for a configuration that `nameFirstConfiguration`
  /// made.
  var zxid: Zxid
  var configuration: QuorumConfiguration
}

extension ZabPeer {
  /// The configuration in a `reconfig` transaction; nil for all other transactions.
  ///
  /// - Throws: when the configuration cannot be parsed.
  private static func configuration(in entry: TxnHistory.Entry) throws(QuorumConfigurationError) -> QuorumConfiguration?
  {
    // This runs for every write, so only the type is decoded unless the transaction is a `reconfig`.
    guard TxnHeader.type(in: entry.bytes) == OpCode.reconfig.rawValue,
      case .reconfig(let body)? = (try? TxnEntry(decoding: entry.bytes, allowingTrailingBytes: true))?.txn,
      let text = body.data
    else { return nil }
    return try QuorumConfiguration(parsing: String(decoding: text, as: UTF8.self))
  }

  /// Records the configuration that a new transaction proposes, if it proposes one.
  ///
  /// A server that cannot parse it does not know which votes count from then on, so it must stop.
  mutating func noteConfiguration(in entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    let found: QuorumConfiguration?
    do throws(QuorumConfigurationError) {
      found = try Self.configuration(in: entry)
    } catch {
      let reason = "the configuration in transaction \(entry.zxid) is not valid: \(error.message)"
      return actions.append(.failed(reason))
    }
    guard let configuration = found else { return }
    // A leader proposes a configuration only after the one before it is committed. A learner that is being
    // synchronized may not know that yet, and must not forget the earlier one: a quorum of it counts from then on.
    if let earlier = pending, earlier.zxid < entry.zxid, !settings.forgetsEarlierConfiguration {
      put(earlier.configuration, &actions)
    }
    pending = PendingConfiguration(zxid: entry.zxid, configuration: configuration)
  }

  /// On a leader: gives the configuration in the configuration file a version, that of the leader's epoch. It has none
  /// until the first leader is established.
  ///
  /// This cannot replace a later configuration. A quorum of the members would have such a configuration in its logs,
  /// and so would a leader that has the history of a quorum.
  ///
  /// *Source*: `Leader.lead`; `QuorumProtocol` B.8.
  mutating func nameFirstConfiguration() {
    guard settings.isReconfigEnabled, configuration.version == 0, pending == nil, let epoch = leader?.epoch
    else { return }
    var named = configuration
    named.version = epoch.newLeaderZxid.rawValue
    pending = PendingConfiguration(zxid: epoch.newLeaderZxid, configuration: named)
  }

  /// Drops the version that a leader has given to the first configuration: it is in no log, and ends with the leader.
  mutating func forgetFirstName() {
    if let change = pending, change.zxid.counter == 0 { pending = nil }
  }

  /// Whether servers are a quorum of the committed configuration, and also of the proposed one if there is one.
  func isQuorum(_ contains: (ServerID) -> Bool) -> Bool {
    configuration.isQuorum(contains) && (pending?.configuration.isQuorum(contains) ?? true)
  }

  /// Whether a server is a voter of the committed or the proposed configuration.
  func votes(_ server: ServerID) -> Bool {
    configuration.isVoter(server) || pending?.configuration.isVoter(server) == true
  }

  /// The voters of the committed and the proposed configuration.
  var allVoters: [ServerID] {
    let voters = configuration.voters
    return voters + (pending?.configuration.voters ?? []).filter { !voters.contains($0) }
  }

  /// Removes and returns the pending configuration if its transaction is committed.
  private mutating func takeCommitted(through zxid: Zxid) -> QuorumConfiguration? {
    guard let change = pending, change.zxid <= zxid else { return nil }
    pending = nil
    return change.configuration
  }

  /// On a leader: activates the pending configuration once its transaction is committed. A leader that is not the one
  /// designated for it gives up its role.
  mutating func activateOnLeader(through zxid: Zxid, _ actions: inout [ZabAction]) {
    guard let activated = takeCommitted(through: zxid) else { return }
    let designated = designatedLeader(activated)
    put(activated, &actions)
    guard designated != id else { return }
    actions.append(.note(.configurationNamesLeader(designated)))
    changeLeader(to: designated, &actions)
  }

  /// On a learner: activates the pending configuration once its transaction is committed. A server whose role has
  /// changed connects again in the new one.
  mutating func activateOnLearner(through zxid: Zxid, designated: ServerID?, _ actions: inout [ZabAction]) {
    guard let activated = takeCommitted(through: zxid) else { return }
    put(activated, &actions)
    if let designated, designated != learner?.leaderID {
      actions.append(.note(.configurationNamesLeader(designated)))
      return changeLeader(to: designated, &actions)
    }
    restartIfRoleChanged(&actions)
  }

  /// Starts an election if this server observes and should vote, or votes and should observe, so that it connects to
  /// the leader again in the role that the configuration gives it.
  mutating func restartIfRoleChanged(_ actions: inout [ZabAction]) {
    guard isLearner else { return }
    let isObserving = if case .observing = role { true } else { false }
    guard isObserving != (configuration.member(id)?.isObserver == true) else { return }
    actions.append(.note(.configurationChangesRole))
    startLooking(&actions)
  }

  /// Makes a configuration the active one, if it is newer.
  mutating func put(_ activated: QuorumConfiguration, _ actions: inout [ZabAction]) {
    guard activated.version > configuration.version else { return }
    configuration = activated
    actions.append(.activate(activated))
  }

  /// The server that must lead under a new configuration: this one if it still may, else the voter that has
  /// acknowledged the most of the history.
  func designatedLeader(_ next: QuorumConfiguration) -> ServerID {
    let isSame = next.member(id)?.addresses.map(\.quorum) == configuration.member(id)?.addresses.map(\.quorum)
    if next.isVoter(id), isSame || configuration.member(id) == nil { return id }
    let candidates = next.voters.filter { $0 != id }
    return candidates.max { one, other in
      (leader?.acknowledged[one] ?? .zero, one) < (leader?.acknowledged[other] ?? .zero, other)
    } ?? id
  }

  /// Whether a configuration is proposed and not committed.
  package var hasPendingConfiguration: Bool { pending != nil }

  /// This leader and the followers that have its history: a new configuration needs a quorum of its voters among them.
  ///
  /// Observers receive only committed transactions, so they cannot help to commit one. Neither can a follower that the
  /// last configuration has made an observer, because it will connect again as an observer.
  package var syncedServers: [ServerID] {
    guard let leader else { return [] }
    let synced = leader.learners.filter { handle in
      !handle.isObserver && configuration.member(handle.id)?.isObserver != true
        && (handle.phase == .running || handle.phase == .awaitingQuorum)
    }
    return [id] + synced.map(\.id)
  }
}
