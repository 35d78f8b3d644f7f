import EnsembleCore
import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// Reports about a member for operators.
extension EnsembleDriver {
  /// Resets the packet counters of learners' connections.
  func resetLearnerStatistics() { quorum.resetStatistics() }

  /// A consistent view of this server's role in the ensemble.
  func report(_ core: ServerCore, clientAddress: ServerAddress, zxid: Zxid, withSessions: Bool) -> EnsembleReport {
    let zab = member.zab
    var report = EnsembleReport(
      part: .none, isServing: clients.served.isServing, own: zab.configuration.member(zab.id) ?? settings.ownMember,
      quorum: zab.configuration, times: settings.times, clientAddress: clientAddress, zxid: zxid,
      sessionCount: core.committedSessions.count,
      sessions: withSessions ? core.committedSessions.map { ($0.key, $0.value) } : [])
    report.observers = zab.syncedLearners.observers.flatMap { id in
      zab.connections(of: id).compactMap { quorum.report(of: $0, id) }
    }
    switch zab.role {
    case .looking: break
    case .following(let leader):
      report.part = .follower
      report.leaderID = leader
    case .observing(let leader):
      report.part = .observer
      report.leaderID = leader
    case .leading:
      report.part = .leader
      report.leaderID = zab.id
      report.leadership = leadership
    }
    return report
  }

  private var leadership: EnsembleReport.Leadership {
    let zab = member.zab
    let synced = zab.syncedLearners
    return EnsembleReport.Leadership(
      uptimeMilliseconds: Int((NIODeadline.now() - servingSince).nanoseconds / 1_000_000),
      learnerCount: zab.learnerCount, syncedFollowerCount: synced.followers.count,
      syncedNonVotingCount: synced.followers.count { !zab.configuration.isVoter($0) },
      pendingSyncCount: member.pendingSyncCount, proposalSizes: proposalSizes)
  }
}
