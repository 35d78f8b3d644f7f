import ZooKeeperProtocol

/// What a member of an ensemble reports about its role.
struct EnsembleReport: Sendable {
  /// The role of the member.
  enum Part: Sendable {
    case leader
    case follower
    case observer
    /// It has no leader, or is not up to date yet.
    case none

    /// The first half of `zk_peer_state`.
    var participle: String {
      switch self {
      case .leader: "leading"
      case .follower: "following"
      case .observer: "observing"
      case .none: "looking"
      }
    }
  }

  var part: Part
  /// Whether it serves clients.
  var isServing: Bool
  var own: QuorumConfiguration.Member
  var quorum: QuorumConfiguration
  var times: ServerConfiguration.QuorumTimes
  /// The address that clients connect to.
  var clientAddress: ServerAddress
  /// The leader, as far as this server knows.
  var leaderID: ServerID?
  var zxid: Zxid
  /// The number of sessions of the whole ensemble.
  var sessionCount: Int
  /// The sessions and their timeouts, unordered; empty unless requested. A learner knows nothing else about them.
  var sessions: [(id: SessionID, timeoutMilliseconds: Int32)]
  /// What only a leader knows; nil on others.
  var leadership: Leadership?
  /// The observers that a leader or an observer master has brought up to date.
  var observers: [LearnerConnectionReport] = []

  /// What a leader knows of its learners.
  struct Leadership: Sendable {
    var uptimeMilliseconds: Int
    /// The number of connected learners, up to date or not.
    var learnerCount: Int
    var syncedFollowerCount: Int
    /// The number of synced followers without a vote.
    var syncedNonVotingCount: Int
    var pendingSyncCount: Int
    var proposalSizes: ProposalSizes
  }

  /// The phase of the member, by Apache's names.
  var zabState: String { isServing ? "broadcast" : part == .none ? "election" : "synchronization" }
}

/// The statistics of a learner's connection, on the server that it is connected to.
struct LearnerConnectionReport: Sendable {
  var id: ServerID
  var remoteAddress: String
  var establishedMilliseconds: Int64
  var packetsReceived: Int
  var packetsSent: Int
  var requests: Int
  var lastZxid: Zxid
}

/// The sizes in bytes of the transactions that a leader has proposed; -1 before the first.
struct ProposalSizes: Hashable, Sendable {
  private(set) var last = -1
  private(set) var minimum = -1
  private(set) var maximum = -1

  /// Counts a proposal.
  mutating func note(_ size: Int) {
    last = size
    minimum = minimum < 0 ? size : min(minimum, size)
    maximum = max(maximum, size)
  }
}

// MARK: Four-letter words

extension EnsembleReport {
  /// What `conf` prints for an ensemble, after what it prints for any server.
  ///
  /// *Source*: `org.apache.zookeeper.server.ZooKeeperServerConf`; `ClientProtocol` 7.1.
  var configurationText: String {
    let lines = [
      "initLimit=\(times.initLimitTicks)", "syncLimit=\(times.syncLimitTicks)", "electionAlg=3",
      "electionPort=\(own.addresses[0].electionPort)", "quorumPort=\(own.addresses[0].quorumPort)",
      "peerType=\(own.isObserver ? 1 : 0)", "membership: ",
    ]
    return lines.map { $0 + "\n" }.joined() + quorum.text
  }

  /// The last line of `srvr` on a leader.
  var proposalLine: String {
    guard let sizes = leadership?.proposalSizes else { return "" }
    return "Proposal sizes last/min/max: \(sizes.last)/\(sizes.minimum)/\(sizes.maximum)\n"
  }

  /// The sessions in a learner's `dump`.
  var sessionsText: String {
    let sorted = sessions.sorted { $0.id.rawValue < $1.id.rawValue }
    return "Global Sessions(\(sessionCount)):\n" + sorted.map { "\($0.id)\t\($0.timeoutMilliseconds)ms\n" }.joined()
  }
}

