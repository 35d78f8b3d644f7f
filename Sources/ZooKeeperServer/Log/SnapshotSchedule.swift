/// When the next snapshot is due: after enough transactions or bytes of log.
///
/// Writing a large tree for every 100,000 transactions would cost more than these do, so unless the count is
/// configured, the log must have grown by half the tree's size. What a start had to replay counts sixteenfold: the next
/// one shall not replay it again.
///
/// The counts are drawn anew for each snapshot from the upper half of what is configured, so that the members of an
/// ensemble do not all write theirs at once.
///
/// *Source*: `org.apache.zookeeper.server.SyncRequestProcessor`; `StorageFormat` D.3.
struct SnapshotSchedule {
  private let settings: ServerConfiguration.Logging
  private var transactionCount: Int
  private var byteCount = 0
  /// What the start replayed, until the first snapshot.
  private var replayedBytes: Int
  private var transactionLimit = 0
  private var byteLimit = 0

  /// - Parameter replayed: what recovery had to replay: the next start shall be quicker.
  init(_ settings: ServerConfiguration.Logging, replayed: (count: Int, bytes: Int)) {
    self.settings = settings
    transactionCount = replayed.count
    byteCount = replayed.bytes
    replayedBytes = replayed.bytes
    drawLimits()
  }

  /// Whether it is time.
  ///
  /// - Parameter treeBytes: about what a snapshot would have.
  func isDue(treeBytes: @autoclosure () -> Int) -> Bool {
    if byteCount > byteLimit { return true }
    guard transactionCount > transactionLimit else { return false }
    return !settings.snapshotsFollowTreeSize || max(byteCount, 16 * replayedBytes) >= treeBytes() / 2
  }

  /// A transaction has been logged.
  mutating func count(bytes: Int) {
    transactionCount += 1
    byteCount += bytes
  }

  /// A snapshot begins.
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
