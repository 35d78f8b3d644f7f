import Jute
import StorageTesting
import Testing
import TxnLog
import ZnodeTree
import ZooKeeperProtocol

@testable import ZooKeeperHistory

/// The files of a server of 200 transactions, and what its tree was after each of them.
final class Server {
  let disk = MemoryFileSystem()
  private(set) var tree = DataTree(extendedTypesEnabled: true)
  private var writer: LogWriter<MemoryFileSystem>
  private var sessions: [SessionID: Int32] = [:]
  private(set) var last = Zxid.zero
  /// The znodes after each transaction, by its zxid.
  private(set) var states: [Zxid: [PastZnode]] = [:]

  static let directory = "/data/version-2"
  static let session = SessionID(rawValue: 0x1_0000_0000_0001)
  static let startMilliseconds: Int64 = 1_700_000_000_000

  /// An empty server with `snapshot.0`.
  init(marksBatches: Bool = true) throws {
    for path in ["/data", Self.directory] { try disk.createDirectory(path) }
    var settings = LogSettings()
    settings.preallocationBytes = 4096
    settings.marksBatches = marksBatches
    writer = LogWriter(disk, directory: Self.directory, after: .zero, settings: settings)
    states[.zero] = Self.znodes(of: tree)
    try snapshot()
  }

  /// The time of a transaction: one each second.
  static func time(of zxid: Zxid) -> Int64 { startMilliseconds + Int64(zxid.counter) * 1000 }

  /// Carries out the next transaction, and writes it to the log.
  func apply(_ txn: Txn, zxid: Zxid? = nil) throws {
    last = zxid ?? last.next
    let header = TxnHeader(
      sessionID: Self.session, cxid: Xid(rawValue: 1), zxid: last, timeMilliseconds: Self.time(of: last),
      opCode: txn.opCode)
    var changes: [TreeChange] = []
    _ = tree.apply(header, txn, changes: &changes)
    if case .createSession(let timeout) = txn { sessions[Self.session] = timeout }
    if case .closeSession = txn { sessions[Self.session] = nil }
    let entry = TxnEntry(header: header, txn: txn, digest: TxnDigest(treeDigest: tree.treeDigest))
    try writer.append(entry.encoded)
    _ = try writer.sync()
    states[last] = Self.znodes(of: tree)
  }

  /// Creates a znode.
  func create(_ path: String, _ data: String = "", acl: [ACL] = ACL.openUnsafe, ephemeral: Bool = false) throws {
    try apply(
      .create(CreateTxn(path: path, data: [UInt8](data.utf8), acl: acl, isEphemeral: ephemeral, parentCVersion: -1)))
  }

  /// Begins another segment.
  func roll() throws { try writer.roll() }

  /// Writes a snapshot of the tree as it is now.
  ///
  /// - Parameter name: the zxid in its name: an earlier one makes it fuzzy, as Apache's are.
  func snapshot(named name: Zxid? = nil) throws {
    var walk = tree.startSnapshot()
    var snapshot = try SnapshotWriter(
      disk, directory: Self.directory, zxid: name ?? last,
      sessions: sessions.map { SnapshotSession(id: $0.key, timeoutMilliseconds: $0.value) },
      aclLists: walk.acls.map { SnapshotACLList(key: $0.key, acl: $0.acl) })
    var bytes = JuteWriter()
    _ = walk.encode(into: &bytes, budgetBytes: .max / 2)
    try bytes.bytes.withUnsafeBytes { try snapshot.append(encodedNodes: $0) }
    try snapshot.finish(digest: SnapshotDigest(zxid: last, treeDigest: tree.treeDigest))
  }

  /// Where the record of a transaction begins in its segment.
  func offset(of zxid: Zxid, in name: String) throws -> Int {
    var reader = try LogReader(disk, path: "\(Self.directory)/\(name)", segment: Zxid(rawValue: 0))
    while let record = try reader.next() {
      if record.zxid == zxid { return record.offset }
    }
    throw HistoryError(.noData, path: name)
  }