// MARK: AdminServer

extension EnsembleReport {
  /// The answer to `leader`.
  var leaderBody: [(String, AdminJSON)] {
    let leader = leaderID.flatMap { quorum.member($0) }
    return [
      ("is_leader", .bool(part == .leader)), ("leader_id", .number(Int(leaderID?.rawValue ?? -1))),
      ("leader_ip", .string(leader?.addresses.first?.host ?? "")),
    ]
  }

  /// The answer to `voting_view`.
  var votingViewBody: [(String, AdminJSON)] {
    let voters = quorum.members.filter { !$0.isObserver }.map { member in
      let client = member.id == own.id ? clientAddress : member.client
      return (
        "\(member.id)",
        AdminJSON.object([
          ("server_addresses", .array(member.addresses.map { .string("\($0.quorum)") })),
          ("election_addresses", .array(member.addresses.map { .string("\($0.election)") })),
          ("client_address", .string(client.map { "\($0)" } ?? "")), ("learner_type", .string("participant")),
        ])
      )
    }
    return [("current_config", .object(voters))]
  }

  /// The answer to `zabstate`.
  var zabStateBody: [(String, AdminJSON)] {
    guard isServing else { return [("voting", .bool(false)), ("zabstate", .string(""))] }
    return [
      ("myid", .number(Int(own.id.rawValue))), ("is_leader", .bool(part == .leader)),
      ("quorum_address", Self.addresses(own.addresses.map(\.quorum))),
      ("election_address", Self.addresses(own.addresses.map(\.election))),
      ("client_address", .string("\(clientAddress)")), ("voting", .bool(!own.isObserver)),
      ("last_zxid", .string("\(zxid)")), ("zab_epoch", .number(Int(zxid.epoch))),
      ("zab_counter", .number(Int(zxid.counter))), ("zabstate", .string(zabState)),
    ]
  }

  /// The properties of Apache's `MultipleAddresses`, under the names that its JSON has.
  private static func addresses(_ addresses: [ServerAddress]) -> AdminJSON {
    let all = AdminJSON.array(addresses.map { .string("\($0)") })
    let first = AdminJSON.string(addresses.first.map { "\($0)" } ?? "")
    let wildcards = addresses.map { AdminJSON.string("0.0.0.0:\($0.port)") }
    return .object([
      ("empty", .bool(addresses.isEmpty)), ("all_addresses", all), ("all_reachable_addresses", all), ("one", first),
      ("reachable_address", first), ("wildcard_addresses", .array(wildcards)),
      ("all_ports", .array(addresses.map { .number($0.port) })),
      ("all_host_strings", .array(addresses.map { .string($0.host) })), ("all_reachable_addresses_or_all", all),
      ("reachable_or_one", first),
    ])
  }

  /// The answer to `observers`.
  var observersBody: [(String, AdminJSON)] {
    let documents = observers.map { observer in
      AdminJSON.object([
        ("remote_socket_address", .string("/\(observer.remoteAddress)")), ("sid", .number(Int(observer.id.rawValue))),
        ("established", .number(Int(observer.establishedMilliseconds))), ("queued_packets", .number(0)),
        ("queued_packets_size", .number(0)), ("packets_received", .number(observer.packetsReceived)),
        ("packets_sent", .number(observer.packetsSent)), ("requests", .number(observer.requests)),
        ("last_zxid", .number(Int(observer.lastZxid.rawValue))),
      ])
    }
    return [("synced_observers", .number(observers.count)), ("observers", .array(documents))]
  }

  /// The part of `server_stats` that only a leader has.
  var proposalStatsBody: [(String, AdminJSON)] {
    guard let sizes = leadership?.proposalSizes else { return [] }
    return [
      (
        "proposal_stats",
        .object([
          ("last_buffer_size", .number(sizes.last)), ("min_buffer_size", .number(sizes.minimum)),
          ("max_buffer_size", .number(sizes.maximum)),
        ])
      )
    ]
  }
}
