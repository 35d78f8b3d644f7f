package import ZooKeeperProtocol

/// A file of a data directory with a zxid in its name.
package struct ZxidFile: Hashable, Sendable {
  package let zxid: Zxid
  package let path: String

  package init(zxid: Zxid, path: String) {
    self.zxid = zxid
    self.path = path
  }
}

/// The directories of one server: where its files are, their names, and the lock that keeps other servers away.
///
/// *Shape*: `<dataDir>/version-2` has snapshots and epoch files, `<dataLogDir>/version-2` has logs; `<dataDir>` itself
/// has `myid`, and the file that this server locks.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileTxnSnapLog`; `StorageFormat` D.1.
package struct DataDirectory<Files: FileSystem> {
  package let dataDirectory: String
  /// Where snapshots and epoch files are.
  package let snapshotDirectory: String
  /// Where logs are.
  package let logDirectory: String
  package let files: Files

  /// The directories of `dataDir` and `dataLogDir`, which need not exist yet.
  package init(_ files: Files, dataDirectory: String, dataLogDirectory: String? = nil) {
    self.files = files
    self.dataDirectory = dataDirectory
    snapshotDirectory = "\(dataDirectory)/version-2"
    logDirectory = "\(dataLogDirectory ?? dataDirectory)/version-2"
  }

  /// Whether both directories exist.
  package var exists: Bool { files.exists(snapshotDirectory) && files.exists(logDirectory) }

  /// Creates the directories that are missing.
  ///
  /// - Throws: the failure of a call.
  package func create() throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.createDirectories(snapshotDirectory)
      try files.createDirectories(logDirectory)
    }
  }

  /// Checks that the directories exist.
  ///
  /// - Throws: `missingDirectory`.
  ///
  /// *Source*: `FileTxnSnapLog`, `zookeeper.datadir.autocreate`.
  package func checkExists() throws(TxnLogError) {
    for directory in [snapshotDirectory, logDirectory] where !files.exists(directory) {
      throw TxnLogError(.missingDirectory, path: directory)
    }
  }

  /// Checks that files can be created in the directories, so that an operator learns of it when the server starts, and
  /// not when the first client writes.
  ///
  /// - Throws: the failure of a call.
  package func checkWritable() throws(TxnLogError) {
    for directory in Set([snapshotDirectory, logDirectory]).sorted() {
      try fileCalls { () throws(FileSystemError) in
        let path = "\(directory)/zkcli.probe"
        files.close(try files.open(path, .createOrTruncate))
        try files.remove(path)
      }
    }
  }

  /// Locks the directories against other servers of this program, as long as the returned value exists.
  ///
  /// Apache's servers ignore the lock. It ends with the process, so that a crash leaves nothing to clean up.
  ///
  /// - Throws: `locked` if another server has the lock.
  package func lock() throws(TxnLogError) -> DirectoryLock<Files> {
    let logParent = Files.directory(of: logDirectory)
    var lock = DirectoryLock(files)
    do throws(FileSystemError) {
      try lock.take("\(dataDirectory)/zkcli.lock")
      if logParent != dataDirectory { try lock.take("\(logParent)/zkcli.lock") }
    } catch {
      throw TxnLogError(error)
    }
    return lock
  }

  /// The segments of the log, oldest first.
  package func segments() throws(TxnLogError) -> [ZxidFile] { try list(logDirectory, FileName.zxid(ofLog:)) }

  /// The snapshots, oldest first, valid or not.
  package func snapshots() throws(TxnLogError) -> [ZxidFile] {
    try list(snapshotDirectory, FileName.zxid(ofSnapshot:)).filter { $0.zxid >= .zero }
  }

  /// Refuses a snapshot in the directory of logs, or a log in that of snapshots. They mean that `dataLogDir` was
  /// changed, and Apache's servers do not start with them either.
  ///
  /// - Throws: `misplacedFile`.
  package func checkPlacement() throws(TxnLogError) {
    guard logDirectory != snapshotDirectory else { return }
    if let file = try list(logDirectory, FileName.zxid(ofSnapshot:)).first {
      throw TxnLogError(.misplacedFile, path: file.path)
    }
    if let file = try list(snapshotDirectory, FileName.zxid(ofLog:)).first {
      throw TxnLogError(.misplacedFile, path: file.path)
    }
  }

  /// Removes the file that permits the start of a server without data, and returns whether it existed.
  ///
  /// *Source*: `FileTxnSnapLog.checkInitialize`; `StorageFormat` D.8.
  package func takeInitializeFile() throws(TxnLogError) -> Bool {
    let path = "\(dataDirectory)/initialize"
    guard files.exists(path) else { return false }
    try fileCalls { () throws(FileSystemError) in
      try files.remove(path)
      try files.syncDirectory(dataDirectory)
    }
    return true
  }

  /// The total sizes of the snapshots and of the logs, in bytes, for the four-letter word `dirs`.
  package func sizes() throws(TxnLogError) -> (snapshotBytes: Int, logBytes: Int) {
    (try totalBytes(try snapshots()), try totalBytes(try segments()))
  }

  /// The size of the newest snapshot, in bytes; 0 if there is none.
  package func newestSnapshotBytes() throws(TxnLogError) -> Int { try totalBytes(try snapshots().suffix(1)) }

  /// Removes the files of snapshots whose writing was interrupted, and returns their paths.
  func removeUnfinished() throws(TxnLogError) -> [String] {
    try fileCalls { () throws(FileSystemError) in
      let paths = try files.list(snapshotDirectory).filter(TemporaryName.isSnapshot).map {
        "\(snapshotDirectory)/\($0)"
      }
      for path in paths { try files.remove(path) }
      return paths
    }
  }

  /// Removes files one after the other, durably.
  func remove(_ paths: [String], in directory: String) throws(TxnLogError) {
    guard !paths.isEmpty else { return }
    try fileCalls { () throws(FileSystemError) in
      for path in paths {
        try files.remove(path)
        // The directory is synced after each file, so that a crash leaves the result of some first steps, and never
        // that of a later step without an earlier one.
        try files.syncDirectory(directory)
      }
    }
  }

  private func list(_ directory: String, _ zxid: (String) -> Zxid?) throws(TxnLogError) -> [ZxidFile] {
    let names = try fileCalls { () throws(FileSystemError) in try files.list(directory) }
    return names.compactMap { name in zxid(name).map { ZxidFile(zxid: $0, path: "\(directory)/\(name)") } }
      .sorted { ($0.zxid, $0.path) < ($1.zxid, $1.path) }
  }

  private func totalBytes(_ list: some Sequence<ZxidFile>) throws(TxnLogError) -> Int {
    var total = 0
    for entry in list {
      total += try fileCalls { () throws(FileSystemError) in
        let file = try files.open(entry.path, .read)
        defer { files.close(file) }
        return try files.size(file)
      }
    }
    return total
  }
}

extension DataDirectory: Sendable where Files: Sendable {}

/// The lock on a data directory, which no other server can use as long as this value exists.
package struct DirectoryLock<Files: FileSystem>: ~Copyable {
  private var handles: [FileHandle] = []
  private let files: Files

  init(_ files: Files) { self.files = files }

  deinit {
    for handle in handles { files.unlock(handle) }
  }

  /// Unlocks the files.
  ///
  /// Owners call this instead of leaving it to `deinit`: in optimized builds, Swift 6.3 does not run that of a value
  /// which an optional property of a class in another module holds.
  package mutating func release() {
    for handle in handles { files.unlock(handle) }
    handles = []
  }

  /// Locks another file.
  mutating func take(_ path: String) throws(FileSystemError) { handles.append(try files.lock(path)) }
}
