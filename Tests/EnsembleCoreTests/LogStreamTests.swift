import EnsembleCore
import ServerCore
import StorageTesting
import Testing
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// What a leader finds in its log for a learner that lacks more than is in memory.
struct LogStreamTests {
  private let disk = MemoryFileSystem()
  private let directory: DataDirectory<MemoryFileSystem>

  init() throws {
    directory = DataDirectory(disk, dataDirectory: "/data")
    try directory.create()
    try directory.writeSnapshot(RecoveredState(tree: DataTree(hashSeed: 1)), hasDigest: true)
    // Two segments, with an epoch that ends in the first and one that ends in the second.
    try Self.write([(1, 1), (1, 2), (1, 3), (2, 1)], directory)
    try Self.write([(2, 2), (2, 3), (4, 1), (4, 2)], directory)
  }

  private static func zxid(_ epoch: Int64, _ counter: Int64) -> Zxid { Zxid(rawValue: epoch << 32 | counter) }

  private static func txn(_ zxid: Zxid) -> TxnEntry {
    TxnEntry(
      header: TxnHeader(sessionID: .none, cxid: Xid(rawValue: 1), zxid: zxid, timeMilliseconds: 1, opCode: .error),
      txn: .error(.noNode), digest: nil)
  }

  private static func entry(_ zxid: Zxid) -> [UInt8] { txn(zxid).encoded }

  private static func write(_ zxids: [(Int64, Int64)], _ directory: DataDirectory<MemoryFileSystem>) throws {
    let zxids = zxids.map { zxid($0.0, $0.1) }
    var writer = LogWriter(
      directory.files, directory: directory.logDirectory, after: Zxid(rawValue: zxids[0].rawValue - 1))
    for zxid in zxids { try writer.append(entry(zxid)) }
    _ = try writer.sync()
  }

  private func isComplete(_ start: Zxid, _ end: Zxid) -> Bool { Self.isComplete(start, end, directory) }

  /// Whether an examination lets a learner be sent the transactions after `start`, and all of them can be read then.
  private static func isComplete(_ start: Zxid, _ end: Zxid, _ directory: DataDirectory<MemoryFileSystem>) -> Bool {
    let examination = LogExamination(directory, after: start, through: end, limitBytes: nil)
    guard examination.proceed(budgetBytes: .max) == true else { return false }
    guard let stream = try? LogStream(directory, after: start, through: end, at: examination.foundPlace) else {
      return false
    }
    do {
      while try stream.next() != nil {}
      return true
    } catch {
      return false
    }
  }

