import EnsembleCore
import NIOCore
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// A snapshot that arrives piece by piece, to be restored.
///
/// It is written to the data directory under the name where a restore begins, and only as far as the disk has room for
/// it. Nothing of it has an effect before `finish` has read all of it.
///
/// *Thread*: any, one at a time; the calls block.
final class SnapshotUpload: @unchecked Sendable {
  // @unchecked: the calls come one after the other.

  /// Why a snapshot is not taken.
  enum Failure: Error {
    /// It, or what has arrived of it, leaves too little room on the disk.
    case noSpace(freeBytes: Int)
    /// It is damaged, cut off, or something else.
    case invalid(String)
    case file(TxnLogError)
  }

  /// What must be left of the disk for the log, in bytes.
  static let reservedBytes = 64 << 20
  /// How much is written between two looks at what is left of the disk.
  private static let stepBytes = 32 << 20

  private let directory: DataDirectory<PosixFileSystem>
  private let trees: TreeSettings
  private var file: FileHandle?
  /// What has been written, which is not compressed.
  private var sizeBytes = 0
  private var checkedBytes = 0
  private var unpacker = SnapshotUnpacker()

  init(_ directory: DataDirectory<PosixFileSystem>, _ trees: TreeSettings) {
    self.directory = directory
    self.trees = trees
  }

  deinit { if let file { directory.files.close(file) } }

  /// Creates the file.
  ///
  /// - Parameter announcedBytes: how long it is going to be; nil if that is not known.
  /// - Throws: `Failure`.
  func begin(announcedBytes: Int?) throws(Failure) {
    try checkSpace(for: announcedBytes ?? 0)
    do throws(FileSystemError) {
      file = try directory.files.open(directory.stagedRestorePath, .createOrTruncate)
    } catch {
      throw .file(TxnLogError(error))
    }
  }

  /// Writes the next piece, decompressed.
  ///
  /// - Throws: `Failure`.
  func add(_ piece: ByteBuffer) throws(Failure) {
    let result = piece.withUnsafeReadableBytes { bytes -> Result<Bool, Failure> in
      do throws(Failure) {
        return .success(try unpacker.append(bytes) { part throws(Failure) in try write(part) })
      } catch {
        return .failure(error)
      }
    }
    guard try result.get() else { throw .invalid("it is not compressed correctly") }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    let path = directory.stagedRestorePath
    guard let file else { throw .file(TxnLogError(.poisoned, path: path)) }
    if sizeBytes + bytes.count - checkedBytes > Self.stepBytes {
      try checkSpace(for: bytes.count)
      checkedBytes = sizeBytes
    }
    do throws(FileSystemError) {
      try directory.files.writeAll(file, at: sizeBytes, bytes, path: path)
    } catch {
      throw error.reason == .noSpace ? .noSpace(freeBytes: 0) : .file(TxnLogError(error))
    }
    sizeBytes += bytes.count
  }

  private func checkSpace(for bytes: Int) throws(Failure) {
    guard let free = Host.space(of: directory.snapshotDirectory)?.freeBytes else { return }
    guard bytes <= free - Self.reservedBytes else { throw .noSpace(freeBytes: free) }
  }

  /// Makes the file durable, and builds the tree that it has.
  ///
  /// - Throws: `Failure`.
  func finish() throws(Failure) -> CheckedSnapshot {
    guard try unpacker.finish({ part throws(Failure) in try write(part) }) else {
      throw .invalid("it is compressed, and its end is missing")
    }
    guard let file = file.take() else { throw .file(TxnLogError(.poisoned, path: directory.stagedRestorePath)) }
    do throws(FileSystemError) {
      defer { directory.files.close(file) }
      try directory.files.syncAll(file)
    } catch {
      throw .file(TxnLogError(error))
    }
    do throws(TxnLogError) {
      return try CheckedSnapshot(directory, trees)
    } catch {
      if case .fileSystem = error.code { throw .file(error) }
      throw .invalid("\(error)")
    }
  }

  /// Removes the file. Nothing may be called afterwards.
  func discard() {
    if let file = file.take() { directory.files.close(file) }
    // What cannot be removed now is removed by the next start, or replaced by the next upload.
    try? directory.discardStagedRestore()
  }
}

/// A staged snapshot that is whole, and the state in it.
///
/// *Thread*: it belongs to one thread at a time.
struct CheckedSnapshot: @unchecked Sendable {
  // @unchecked: the tree is built on one thread and handed to another, which alone uses it then.

  let zxid: Zxid
  let state: RecoveredState
  /// Whether the tree is not the one that it was at `zxid`: the snapshot was written while transactions were applied.
  let isFuzzy: Bool

  /// Reads the staged snapshot of a directory.
  ///
  /// - Parameter zxid: its last transaction, if it does not say that itself.
  /// - Throws: what is wrong with it.
  init(
    _ directory: DataDirectory<PosixFileSystem>, _ trees: TreeSettings, zxid known: Zxid? = nil
  ) throws(TxnLogError) {
    let path = directory.stagedRestorePath
    var reader = try SnapshotReader(directory.files, path: path, zxid: .zero)
    var loader = TreeLoader(trees)
    loader.beginSnapshot(.zero, sessions: reader.sessions, aclLists: reader.aclLists)
    while let node = try reader.next() { try loader.restore(node) }
    guard let zxid = reader.lastProcessed ?? known else {
      throw TxnLogError(.rejected("it does not say which transaction is its last one"), path: path)
    }
    guard Epoch.zero.rawValue..<Epoch.last.rawValue ~= zxid.rawValue >> 32 else {
      throw TxnLogError(.zxidOutOfRange(zxid), path: path)
    }
    try loader.endSnapshot(digest: reader.digest, as: zxid)
    self.zxid = zxid
    state = loader.state
    isFuzzy =
      reader.digest.map { digest in
        digest.zxid != zxid
          || trees.hasDigest && digest.version == TxnDigest.currentVersion
            && digest.treeDigest != loader.state.tree.treeDigest
      } ?? false
  }
}
