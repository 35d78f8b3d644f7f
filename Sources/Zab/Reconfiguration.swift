package import ZooKeeperProtocol

/// A configuration that has been proposed and is not committed yet.
///
/// *Source*: Shraer, Reed, Malkhi, Junqueira, "Dynamic Reconfiguration of Primary/Backup Clusters" (USENIX ATC 2012);
/// `QuorumProtocol` B.14.
struct PendingConfiguration: Equatable, Sendable {
  /// The transaction that brings it.
  var zxid: Zxid
  var configuration: QuorumConfiguration
}

extension ZabPeer {
  /// The configuration that a transaction brings; nil for all other transactions.
  ///
  /// - Throws: when it brings one that cannot be read.
  private static func configuration(in entry: TxnHistory.Entry) throws(QuorumConfigurationError) -> QuorumConfiguration?
  {
    // Every write comes here: nothing but the type is decoded of most.
    guard TxnHeader.type(in: entry.bytes) == OpCode.reconfig.rawValue,
      case .reconfig(let body)? = (try? TxnEntry(decoding: entry.bytes, allowingTrailingBytes: true))?.txn,
      let text = body.data
    else { return nil }
    return try QuorumConfiguration(parsing: String(decoding: text, as: UTF8.self))
  }

  /// Notes a configuration that a new transaction proposes.
  ///
  /// A server that cannot read it does not know whose votes count from there on, and must not go on.
  mutating func noteConfiguration(in entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    let found: QuorumConfiguration?
    do throws(QuorumConfigurationError) {
      found = try Self.configuration(in: entry)
    } catch {
      let reason = "transaction \(entry.zxid) brings a configuration that cannot be read: \(error.message)"
      return actions.append(.failed(reason))
    }
    guard let configuration = found else { return }
    pending = PendingConfiguration(zxid: entry.zxid, configuration: configuration)
  }

  /// On a leader: the configuration that servers were begun with has no version until the first leader that is
  /// established gives it one, its epoch's.
  ///
  /// A quorum of these members knows of every later configuration that may be committed, so a leader with the history
  /// of such a quorum and none of them in it replaces nothing.
  ///
  /// *Source*: `Leader.lead`; `QuorumProtocol` B.8.
  mutating func nameFirstConfiguration() {
    guard settings.isReconfigEnabled, configuration.version == 0, pending == nil, let epoch = leader?.epoch
    else { return }
    var named = configuration
    named.version = epoch.newLeaderZxid.rawValue
    pending = PendingConfiguration(zxid: epoch.newLeaderZxid, configuration: named)
  }

  /// A leader's name for the first configuration is in no log: it goes with the leader.
  mutating func forgetFirstName() {
    if let change = pending, change.zxid.counter == 0 { pending = nil }
  }

  /// Whether servers are a quorum of all configurations in force: of the committed one, and of one that is proposed.
  func isQuorum(_ contains: (ServerID) -> Bool) -> Bool {
    configuration.isQuorum(contains) && (pending?.configuration.isQuorum(contains) ?? true)
  }

  /// Whether a server votes in one of the configurations in force.
  func votes(_ server: ServerID) -> Bool {
    configuration.isVoter(server) || pending?.configuration.isVoter(server) == true
  }

  /// The voters of all configurations in force.
  var allVoters: [ServerID] {
    let voters = configuration.voters
    return voters + (pending?.configuration.voters ?? []).filter { !voters.contains($0) }
  }

  /// The pending configuration, if its transaction is among those that are committed now.
  private mutating func takeCommitted(through zxid: Zxid) -> QuorumConfiguration? {
    guard let change = pending, change.zxid <= zxid else { return nil }
    pending = nil
    return change.configuration
  }

  /// On a leader: its transaction is committed, so the configuration is in force. A leader that is not the one for it
  /// gives up.
  mutating func activateOnLeader(through zxid: Zxid, _ actions: inout [ZabAction]) {
    guard let activated = takeCommitted(through: zxid) else { return }
    let designated = designatedLeader(activated)
    put(activated, &actions)
    guard designated != id else { return }
    actions.append(.note(.configurationNamesLeader(designated)))
    changeLeader(to: designated, &actions)
  }

  /// On a learner: as above. A server whose part has changed comes again in its new one.
  mutating func activateOnLearner(through zxid: Zxid, designated: ServerID?, _ actions: inout [ZabAction]) {
    guard let activated = takeCommitted(through: zxid) else { return }
    put(activated, &actions)
    if let designated, designated != learner?.leaderID {
      actions.append(.note(.configurationNamesLeader(designated)))
      return changeLeader(to: designated, &actions)
    }
    restartIfRoleChanged(&actions)
  }

  /// A server that observes and should vote, or votes and should observe, comes again as what it should be.
  mutating func restartIfRoleChanged(_ actions: inout [ZabAction]) {
    guard isLearner else { return }
    let isObserving = if case .observing = role { true } else { false }
    guard isObserving != (configuration.member(id)?.isObserver == true) else { return }
    actions.append(.note(.configurationChangesRole))
    startLooking(&actions)
  }

  /// Makes a configuration the committed one, if it is newer.
  mutating func put(_ activated: QuorumConfiguration, _ actions: inout [ZabAction]) {
    guard activated.version > configuration.version else { return }
    configuration = activated
    actions.append(.activate(activated))
  }

  /// Who is to lead under a new configuration: this server if it still may, else the voter that has acknowledged most.
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

  /// This leader, and the followers that have its history: who can be counted on for a new configuration. Observers are
  /// told of transactions only when they are committed, so none of them can help to commit one; nor can a follower that
  /// the last configuration has made an observer, and that will come again as one.
  package var syncedServers: [ServerID] {
    guard let leader else { return [] }
    let synced = leader.learners.filter { handle in
      !handle.isObserver && configuration.member(handle.id)?.isObserver != true
        && (handle.phase == .running || handle.phase == .awaitingQuorum)
    }
    return [id] + synced.map(\.id)
  }
}
