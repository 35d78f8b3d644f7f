import Jute
import NIOCore
import TxnLog
import ZnodeTree
import ZooKeeperProtocol

/// Encoded znodes on their way to a snapshot.
struct JuteSlice: Sendable {
  /// So much is encoded between two requests.
  static let budgetBytes = 256 << 10

  var writer = JuteWriter(reservingBytes: budgetBytes + 4096)
}

extension SnapshotWriter {
  /// Adds the znodes of a slice.
  mutating func append(_ slice: JuteSlice) throws(TxnLogError) {
    let failure = slice.writer.bytes.withUnsafeBytes { bytes -> TxnLogError? in
      do throws(TxnLogError) {
        try append(encodedNodes: bytes)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }
}

/// A snapshot being written: the loop encodes the tree in slices between requests, the background writes them.
///
/// One slice is on its way at a time, so that a slow disk holds up neither requests nor memory.
///
/// *Thread*: the event loop; the writer belongs to the background worker alone.
final class SnapshotTask {
  /// Keeps the writer for the background.
  private final class WriterBox: @unchecked Sendable {
    // @unchecked: touched by the background worker only, one piece of work after another.
    var writer: SnapshotWriter<PosixFileSystem>?
    var failure: TxnLogError?

    init() {}
  }

  let zxid: Zxid
  /// Ended on the loop, as soon as it can be: the background's last hold on the task may outlive `onFinished`, and the
  /// end of a walk changes the tree.
  private var walk: SnapshotWalk?
  private let treeDigest: UInt64
  private let hasDigest: Bool
  private let background: BackgroundWorker
  private let loop: any EventLoop
  private let box = WriterBox()
  /// How far the log is. A leader's tree may be ahead of its own log, and a snapshot must not be, or the next start
  /// would find a hole between the two.
  private enum LogState {
    case isBehind
    case hasReached
    /// It will not get there: the log was ended, or could not be written.
    case hasEnded
  }

  private var log: LogState
  /// Whether all is written but the end, which waits for the log.
  private var awaitsLog = false
  private let path: String
  private let onFinished: (Result<Void, TxnLogError>) -> Void

  /// Freezes the tree as it is and begins to write.
  ///
  /// - Parameters:
  ///   - logged: the log is synced up to there; see `onLogged`.
  ///   - onFinished: called on the loop once.
  init(
    tree: DataTree, sessions: [SessionID: Int32], logged: Zxid, directory: DataDirectory<PosixFileSystem>,
    hasDigest: Bool, background: BackgroundWorker, loop: any EventLoop,
    onFinished: @escaping (Result<Void, TxnLogError>) -> Void
  ) {
    let walk = tree.startSnapshot()
    zxid = walk.zxid
    log = logged >= walk.zxid ? .hasReached : .isBehind
    path = directory.snapshotDirectory
    treeDigest = walk.treeDigest
    let lists = walk.acls.map { SnapshotACLList(key: $0.key, acl: $0.acl) }
    self.walk = consume walk
    self.hasDigest = hasDigest
    self.background = background
    self.loop = loop
    self.onFinished = onFinished
    let sessions = sessions.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { SnapshotSession(id: $0.key, timeoutMilliseconds: $0.value) }
    let (files, path, zxid, box) = (directory.files, directory.snapshotDirectory, zxid, box)
    inBackground { () throws(TxnLogError) in
      box.writer = try SnapshotWriter(files, directory: path, zxid: zxid, sessions: sessions, aclLists: lists)
    }
  }

  /// The log is synced up to a transaction.
  func onLogged(_ logged: Zxid) {
    guard log == .isBehind, logged >= zxid else { return }
    log = .hasReached
    if awaitsLog { finish() }
  }

  /// The log ends. A snapshot that is ahead of it is given up.
  func onLogEnded() {
    guard log == .isBehind else { return }
    log = .hasEnded
    if awaitsLog { finish() }
  }

  private func next() {
    guard walk != nil else { return finish() }
    var slice = JuteSlice()
    let hasMore = walk?.encode(into: &slice.writer, budgetBytes: JuteSlice.budgetBytes) == false
    if !hasMore { walk = nil }
    let (box, full) = (box, slice)
    inBackground { () throws(TxnLogError) in try box.writer?.append(full) }
  }

  /// Makes the file a snapshot.
  private func finish() {
    awaitsLog = log == .isBehind
    if awaitsLog { return }
    if log == .hasEnded { return onFinished(.failure(TxnLogError(.poisoned, path: path))) }
    let digest = hasDigest ? SnapshotDigest(zxid: zxid, treeDigest: treeDigest) : nil
    let (box, zxid) = (box, zxid)
    inBackground(isLast: true) { () throws(TxnLogError) in
      try box.writer.take()?.finish(digest: digest, lastProcessed: zxid)
    }
  }

  /// Does a piece of work in the background, and goes on afterwards.
  private func inBackground(
    isLast: Bool = false, _ work: @escaping @Sendable () throws(TxnLogError) -> Void
  ) {
    let box = box
    let continuation = NIOLoopBound(self, eventLoop: loop)
    background.run { [loop] in
      do throws(TxnLogError) { try work() } catch { box.failure = error }
      loop.execute {
        let task = continuation.value
        if let failure = box.failure {
          task.walk = nil
          task.onFinished(.failure(failure))
        } else if isLast {
          task.onFinished(.success(()))
        } else {
          task.next()
        }
      }
    }
  }
}
