internal import ZooKeeperProtocol

/// Confirms by a quorum of voters that this server still leads.
///
/// A leader that was paused, or that is disconnected and has not noticed yet, may have been replaced, and its answers
/// may be stale. So it answers a sync only after a quorum has answered a PING that was sent after the sync arrived.
/// Apache's leaders answer at once, and may be wrong.
///
/// One wave of PINGs is in flight at a time; questions that arrive meanwhile share the next one.
///
/// *Source*: the read index of Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.4, over Zab's PING.
struct LeadershipConfirmation: Equatable, Sendable {
  /// The number of questions so far.
  var asked: UInt64 = 0
  /// The number of questions that are answered: this server still led after they were asked.
  var confirmed: UInt64 = 0
  /// The number of questions that will be answered by the PINGs in flight; nil while there are none.
  var wave: UInt64?
}

extension ZabPeer {
  /// The number of `ZabEvent.leadershipQuestioned` events since this server leads.
  package var leadershipQuestions: UInt64 { leader?.confirmation.asked ?? 0 }

  /// The number of these questions that are answered: this server still led after they were asked.
  package var confirmedQuestions: UInt64 { leader?.confirmation.confirmed ?? 0 }

  /// Records the question of a sync, and sends PINGs unless a wave of them is in flight.
  mutating func onLeadershipQuestioned(_ actions: inout [ZabAction]) {
    guard isLeader else { return }
    leader?.confirmation.asked += 1
    if settings.answersSyncsWithoutConfirmation { leader?.confirmation.confirmed += 1 }
    if leader?.confirmation.wave == nil { startWave(&actions) }
  }

  /// Sends a PING to all voters that are up to date. It is called again when another one comes up to date: the earlier
  /// ones alone might not be a quorum.
  mutating func startWave(_ actions: inout [ZabAction]) {
    guard let confirmation = leader?.confirmation, confirmation.asked > confirmation.confirmed else {
      leader?.confirmation.wave = nil
      return
    }
    leader?.confirmation.wave = confirmation.asked
    for handle in leader?.learners ?? [] where handle.phase == .running && votes(handle.id) {
      ping(handle, &actions)
      update(handle.connection) { $0.confirmingPing = $0.pingsSent }
    }
    finishWave(&actions)
  }

  /// Sends a PING, which `pingsSent` includes only if the learner will answer it.
  mutating func ping(_ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    actions.append(.send(QuorumPacket(.ping, zxid: leader?.lastProposed ?? .zero), handle.connection))
    if handle.phase == .running { update(handle.connection) { $0.pingsSent += 1 } }
  }

  /// Records the answer to a PING, and the confirmation if a quorum has answered.
  mutating func onPingAnswered(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    update(connection) { if $0.pingsAnswered < $0.pingsSent { $0.pingsAnswered += 1 } }
    finishWave(&actions)
  }

  private mutating func finishWave(_ actions: inout [ZabAction]) {
    guard let state = leader, let wave = state.confirmation.wave else { return }
    let answered = state.learners.filter { $0.phase == .running && $0.pingsAnswered >= $0.confirmingPing }.map(\.id)
    guard isQuorum({ $0 == id || answered.contains($0) }) else { return }
    leader?.confirmation.confirmed = wave
    startWave(&actions)
  }
}
