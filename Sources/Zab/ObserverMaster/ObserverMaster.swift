internal import ZooKeeperProtocol

/// An observer master: a follower that brings observers up to date, and sends them what is committed, instead of the
/// leader. It forwards their requests to the leader.
///
/// It needs no quorum, because observers receive only what is committed. An observer may be ahead of it, if it was
/// connected to another server before. What it has of this epoch will be committed here too, because only the leader of
/// the epoch can have proposed it. So the observer waits for that, and its history is not truncated.
///
/// The leader's PINGs are its clock: whenever one arrives, it sends one to each observer, and looks which are silent.
///
/// *Source*: `ObserverMaster`, `LearnerHandler`; `QuorumProtocol` B.15.
extension ZabPeer {
  /// Whether observers may connect to this server.
  private var isObserverMaster: Bool {
    guard settings.hasObserverMasters, case .following = role else { return false }
    return learner?.phase == .running
  }

  /// Adds an observer that has opened a connection; a server that does not follow closes it.
  mutating func onObserverConnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard isObserverMaster else { return actions.append(.close(connection)) }
    let patience = settings.initMilliseconds + settings.syncMilliseconds
    learner?.observers.append(LearnerHandle(connection: connection, deadline: now + patience))
  }

  /// Handles a packet from an observer, as its phase requires.
  mutating func onObserverPacket(_ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    let deadline = now + settings.syncMilliseconds
    if handle.phase == .running { update(handle.connection) { $0.deadline = deadline } }
    switch (handle.phase, packet.kind) {
    case (.awaitingInfo, .observerInfo?): onObserverInfo(packet, handle.connection, &actions)
    case (.awaitingEpochAck, .ackEpoch?): onObserverPromise(packet, handle, &actions)
    case (.synchronizing, .ack?): onObserverSynchronized(packet, handle, &actions)
    case (.running, .request?), (.running, .revalidate?), (.running, .ping?):
      actions.append(.learnerRequest(packet, handle.id, handle.connection))
    case (.awaitingInfo, _), (.awaitingEpochAck, _):
      dismiss(handle.connection, .packetTooEarly(handle.id, type: packet.type), &actions)
    default:
      // The second ACK for NEWLEADER, and what Apache's servers ignore too.
      break
    }
  }

  /// Sends observers a transaction that is committed, and with `designated` the order to activate its configuration.
  mutating func informObservers(
    _ entry: TxnHistory.Entry, designated: ServerID?, _ actions: inout [ZabAction]
  ) {
    guard learner?.observers.isEmpty == false else { return }
    let packet =
      if let designated, !settings.forgetsToActivateForObservers {
        QuorumPacket(
          .informAndActivate, zxid: entry.zxid,
          data: ConfigurationActivation(designatedLeader: designated, txn: entry.bytes).encoded)
      } else {
        QuorumPacket(.inform, zxid: entry.zxid, data: entry.bytes)
      }
    for handle in learner?.observers ?? [] {
      if handle.isForwarding {
        actions.append(.send(packet, handle.connection))
      } else if handle.phase == .awaitingSync, handle.lastZxid <= committed {
        synchronize(handle.connection, &actions)
      }
    }
  }

  /// Sends a PING to the observers, and closes those that are silent.
  mutating func pingObservers(_ actions: inout [ZabAction]) {
    for handle in learner?.observers ?? [] {
      if now >= handle.deadline {
        dismiss(handle.connection, .silent(handle.id), &actions)
      } else if handle.isForwarding {
        actions.append(.send(QuorumPacket(.ping, zxid: committed), handle.connection))
      }
    }
  }

  private mutating func onObserverInfo(
    _ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]
  ) {
    guard let data = packet.data, let info = try? LearnerInfo(decoding: data, allowingTrailingBytes: true),
      info.protocolVersion >= LearnerInfo.currentVersion
    else { return dismiss(connection, .unidentified, &actions) }
    guard info.configurationVersion <= configuration.version else {
      return dismiss(connection, .newerConfiguration(info.serverID), &actions)
    }
    update(connection) {
      $0.id = info.serverID
      $0.isObserver = true
      $0.phase = .awaitingEpochAck
    }
    // An observer that has accepted a later epoch leaves when it sees this one.
    let zxid = learner?.epoch.newLeaderZxid ?? .zero
    actions.append(.send(QuorumPacket(.leaderInfo, zxid: zxid, data: LeaderInfo().encoded), connection))
  }

  private mutating func onObserverPromise(
    _ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]
  ) {
    guard let data = packet.data, (try? EpochAck(decoding: data, allowingTrailingBytes: true)) != nil else {
      return dismiss(handle.connection, .missingEpoch(handle.id), &actions)
    }
    let (last, beginning) = (packet.zxid, learner?.epoch.newLeaderZxid ?? .zero)
    update(handle.connection) {
      $0.phase = .awaitingSync
      $0.lastZxid = last
    }
    if last > committed, last > beginning {
      // Once it is committed here too, `informObservers` goes on.
      if last.epoch != beginning.epoch { dismiss(handle.connection, .aheadOfLeader(handle.id), &actions) }
      return
    }
    synchronize(handle.connection, &actions)
  }

  private mutating func onObserverSynchronized(
    _ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]
  ) {
    guard packet.zxid == learner?.epoch.newLeaderZxid else {
      return dismiss(handle.connection, .acknowledgedAnotherEpoch(handle.id, packet.zxid), &actions)
    }
    let deadline = now + settings.syncMilliseconds
    update(handle.connection) {
      $0.phase = .running
      $0.deadline = deadline
    }
    actions.append(.send(QuorumPacket(.upToDate, zxid: Zxid(rawValue: -1)), handle.connection))
  }
}
