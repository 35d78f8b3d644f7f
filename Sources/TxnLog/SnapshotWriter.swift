import Checksums
import Jute
import Zlib
package import ZooKeeperProtocol

/// Writes a snapshot in slices. Until `finish` returns, a crash leaves only the previous snapshots.
///
/// The nodes can be appended a few at a time between other work. The root must come first, and a parent before its
/// children. The file is written under a name that no reader takes as a snapshot; `finish` syncs it, renames it, and
/// syncs the directory.
///
/// *Thread*: one at a time. The calls block when a slice is full.
package struct SnapshotWriter<Files: FileSystem>: ~Copyable {
  package let zxid: Zxid
  private var buffer = JuteWriter(reservingBytes: Self.sliceBytes + 4096)
  /// The number of bytes of `buffer` that are in the checksum already.
  private var summedBytes = 0
  private var checksum = Adler32()
  private var position = 0
  private var syncedBytes = 0
  private var isFinished = false
  private let compression: SnapshotCompression?
  private var gzip: GzipWriter?
  private var snappy: SnappyWriter?
  private let file: FileHandle
  private let directory: String
  private let temporaryPath: String
  private let files: Files

  /// The size of what is written with one call.
  private static var sliceBytes: Int { 256 << 10 }
  /// The size of what is synced at a time, so that the end of a large snapshot does not delay the log's syncs.
  private static var syncBytes: Int { 16 << 20 }

  /// Begins the snapshot of the tree in which `zxid` was the last transaction applied.
  ///
  /// - Parameter isReceived: whether it is a leader's tree. Meanwhile this server may be writing its snapshot of the
  ///   same transaction, and so the two have files of different names until they are finished.
  /// - Throws: the failure of a call.
  package init(
    _ files: Files, directory: String, zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList],
    compression: SnapshotCompression? = nil, isReceived: Bool = false
  ) throws(TxnLogError) {
    self.files = files
    self.compression = compression
    self.directory = directory
    self.zxid = zxid
    temporaryPath = "\(directory)/\(TemporaryName.snapshot(zxid, isReceived: isReceived))"
    let path = temporaryPath
    file = try fileCalls { () throws(FileSystemError) in try files.open(path, .createOrTruncate) }
    if compression == .gzip { gzip = GzipWriter() }
    if compression == .snappy { snappy = SnappyWriter() }
    buffer.writeInt(Int32(bitPattern: SnapshotFormat.magic))
    buffer.writeInt(SnapshotFormat.version)
    buffer.writeLong(-1)
    buffer.writeVector(sessions) { writer, session in
      writer.writeLong(session.id.rawValue)
      writer.writeInt(session.timeoutMilliseconds)
    }
    buffer.writeVector(aclLists) { writer, list in
      writer.writeLong(list.key)
      writer.writeVector(list.acl) { $1.encode(into: &$0) }
    }
  }

  deinit {
    files.close(file)
    if !isFinished { try? files.remove(temporaryPath) }
  }

  /// Adds a node.
  ///
  /// - Throws: the failure of a call, after which the writer must be dropped.
  package mutating func append(_ node: SnapshotNodeView) throws(TxnLogError) {
    buffer.writeInt(Int32(node.path.count))
    buffer.writeRaw(node.path)
    if let data = node.data {
      buffer.writeInt(Int32(data.count))
      buffer.writeRaw(data)
    } else {
      buffer.writeInt(-1)
    }
    buffer.writeLong(node.aclKey)
    node.stat.encode(into: &buffer)
    if buffer.count >= Self.sliceBytes { try flush() }
  }

  /// `append` for a node that owns its bytes.
  ///
  /// - Throws: as `append` for a view.
  package mutating func append(_ node: SnapshotNode) throws(TxnLogError) {
    buffer.writeString(node.path)
    buffer.writeBuffer(node.data)
    buffer.writeLong(node.aclKey)
    node.stat.encode(into: &buffer)
    if buffer.count >= Self.sliceBytes { try flush() }
  }

  /// Adds nodes that are encoded already.
  ///
  /// *Shape*: each is a string with its path, a buffer, a long with its ACL key, and its `StatPersisted`.
  ///
  /// - Throws: as `append` for a view.
  package mutating func append(encodedNodes bytes: UnsafeRawBufferPointer) throws(TxnLogError) {
    buffer.writeRaw(bytes)
    if buffer.count >= Self.sliceBytes { try flush() }
  }

  /// Seals the snapshot, makes it durable and gives it its name.
  ///
  /// - Parameters:
  ///   - digest: the tree's digest when the last node was added; nil leaves the section out.
  ///   - lastProcessed: the section that Apache's servers write since 3.9; nil leaves it out. It is also left out if
  ///     there is no digest: a server of 3.8 would read it as the digest, and refuse the snapshot.
  /// - Returns: the snapshot's path.
  /// - Throws: the failure of a call.
  @discardableResult
  package consuming func finish(
    digest: SnapshotDigest?, lastProcessed: Zxid? = nil
  ) throws(TxnLogError) -> String {
    buffer.writeString(SnapshotFormat.terminator)
    seal()
    if let digest {
      buffer.writeLong(digest.zxid.rawValue)
      buffer.writeInt(digest.version)
      buffer.writeLong(Int64(bitPattern: digest.treeDigest))
      seal()
    }
    if digest != nil, let lastProcessed {
      buffer.writeLong(lastProcessed.rawValue)
      seal()
    }
    try flush(isLast: true)
    let path = "\(directory)/\(FileName.snapshot(zxid))\(compression?.suffix ?? "")"
    do throws(FileSystemError) {
      try files.syncAll(file)
      try files.rename(temporaryPath, to: path)
      isFinished = true
      try files.syncDirectory(directory)
    } catch {
      throw TxnLogError(error)
    }
    return path
  }

  private mutating func seal() {
    sum()
    buffer.writeLong(Int64(checksum.value))
    buffer.writeString(SnapshotFormat.terminator)
  }

  /// Brings the checksum up to the end of the buffer.
  private mutating func sum() {
    buffer.withUnsafeBytes { checksum.update(UnsafeRawBufferPointer(rebasing: $0[summedBytes...])) }
    summedBytes = buffer.count
  }

  private mutating func flush(isLast: Bool = false) throws(TxnLogError) {
    sum()
    do throws(FileSystemError) {
      if compression == nil {
        try files.writeAll(file, at: position, buffer.bytes, path: temporaryPath)
        position += buffer.count
      } else {
        let packed = pack(isLast: isLast)
        try files.writeAll(file, at: position, packed, path: temporaryPath)
        position += packed.count
      }
      if position - syncedBytes >= Self.syncBytes {
        try files.syncData(file)
        syncedBytes = position
      }
    } catch {
      throw TxnLogError(error)
    }
    buffer.removeAll()
    summedBytes = 0
  }

  /// What the buffer is compressed to, as far as the compression gives it out yet.
  private mutating func pack(isLast: Bool) -> [UInt8] {
    var packed: [UInt8] = []
    buffer.withUnsafeBytes {
      gzip?.append($0, to: &packed)
      snappy?.append($0, to: &packed)
    }
    if isLast {
      gzip?.finish(to: &packed)
      snappy?.finish(to: &packed)
    }
    return packed
  }
}

extension SnapshotWriter: Sendable where Files: Sendable {}

/// Names of unfinished files.
///
/// They do not begin with `snapshot`, because Apache's servers read `snapshot.5.tmp` as a snapshot.
enum TemporaryName {
  private static let prefix = "unfinished-"

  /// The name under which the snapshot of `zxid` is written.
  static func snapshot(_ zxid: Zxid, isReceived: Bool = false) -> String {
    prefix + FileName.snapshot(zxid) + (isReceived ? ".received" : "") + ".tmp"
  }

  /// The name of a snapshot that is to replace everything; see `DataDirectory.decideRestore`.
  static let stagedRestore = prefix + "restore.tmp"

  /// Whether `name` is that of a snapshot whose writing was interrupted.
  static func isSnapshot(_ name: String) -> Bool {
    name.hasPrefix(prefix) && name.hasSuffix(".tmp") || name.hasPrefix("snapshot.") && name.hasSuffix(".tmp")
  }
}
