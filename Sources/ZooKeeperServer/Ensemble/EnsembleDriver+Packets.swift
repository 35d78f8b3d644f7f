import EnsembleCore
import Zab
import ZooKeeperProtocol

/// What a member does with the packets of other servers.
extension EnsembleDriver {
  /// Handles a packet of another server.
  func onPacket(_ packet: QuorumPacket, _ connection: ConnectionID) {
    if let server = packet.learner {
      if severed.contains(server) { return disconnect(connection) }
      quorum.identify(connection, as: server)
    }
    if let onEvent = tap.onEvent { onEvent(.received(.packet(packet), from: quorum.server(at: connection))) }
    guard !isStopped else { return }
    // Requests of a learner must be proposed in their order: once one is dropped, so are all later ones.
    if isRetiring, packet.kind == .request { return }
    let before = beginPacket()
    measure(packet, connection)
    if let kind = packet.kind, kind == .diff || kind == .trunc || kind == .snap,
      member.zab.leaderConnection == connection
    {
      logger.info("synchronizing", metadata: ["by": "\(kind)", "zxid": "\(packet.zxid)"])
    }
    let (kind, start) = (packet.kind, time)
    step(.received(packet, connection), since: before)
    if quorum.hasObservers { noteObserverMaster(kind, since: start) }
  }

  /// Handles proposals and commits of the leader, or acknowledgements of a learner, that have arrived together, as one
  /// event. To perform the effects of each before the next one took a quarter of all that a learner did while it was
  /// brought up to date, and of all that an ensemble did for a write.
  ///
  /// A leader that does not serve yet handles them one by one, because it may need to save what one of them brings
  /// before it handles the next.
  func onPackets(_ packets: [QuorumPacket], _ connection: ConnectionID) {
    guard isUpToDate || !isLeading, !quorum.hasObservers, tap.onEvent == nil, !isStopped else {
      for packet in packets { onPacket(packet, connection) }
      return
    }
    let before = beginPacket()
    if isUpToDate { for packet in packets { measure(packet, connection) } }
    step(.receivedTogether(packets, connection), since: before)
  }

  /// Reads the clock for a packet, unless it has arrived together with the one before: a learner that was away gets
  /// hundreds of packets at a time, and the clocks took a tenth of what it did with them.
  private func beginPacket() -> Int {
    guard !isTimeOfRead else { return metrics.core.appliedCount }
    defer { isTimeOfRead = true }
    return begin()
  }
}

extension QuorumPacket {
  /// The server that introduces itself with this packet as a learner; nil for any other packet.
  fileprivate var learner: ServerID? {
    guard kind == .followerInfo || kind == .observerInfo, let data else { return nil }
    return (try? LearnerInfo(decoding: data, allowingTrailingBytes: true))?.serverID
  }
}
