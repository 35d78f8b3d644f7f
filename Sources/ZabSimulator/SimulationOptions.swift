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
  /// How many sessions are ended at a time when they have expired.
  package var expiredAtOnceCount: Int
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
    expiredAtOnceCount = random.chance(500) ? Int(random.number(1...2)) : ServerSettings().expiredAtOnceCount
  }

  package var description: String {
    "seed=\(seed) voters=\(voterCount) observers=\(observerCount) clients=\(clientCount)"
      + " duration=\(durationMilliseconds)ms faults=every \(faultIntervalMilliseconds)ms"
      + " latency<=\(maxLatencyMicroseconds)us sync<=\(maxSyncMicroseconds)us history=\(historyCount)"
      + " snapshots=every \(snapshotInterval) waits=\(waitsForLog) direct=\(hasDirectWrites)"
      + " preallocation=\(preallocationBytes) pieces=\(pieceBytes) log=\(readsLogForLearners)"
      + " local=\(hasLocalSessions) expired at once<=\(expiredAtOnceCount)"
      + (mutation.map { " mutation=\($0.rawValue)" } ?? "")
  }
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
  /// A hash of all lines of the trace: two runs that differ in any event differ here.
  package var traceHash: UInt64 = 0
  /// The lines of the trace, if they were requested.
  package var trace: [String] = []
}
