internal import ZooKeeperProtocol

/// Decides between two connections that claim to come from the same server.
///
/// A server that was disconnected or restarted connects again, and the leader may not have noticed yet that the older
/// connection is dead. But any process that can reach the port can claim to be that server. So the leader sends a PING
/// on the older connection. If it is answered, the new connection is closed; if the older connection has ended or is
/// silent for a tick, the new one replaces it. Apache's leaders keep both.
extension ZabPeer {
  /// Lets a new connection wait until the older connection of the same server has answered a PING.
  ///
  /// - Returns: whether there is an older connection.
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

  /// Closes the new connection that claims to be this learner, because the learner has shown that it is alive.
  mutating func refuseContender(of handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let contender = leader?.learners.first(where: { $0.contest?.id == handle.id && handle.id != .none }) else {
      return
    }
    dismiss(contender.connection, .idInUse(handle.id), &actions)
  }

  /// Admits the new connections whose older connection has ended, or was silent until the deadline.
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
