internal import ZooKeeperProtocol

/// Whether this server still leads, as a quorum of voters sees it.
///
/// A leader that was paused, or that is cut off and has not noticed yet, may have been replaced: what it answers then
/// is old. So it answers a sync only after a quorum has answered a PING that was sent after the sync had come. Apache's
/// leaders answer at once, and may be wrong.
///
/// One wave of PINGs is on its way at a time; questions that come meanwhile share the next one.
///
/// *Source*: the read index of Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.4, over Zab's PING.
struct LeadershipConfirmation: Equatable, Sendable {
  /// Questions so far.
  var asked: UInt64 = 0
  /// So many of them are answered: this server led after they had come.
  var confirmed: UInt64 = 0
  /// The questions that the PINGs on their way will answer; nil while there are none.
  var wave: UInt64?
}

extension ZabPeer {
  /// How often `ZabEvent.leadershipQuestioned` has come since this server leads.
  package var leadershipQuestions: UInt64 { leader?.confirmation.asked ?? 0 }

  /// How many of these questions are answered: that this server led after they had come.
  package var confirmedQuestions: UInt64 { leader?.confirmation.confirmed ?? 0 }

  /// A sync waits for the confirmation that this server still leads.
  mutating func onLeadershipQuestioned(_ actions: inout [ZabAction]) {
    guard isLeader else { return }
    leader?.confirmation.asked += 1
    if settings.answersSyncsWithoutConfirmation { leader?.confirmation.confirmed += 1 }
    if leader?.confirmation.wave == nil { startWave(&actions) }
  }

  /// Asks all voters that are up to date. Whoever comes up to date later has to be asked too, or the others might not
  /// be a quorum.
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

  /// Sends a PING.
  mutating func ping(_ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    actions.append(.send(QuorumPacket(.ping, zxid: leader?.lastProposed ?? .zero), handle.connection))
    if handle.phase == .running { update(handle.connection) { $0.pingsSent += 1 } }
  }

  /// A learner has answered a PING.
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
