import Checksums
import Jute
package import ZooKeeperProtocol

/// Reads a snapshot from front to back, and checks its seals.
///
/// The seal of the nodes comes after them, so that the nodes are known to be undamaged only when `next` has returned
/// nil.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileSnap`; `StorageFormat` D.4, D.5.
package struct SnapshotReader<Files: FileSystem> {
  package let path: String
  /// The zxid in the snapshot's name.
  package let zxid: Zxid
  package private(set) var sessions: [SnapshotSession] = []
  package private(set) var aclLists: [SnapshotACLList] = []
  /// The digest section, once the nodes are read; nil if the snapshot has none.
  package private(set) var digest: SnapshotDigest?
  /// The section of 3.9, once the nodes are read; nil if the snapshot has none.
  package private(set) var lastProcessed: Zxid?
  /// The number of nodes that were read.
  package private(set) var nodeCount = 0
  private var isAtEnd = false
  private var position = 0
  private var checksum = Adler32()
  private let window: FileWindow<Files>

  /// Opens the snapshot at `path`, which may be compressed, and reads up to its nodes.
  ///
  /// - Throws: `badHeader`, `truncated` or `damaged`; the failure of a call.
  package init(_ files: Files, path: String, zxid: Zxid) throws(TxnLogError) {
    self.path = path
    self.zxid = zxid
    if let compression = SnapshotCompression(path: path) {
      let packed = try fileCalls { () throws(FileSystemError) in try files.contents(of: path) }
      window = FileWindow(files, path: path, contents: try compression.decompress(packed, path: path))
    } else {
      window = try FileWindow(files, path: path)
    }
    guard try take(4).loadBigEndian(at: 0, as: UInt32.self) == SnapshotFormat.magic else {
      throw TxnLogError(.badHeader, path: path, offset: 0)
    }
    _ = try take(SnapshotFormat.headerBytes - 4)
    try readSessions()
    try readACLLists()
  }

  /// The next node, whose bytes are valid until the reader is used again; nil if all were read and the seals are right.
  ///
  /// - Throws: as `init`.
  package mutating func next() throws(TxnLogError) -> SnapshotNodeView? {
    if isAtEnd { return nil }
    let pathLength = try length(at: position)
    if pathLength == 1, try window.load(position + 4, 1)[0] == UInt8(ascii: "/") {
      _ = try take(5)
      try readSections()
      isAtEnd = true
      return nil
    }
    guard pathLength >= 0 else { throw damage(.length(pathLength)) }
    let dataLength = try length(at: position + 4 + pathLength)
    let bytes = try take(SnapshotFormat.nodeOverheadBytes + pathLength + max(0, dataLength))
    let dataStart = 8 + pathLength
    let statStart = dataStart + max(0, dataLength) + 8
    var stat = JuteReader(UnsafeRawBufferPointer(rebasing: bytes[statStart...]))
    let path = UnsafeRawBufferPointer(rebasing: bytes[4..<4 + pathLength])
    let data =
      dataLength < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[dataStart..<dataStart + dataLength])
    nodeCount += 1
    do throws(JuteError) {
      return SnapshotNodeView(
        path: path, data: data, aclKey: bytes.loadBigEndian(at: statStart - 8, as: Int64.self),
        stat: try StatPersisted(from: &stat))
    } catch {
      throw damage(.content)
    }
  }

  /// Reads up to the end, so that the seals are checked.
  ///
  /// - Throws: as `next`.
  package mutating func verify() throws(TxnLogError) {
    while try next() != nil {}
  }

  private mutating func readSessions() throws(TxnLogError) {
    let count = try length(at: position)
    // Each session has twelve bytes. A count that does not fit into the file must not reserve memory.
    guard count >= 0, count <= (window.sizeBytes - position) / 12 else { throw damage(.length(count)) }
    _ = try take(4)
    sessions.reserveCapacity(count)
    for _ in 0..<count {
      let bytes = try take(12)
      sessions.append(
        SnapshotSession(
          id: SessionID(rawValue: bytes.loadBigEndian(at: 0, as: Int64.self)),
          timeoutMilliseconds: bytes.loadBigEndian(at: 8, as: Int32.self)))
    }
  }

  private mutating func readACLLists() throws(TxnLogError) {
    let count = try length(at: position)
    guard count >= 0, count <= (window.sizeBytes - position) / 12 else { throw damage(.length(count)) }
    _ = try take(4)
    for _ in 0..<count {
      let key = try take(8).loadBigEndian(at: 0, as: Int64.self)
      aclLists.append(SnapshotACLList(key: key, acl: try readACL()))
    }
  }

  private mutating func readACL() throws(TxnLogError) -> [ACL] {
    let count = try length(at: position)
    // Servers of 3.4 wrote null for an empty list.
    guard count >= -1, count <= (window.sizeBytes - position) / 12 else { throw damage(.length(count)) }
    _ = try take(4)
    var acl: [ACL] = []
    for _ in 0..<max(0, count) {
      let permissions = Permissions(rawValue: try take(4).loadBigEndian(at: 0, as: Int32.self))
      let scheme = try readText()
      acl.append(ACL(permissions: permissions, scheme: scheme, id: try readText()))
    }
    return acl
  }

  private mutating func readText() throws(TxnLogError) -> String {
    let count = try length(at: position)
    guard count >= -1 else { throw damage(.length(count)) }
    _ = try take(4)
    return String(decoding: try take(max(0, count)), as: UTF8.self)
  }

  /// Reads the seal of the nodes, and the sections that newer servers add. Which of them there are follows from the
  /// number of bytes that are left.
  private mutating func readSections() throws(TxnLogError) {
    try checkSeal()
    let left = window.sizeBytes - position
    if left == 0 { return }
    if left != 8 + SnapshotFormat.sealBytes {
      let zxid = Zxid(rawValue: try take(8).loadBigEndian(at: 0, as: Int64.self))
      let version = try take(4).loadBigEndian(at: 0, as: Int32.self)
      let value: UInt64
      if version < TxnDigest.currentVersion {
        // Version 1 was written in hexadecimal. It is never compared.
        value = UInt64(try readText(), radix: 16) ?? 0
      } else {
        value = try take(8).loadBigEndian(at: 0, as: UInt64.self)
      }
      try checkSeal()
      digest = SnapshotDigest(zxid: zxid, version: version, treeDigest: value)
    }
    if position == window.sizeBytes { return }
    lastProcessed = Zxid(rawValue: try take(8).loadBigEndian(at: 0, as: Int64.self))
    try checkSeal()
    guard position == window.sizeBytes else { throw damage(.content) }
  }

  private mutating func checkSeal() throws(TxnLogError) {
    let expected = UInt64(checksum.value)
    let place = position
    let seal = try take(SnapshotFormat.sealBytes)
    guard seal.loadBigEndian(at: 0, as: UInt64.self) == expected else {
      throw TxnLogError(.damaged(.checksum), path: path, offset: place)
    }
    guard seal.loadBigEndian(at: 8, as: UInt32.self) == 1, seal[12] == UInt8(ascii: "/") else {
      throw TxnLogError(.damaged(.terminator), path: path, offset: place)
    }
  }

  /// The length at `offset`, which must be -1 or more, and not more than the bytes that follow in the file.
  private func length(at offset: Int) throws(TxnLogError) -> Int {
    let value = Int(try window.load(offset, 4).loadBigEndian(at: 0, as: Int32.self))
    guard value >= -1, value <= SnapshotFormat.maxFieldBytes, value <= window.sizeBytes - offset - 4 else {
      throw TxnLogError(.damaged(.length(value)), path: path, offset: offset)
    }
    return value
  }

  /// Consumes `count` bytes, and adds them to the checksum.
  private mutating func take(_ count: Int) throws(TxnLogError) -> UnsafeRawBufferPointer {
    let bytes = try window.load(position, count)
    checksum.update(bytes)
    position += count
    return bytes
  }

  private func damage(_ damage: TxnLogError.Damage) -> TxnLogError {
    TxnLogError(.damaged(damage), path: path, offset: position)
  }
}