  /// A server with segments from 1, 61 and 121 on, snapshots of 0, 60 and 120, and 180 transactions of all kinds.
  static func usual(marksBatches: Bool = true) throws -> Server {
    let server = try Server(marksBatches: marksBatches)
    let guarded = [ACL(permissions: .all, scheme: "digest", id: "bob:hash")]
    try server.apply(.createSession(timeoutMilliseconds: 30_000))
    try server.create("/app", "first")
    while server.last.counter < 180 {
      let number = server.last.counter + 1
      switch number % 6 {
      case 0: try server.create("/app/n\(number)", "value \(number)", acl: number % 4 == 0 ? guarded : ACL.openUnsafe)
      case 1:
        try server.apply(.setData(SetDataTxn(path: "/app", data: Array("\(number)".utf8), version: Int32(number))))
      case 2: try server.create("/app/e\(number)", ephemeral: true)
      case 3: try server.apply(.delete(path: "/app/e\(number - 1)"))
      case 4:
        try server.apply(
          .multi([
            .create(
              CreateTxn(
                path: "/m\(number)", data: nil, acl: ACL.openUnsafe, isEphemeral: false, parentCVersion: -1)),
            .check(path: "/app", version: 0),
          ]))
      default: try server.apply(.error(.nodeExists))
      }
      if number % 60 == 0, number < 180 {
        try server.snapshot()
        try server.roll()
      }
    }
    return server
  }

  static func znodes(of tree: DataTree) -> [PastZnode] {
    var walk = OrderedWalk(tree, from: "/")
    var znodes: [PastZnode] = []
    while let id = walk?.next(), let path = walk?.currentPath {
      znodes.append(PastZnode(id, path: path, in: tree, readsData: true, readsACL: true))
    }
    return znodes
  }

  /// The history in the directory.
  func history() throws -> HistoryDirectory<ReadOnlyFileSystem> {
    try HistoryDirectory(ReadOnlyFileSystem(disk), path: "/data")
  }

  /// Changes a byte of a file.
  func damage(_ name: String, at offset: Int) throws {
    let path = "\(Self.directory)/\(name)"
    var bytes = try disk.contents(of: path)
    bytes[offset < 0 ? bytes.count + offset : offset] ^= 0x55
    disk.install(path, bytes)
  }

  /// Cuts a file.
  func cut(_ name: String, to count: Int) throws {
    let path = "\(Self.directory)/\(name)"
    disk.install(path, Array(try disk.contents(of: path).prefix(count)))
  }
}

extension TxnEntry {
  /// The bytes of the log.
  var encoded: [UInt8] {
    var writer = JuteWriter()
    encode(into: &writer)
    return writer.bytes
  }
}

extension PastState {
  /// All znodes, in order.
  var znodes: [PastZnode] {
    var walk = walk(from: "/", readsData: true, readsACLs: true)
    var znodes: [PastZnode] = []
    while let znode = walk?.next() { znodes.append(znode) }
    return znodes
  }
}

/// A file system on which every call that changes something is a failure of the test.
struct ReadOnlyFileSystem: FileSystem {
  let disk: MemoryFileSystem

  init(_ disk: MemoryFileSystem) { self.disk = disk }

  private func refuse(_ path: String = "") -> FileSystemError {
    Issue.record("a history changes nothing")
    return FileSystemError(.write, path: path, reason: .readOnly)
  }

  func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> FileHandle {
    guard mode == .read else { throw refuse(path) }
    return try disk.open(path, mode)
  }

  func close(_ file: FileHandle) { disk.close(file) }

  func read(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int { try disk.read(file, at: offset, into: buffer) }

  func size(_ file: FileHandle) throws(FileSystemError) -> Int { try disk.size(file) }
  func list(_ directory: String) throws(FileSystemError) -> [String] { try disk.list(directory) }
  func exists(_ path: String) -> Bool { disk.exists(path) }

  func write(_ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileSystemError) -> Int {
    throw refuse()
  }
  func allocate(_ file: FileHandle, from offset: Int, to sizeBytes: Int) throws(FileSystemError) { throw refuse() }
  func truncate(_ file: FileHandle, to sizeBytes: Int) throws(FileSystemError) { throw refuse() }
  func syncData(_ file: FileHandle) throws(FileSystemError) { throw refuse() }
  func syncAll(_ file: FileHandle) throws(FileSystemError) { throw refuse() }
  func syncDirectory(_ path: String) throws(FileSystemError) { throw refuse(path) }
  func rename(_ path: String, to newPath: String) throws(FileSystemError) { throw refuse(path) }
  func copyPermissions(from original: String, to path: String) throws(FileSystemError) { throw refuse(path) }
  func remove(_ path: String) throws(FileSystemError) { throw refuse(path) }
  func createDirectory(_ path: String) throws(FileSystemError) { throw refuse(path) }
  func lock(_ path: String) throws(FileSystemError) -> FileHandle { throw refuse(path) }
  func unlock(_ file: FileHandle) { close(file) }
}
