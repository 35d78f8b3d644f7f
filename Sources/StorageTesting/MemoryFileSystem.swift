package import TxnLog
internal import ZooKeeperProtocol

/// A file system in memory that loses what was not synced, and fails on request: the disk of tests and simulations.
///
/// *Model*: each file has visible bytes and durable bytes, and a sync copies the sectors that were written since the
/// last one. Names work the same way for each directory: a name that was created, renamed or removed is durable once
/// its directory is synced. What survives a crash of the rest is drawn from a seed: any subset of the unsynced sectors,
/// and any prefix of the changes of names, because file systems keep a journal of those. A failed sync loses what it
/// should have made durable, even if a later one succeeds, as on Linux.
///
/// It is deterministic: the same calls and the same seed result in the same bytes.
///
/// *Thread*: any, but one at a time.
package final class MemoryFileSystem: FileSystem {
  /// What survives a crash of what was not synced.
  package enum Survival: Hashable, Sendable {
    /// Nothing.
    case none
    /// Everything, as when only the process dies.
    case all
    /// A random choice of sectors, sizes and names.
    case some(seed: UInt64)
  }

  /// A fault that replaces or limits the work of a call.
  package enum Fault: Hashable, Sendable {
    /// The call fails.
    case failure(FileSystemError.Reason)
    /// A read or write transfers at most this number of bytes, and at least one.
    case short(bytes: Int)
  }

  /// The unit that is written completely or not at all.
  package static let sectorBytes = 512

  /// The number of calls so far that could have failed.
  package private(set) var operationCount = 0
  /// The number of the call at which the machine loses its power; that call and all later ones fail.
  package var crashAtOperation: Int?
  /// Called before each call; nil means that the call does its work.
  package var fault: ((FileSystemError.Operation, _ path: String, _ number: Int) -> Fault?)?
  /// The disk's size; writes and allocations beyond it fail with `.noSpace`.
  package var capacityBytes = Int.max
  /// Whether files can be opened for direct writes.
  package var hasDirectWrites = true
  /// Says of each write of a queue what becomes of it; nil if there are no queues.
  package var queuedWrites: (() -> MemoryWriteQueue.Course)?

  private var inodes: [Inode] = []
  /// The inode of each name, now and after a crash; -1 is a directory.
  private var names: [String: Int] = ["/": -1]
  private var durableNames: [String: Int] = ["/": -1]
  /// Changes of names since the last sync of their directory, oldest first.
  private var unsyncedNames: [(directory: String, names: [(name: String, inode: Int?)])] = []
  private var handles: [Int32: OpenFile] = [:]
  private var lockedPaths: [Int32: String] = [:]
  private var nextHandle: Int32 = 3

  /// Creates an empty disk with only the directory "/".
  package init() {}

  /// Simulates a power failure: handles and locks are lost, and what was not synced survives as `survival` says.
  package func crash(_ survival: Survival) {
    handles = [:]
    lockedPaths = [:]
    crashAtOperation = nil
    var random = SplitMix64(seed: 0)
    if case .some(let seed) = survival { random = SplitMix64(seed: seed) }
    for index in inodes.indices { crashInode(index, survival, &random) }
    let keptCount =
      switch survival {
      case .none: 0
      case .all: unsyncedNames.count
      case .some: Int(random.next() % UInt64(unsyncedNames.count + 1))
      }
    for change in unsyncedNames.prefix(keptCount) { keep(change.names) }
    unsyncedNames = []
    names = durableNames
  }

  private func crashInode(_ index: Int, _ survival: Survival, _ random: inout SplitMix64) {
    func survives() -> Bool {
      switch survival {
      case .none: false
      case .all: true
      case .some: random.next() & 1 == 1
      }
    }
    if inodes[index].isSizeDirty, survives() { inodes[index].resizeDurable() }
    for sector in inodes[index].dirtySectors.sorted() where survives() { inodes[index].copySector(sector) }
    inodes[index].dirtySectors = []
    inodes[index].isSizeDirty = false
    inodes[index].bytes = inodes[index].durable
  }

  /// Opens or creates the file. A new name is not durable yet.
  package func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> FileHandle {
    _ = try check(.open, path)
    if mode == .createNewDirect, !hasDirectWrites {
      throw FileSystemError(.open, path: path, reason: .notSupported)
    }
    let mustBeNew = mode == .createNew || mode == .createNewDirect
    if let inode = names[path], inode >= 0 {
      if mustBeNew { throw FileSystemError(.open, path: path, reason: .alreadyExists) }
      if mode == .createOrTruncate { resize(inode, to: 0) }
      return handle(inode, path)
    }
    guard mustBeNew || mode == .createOrTruncate, names[Self.directory(of: path)] == -1 else {
      throw FileSystemError(.open, path: path, reason: .notFound)
    }
    inodes.append(Inode())
    setName(path, to: inodes.count - 1)
    return handle(inodes.count - 1, path, isDirect: mode == .createNewDirect)
  }

  /// Closes the handle, and releases its lock.
  package func close(_ file: FileHandle) {
    handles[file.rawValue] = nil
    lockedPaths[file.rawValue] = nil
  }

  /// Reads the visible bytes, durable or not.
  package func read(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int {
    let (inode, limit) = try start(.read, file)
    let bytes = inodes[inode].bytes
    let count = max(0, min(buffer.count, bytes.count - offset, limit))
    if count > 0 { buffer.copyBytes(from: bytes[offset..<offset + count]) }
    return count
  }

  /// Writes as much as fits; a sync makes it durable. A direct write is a write and a sync, and can fail at either.
  package func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(FileSystemError) -> Int {
    let (inode, limit) = try start(.write, file)
    let isDirect = handles[file.rawValue]?.isDirect ?? false
    if isDirect, !Self.isAligned(bytes, at: offset) { throw failure(.write, file, .notSupported) }
    var count = min(bytes.count, isDirect ? max(limit / Self.sectorBytes, 1) * Self.sectorBytes : limit)
    let growth = max(0, offset + count - inodes[inode].bytes.count)
    let room = capacityBytes - usedBytes
    if growth > room {
      // As much as fits is written, as on a real disk.
      count -= growth - max(0, room)
      if isDirect { count = count / Self.sectorBytes * Self.sectorBytes }
      guard count > 0 else { throw failure(.write, file, .noSpace) }
    }
    guard count > 0 else { return 0 }
    if offset + count > inodes[inode].bytes.count { resize(inode, to: offset + count) }
    inodes[inode].bytes.replaceSubrange(offset..<offset + count, with: bytes[..<count])
    inodes[inode].markDirty(offset..<offset + count)
    if isDirect { try syncData(file) }
    return count
  }

  /// Opens a queue, if `queuedWrites` is set.
  package func makeWriteQueue() -> MemoryWriteQueue? { queuedWrites == nil ? nil : MemoryWriteQueue(self) }

  /// Whether the bytes and the offset are aligned as direct writes require. The rest of a short write begins at a
  /// sector.
  private static func isAligned(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    let address = Int(bitPattern: bytes.baseAddress)
    let block = DirectWrite.blockBytes
    return offset % sectorBytes == 0 && address % block == offset % block && (offset + bytes.count) % block == 0
  }

  /// Extends the file with zeros.
  package func allocate(_ file: FileHandle, from offset: Int, to sizeBytes: Int) throws(FileSystemError) {
    let (inode, _) = try start(.allocate, file)
    let growth = sizeBytes - inodes[inode].bytes.count
    guard growth <= capacityBytes - usedBytes else { throw failure(.allocate, file, .noSpace) }
    if growth > 0 { resize(inode, to: sizeBytes) }
  }

  /// Changes the length; a sync makes that durable.
  package func truncate(_ file: FileHandle, to sizeBytes: Int) throws(FileSystemError) {
    let (inode, _) = try start(.truncate, file)
    resize(inode, to: sizeBytes)
  }

  /// The visible length.
  package func size(_ file: FileHandle) throws(FileSystemError) -> Int {
    let (inode, _) = try start(.size, file)
    return inodes[inode].bytes.count
  }

  /// Makes the bytes and the length durable.
  package func syncData(_ file: FileHandle) throws(FileSystemError) { try sync(file, .syncData) }

  /// The same as `syncData`, because files here have nothing but bytes and a length.
  package func syncAll(_ file: FileHandle) throws(FileSystemError) { try sync(file, .syncAll) }

  /// Makes the names in the directory durable.
  package func syncDirectory(_ path: String) throws(FileSystemError) {
    _ = try check(.syncDirectory, path)
    for change in unsyncedNames where change.directory == path { keep(change.names) }
    unsyncedNames.removeAll { $0.directory == path }
  }

  /// Renames atomically. A crash may undo that until the directory is synced. Between directories each of them keeps
  /// its part by itself: until both are synced, a crash may leave the file under both names, or under none if the one
  /// that it leaves is synced first.
  package func rename(_ path: String, to newPath: String) throws(FileSystemError) {
    _ = try check(.rename, path)
    guard let inode = names[path], inode >= 0 else { throw FileSystemError(.rename, path: path, reason: .notFound) }
    names[path] = nil
    names[newPath] = inode
    let (directory, newDirectory) = (Self.directory(of: path), Self.directory(of: newPath))
    if directory == newDirectory {
      unsyncedNames.append((directory, [(path, nil), (newPath, inode)]))
    } else {
      unsyncedNames.append((newDirectory, [(newPath, inode)]))
      unsyncedNames.append((directory, [(path, nil)]))
    }
  }

  /// Does nothing: files have no permissions.
  package func copyPermissions(from original: String, to path: String) {}

  /// Removes the name. A crash may undo that until the directory is synced.
  package func remove(_ path: String) throws(FileSystemError) {
    _ = try check(.remove, path)
    guard let inode = names[path], inode >= 0 else { throw FileSystemError(.remove, path: path, reason: .notFound) }
    setName(path, to: nil)
  }

  /// The visible names in a directory.
  package func list(_ directory: String) throws(FileSystemError) -> [String] {
    _ = try check(.list, directory)
    guard names[directory] == -1 else { throw FileSystemError(.list, path: directory, reason: .notFound) }
    let prefix = directory == "/" ? "/" : directory + "/"
    return names.keys.filter { $0.hasPrefix(prefix) && $0 != directory }.map { String($0.dropFirst(prefix.count)) }
      .filter { !$0.contains("/") }.sorted()
  }

  /// Creates a directory, whose name is not durable yet.
  package func createDirectory(_ path: String) throws(FileSystemError) {
    _ = try check(.createDirectory, path)
    guard names[path] == nil else { throw FileSystemError(.createDirectory, path: path, reason: .alreadyExists) }
    setName(path, to: -1)
  }

  /// Whether the name is visible.
  package func exists(_ path: String) -> Bool { names[path] != nil }

  /// Opens the file and locks its path. A crash releases the lock.
  package func lock(_ path: String) throws(FileSystemError) -> FileHandle {
    guard !lockedPaths.values.contains(path) else { throw FileSystemError(.lock, path: path, reason: .locked) }
    let file = try open(path, names[path] == nil ? .createNew : .update)
    lockedPaths[file.rawValue] = path
    return file
  }

  /// Closes the file, and with it ends the lock.
  package func unlock(_ file: FileHandle) { close(file) }

  /// Creates a durable file and the directories above it, to set up a test.
  package func install(_ path: String, _ bytes: [UInt8]) {
    var parent = Self.directory(of: path)
    while parent != "/", parent != "." {
      names[parent] = -1
      durableNames[parent] = -1
      parent = Self.directory(of: parent)
    }
    inodes.append(Inode(bytes: bytes, durable: bytes))
    names[path] = inodes.count - 1
    durableNames[path] = inodes.count - 1
  }

  /// The visible paths and their bytes.
  package var visibleFiles: [String: [UInt8]] {
    names.filter { $0.value >= 0 }.mapValues { inodes[$0].bytes }
  }

  private var usedBytes: Int { names.values.reduce(0) { $0 + ($1 >= 0 ? inodes[$1].bytes.count : 0) } }

  private func handle(_ inode: Int, _ path: String, isDirect: Bool = false) -> FileHandle {
    defer { nextHandle += 1 }
    handles[nextHandle] = OpenFile(inode: inode, path: path, isDirect: isDirect)
    return FileHandle(rawValue: nextHandle)
  }

  private func setName(_ path: String, to inode: Int?) {
    names[path] = inode
    unsyncedNames.append((Self.directory(of: path), [(path, inode)]))
  }

  private func keep(_ changes: [(name: String, inode: Int?)]) {
    for change in changes { durableNames[change.name] = change.inode }
  }

  /// Counts a call, and throws if it must fail. Returns the limit for a short read or write.
  private func check(_ operation: FileSystemError.Operation, _ path: String) throws(FileSystemError) -> Int {
    operationCount += 1
    if let crash = crashAtOperation, operationCount >= crash {
      throw FileSystemError(operation, path: path, reason: .crashed)
    }
    switch fault?(operation, path, operationCount) {
    case .failure(let reason): throw FileSystemError(operation, path: path, reason: reason)
    case .short(let bytes): return max(1, bytes)
    case nil: return .max
    }
  }

  private func start(
    _ operation: FileSystemError.Operation, _ file: FileHandle
  ) throws(FileSystemError) -> (inode: Int, limit: Int) {
    guard let open = handles[file.rawValue] else { throw failure(operation, file, .other) }
    let inode = open.inode
    do throws(FileSystemError) {
      return (inode, try check(operation, open.path))
    } catch {
      // As on Linux, a failed sync marks the pages as clean, so a later sync does not write them.
      if operation == .syncData || operation == .syncAll, error.reason != .crashed {
        inodes[inode].dirtySectors = []
      }
      throw error
    }
  }

  private func sync(_ file: FileHandle, _ operation: FileSystemError.Operation) throws(FileSystemError) {
    let (inode, _) = try start(operation, file)
    inodes[inode].resizeDurable()
    for sector in inodes[inode].dirtySectors { inodes[inode].copySector(sector) }
    inodes[inode].dirtySectors = []
    inodes[inode].isSizeDirty = false
  }

  private func resize(_ inode: Int, to sizeBytes: Int) {
    inodes[inode].isSizeDirty = true
    let count = inodes[inode].bytes.count
    if sizeBytes < count {
      inodes[inode].bytes.removeLast(count - sizeBytes)
    } else {
      inodes[inode].bytes.appendZeros(sizeBytes - count)
    }
  }

  private func failure(
    _ operation: FileSystemError.Operation, _ file: FileHandle, _ reason: FileSystemError.Reason
  ) -> FileSystemError {
    FileSystemError(operation, path: handles[file.rawValue]?.path ?? "closed file", reason: reason)
  }
}

/// The file of a handle.
private struct OpenFile {
  let inode: Int
  let path: String
  let isDirect: Bool
}

/// The visible and the durable bytes of a file.
private struct Inode {
  var bytes: [UInt8] = []
  var durable: [UInt8] = []
  var dirtySectors: Set<Int> = []
  var isSizeDirty = false
}

extension Inode {
  fileprivate mutating func markDirty(_ range: Range<Int>) {
    let size = MemoryFileSystem.sectorBytes
    for sector in (range.lowerBound / size)...((range.upperBound - 1) / size) { dirtySectors.insert(sector) }
  }

  /// Makes the durable file as long as the visible one; added bytes are 0.
  fileprivate mutating func resizeDurable() {
    if durable.count > bytes.count {
      durable.removeLast(durable.count - bytes.count)
    } else {
      durable.appendZeros(bytes.count - durable.count)
    }
  }

  /// Makes a sector durable, up to the end of the file.
  fileprivate mutating func copySector(_ sector: Int) {
    let start = sector * MemoryFileSystem.sectorBytes
    let end = min(start + MemoryFileSystem.sectorBytes, bytes.count)
    guard start < end else { return }
    if durable.count < end { durable.appendZeros(end - durable.count) }
    durable.replaceSubrange(start..<end, with: bytes[start..<end])
  }
}

extension [UInt8] {
  private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

  /// Adds bytes that are 0, in blocks. Without optimization, a repeated element is added by several calls for each
  /// byte, which took half of the time of a simulation.
  fileprivate mutating func appendZeros(_ count: Int) {
    var rest = count
    while rest > 0 {
      let part = Swift.min(rest, Self.zeros.count)
      append(contentsOf: Self.zeros[..<part])
      rest -= part
    }
  }
}
