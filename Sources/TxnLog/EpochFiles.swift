package import ZooKeeperProtocol

/// The small files of an ensemble's member: `acceptedEpoch`, `currentEpoch` and `myid`.
///
/// *Shape*: a decimal number in ASCII, without a line feed as written; one is accepted when reading.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumPeer`; `StorageFormat` D.1, D.8.
package struct EpochFiles<Files: FileSystem> {
  /// The epoch that a server has promised to follow, and the epoch of the history it has.
  package struct Epochs: Hashable, Sendable {
    package var accepted: Int64
    package var current: Int64

    /// A pair of epochs.
    package init(accepted: Int64, current: Int64) {
      self.accepted = accepted
      self.current = current
    }
  }

  private static var acceptedName: String { "acceptedEpoch" }
  private static var currentName: String { "currentEpoch" }
  private static var newSuffix: String { ".new" }
  private static var configurationName: String { "zkcli.dynamic" }
  private let files: Files
  private let directory: String
  private let dataDirectory: String

  /// The files of `dataDirectory`.
  package init(_ dataDirectory: DataDirectory<Files>) {
    files = dataDirectory.files
    directory = dataDirectory.snapshotDirectory
    self.dataDirectory = dataDirectory.dataDirectory
  }

  /// The epochs, made consistent with a history that ends with `lastZxid`.
  ///
  /// Missing files are written with the epoch of the history. A history that is ahead of `currentEpoch` is accepted
  /// when `prepareCurrent` has announced it, as Apache's server accepts `currentEpoch.tmp`; the file is then renamed.
  ///
  /// Throws: `.badNumber`; `.epochMismatch`; the failure of a call.
  package func load(lastZxid: Zxid) throws(TxnLogError) -> Epochs {
    let epochOfHistory = Int64(lastZxid.epoch)
    var current = try readEpoch(Self.currentName)
    if let found = current, epochOfHistory > found {
      // One that cannot be read announces nothing.
      let announced = try? read(Self.currentName + ".tmp")
      guard let announced, announced >= epochOfHistory else {
        let accepted = try read(Self.acceptedName) ?? epochOfHistory
        throw mismatch(Epochs(accepted: accepted, current: found), lastZxid)
      }
      // Whoever has a transaction of an epoch has all that its leader began with, but nothing of what a later one did.
      try saveCurrent(epochOfHistory)
      current = epochOfHistory
    }
    if current == nil { try saveCurrent(epochOfHistory) }
    var accepted = try readEpoch(Self.acceptedName)
    if accepted == nil {
      try saveAccepted(epochOfHistory)
      accepted = epochOfHistory
    }
    let epochs = Epochs(accepted: accepted ?? epochOfHistory, current: current ?? epochOfHistory)
    guard epochs.accepted >= epochs.current else { throw mismatch(epochs, lastZxid) }
    try removeRemains(current: epochs.current)
    return epochs
  }

  /// Removes what an interrupted write of one of the files has left, and an announcement that has come true: neither
  /// means anything any more, and would stay for ever.
  private func removeRemains(current: Int64) throws(TxnLogError) {
    var names = [Self.acceptedName + ".tmp", Self.currentName + Self.newSuffix]
    let announcement = Self.currentName + ".tmp"
    var announced: Int64?
    do throws(TxnLogError) {
      announced = try read(announcement)
    } catch {
      // Cut short before it was durable, so nothing was done on its word.
      guard case .badNumber = error.code else { throw error }
    }
    if announced.map({ $0 <= current }) ?? true { names.append(announcement) }
    let paths = names.map { "\(directory)/\($0)" }.filter(files.exists)
    guard !paths.isEmpty else { return }
    try fileCalls { () throws(FileSystemError) in
      for path in paths { try files.remove(path) }
      try files.syncDirectory(directory)
    }
  }

  /// Makes `epoch` the accepted epoch, durably.
  package func saveAccepted(_ epoch: Int64) throws(TxnLogError) { try write(Self.acceptedName, epoch, in: directory) }

  /// Makes `epoch` the current epoch, durably.
  ///
  /// What `prepareCurrent` has written stays as it is: until the new number is safe, it is what explains the log.
  package func saveCurrent(_ epoch: Int64) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace(
        Self.currentName, in: directory, with: Array(String(epoch).utf8), temporarySuffix: Self.newSuffix)
    }
  }

  /// Writes down, durably, that `epoch` is about to become the current one, before transactions of it are logged.
  ///
  /// Without it a crash between the log and `saveCurrent` leaves a directory that no server starts with. An earlier
  /// announcement may explain what is in the log already, so it is replaced in one step.
  package func prepareCurrent(_ epoch: Int64) throws(TxnLogError) {
    try write(Self.currentName + ".tmp", epoch, in: directory)
  }

  /// The server's id; nil if there is no `myid`.
  ///
  /// Throws: `.badNumber`; the failure of a call.
  package func serverID() throws(TxnLogError) -> Int64? {
    try number(in: "\(dataDirectory)/myid")
  }

  /// Writes `myid`, with the line feed that people expect in a file they may edit.
  package func saveServerID(_ id: Int64) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace("myid", in: dataDirectory, with: Array("\(id)\n".utf8))
    }
  }

  /// Where `agreedConfiguration` is kept.
  package var configurationPath: String { "\(dataDirectory)/\(Self.configurationName)" }

  /// The last configuration of the ensemble that was known to be committed, as text; nil if there never was one.
  ///
  /// Apache's servers keep it beside `zoo.cfg`; they do not look at this file.
  package func agreedConfiguration() throws(TxnLogError) -> String? {
    let path = configurationPath
    guard files.exists(path) else { return nil }
    let bytes = try fileCalls { () throws(FileSystemError) in try files.contents(of: path) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Keeps a committed configuration, durably.
  package func saveAgreedConfiguration(_ text: String) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace(Self.configurationName, in: dataDirectory, with: Array(text.utf8))
    }
  }

  private func read(_ name: String) throws(TxnLogError) -> Int64? { try number(in: "\(directory)/\(name)") }

  /// The number on the first line of a file; nil without the file.
  private func number(in path: String) throws(TxnLogError) -> Int64? {
    guard files.exists(path) else { return nil }
    // Longer than any number, and short enough for a message.
    let bytes = try fileCalls { () throws(FileSystemError) in try files.contents(of: path, limitBytes: 64) }
    let text =
      PropertiesText.lines(of: PropertiesText.text(of: bytes)).first
      .map { line in String(Substring(line.prefix { $0 != "\n" && $0 != "\r" })) } ?? ""
    guard text.first != "+", let number = Int64(text) else { throw TxnLogError(.badNumber(text), path: path) }
    return number
  }

  /// An epoch; nil without the file.
  private func readEpoch(_ name: String) throws(TxnLogError) -> Int64? {
    guard let number = try read(name) else { return nil }
    guard Epoch.zero.rawValue...Epoch.last.rawValue ~= number else {
      throw TxnLogError(.badNumber(String(number)), path: "\(directory)/\(name)")
    }
    return number
  }

  private func write(_ name: String, _ value: Int64, in directory: String) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace(name, in: directory, with: Array(String(value).utf8))
    }
  }

  private func mismatch(_ epochs: Epochs, _ lastZxid: Zxid) -> TxnLogError {
    TxnLogError(
      .epochMismatch(accepted: epochs.accepted, current: epochs.current, lastZxid: lastZxid), path: directory)
  }
}

extension EpochFiles: Sendable where Files: Sendable {}
