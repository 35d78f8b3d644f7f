internal import Jute
package import TxnLog
internal import ZooKeeperProtocol

/// The snapshots and logs of a server, for reading only.
///
/// The server can be running: nothing is locked or written, and files can grow, appear and disappear meanwhile.
///
/// *Shape*: a data directory with `version-2` in it, that directory itself, or a single snapshot or log.
///
/// *Source*: `StorageFormat` D.1.
package struct HistoryDirectory<Files: FileSystem> {
  /// As it was given.
  package let path: String
  /// The directory of the logs, if it is another one.
  package let logPath: String?
  let files: Files
  /// Oldest first.
  package private(set) var snapshots: [ZxidFile] = []
  /// The segments of the log, oldest first.
  package private(set) var segments: [ZxidFile] = []
  /// The directory of the logs.
  package private(set) var logDirectory = ""

  /// The kind of a file, recognized by its content and not by its name.
  private enum Kind { case snapshot, log }

  /// Lists the files.
  ///
  /// - Throws: `file` if something cannot be read; `noData` if there is no snapshot and no log.
  package init(_ files: Files, path: String, logPath: String? = nil) throws(HistoryError) {
    self.files = files
    self.path = withoutSlash(path)
    self.logPath = logPath.map { withoutSlash($0) }
    try refresh()
    guard !snapshots.isEmpty || !segments.isEmpty else { throw HistoryError(.noData, path: self.path) }
  }

  /// Lists the files again, because a running server adds and removes files.
  ///
  /// - Throws: `file`.
  package mutating func refresh() throws(HistoryError) {
    (snapshots, segments) = ([], [])
    try add(path)
    if let logPath {
      // Logs in another directory replace those in the directory of the snapshots.
      let own = snapshots
      segments = []
      try add(logPath)
      snapshots = own
    }
    snapshots.sort { ($0.zxid, $0.path) < ($1.zxid, $1.path) }
    segments.sort { ($0.zxid, $0.path) < ($1.zxid, $1.path) }
  }

  /// The total size of the log in bytes, as far as it is known.
  package var logBytes: Int { segments.reduce(0) { $0 + sizeBytes($1.path) } }

  /// The size of a file in bytes; 0 if it is unknown.
  package func sizeBytes(_ path: String) -> Int {
    guard let file = try? files.open(path, .read) else { return 0 }
    defer { files.close(file) }
    return (try? files.size(file)) ?? 0
  }

  private mutating func add(_ path: String) throws(HistoryError) {
    if let kind = try kind(ofFile: path) { return try add(path, kind) }
    var directory = path
    var names = try list(directory)
    if names.contains("version-2") {
      directory += "/version-2"
      names = try list(directory)
    }
    logDirectory = directory
    for name in names {
      if let zxid = FileName.zxid(ofSnapshot: name), zxid >= .zero {
        snapshots.append(ZxidFile(zxid: zxid, path: "\(directory)/\(name)"))
      } else if let zxid = FileName.zxid(ofLog: name), zxid >= .zero {
        segments.append(ZxidFile(zxid: zxid, path: "\(directory)/\(name)"))
      }
    }
  }

  private mutating func add(_ path: String, _ kind: Kind) throws(HistoryError) {
    let name = String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
    logDirectory = Files.directory(of: path)
    switch kind {
    case .snapshot:
      // The file may have been renamed; a snapshot of 3.9 contains its last zxid.
      snapshots.append(ZxidFile(zxid: FileName.zxid(ofSnapshot: name) ?? .zero, path: path))
    case .log:
      var zxid = FileName.zxid(ofLog: name)
      if zxid == nil { zxid = try firstTransaction(of: path)?.zxid }
      segments.append(ZxidFile(zxid: zxid ?? .zero, path: path))
    }
  }

  private func list(_ directory: String) throws(HistoryError) -> [String] {
    do throws(FileSystemError) {
      return try files.list(directory)
    } catch {
      throw HistoryError(TxnLogError(error))
    }
  }

  /// The kind of a file; nil for a directory.
  ///
  /// - Throws: `badHeader` for a file that is something else.
  private func kind(ofFile path: String) throws(HistoryError) -> Kind? {
    let head: [UInt8]
    do throws(FileSystemError) {
      head = try files.contents(of: path, limitBytes: 4)
    } catch {
      switch error.reason {
      case .notFound, .notAFile: return nil
      default: throw HistoryError(TxnLogError(error))
      }
    }
    switch head {
    case [UInt8]("ZKLG".utf8): return .log
    case [UInt8]("ZKSN".utf8): return .snapshot
    default:
      guard !path.hasSuffix(".gz"), !path.hasSuffix(".snappy") else { return .snapshot }
      throw HistoryError(TxnLogError(.badHeader, path: path, offset: 0))
    }
  }

  /// The zxid and the time of the first transaction of a segment; nil if it has none.
  ///
  /// - Throws: `file` if it cannot be read.
  func firstTransaction(of path: String) throws(HistoryError) -> (zxid: Zxid, timeMilliseconds: Int64)? {
    do throws(TxnLogError) {
      var reader = try LogReader(files, path: path, segment: .zero)
      guard let record = try reader.next() else { return nil }
      return (record.zxid, record.timeMilliseconds)
    } catch {
      // Damage is found again, and reported, when the segment is read.
      if case .fileSystem = error.code { throw HistoryError(error) }
      return nil
    }
  }
}

private func withoutSlash(_ path: String) -> String {
  path.utf8.count > 1 && path.hasSuffix("/") ? withoutSlash(String(path.dropLast())) : path
}

extension LogRecord {
  /// The leader's clock, in milliseconds since 1970.
  var timeMilliseconds: Int64 { entry.loadBigEndian(at: 20, as: Int64.self) }
}
