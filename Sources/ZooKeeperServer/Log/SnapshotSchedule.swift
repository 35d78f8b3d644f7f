/// When the next snapshot is due: after enough transactions or bytes of log.
///
/// Writing a large tree for every 100,000 transactions would cost more than the transactions do. So unless the count is
/// configured, the log must also have grown by half the tree's size. What the start replayed counts sixteenfold, so
/// that the next start does not replay it again.
///
/// The limits are drawn at random for each snapshot, from the upper half of what is configured, so that the members of
/// an ensemble do not write their snapshots at the same time.
///
/// *Source*: `org.apache.zookeeper.server.SyncRequestProcessor`; `StorageFormat` D.3.
struct SnapshotSchedule {
  private let settings: ServerConfiguration.Logging
  private var transactionCount: Int
  private var byteCount = 0
  /// The bytes that the start replayed; 0 after the first snapshot.
  private var replayedBytes: Int
  private var transactionLimit = 0
  private var byteLimit = 0

  /// - Parameter replayed: what recovery replayed, which brings the first snapshot forward.
  init(_ settings: ServerConfiguration.Logging, replayed: (count: Int, bytes: Int)) {
    self.settings = settings
    transactionCount = replayed.count
    byteCount = replayed.bytes
    replayedBytes = replayed.bytes
    drawLimits()
  }

  /// Whether the next snapshot is due.
  ///
  /// - Parameter treeBytes: the approximate size of a snapshot.
  func isDue(treeBytes: @autoclosure () -> Int) -> Bool {
    if byteCount > byteLimit { return true }
    guard transactionCount > transactionLimit else { return false }
    return !settings.snapshotsFollowTreeSize || max(byteCount, 16 * replayedBytes) >= treeBytes() / 2
  }

  /// Counts a transaction that was appended to the log.
  mutating func count(bytes: Int) {
    transactionCount += 1
    byteCount += bytes
  }

  /// Starts over when a snapshot begins.
  mutating func reset() {
    transactionCount = 0
    byteCount = 0
    replayedBytes = 0
    drawLimits()
  }

  private mutating func drawLimits() {
    let half = max(1, settings.snapshotCount / 2)
    transactionLimit = half + Int.random(in: 0..<half)
    let halfSize = settings.snapshotSizeBytes / 2
    byteLimit = halfSize > 0 ? halfSize + Int.random(in: 0..<halfSize) : .max
  }
}
