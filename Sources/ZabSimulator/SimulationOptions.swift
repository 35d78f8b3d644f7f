public import Zab

/// What one run is like: drawn from its seed, and told before it begins.
public struct SimulationOptions: Hashable, Sendable, CustomStringConvertible {
  public var seed: UInt64
  /// Servers that vote.
  public var voterCount: Int
  /// Servers that only watch.
  public var observerCount: Int
  public var clientCount: Int
  /// How long faults go on, in milliseconds of the simulated time.
  public var durationMilliseconds: Int64
  /// The mean time between two faults.
  public var faultIntervalMilliseconds: Int64
  /// The slowest message that is not held up by a fault.
  public var maxLatencyMicroseconds: Int64
  /// The slowest sync of a disk that is not held up by a fault.
  public var maxSyncMicroseconds: Int64
  /// Transactions in memory: few of them make learners need snapshots.
  public var historyCount: Int
  /// Transactions between a server's snapshots.
  public var snapshotInterval: Int
  /// The bug that is put in on purpose.
  public var mutation: ZabMutation?

  /// The options that a seed stands for.
  public init(seed: UInt64) {
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
  }

  public var description: String {
    "seed=\(seed) voters=\(voterCount) observers=\(observerCount) clients=\(clientCount)"
      + " duration=\(durationMilliseconds)ms faults=every \(faultIntervalMilliseconds)ms"
      + " latency<=\(maxLatencyMicroseconds)us sync<=\(maxSyncMicroseconds)us history=\(historyCount)"
      + " snapshots=every \(snapshotInterval)" + (mutation.map { " mutation=\($0.rawValue)" } ?? "")
  }
}

/// How a run ended.
public struct SimulationReport: Hashable, Sendable {
  /// The first rule that was broken; nil when all held.
  public var violation: String?
  public var eventCount = 0
  public var faultCount = 0
  public var transactionCount = 0
  public var epochCount = 0
  public var reconfigurationCount = 0
  public var acknowledgedWriteCount = 0
  /// Of all lines of the trace: two runs that differ anywhere differ here.
  public var traceHash: UInt64 = 0
  /// The trace's lines, if they were asked for.
  public var trace: [String] = []
}
