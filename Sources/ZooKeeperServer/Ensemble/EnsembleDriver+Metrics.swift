import Jute
import ServerCore
import Zab
import ZooKeeperProtocol

/// What is measured of the packets between servers.
extension EnsembleDriver {
  /// Where a transaction has the time at which its leader has made it: after session, cxid and zxid.
  private static let timeOffset = 20

  /// Counts a packet that has arrived.
  func measure(_ packet: QuorumPacket, _ connection: ConnectionID) {
    switch packet.kind {
    case .ack? where isLeading:
      if let server = quorum.server(at: connection), member.isVoter(server) {
        noteAcknowledged(packet.zxid, by: server)
      }
    case .proposal? where isUpToDate: noteProposal(packet)
    case .commit? where isUpToDate: metrics.ensemble.learnerCommits += 1
    default: break
    }
  }

  /// Records how long a follower that has observers took for a packet of its leader.
  func noteObserverMaster(_ kind: QuorumPacket.Kind?, since start: ServerTime) {
    let elapsed = { [clock] in Int(clock.now.monotonicMicroseconds - start.monotonicMicroseconds) }
    switch kind {
    case .proposal?: metrics.ensemble.observerMasterProposalTime.add(elapsed())
    case .commit?, .commitAndActivate?: metrics.ensemble.observerMasterCommitTime.add(elapsed())
    default: break
    }
  }

  /// Records that a voter has a transaction of this leader on disk.
  func noteAcknowledged(_ zxid: Zxid, by server: ServerID) {
    guard let proposed = proposalTimes.time(of: zxid) else { return }
    metrics.ensemble.addAcknowledgement(Int(time.monotonicMicroseconds - proposed), by: server)
  }

  private func noteProposal(_ packet: QuorumPacket) {
    guard !isLeading, let data = packet.data, data.count >= Self.timeOffset + 8 else { return }
    metrics.ensemble.learnerProposals += 1
    let made = data.withUnsafeBytes { $0.loadBigEndian(at: Self.timeOffset, as: Int64.self) }
    metrics.ensemble.proposalLatency.add(Self.microseconds(from: made, to: time.wallMilliseconds))
    proposalTimes.append(packet.zxid, at: made)
  }

  /// The time between two readings of wall clocks in milliseconds.
  ///
  /// - Parameter made: a number from another server, which may be any.
  /// - Returns: 0 if the two are too far apart to be times.
  static func microseconds(from made: Int64, to now: Int64) -> Int {
    let (milliseconds, isTooFar) = now.subtractingReportingOverflow(made)
    let (microseconds, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1000)
    return isTooFar || isTooLong ? 0 : Int(microseconds)
  }

  /// For each voter, how many transactions of this leader's history it has not acknowledged.
  var lagByServer: [(name: String, Int)] {
    guard isLeading else { return [] }
    let zab = member.zab
    return zab.configuration.voters.sorted().map { server in
      ("\(server)", Int(clamping: zab.lag(of: server)))
    }
  }
}