  @Test func whatFollowsATransactionIsRead() throws {
    let stream = try #require(try LogStream(directory, after: Self.zxid(1, 2), through: Self.zxid(4, 1)))
    var found: [Zxid] = []
    while let record = try stream.next() {
      #expect([UInt8](record.entry) == Self.entry(record.zxid))
      found.append(record.zxid)
    }
    #expect(
      found == [Self.zxid(1, 3), Self.zxid(2, 1), Self.zxid(2, 2), Self.zxid(2, 3), Self.zxid(4, 1)])
    #expect(try stream.next() == nil)
  }

  /// The stream that sends what an examination has found goes on from the place, also to what was written meanwhile.
  @Test func aStreamGoesOnFromTheExaminedPlace() throws {
    for (start, wanted) in [
      (Self.zxid(1, 4), nil), (Self.zxid(1, 2), 8), (Self.zxid(2, 1), 6), (Self.zxid(4, 1), 3), (Self.zxid(4, 2), 2),
    ] as [(Zxid, Int?)] {
      let examination = LogExamination(directory, after: start, through: Self.zxid(4, 2), limitBytes: nil)
      #expect((examination.proceed(budgetBytes: .max) == true) == (wanted != nil))
      #expect(examination.foundPlace?.last == (wanted == nil ? nil : start))
      guard let wanted else { continue }
      try Self.write([(4, 3), (4, 4)], directory)
      defer { try? disk.remove("\(directory.logDirectory)/\(FileName.log(Self.zxid(4, 3)))") }
      let place = try #require(examination.foundPlace)
      let stream = try #require(try LogStream(directory, after: start, through: Self.zxid(4, 4), at: place))
      var found: [Zxid] = []
      while let record = try stream.next() {
        #expect([UInt8](record.entry) == Self.entry(record.zxid))
        found.append(record.zxid)
      }
      #expect(found.count == wanted && found.last == Self.zxid(4, 4), "\(start)")
    }
  }

  /// A place before the transaction is as good as the beginning of the segment. One after it is not used, nor one in a
  /// segment that is gone.
  @Test func aStreamLooksFromAPlace() throws {
    let examination = LogExamination(directory, after: Self.zxid(1, 2), through: Self.zxid(4, 2), limitBytes: nil)
    #expect(examination.proceed(budgetBytes: .max) == true)
    let place = try #require(examination.foundPlace)
    for (start, next) in [(Self.zxid(1, 2), Self.zxid(1, 3)), (Self.zxid(1, 3), Self.zxid(2, 1))] {
      let stream = try #require(try LogStream(directory, after: start, through: Self.zxid(4, 2), at: place))
      #expect(try stream.next()?.zxid == next)
    }
    let missing = try #require(try LogStream(directory, after: Self.zxid(1, 4), through: Self.zxid(4, 2), at: place))
    #expect(try missing.find() == false)
    let earlier = try #require(try LogStream(directory, after: Self.zxid(1, 1), through: Self.zxid(4, 2), at: place))
    #expect(try earlier.next()?.zxid == Self.zxid(1, 2))
    let again = LogExamination(
      directory, after: Self.zxid(2, 1), through: Self.zxid(4, 2), limitBytes: nil, at: place)
    #expect(again.proceed(budgetBytes: .max) == true)
    try disk.remove("\(directory.logDirectory)/\(FileName.log(Self.zxid(1, 1)))")
    #expect(try LogStream(directory, after: Self.zxid(1, 2), through: Self.zxid(2, 1), at: place) == nil)
  }

  @Test func aTransactionThatIsNotInTheLogIsNotFound() throws {
    #expect(try LogStream(directory, after: Self.zxid(0, 7), through: Self.zxid(4, 2)) == nil)
    for start in [Self.zxid(1, 4), Self.zxid(3, 1), Self.zxid(2, 9), Self.zxid(5, 1)] {
      let stream = try #require(try LogStream(directory, after: start, through: Self.zxid(4, 2)))
      #expect(try stream.find() == false, "\(start)")
      #expect(throws: TxnLogError.self) { try stream.next() }
      #expect(!isComplete(start, Self.zxid(4, 2)))
    }
  }

  @Test func aLogThatEndsTooEarlyIsNotComplete() throws {
    #expect(isComplete(Self.zxid(1, 1), Self.zxid(4, 2)))
    #expect(!isComplete(Self.zxid(1, 1), Self.zxid(4, 3)))
    #expect(!isComplete(Self.zxid(1, 1), Self.zxid(5, 1)))
    // Within an epoch it shows when the transactions are sent.
    #expect(!isComplete(Self.zxid(4, 1), Self.zxid(4, 3)))
    let stream = try #require(try LogStream(directory, after: Self.zxid(4, 1), through: Self.zxid(4, 3)))
    #expect(try stream.next()?.zxid == Self.zxid(4, 2))
    #expect(throws: TxnLogError.self) { try stream.next() }
  }

  @Test func aPurgedLogIsNotComplete() throws {
    try disk.remove("\(directory.logDirectory)/\(FileName.log(Self.zxid(1, 1)))")
    #expect(!isComplete(Self.zxid(1, 1), Self.zxid(4, 2)))
    #expect(isComplete(Self.zxid(2, 2), Self.zxid(4, 2)))
  }

  @Test func aLogThatIsWorthMoreThanTheTreeIsNotUsed() throws {
    // In the log, with what surrounds an entry there.
    let bytes = Self.entry(Self.zxid(1, 1)).count + 13
    func isWorthIt(_ start: Zxid, _ end: Zxid, _ limitBytes: Int) -> Bool? {
      LogExamination(directory, after: start, through: end, limitBytes: limitBytes).proceed(budgetBytes: .max)
    }
    #expect(isWorthIt(Self.zxid(2, 3), Self.zxid(4, 2), 2 * bytes) == true)
    #expect(isWorthIt(Self.zxid(2, 3), Self.zxid(4, 2), 2 * bytes - 1) == false)
    // Of one epoch: everything that follows in the log counts, with what was reserved in the last block.
    #expect(isWorthIt(Self.zxid(4, 1), Self.zxid(4, 2), bytes - 1) == false)
    #expect(isWorthIt(Self.zxid(4, 1), Self.zxid(4, 2), bytes + 64) == true)
    #expect(isWorthIt(Self.zxid(2, 1), Self.zxid(2, 2), 4 * bytes - 1) == false)
    #expect(isWorthIt(Self.zxid(2, 1), Self.zxid(2, 2), 4 * bytes + 64) == true)
    let size = try directory.newestSnapshotBytes()
    #expect(size > 100 && directory.logLimitBytes(factor: 0.5) == size / 2)
    #expect(directory.logLimitBytes(factor: 0) == nil)
  }

  @Test func aLogIsExaminedInPieces() throws {
    let examination = LogExamination(directory, after: Self.zxid(2, 1), through: Self.zxid(4, 2), limitBytes: nil)
    var pieces = 0
    while examination.proceed(budgetBytes: 1) == nil { pieces += 1 }
    // One for each transaction before the first one that is sent, and for each that is.
    #expect(pieces == 3 + 4)
    #expect(examination.proceed(budgetBytes: 1) == true)
    // Those of one epoch are read when they are sent.
    let short = LogExamination(directory, after: Self.zxid(2, 1), through: Self.zxid(2, 3), limitBytes: nil)
    pieces = 0
    while short.proceed(budgetBytes: 1) == nil { pieces += 1 }
    #expect(pieces == 3)
  }

  /// An earlier server has left a transaction in the log that was never committed, 2:4, and was then sent a tree with
  /// 3:2. It has written nothing to the log before epoch 4.
  @Test func aLogWithASnapshotBetweenItsTransactionsIsNotUsed() throws {
    let other = DataDirectory(MemoryFileSystem(), dataDirectory: "/data")
    try other.create()
    try other.writeSnapshot(RecoveredState(tree: DataTree(hashSeed: 1)), hasDigest: true)
    for zxids in [[Self.zxid(2, 3), Self.zxid(2, 4)], [Self.zxid(4, 1), Self.zxid(4, 2)]] {
      var writer = LogWriter(
        other.files, directory: other.logDirectory, after: Zxid(rawValue: zxids[0].rawValue - 1))
      for zxid in zxids { try writer.append(Self.entry(zxid)) }
      _ = try writer.sync()
    }
    let isComplete = { (start: Zxid) in Self.isComplete(start, Self.zxid(4, 2), other) }
    #expect(isComplete(Self.zxid(2, 3)) == true)
    var state = RecoveredState(tree: DataTree(hashSeed: 1))
    state.apply(Self.txn(Self.zxid(3, 2)))
    try other.writeSnapshot(state, hasDigest: true)
    #expect(isComplete(Self.zxid(2, 3)) == false)
    #expect(isComplete(Self.zxid(4, 1)) == true)
    // A purge removes the older snapshots first, and a crash may leave the older log.
    for snapshot in try other.snapshots() { try other.files.remove(snapshot.path) }
    state.apply(Self.txn(Self.zxid(4, 1)))
    try other.writeSnapshot(state, hasDigest: true)
    #expect(isComplete(Self.zxid(2, 3)) == false)
    #expect(isComplete(Self.zxid(4, 1)) == true)
  }

  /// Nobody knows which transactions of a log without marks were committed.
  @Test func aLogOfAnApacheServerIsNotUsed() throws {
    var settings = LogSettings()
    settings.marksBatches = false
    var writer = LogWriter(disk, directory: directory.logDirectory, after: Self.zxid(4, 2), settings: settings)
    try writer.append(Self.entry(Self.zxid(4, 3)))
    _ = try writer.sync()
    #expect(!isComplete(Self.zxid(4, 1), Self.zxid(4, 3)))
    #expect(isComplete(Self.zxid(4, 1), Self.zxid(4, 2)))
  }
}
