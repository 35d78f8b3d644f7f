import ServerCore
import Zab
import ZooKeeperProtocol

/// An observer master's part in what its observers ask the leader.
///
/// *Source*: `ObserverMaster.revalidateSession`, `FollowerZooKeeperServer.processObserverRequest`; `QuorumProtocol`
/// B.15.
extension EnsembleMember {
  /// Forwards what an observer asks of the leader.
  ///
  /// To the leader, the sessions of the observer are this server's.
  func relay(
    _ packet: QuorumPacket, _ server: ServerID, _ connection: ConnectionID, _ core: ServerCore, _ time: ServerTime
  ) {
    guard let leader = zab.leaderConnection, let data = packet.data else { return }
    switch packet.kind {
    case .request?:
      guard let request = try? ForwardedRequest(decoding: data) else {
        return dismiss(connection, .closesLearner(.unreadableRequest(server)), time)
      }
      if request.type == OpCode.sync.rawValue {
        if zab.settings.answersSyncsOfObservers { return send(QuorumPacket(.sync, zxid: .zero), connection) }
        relayed.noteSync(from: connection)
      } else if !relayed.isCurrent(request.sessionID, from: connection) {
        return
      }
      send(
        QuorumPacket(.request, zxid: Zxid(rawValue: -1), data: data, identities: packet.identities), leader)
    case .revalidate?:
      guard let touch = try? SessionTouch(decoding: data) else {
        return dismiss(connection, .closesLearner(.unreadableSession(server)), time)
      }
      relayed.noteSession(touch.sessionID, from: connection)
      send(QuorumPacket(.revalidate, zxid: Zxid(rawValue: -1), data: data), leader)
    case .ping?:
      guard let touches = try? SessionTouch.table(from: data) else {
        return dismiss(connection, .closesLearner(.unreadableSessions(server)), time)
      }
      // Only sessions that exist, so that an observer cannot fill the memory.
      for touch in touches where core.committedSessions[touch.sessionID] != nil { relayed.noteTouch(touch) }
    default: break
    }
  }

  /// Handles the leader's answer to a sync: it belongs to the oldest one, of an observer or of this server's clients.
  func onSyncAnswered(through zxid: Zxid, _ time: ServerTime) {
    if let observer = relayed.takeSync() { return send(QuorumPacket(.sync, zxid: .zero), observer) }
    core?.onSynced(through: zxid, time)
  }

  /// Handles the leader's answer to whether a session is alive. The end of one that is not has been, or will never be,
  /// a transaction.
  func onSessionAnswered(_ validity: SessionValidity, _ time: ServerTime) {
    defer { if !validity.isValid { relayed.forget(validity.sessionID) } }
    guard let observer = relayed.takeSession(validity.sessionID) else {
      core?.onSessionChecked(validity, time)
      return
    }
    send(QuorumPacket(.revalidate, zxid: Zxid(rawValue: -1), data: validity.encoded), observer)
  }
}
