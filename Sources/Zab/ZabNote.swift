package import ZooKeeperProtocol

/// Something that an operator may want to know about a member of an ensemble.
///
/// Drivers write the description to their log. Code that makes a decision by a note compares the case: the text is for
/// people and may change.
package enum ZabNote: Equatable, Sendable {
  case adoptsConfiguration(Zxid, from: ServerID)
  case refusesConfiguration(Zxid, from: ServerID, ConfigurationRefusal)
  /// A voter must not follow this leader, because it has accepted a higher epoch.
  case beginsEpochAbove(Epoch, for: ServerID)
  case lostLeader
  case leaderUnreachable(ServerID)
  /// An observer master cannot be reached, or does not follow now.
  case observerMasterRefuses(ServerID)
  case leaderSilent(ServerID)
  case leavesLeader(LeaderFault)
  case noQuorumInTime
  case lostQuorum
  case zxidsExhausted
  case configurationNamesLeader(ServerID)
  /// The configuration that this leader has just committed does not let it vote.
  case configurationEndsLeadership
  case configurationChangesRole
  case asksForSnapshotInsteadOfTruncating
  /// A packet type of the leader that this server does not know.
  case ignoresPacket(type: Int32)
  case closesLearner(LearnerFault)
}

/// Why a configuration in an election message is not adopted.
package enum ConfigurationRefusal: Equatable, Sendable {
  case reconfigurationDisabled
  case senderNotMember
  case doesNotNameThisServer
}

/// What a leader did that makes its learner look for another leader.
package enum LeaderFault: Equatable, Sendable {
  case packetTooEarly(type: Int32)
  case expectedLeaderInfo(type: Int32)
  case expectedSynchronization(type: Int32)
  case invalidEpoch(Epoch)
  case staleEpoch(Epoch, accepted: Epoch)
  case unexpectedNewLeader(Zxid)
  case unreadableConfiguration(String)
  case prematureUpToDate
  /// The leader wants the log to be truncated to a transaction that this server never had.
  case truncationAfterEnd(Zxid, end: Zxid)
  case transactionOutOfOrder(Zxid, after: Zxid)
  case commitOutOfOrder(Zxid, after: Zxid)
  case commitWithoutProposal(Zxid)
  case unreadableSession

  /// Whether the leader broke the order of transactions: in a simulation that is a violation, whichever server did it.
  package var breaksOrder: Bool {
    switch self {
    case .transactionOutOfOrder, .commitOutOfOrder, .commitWithoutProposal: true
    default: false
    }
  }
}

/// What a learner did that makes its leader close the connection.
package enum LearnerFault: Equatable, Sendable {
  case unidentified
  case newerConfiguration(ServerID)
  case implausibleEpoch(ServerID, claimed: Epoch, accepted: Epoch)
  case missingEpoch(ServerID)
  case aheadOfLeader(ServerID)
  case acknowledgedAnotherEpoch(ServerID, Zxid)
  case packetTooEarly(ServerID, type: Int32)
  case silent(ServerID)
  /// A new connection claims the id of a connected server, and sent packets before the leader had decided between them.
  case impatientNewcomer
  case claimedByAnother(ServerID)
  case idInUse(ServerID)
  case replacedByNewConnection(ServerID)
  case unreadableRequest(ServerID)
  case unreadableSession(ServerID)
  case unreadableSessions(ServerID)
}

