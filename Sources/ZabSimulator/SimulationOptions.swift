internal import ServerCore
internal import StorageTesting
package import Zab
import ZooKeeperProtocol

/// The parameters of one run, which are drawn from its seed.
package struct SimulationOptions: Hashable, Sendable, CustomStringConvertible {
  package var seed: UInt64
  /// The number of voters.
  package var voterCount: Int
  /// The number of observers.
  package var observerCount: Int
  package var clientCount: Int
  /// How long faults happen, in milliseconds of the simulated time.
  package var durationMilliseconds: Int64
  /// The mean time between two faults.
  package var faultIntervalMilliseconds: Int64
  /// The largest latency of a message without faults.
  package var maxLatencyMicroseconds: Int64
  /// The longest sync of a disk without faults.
  package var maxSyncMicroseconds: Int64
  /// The number of transactions in memory. With a small number, learners need snapshots.
  package var historyCount: Int
  /// The number of transactions between a server's snapshots.
  package var snapshotInterval: Int
  /// Whether a server's loop waits for the log, see `LogWorker.submitAndWait`.
  package var waitsForLog: Bool
  /// Whether the disk supports direct writes, which bypass the system's cache.
  package var hasDirectWrites: Bool
  /// The number of bytes that are preallocated when a log file grows.
  package var preallocationBytes: Int
  /// The approximate number of bytes of a tree that are sent, or written to a snapshot, at a time.
  package var pieceBytes: Int
  /// Whether learners are sent the leader's log from its disk, if it reaches back far enough.
  package var readsLogForLearners: Bool
  /// Whether sessions are local to their servers, and upgraded when they create ephemerals.
  package var hasLocalSessions: Bool
  /// Whether observers connect to followers rather than to the leader.
  package var hasObserverMasters: Bool
  /// Below this time observers wait before they look for a leader, and before they connect to it.
  package var observerDelayMilliseconds: Int64
  /// Whether clients watch the znode that all of them write.
  package var hasWatches: Bool
  /// Whether servers notice late that a client has gone, which has meanwhile moved its session to another server.
  package var noticesLate: Bool
  /// Whether servers without a quorum serve clients that are content with reads.
  package var hasReadOnlyServers: Bool
  /// Whether clients send a sync and a read together, and servers that were paused handle what waits in their sockets
  /// before they notice anything else.
  package var sendsSyncsWithReads: Bool
  /// Whether servers' clocks jump.
  package var clocksJump: Bool
  /// How many sessions are ended at a time when they have expired.
  package var expiredAtOnceCount: Int
  /// Whether every learner is sent the whole tree.
  package private(set) var alwaysSendsTree: Bool
  /// Whether leaders are often paused for about as long as it takes to elect another one. No seed has this by itself.
  package private(set) var leadersPause = false
  /// Whether a tenth of the clients' requests are reconfigurations. No seed has this by itself.
  package private(set) var reconfiguresOften = false
  /// The bug that is put in on purpose.
  package var mutation: ZabMutation?

  /// Draws the options of a seed.
  package init(seed: UInt64) {
    self.seed = seed
    var random = SplitMix64(seed: seed)
    voterCount = random.chance(350) ? 5 : 3
    observerCount = random.chance(250) ? 1 : 0
    clientCount = Int(random.number(2...5))
    durationMilliseconds = 30_000
    faultIntervalMilliseconds = random.number(60...250)
    maxLatencyMicroseconds = random.chance(500) ? 2000 : 20_000
    maxSyncMicroseconds = random.chance(500) ? 3000 : 30_000
    historyCount = random.chance(500) ? 12 : 500
    snapshotInterval = Int(random.number(20...200))
    waitsForLog = random.chance(500)
    hasDirectWrites = random.chance(500)
    preallocationBytes = random.chance(500) ? 64 << 10 : 0
    pieceBytes = random.chance(500) ? 500 : 10_000
    readsLogForLearners = random.chance(500)
    hasLocalSessions = random.chance(250)
    hasObserverMasters = random.chance(500)
    let severalObservers = Int(random.number(1...3))
    observerDelayMilliseconds = random.chance(500) ? 300 : 0
    // The other seeds remain what they were before these options.
    let hasMore = random.chance(500)
    hasWatches = hasMore && random.chance(700)
    noticesLate = hasMore && random.chance(500)
    hasReadOnlyServers = hasMore && random.chance(500)
    sendsSyncsWithReads = hasMore && random.chance(500)
    clocksJump = hasMore && random.chance(500)
    expiredAtOnceCount = random.chance(500) ? Int(random.number(1...2)) : ServerSettings().expiredAtOnceCount
    alwaysSendsTree = random.chance(60)
    if !hasObserverMasters { observerDelayMilliseconds = 0 }
    if hasObserverMasters, observerCount > 0 { observerCount = severalObservers }
  }

  /// Gives the ensemble observers, one to three, that connect to followers.
  package mutating func useObserverMasters() {
    hasObserverMasters = true
    if observerCount == 0 { observerCount = 1 + Int(seed % 3) }
  }

  /// Pauses leaders often, while clients ask for what others have written.
  package mutating func pauseLeaders() {
    leadersPause = true
    sendsSyncsWithReads = true
  }

  /// Lets leaders send the whole tree to every learner.
  package mutating func forceSnapshotSync() { alwaysSendsTree = true }

  /// Lets clients reconfigure the ensemble often, also while servers are being synchronized.
  package mutating func reconfigureOften() { reconfiguresOften = true }

  package var description: String {
    "seed=\(seed) voters=\(voterCount) observers=\(observerCount) clients=\(clientCount)"
      + " duration=\(durationMilliseconds)ms faults=every \(faultIntervalMilliseconds)ms"
      + " latency<=\(maxLatencyMicroseconds)us sync<=\(maxSyncMicroseconds)us history=\(historyCount)"
      + " snapshots=every \(snapshotInterval) waits=\(waitsForLog) direct=\(hasDirectWrites)"
      + " preallocation=\(preallocationBytes) pieces=\(pieceBytes) log=\(readsLogForLearners)"
      + " local=\(hasLocalSessions) masters=\(hasObserverMasters) delay=\(observerDelayMilliseconds)ms"
      + " watches=\(hasWatches) late=\(noticesLate) read-only=\(hasReadOnlyServers)"
      + " together=\(sendsSyncsWithReads) jumps=\(clocksJump)"
      + " expired at once<=\(expiredAtOnceCount) tree=\(alwaysSendsTree)"
      + (mutation.map { " mutation=\($0.rawValue)" } ?? "")
  }
}

/// What followers have done for observers in the leader's place.
package struct ObserverMasterCounts: Hashable, Sendable {
  /// How often a follower has brought an observer up to date.
  package var synchronizations = 0
  /// Commits that were passed on.
  package var informs = 0
  /// Changes of the members that were passed on, with the order to activate them.
  package var activations = 0
  /// Answers of the leader to syncs and to questions about sessions that were passed on.
  package var answers = 0

  /// The numbers, in the order of their declarations.
  package var summary: String { "\(synchronizations)/\(informs)/\(activations)/\(answers)" }
}

/// The result of a run.
package struct SimulationReport: Hashable, Sendable {
  /// The first rule that was broken; nil when all held.
  package var violation: String?
  package var eventCount = 0
  package var faultCount = 0
  package var transactionCount = 0
  package var epochCount = 0
  package var reconfigurationCount = 0
  package var acknowledgedWriteCount = 0
  package var observerMasters = ObserverMasterCounts()
  /// A hash of all lines of the trace: two runs that differ in any event differ here.
  package var traceHash: UInt64 = 0
  /// The lines of the trace, if they were requested.
  package var trace: [String] = []
}
