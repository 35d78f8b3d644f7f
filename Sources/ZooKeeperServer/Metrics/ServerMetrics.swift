import ServerCore
import ZooKeeperProtocol

/// What is measured of a running server outside its core, from its start to its end. Durations are in microseconds.
///
/// Which family of metrics each of these is, and what it means exactly, is in `MetricTable`. Accesses on the path of a
/// request are unchecked, as in `CoreMetrics`.
///
/// *Thread*: the event loop, except for `log`.
final class ServerMetrics {
  let core = CoreMetrics()
  let log = LogMetrics()
  let ensemble = EnsembleMetrics()

  // MARK: The event loop

  /// From the first request of a turn until everything that the turn sends is sent.
  @exclusivity(unchecked) var turnTime = Histogram()
  /// How much later than it was due a timer ran.
  var loopLag = Histogram()
  /// Applying the transactions that have become committed together, and their number.
  @exclusivity(unchecked) var applyTime = Histogram()
  @exclusivity(unchecked) var appliedTogether = Histogram()

  // MARK: Connections

  var droppedConnections = 0
  var rejectedConnections = 0
  var sessionlessConnectionsExpired = 0
  var connectionsWhileNotServing = 0
  var failedHandshakes = 0
  var localConnectionsWithoutCertificate = 0
  var remoteConnectionsWithoutCertificate = 0

  // MARK: Snapshots and the start

  var snapshotTime = Histogram()
  var snapshotBytes = Histogram()
  var snapshotErrors = 0
  var limitedSnapshots = 0
  var restoreTime = Histogram()
  var restoreErrors = 0
  var limitedRestores = 0
  var startTime = Histogram()
  var startSnapshotTime = Histogram()
  var startLogTime = Histogram()
  var startTxns = Histogram()
  /// Failures because of which the server stops.
  var fatalErrors = 0

  init() {}

  /// Records how long the recovery of the data directory took.
  func noteStart(_ times: RecoveryTimes, txns: Int) {
    startTime.add(times.totalMicroseconds)
    startSnapshotTime.add(times.snapshotMicroseconds)
    startLogTime.add(times.totalMicroseconds - times.snapshotMicroseconds)
    startTxns.add(txns)
  }

  /// Records that transactions were applied, if there were any since `before`, which is the value of
  /// `CoreMetrics.appliedCount` at `start`.
  func noteApplied(since before: Int, _ start: ServerTime) {
    guard core.appliedCount > before else { return }
    appliedTogether.add(core.appliedCount - before)
    applyTime.add(Int(ServerClock.monotonicMicroseconds - start.monotonicMicroseconds))
  }

  /// Forgets what was measured; counters stay. What belongs to the core is reset by the core.
  func resetDistributions() {
    log.reset()
    ensemble.resetDistributions()
    turnTime.reset()
    loopLag.reset()
    applyTime.reset()
    appliedTogether.reset()
    snapshotTime.reset()
    snapshotBytes.reset()
    restoreTime.reset()
  }
}

/// How long a start has read the data directory.
struct RecoveryTimes: Hashable, Sendable {
  var totalMicroseconds = 0
  /// Until the snapshot was loaded.
  var snapshotMicroseconds = 0
}

/// What a member measures of its ensemble. Durations are in microseconds.
///
/// *Thread*: the event loop.
final class EnsembleMetrics {
  // MARK: Elections and synchronization

  var electionTime = Histogram()
  var lookingCount = 0
  var unavailableTime = Histogram()
  var leaderUnavailableTime = Histogram()
  var followerSyncTime = Histogram()
  var observerSyncTime = Histogram()
  var snapshotsSent = 0
  var differencesSent = 0
  /// The trees that are being sent, each time another one begins.
  var treesInFlight = Histogram()
  /// The parts of the log that are being sent, each time another one begins.
  var logsInFlight = Histogram()

  // MARK: Proposals

  @exclusivity(unchecked) var proposalCount = 0
  @exclusivity(unchecked) var commitCount = 0
  /// On a leader, from a proposal to its commit.
  @exclusivity(unchecked) var acknowledgeTime = Histogram()
  /// On a follower, from the leader's time of a transaction to its arrival.
  @exclusivity(unchecked) var proposalLatency = Histogram()
  /// From the leader's time of a transaction to this server's acknowledgement.
  @exclusivity(unchecked) var ackCreationLatency = Histogram()
  @exclusivity(unchecked) var learnerProposals = 0
  @exclusivity(unchecked) var learnerCommits = 0
  /// On a server with observers that does not lead, the time that a proposal took, and a commit.
  @exclusivity(unchecked) var observerMasterProposalTime = Histogram()
  @exclusivity(unchecked) var observerMasterCommitTime = Histogram()
  /// On a leader, from a proposal to its acknowledgement, by server, this one included.
  private var ackLatencies = HistogramList()
  private var ackServers: [ServerID] = []

  private var lookingSince: Int64?
  private var unavailableSince: Int64?
  private var syncingSince: Int64?

  init() {}

  /// Adds the time that a voter took to acknowledge a proposal. Only for servers of the configuration: anybody can
  /// claim another id.
  func addAcknowledgement(_ microseconds: Int, by server: ServerID) {
    if let index = ackServers.firstIndex(of: server) { return ackLatencies.add(microseconds, at: index) }
    ackServers.append(server)
    ackLatencies.append()
    ackLatencies.add(microseconds, at: ackServers.count - 1)
  }

  /// The times of each server that has acknowledged a proposal.
  var ackLatencyByServer: [(name: String, Distribution)] {
    ackServers.indices.map { ("\(ackServers[$0])", ackLatencies.distribution(at: $0)) }
  }

  /// Records a change of role: the end of an election, or the begin of one.
  func noteRole(isLooking: Bool, _ time: ServerTime) {
    let now = time.monotonicMicroseconds
    if isLooking {
      lookingCount += 1
      // A member that finds its leader gone while it looks has been unavailable since it began to look.
      if lookingSince == nil { lookingSince = now }
      if unavailableSince == nil { unavailableSince = now }
      syncingSince = nil
    } else {
      if let lookingSince { electionTime.add(Int(now - lookingSince)) }
      lookingSince = nil
      syncingSince = now
    }
  }

  /// Records that the member serves clients from now on.
  func noteServing(isLeader: Bool, isObserver: Bool, _ time: ServerTime) {
    let now = time.monotonicMicroseconds
    if let unavailableSince {
      unavailableTime.add(Int(now - unavailableSince))
      if isLeader { leaderUnavailableTime.add(Int(now - unavailableSince)) }
    }
    if let syncingSince, !isLeader {
      if isObserver {
        observerSyncTime.add(Int(now - syncingSince))
      } else {
        followerSyncTime.add(Int(now - syncingSince))
      }
    }
    unavailableSince = nil
    syncingSince = nil
  }

  /// Forgets what was measured; counters stay.
  func resetDistributions() {
    electionTime.reset()
    unavailableTime.reset()
    leaderUnavailableTime.reset()
    followerSyncTime.reset()
    observerSyncTime.reset()
    treesInFlight.reset()
    logsInFlight.reset()
    acknowledgeTime.reset()
    proposalLatency.reset()
    ackCreationLatency.reset()
    observerMasterProposalTime.reset()
    observerMasterCommitTime.reset()
    ackLatencies = HistogramList()
    ackServers = []
  }
}
