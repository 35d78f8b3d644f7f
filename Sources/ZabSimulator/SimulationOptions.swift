internal import StorageTesting
package import Zab
import ZooKeeperProtocol

/// What one run is like: drawn from its seed, and told before it begins.
package struct SimulationOptions: Hashable, Sendable, CustomStringConvertible {
  package var seed: UInt64
  /// Servers that vote.
  package var voterCount: Int
  /// Servers that only watch.
  package var observerCount: Int
  package var clientCount: Int
  /// How long faults go on, in milliseconds of the simulated time.
  package var durationMilliseconds: Int64
  /// The mean time between two faults.
  package var faultIntervalMilliseconds: Int64
  /// The slowest message that is not held up by a fault.
  package var maxLatencyMicroseconds: Int64
  /// The slowest sync of a disk that is not held up by a fault.
  package var maxSyncMicroseconds: Int64
  /// Transactions in memory: few of them make learners need snapshots.
  package var historyCount: Int
  /// Transactions between a server's snapshots.
  package var snapshotInterval: Int
  /// Whether a server's loop waits a moment for the log, see `LogWorker.submitAndWait`.
  package var waitsForLog: Bool
  /// Whether the disk takes direct writes, past the system's cache.
  package var hasDirectWrites: Bool
  /// The log's files grow by so much at a time.
  package var preallocationBytes: Int
  /// About how much of a tree is sent, or written to a snapshot, at a time.
  package var pieceBytes: Int
  /// The bug that is put in on purpose.
  package var mutation: ZabMutation?

  /// The options that a seed stands for.
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
  }

  package var description: String {
    "seed=\(seed) voters=\(voterCount) observers=\(observerCount) clients=\(clientCount)"
      + " duration=\(durationMilliseconds)ms faults=every \(faultIntervalMilliseconds)ms"
      + " latency<=\(maxLatencyMicroseconds)us sync<=\(maxSyncMicroseconds)us history=\(historyCount)"
      + " snapshots=every \(snapshotInterval) waits=\(waitsForLog) direct=\(hasDirectWrites)"
      + " preallocation=\(preallocationBytes) pieces=\(pieceBytes)"
      + (mutation.map { " mutation=\($0.rawValue)" } ?? "")
  }
}

/// How a run ended.
package struct SimulationReport: Hashable, Sendable {
  /// The first rule that was broken; nil when all held.
  package var violation: String?
  package var eventCount = 0
  package var faultCount = 0
  package var transactionCount = 0
  package var epochCount = 0
  package var reconfigurationCount = 0
  package var acknowledgedWriteCount = 0
  /// Of all lines of the trace: two runs that differ anywhere differ here.
  package var traceHash: UInt64 = 0
  /// The trace's lines, if they were asked for.
  package var trace: [String] = []
}
