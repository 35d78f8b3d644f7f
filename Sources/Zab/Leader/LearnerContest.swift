internal import ZooKeeperProtocol

/// Two connections on which the same server seems to have called.
///
/// A server that was cut off or restarted calls again, and the leader may not know yet that its older connection is
/// dead. But anybody who can reach the port can say that it is that server. So the older connection is asked: if it
/// answers, it is the server's, and the newcomer is sent away; if it is gone or says nothing for a tick, the newcomer
/// is let in. Apache's leaders keep both.
extension ZabPeer {
  /// Has a newcomer wait while the older connection of the same name is asked.
  ///
  /// - Returns: whether there is one.
  mutating func contest(
    _ packet: QuorumPacket, _ server: ServerID, _ connection: ConnectionID, _ actions: inout [ZabAction]
  ) -> Bool {
    guard let older = leader?.learners.first(where: { $0.id == server && $0.connection != connection }) else {
      return false
    }
    for other in leader?.learners ?? [] where other.contest?.id == server {
      dismiss(other.connection, .claimedByAnother(server), &actions)
    }
    let deadline = now + settings.tickMilliseconds
    update(connection) {
      $0.contest = LearnerHandle.Contest(packet: packet, id: server, deadline: deadline)
    }
    if older.phase == .running { ping(older, &actions) }
    return true
  }

  /// A learner has shown that it is alive.
  mutating func refuseContender(of handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let contender = leader?.learners.first(where: { $0.contest?.id == handle.id && handle.id != .none }) else {
      return
    }
    dismiss(contender.connection, .idInUse(handle.id), &actions)
  }

  /// Lets those in whose older connection is gone, or has said nothing.
  mutating func settleContests(_ actions: inout [ZabAction]) {
    guard let contender = leader?.learners.first(where: { isSettled($0) }), let contest = contender.contest else {
      return
    }
    update(contender.connection) { $0.contest = nil }
    for older in leader?.learners ?? [] where older.id == contest.id {
      dismiss(older.connection, .replacedByNewConnection(older.id), &actions)
    }
    onLearnerInfo(contest.packet, contender.connection, &actions)
    settleContests(&actions)
  }

  private func isSettled(_ handle: LearnerHandle) -> Bool {
    guard let contest = handle.contest else { return false }
    return now >= contest.deadline || leader?.learners.contains { $0.id == contest.id } != true
  }
}
