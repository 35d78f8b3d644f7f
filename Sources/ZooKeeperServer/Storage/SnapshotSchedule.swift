/// When the next snapshot is due: after enough transactions or bytes of log.
///
/// The counts are drawn anew for each snapshot from the upper half of what is configured, so that the members of an
/// ensemble do not all write theirs at once.
///
/// *Source*: `org.apache.zookeeper.server.SyncRequestProcessor`; `storage-format` D.3.
struct SnapshotSchedule {
  private let settings: ServerConfiguration.Logging
  private var transactionCount: Int
  private var byteCount = 0
  private var transactionLimit = 0
  private var byteLimit = 0

  /// - Parameter replayed: transactions that recovery had to replay: the next start shall be quicker.
  init(_ settings: ServerConfiguration.Logging, replayed: Int) {
    self.settings = settings
    transactionCount = replayed
    drawLimits()
  }

  /// Whether it is time.
  var isDue: Bool { transactionCount > transactionLimit || byteCount > byteLimit }

  /// A transaction has been logged.
  mutating func count(bytes: Int) {
    transactionCount += 1
    byteCount += bytes
  }

  /// A snapshot begins.
  mutating func reset() {
    transactionCount = 0
    byteCount = 0
    drawLimits()
  }

  private mutating func drawLimits() {
    let half = max(1, settings.snapshotCount / 2)
    transactionLimit = half + Int.random(in: 0..<half)
    let halfSize = settings.snapshotSizeBytes / 2
    byteLimit = halfSize > 0 ? halfSize + Int.random(in: 0..<halfSize) : .max
  }
}
