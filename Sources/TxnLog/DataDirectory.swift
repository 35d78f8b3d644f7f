package import ZooKeeperProtocol

/// A file of a data directory that is named for a zxid.
package struct ZxidFile: Hashable, Sendable {
  package let zxid: Zxid
  package let path: String

  /// The file at `path`, whose name says `zxid`.
  package init(zxid: Zxid, path: String) {
    self.zxid = zxid
    self.path = path
  }
}

/// The directories of one server: where its files are, what they are called, and who may use them.
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

  /// The directories for `dataDir` and `dataLogDir`, which need not exist.
  package init(_ files: Files, dataDirectory: String, dataLogDirectory: String? = nil) {
    self.files = files
    self.dataDirectory = dataDirectory
    snapshotDirectory = "\(dataDirectory)/version-2"
    logDirectory = "\(dataLogDirectory ?? dataDirectory)/version-2"
  }

  /// Whether both directories are there.
  package var exists: Bool { files.exists(snapshotDirectory) && files.exists(logDirectory) }

  /// Makes the directories, as far as they are missing.
  ///
  /// Throws: the failure of a call.
  package func create() throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.createDirectories(snapshotDirectory)
      try files.createDirectories(logDirectory)
    }
  }

  /// Makes sure that the directories are there.
  ///
  /// Throws: as the failure to list one.
  ///
  /// *Source*: `FileTxnSnapLog`, `zookeeper.datadir.autocreate`.
  package func checkExists() throws(TxnLogError) {
    for directory in [snapshotDirectory, logDirectory] where !files.exists(directory) {
      throw TxnLogError(.missingDirectory, path: directory)
    }
  }

  /// Makes sure that files can be made in the directories: better at the start than when a client waits for it.
  ///
  /// Throws: the failure of a call.
  package func checkWritable() throws(TxnLogError) {
    for directory in Set([snapshotDirectory, logDirectory]).sorted() {
      try fileCalls { () throws(FileSystemError) in
        let path = "\(directory)/zkcli.probe"
        files.close(try files.open(path, .createOrTruncate))
        try files.remove(path)
      }
    }
  }

  /// Keeps other servers of this program away until the lock goes.
  ///
  /// Apache's servers do not look at it. The lock goes with the process, so a crash leaves nothing to clean up.
  ///
  /// Throws: `.locked` when a server has it.
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

  /// Refuses files that Apache's server would not start with, because they mean that the configuration has changed.
  ///
  /// Throws: `.misplacedFile`.
  package func checkPlacement() throws(TxnLogError) {
    guard logDirectory != snapshotDirectory else { return }
    if let file = try list(logDirectory, FileName.zxid(ofSnapshot:)).first {
      throw TxnLogError(.misplacedFile, path: file.path)
    }
    if let file = try list(snapshotDirectory, FileName.zxid(ofLog:)).first {
      throw TxnLogError(.misplacedFile, path: file.path)
    }
  }

  /// Takes away the file that permits the start of a server without data, and returns whether it was there.
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

  /// Bytes of snapshots and of logs, as the files' sizes say.
  ///
  /// *Source*: the four-letter word `dirs`.
  package func sizes() throws(TxnLogError) -> (snapshotBytes: Int, logBytes: Int) {
    (try totalBytes(try snapshots()), try totalBytes(try segments()))
  }

  /// Removes what an interrupted snapshot has left.
  func removeUnfinished() throws(TxnLogError) -> [String] {
    try fileCalls { () throws(FileSystemError) in
      let paths = try files.list(snapshotDirectory).filter(TemporaryName.isSnapshot).map {
        "\(snapshotDirectory)/\($0)"
      }
      for path in paths { try files.remove(path) }
      return paths
    }
  }

  /// Removes files one after the other and makes that durable.
  func remove(_ paths: [String], in directory: String) throws(TxnLogError) {
    guard !paths.isEmpty else { return }
    try fileCalls { () throws(FileSystemError) in
      for path in paths {
        try files.remove(path)
        // One sync a file: whatever a crash leaves is what some step left, not a choice of later ones.
        try files.syncDirectory(directory)
      }
    }
  }

  private func list(_ directory: String, _ zxid: (String) -> Zxid?) throws(TxnLogError) -> [ZxidFile] {
    let names = try fileCalls { () throws(FileSystemError) in try files.list(directory) }
    return names.compactMap { name in zxid(name).map { ZxidFile(zxid: $0, path: "\(directory)/\(name)") } }
      .sorted { ($0.zxid, $0.path) < ($1.zxid, $1.path) }
  }

  private func totalBytes(_ list: [ZxidFile]) throws(TxnLogError) -> Int {
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

/// A data directory that no other server may use, for as long as this exists.
package struct DirectoryLock<Files: FileSystem>: ~Copyable {
  private var handles: [FileHandle] = []
  private let files: Files

  /// Nothing is locked yet.
  init(_ files: Files) { self.files = files }

  deinit {
    for handle in handles { files.close(handle) }
  }

  /// Locks one file more.
  mutating func take(_ path: String) throws(FileSystemError) { handles.append(try files.lock(path)) }
}