extension ZabNote: CustomStringConvertible {
  package var description: String {
    switch self {
    case .adoptsConfiguration(let zxid, let sender): "adopting configuration \(zxid) from server \(sender)"
    case .refusesConfiguration(let zxid, let sender, let reason):
      "refused configuration \(zxid) from server \(sender): \(reason)"
    case .beginsEpochAbove(let epoch, let voter):
      "voter \(voter) has accepted epoch \(epoch): starting an election for a higher epoch"
    case .lostLeader: "lost the connection to the leader"
    case .leaderUnreachable(let leader): "leader \(leader) cannot be reached: looking for another leader"
    case .observerMasterRefuses(let master):
      "observer master \(master) cannot be reached or does not follow a leader: trying another server"
    case .leaderSilent(let leader): "no packet from leader \(leader) within the time limit"
    case .leavesLeader(let fault): "leaving the leader: \(fault)"
    case .noQuorumInTime: "no quorum of followers within initLimit"
    case .lostQuorum: "the synced followers are no longer a quorum"
    case .zxidsExhausted: "the zxid counter of this epoch is exhausted: starting an election"
    case .configurationNamesLeader(let leader): "the new configuration is led by server \(leader)"
    case .configurationEndsLeadership: "the committed configuration is led by another server"
    case .configurationChangesRole: "the new configuration changes this server's role"
    case .asksForSnapshotInsteadOfTruncating:
      "the log cannot be truncated where the leader requires it: asking the leader for a snapshot"
    case .ignoresPacket(let type): "ignored packet type \(type) from the leader"
    case .closesLearner(let fault): fault.description
    }
  }
}

extension ConfigurationRefusal: CustomStringConvertible {
  package var description: String {
    switch self {
    case .reconfigurationDisabled: "reconfigEnabled is not set on this server"
    case .senderNotMember: "the sender is not a member of this server's configuration"
    case .doesNotNameThisServer: "it does not name this server"
    }
  }
}

extension LeaderFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .packetTooEarly(let type): "packet type \(type) came too early"
    case .expectedLeaderInfo(let type): "packet type \(type) came instead of LEADERINFO"
    case .expectedSynchronization(let type): "packet type \(type) came instead of DIFF, TRUNC or SNAP"
    case .invalidEpoch(let epoch): "its epoch \(epoch) is not valid"
    case .staleEpoch(let epoch, let accepted): "its epoch \(epoch) is older than the accepted epoch \(accepted)"
    case .unexpectedNewLeader(let zxid): "unexpected NEWLEADER \(zxid)"
    case .unreadableConfiguration(let reason): "NEWLEADER carries an invalid configuration: \(reason)"
    case .prematureUpToDate: "UPTODATE came before NEWLEADER was acknowledged"
    case .truncationAfterEnd(let zxid, let end): "TRUNC to \(zxid), but the log ends with \(end)"
    case .transactionOutOfOrder(let zxid, let last): "transaction \(zxid) does not follow \(last)"
    case .commitOutOfOrder(let zxid, let committed): "COMMIT \(zxid) is not for the transaction after \(committed)"
    case .commitWithoutProposal(let zxid): "COMMIT \(zxid) without a proposal"
    case .unreadableSession: "it sent a session that cannot be decoded"
    }
  }
}

extension LearnerFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unidentified: "closing a connection that does not identify its learner"
    case .newerConfiguration(let id): "closing learner \(id): it has a newer configuration than this leader"
    case .implausibleEpoch(let id, let claimed, let accepted):
      "closing learner \(id): it claims epoch \(claimed), far above the accepted epoch \(accepted)"
    case .missingEpoch(let id): "closing learner \(id): its ACKEPOCH has no epoch"
    case .aheadOfLeader(let id): "closing learner \(id): its history is newer than this leader's"
    case .acknowledgedAnotherEpoch(let id, let zxid): "closing learner \(id): it acknowledged another epoch, \(zxid)"
    case .packetTooEarly(let id, let type): "closing learner \(id): packet type \(type) came too early"
    case .silent(let id): "closing learner \(id): no packet within syncLimit"
    case .impatientNewcomer: "closing a learner that sent packets before it was admitted"
    case .claimedByAnother(let id): "closing a connection: a newer connection claims to be learner \(id) too"
    case .idInUse(let id): "closing a new connection that claims to be learner \(id), whose connection is alive"
    case .replacedByNewConnection(let id): "closing an old connection: learner \(id) has connected again"
    case .unreadableRequest(let id): "closing learner \(id): it sent a request that cannot be decoded"
    case .unreadableSession(let id): "closing learner \(id): it sent a session that cannot be decoded"
    case .unreadableSessions(let id): "closing learner \(id): it sent a session table that cannot be decoded"
    }
  }
}
