internal import Jute
package import ServerCore
package import Zab
package import ZooKeeperProtocol

/// A member of an ensemble without sockets, clocks and disks: the state machines of Zab and of the server's core,
/// connected to each other.
///
/// Here requests become proposals, Zab commits the proposals, and the core applies and answers them. While the member
/// serves, `core` has the tree; `state` has it at any time.
///
/// *Thread*: any, but one at a time.
package final class EnsembleMember {
  package private(set) var zab: ZabPeer
  /// The server that clients talk to; nil while the member looks for a leader or is being brought up to date.
  package private(set) var core: ServerCore?
  package let settings: ServerSettings
  /// What the cores count, one after the other.
  private let metrics: CoreMetrics
  /// Tree and sessions while no client is served.
  private var idleState: RecoveredState
  private var actions: [ZabAction] = []
  /// The actions that are being performed; those that were are replaced by one without a value.
  private var performing: [ZabAction] = []
  private var effects: [MemberEffect] = []
  /// Syncs that wait for a transaction to be committed, and for a quorum's confirmation that this server leads.
  private var waitingSyncs: [WaitingSync] = []
  private var hasFailed = false
  /// What observers have asked the leader through this server.
  var relayed = RelayedQuestions()

  private struct WaitingSync {
    let zxid: Zxid
    /// See `ZabPeer.confirmedQuestions`.
    let question: UInt64
    /// The connection of the learner that has forwarded it; nil for a client of this server.
    let learner: ConnectionID?
  }

  /// Called with every transaction before it is applied. The simulator checks them.
  package var onDelivery: ((TxnHistory.Entry) -> Void)?
  /// Called with transactions that were applied while the member is brought up to date. The simulator checks them.
  package var onCatchUp: ((ArraySlice<TxnHistory.Entry>) -> Void)?

  /// Creates a member from what was recovered from its disk.
  package init(
    _ zab: ZabPeer, state: RecoveredState, settings: ServerSettings, metrics: CoreMetrics = CoreMetrics()
  ) {
    self.metrics = metrics
    self.zab = zab
    self.settings = settings
    idleState = state
  }

  /// Tree and sessions, those of the core while the member serves.
  package var state: RecoveredState {
    core.map { RecoveredState(tree: $0.tree, sessions: $0.committedSessions) } ?? idleState
  }

  /// The number of syncs that are not answered yet, of learners and of this leader's clients.
  package var pendingSyncCount: Int { waitingSyncs.count }

  /// Replaces the content of `taken` by the effects since the last call. The memory of `taken` is used again.
  ///
  /// - Returns: whether there are effects.
  package func takeEffects(into taken: inout [MemberEffect]) -> Bool {
    if effects.isEmpty { return false }
    taken.removeAll(keepingCapacity: true)
    swap(&taken, &effects)
    return true
  }

  /// When a tick is due next, on the monotonic clock in milliseconds. Other types use this instead of `zab`, because
  /// reading that property from outside copies the whole state.
  package var nextDeadline: Int64 { zab.nextDeadline }

  /// Whether a server is a voter of the active configuration. It is here for the same reason.
  package func isVoter(_ server: ServerID) -> Bool { zab.configuration.isVoter(server) }

  /// Handles an event.
  package func step(_ event: ZabEvent, _ time: ServerTime) {
    guard !hasFailed else { return }
    zab.step(event, now: time.monotonicMilliseconds, into: &actions)
    settle(time)
  }

  /// Whether `settle` has something to do: clients' requests, or sessions that have expired.
  package var hasRequests: Bool {
    guard let core else { return false }
    return core.hasQuestions || core.hasProposals || core.hasHeldSyncs
  }

  /// Proposes or forwards the requests of clients since the last call.
  package func settle(_ time: ServerTime) {
    repeat {
      performActions(time)
      forwardToLeader(time)
      holdSyncs(time)
      core?.drainProposals { proposal in
        zab.step(
          .proposed(TxnHistory.Entry(zxid: proposal.zxid, bytes: proposal.bytes)), now: time.monotonicMilliseconds,
          into: &actions)
      }
    } while !actions.isEmpty
    answerSyncs(time)
  }

  /// Continues after the log was truncated. If the tree had applied later transactions, `rebuilt` replaces it.
  package func truncated(to zxid: Zxid, rebuilt: RecoveredState?, _ time: ServerTime) {
    if let rebuilt { idleState = rebuilt }
    step(.truncated(zxid), time)
  }

  /// Continues with the leader's tree, which is durable now.
  package func installed(_ state: RecoveredState, zxid: Zxid, _ time: ServerTime) {
    idleState = state
    step(.snapshotInstalled(zxid, state.tree.configuration), time)
  }

  private func performActions(_ time: ServerTime) {
    while !actions.isEmpty {
      swap(&performing, &actions)
      for index in performing.indices where !hasFailed {
        // Swapped out, because an action that is read from an array is copied, with a reference count for each part.
        var action = ZabAction.stopServing
        swap(&performing[index], &action)
        perform(action, time)
      }
      performing.removeAll(keepingCapacity: performing.capacity <= Self.maxKeptActions)
    }
  }

  /// The memory of so many actions is used again. There are more after a long absence from the ensemble, once.
  private static let maxKeptActions = 4096

  private func perform(_ action: consuming ZabAction, _ time: ServerTime) {
    switch consume action {
    case .transport(let action): effects.append(.driver(.transport(action)))
    case .storage(let action): effects.append(.storage(action))
    case .sendSnapshot(let connection, let zxid): sendTree(zxid, connection)
    case .examineLog(let connection, let start, let end):
      effects.append(.driver(.examineLog(connection, after: start, through: end)))
    case .sendLog(let connection, let packet, let start, let end):
      effects.append(.driver(.sendLog(packet, after: start, through: end, connection)))
    case .receiveSnapshot(let connection, let zxid): effects.append(.driver(.receiveTree(connection, zxid)))
    case .deliver(let entries): for entry in entries where !hasFailed { deliver(entry, time) }
    case .catchUp(let entries): catchUp(entries)
    case .roleChanged(let role): effects.append(.driver(.roleChanged(role)))
    case .activate(let configuration):
      state.tree.setConfiguration(
        configuration.text, version: configuration.version, wallMilliseconds: time.wallMilliseconds)
      effects.append(.driver(.activate(configuration)))
    case .startServing(let epoch): startServing(epoch, time)
    case .stopServing: stopServing()
    case .learnerRequest(let packet, let server, let connection):
      onLearnerRequest(packet, server, connection, time)
    case .leaderReply(let packet): onLeaderReply(packet, time)
    case .synced(let zxid): onSyncAnswered(through: zxid, time)
    case .pinged(let connection, let zxid): answerPing(connection, zxid)
    case .failed(let reason): fail(reason)
    case .note(let note): effects.append(.driver(.note(note)))
    }
  }

  private func fail(_ reason: String) {
    hasFailed = true
    effects.append(.driver(.failed(.state(reason))))
  }

  /// Sends a packet on a connection.
  func send(_ packet: QuorumPacket, _ connection: ConnectionID) {
    effects.append(.driver(.transport(.send(packet, connection))))
  }

  // MARK: Serving

  private func startServing(_ epoch: Epoch, _ time: ServerTime) {
    idleState.tree.setConfiguration(
      zab.configuration.text, version: zab.configuration.version, wallMilliseconds: time.wallMilliseconds)
    let core = ServerCore(
      settings: settings, tree: idleState.tree, sessions: idleState.sessions, time: time,
      role: zab.role == .leading ? .leader(epoch) : .learner, metrics: metrics)
    self.core = core
    if zab.role == .leading {
      core.endLostSessions(time)
      core.setEnsembleView { [unowned self] in
        EnsembleView(
          configuration: zab.configuration, hasPending: zab.hasPendingConfiguration, synced: zab.syncedServers)
      }
    }
    effects.append(.driver(.startServing))
  }

  private func stopServing() {
    idleState = state
    core = nil
    waitingSyncs = []
    relayed = RelayedQuestions()
    effects.append(.driver(.stopServing))
  }

  private func deliver(_ entry: TxnHistory.Entry, _ time: ServerTime) {
    onDelivery?(entry)
    if let core, core.commitNext(entry.zxid, time) { return }
    do throws(JuteError) {
      let decoded = try TxnEntry(decoding: entry.bytes, allowingTrailingBytes: true)
      if let core { core.apply(decoded, time) } else { idleState.apply(decoded) }
      if case .closeSession = decoded.txn { relayed.forget(decoded.header.sessionID) }
    } catch {
      fail("committed transaction \(entry.zxid) cannot be decoded: \(error)")
    }
  }

  /// The znodes of so many transactions are looked for together.
  private static let caughtUpTogether = 128

  private func catchUp(_ entries: ArraySlice<TxnHistory.Entry>) {
    var start = entries.startIndex
    while start < entries.endIndex {
      let end = min(start + Self.caughtUpTogether, entries.endIndex)
      do throws(JuteError) {
        try idleState.apply(entries[start..<end].map(\.bytes)[...])
      } catch {
        return fail("a transaction after \(idleState.tree.lastProcessedZxid) cannot be decoded: \(error)")
      }
      start = end
    }
    onCatchUp?(entries)
  }

  private func sendTree(_ zxid: Zxid, _ connection: ConnectionID) {
    let state = state
    let stream = TreeStream(state.tree, sessions: state.sessions)
    effects.append(.driver(.sendTree(QuorumPacket(.snap, zxid: zxid), stream, connection)))
  }

  // MARK: The leader's side

  private func onLearnerRequest(
    _ packet: QuorumPacket, _ server: ServerID, _ connection: ConnectionID, _ time: ServerTime
  ) {
    guard let core, let data = packet.data else { return }
    if core.role == .learner { return relay(packet, server, connection, core, time) }
    switch packet.kind {
    case .request?:
      guard let request = try? ForwardedRequest(decoding: data) else {
        return dismiss(connection, .closesLearner(.unreadableRequest(server)), time)
      }
      if request.type == OpCode.sync.rawValue {
        holdSync(core, from: connection, time)
      } else {
        core.receive(request, identities: packet.identities ?? [], from: server, time)
      }
    case .revalidate?:
      guard let touch = try? SessionTouch(decoding: data) else {
        return dismiss(connection, .closesLearner(.unreadableSession(server)), time)
      }
      let validity = SessionValidity(
        sessionID: touch.sessionID, isValid: core.checkSession(touch, from: server, time))
      send(QuorumPacket(.revalidate, zxid: Zxid(rawValue: -1), data: validity.encoded), connection)
    case .ping?:
      guard let touches = try? SessionTouch.table(from: data) else {
        return dismiss(connection, .closesLearner(.unreadableSessions(server)), time)
      }
      core.touchSessions(touches, time)
    default: break
    }
  }

  /// Closes the connection of a learner that sent something that cannot be decoded. If it were ignored instead, the
  /// client that waits for the answer would wait indefinitely.
  func dismiss(_ connection: ConnectionID, _ note: ZabNote, _ time: ServerTime) {
    effects.append(.driver(.note(note)))
    effects.append(.driver(.transport(.close(connection))))
    zab.step(.disconnected(connection), now: time.monotonicMilliseconds, into: &actions)
  }

  /// Takes the syncs of the leader's own clients from the core.
  private func holdSyncs(_ time: ServerTime) {
    guard let core, core.hasHeldSyncs else { return }
    for _ in 0..<core.takeHeldSyncs() { holdSync(core, from: nil, time) }
  }

  private func holdSync(_ core: ServerCore, from learner: ConnectionID?, _ time: ServerTime) {
    zab.step(.leadershipQuestioned, now: time.monotonicMilliseconds, into: &actions)
    waitingSyncs.append(
      WaitingSync(zxid: core.lastPreparedZxid, question: zab.leadershipQuestions, learner: learner))
  }

  /// Answers the syncs that can be answered. A sync must wait until everything that was proposed before it is
  /// committed, so that its answer follows the COMMITs, and until a quorum has confirmed that this server still led
  /// when the sync arrived.
  private func answerSyncs(_ time: ServerTime) {
    if waitingSyncs.isEmpty { return }
    let confirmed = zab.confirmedQuestions
    let isAnswerable = { [committed = zab.committed] (sync: WaitingSync) in
      sync.question <= confirmed && (sync.zxid <= committed || sync.zxid.counter == 0)
    }
    while let first = waitingSyncs.first, isAnswerable(first) {
      waitingSyncs.removeFirst()
      if let learner = first.learner {
        send(QuorumPacket(.sync, zxid: .zero), learner)
      } else {
        core?.onSynced(through: zab.delivered, time)
      }
    }
  }

  // MARK: The learner's side

  private func forwardToLeader(_ time: ServerTime) {
    guard let core, core.role == .learner, core.hasQuestions, let connection = zab.leaderConnection else { return }
    for question in core.takeQuestions() {
      switch question {
      case .request(let request, let identities):
        if request.type == OpCode.sync.rawValue {
          relayed.noteSync(from: nil)
        } else if !relayed.isCurrent(request.sessionID, from: nil) {
          continue
        }
        send(
          QuorumPacket(.request, zxid: Zxid(rawValue: -1), data: request.encoded, identities: identities), connection)
      case .session(let touch):
        relayed.noteSession(touch.sessionID, from: nil)
        send(QuorumPacket(.revalidate, zxid: Zxid(rawValue: -1), data: touch.encoded), connection)
      }
    }
  }

  private func onLeaderReply(_ packet: QuorumPacket, _ time: ServerTime) {
    guard let data = packet.data, let validity = try? SessionValidity(decoding: data) else {
      guard let connection = zab.leaderConnection else { return }
      return dismiss(connection, .leavesLeader(.unreadableSession), time)
    }
    onSessionAnswered(validity, time)
  }

  private func answerPing(_ connection: ConnectionID, _ zxid: Zxid) {
    var writer = JuteWriter()
    for touch in core?.takeTouchedSessions() ?? [] { touch.encode(into: &writer) }
    for touch in relayed.takeTouches() { touch.encode(into: &writer) }
    // The data must not be null, because Apache's leaders do not check that.
    send(QuorumPacket(.ping, zxid: zxid, data: writer.takeBytes()), connection)
  }
}
