import EnsembleCore
import Jute
import NIOCore
import TxnLog
import ZooKeeperProtocol

/// Writes a snapshot: the loop encodes the tree in slices between requests, the background worker writes them.
///
/// One slice is in flight at a time, so that a slow disk holds up neither requests nor memory.
///
/// *Thread*: the event loop; the writer belongs to the background worker alone.
final class SnapshotTask {
  /// The writer, which only the background worker touches.
  private final class WriterBox: @unchecked Sendable {
    // @unchecked: touched by the background worker only, one piece of work after another.
    var writer: SnapshotWriter<PosixFileSystem>?
    var failure: TxnLogError?
    /// The snapshot's path, once it has its name.
    var path: String?

    init() {}
  }

  /// The number of bytes that are encoded between two requests.
  private static let sliceBytes = 256 << 10

  var zxid: Zxid { job.zxid }
  /// How long it has taken so far.
  var elapsed: TimeAmount { NIODeadline.now() - begun }
  /// The bytes of the znodes that are encoded so far.
  private(set) var byteCount = 0
  /// Whether it ends without a file, because it is ahead of the log, or may not belong to the history that follows.
  private(set) var isAbandoned = false
  private var isFinishing = false
  private let begun = NIODeadline.now()
  private let job: SnapshotJob
  private let path: String
  private let background: BackgroundWorker
  private let loop: any EventLoop
  private let box = WriterBox()
  private let serializesLastZxid: Bool
  private let onFinished: (Result<String, TxnLogError>) -> Void

  /// Begins to write.
  ///
  /// - Parameters:
  ///   - settings: whether the file has the section that Apache's servers write since 3.9, and how it is compressed.
  ///   - onFinished: called on the loop once, with the snapshot's path or the failure.
  init(
    _ job: SnapshotJob, _ directory: DataDirectory<PosixFileSystem>, _ settings: ServerConfiguration.Logging,
    background: BackgroundWorker, loop: any EventLoop, onFinished: @escaping (Result<String, TxnLogError>) -> Void
  ) {
    self.job = job
    serializesLastZxid = settings.serializesLastZxid
    path = directory.snapshotDirectory
    self.background = background
    self.loop = loop
    self.onFinished = onFinished
    let (zxid, sessions, lists, box) = (job.zxid, job.sessions, job.aclLists, box)
    let compression = settings.snapshotCompression
    inBackground { () throws(TxnLogError) in
      box.writer = try SnapshotWriter(
        directory.files, directory: directory.snapshotDirectory, zxid: zxid, sessions: sessions, aclLists: lists,
        compression: compression)
    }
  }

  /// Informs the job that the log is durable up to a transaction, so that a snapshot that waits for it can be finished.
  func onLogged(through zxid: Zxid) { if job.onLogged(through: zxid) { next() } }

  /// Informs the job that the log has ended. A snapshot that is ahead of the log is abandoned.
  func onLogEnded() { if job.onLogEnded() { next() } }

  /// Abandons the snapshot, unless the background worker is about to give it its name, or has done so.
  func abandon() {
    guard !isFinishing else { return }
    if job.abandon() { next() }
  }

  private func next() {
    let (box, lastZxid) = (box, serializesLastZxid ? zxid : nil)
    switch job.next(budgetBytes: Self.sliceBytes) {
    case .write(let slice):
      byteCount += slice.count
      inBackground { () throws(TxnLogError) in try box.writer?.append(slice) }
    case .awaitLog: break
    case .finish(let digest):
      isFinishing = true
      inBackground(isLast: true) { () throws(TxnLogError) in
        box.path = try box.writer.take()?.finish(digest: digest, lastProcessed: lastZxid)
      }
    case .abandon:
      isAbandoned = true
      let error = TxnLogError(.poisoned, path: path)
      inBackground { () throws(TxnLogError) in
        // The writer removes the unfinished file when it is released.
        box.writer = nil
        throw error
      }
    }
  }

  /// Runs `work` on the background worker, and continues on the loop afterwards.
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
          // The background worker's last reference to the task may outlive `onFinished`, and the end of a walk changes
          // the tree, so the walk ends here, on the loop.
          task.job.cancel()
          task.onFinished(.failure(failure))
        } else if isLast {
          task.onFinished(box.path.map { .success($0) } ?? .failure(TxnLogError(.poisoned, path: task.path)))
        } else {
          task.next()
        }
      }
    }
  }
}
