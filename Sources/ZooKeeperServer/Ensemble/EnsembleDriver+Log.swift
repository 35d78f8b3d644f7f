import Logging
import NIOCore
import Zab
import ZooKeeperProtocol

/// What a member writes to the log about elections and roles.
extension EnsembleDriver {
  /// Logs that the member has taken a role.
  func report(_ role: ZabRole) {
    let zab = member.zab
    var fields: Logger.Metadata = [
      "role": "\(role.word)", "zxid": "\(zab.history.last)",
      "epoch": .stringConvertible(Int(zab.currentEpoch.rawValue)), "duration_ms": Self.milliseconds(since: roleSince),
    ]
    if let previous = lastRole { fields["previous"] = "\(previous)" }
    switch role {
    case .following(let leader), .observing(let leader): fields["leader"] = "\(leader)"
    case .leading: fields["leader"] = "\(zab.id)"
    case .looking: lookingSince = .now()
    }
    logger.info("role changed", metadata: fields)
    lastRole = role.word
    roleSince = .now()
    onRole?(role.word)
  }

  /// Logs that clients are served again, and how long they were not.
  func reportServing() {
    let zab = member.zab
    logger.info(
      "serving clients",
      metadata: [
        "role": "\(zab.role.word)", "epoch": .stringConvertible(Int(zab.servingEpoch?.rawValue ?? 0)),
        "zxid": "\(zab.history.last)", "duration_ms": Self.milliseconds(since: lookingSince),
      ])
  }

  /// Logs what the protocol reports. What strangers can cause is logged by a separate line of code, so that the limit
  /// of these messages suppresses no others.
  func report(_ note: ZabNote) {
    let epoch = Logger.MetadataValue.stringConvertible(Int(member.zab.currentEpoch.rawValue))
    switch note {
    case .closesLearner: logger.warning("\(note)", metadata: ["epoch": epoch])
    case .lostLeader, .leaderUnreachable, .observerMasterRefuses, .leaderSilent, .leavesLeader, .noQuorumInTime,
      .lostQuorum:
      logger.warning("\(note)", metadata: ["epoch": epoch])
    default: logger.info("\(note)", metadata: ["epoch": epoch])
    }
  }

  private static func milliseconds(since start: NIODeadline) -> Logger.MetadataValue {
    .stringConvertible(Int((NIODeadline.now() - start).nanoseconds / 1_000_000))
  }
}
