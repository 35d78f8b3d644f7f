package import ZooKeeperProtocol

/// The small files of a member: `acceptedEpoch`, `currentEpoch` and `myid`, and the configuration that it knows.
///
/// *Shape*: a decimal number in ASCII. It is written without a line feed, and read with or without one.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumPeer`; `StorageFormat` D.1, D.8.
package struct EpochFiles<Files: FileSystem> {
  /// The epoch that a server has promised to follow, and the epoch of the history it has.
  package struct Epochs: Hashable, Sendable {
    package var accepted: Int64
    package var current: Int64

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
  /// Missing files are written with the epoch of the history. A history of a later epoch than `currentEpoch` is
  /// accepted if `prepareCurrent` has announced that epoch, as Apache's servers accept `currentEpoch.tmp`; it then
  /// becomes the current one.
  ///
  /// - Throws: `badNumber`; `epochMismatch`; the failure of a call.
  package func load(lastZxid: Zxid) throws(TxnLogError) -> Epochs {
    let epochOfHistory = Int64(lastZxid.epoch)
    var current = try readEpoch(Self.currentName)
    if let found = current, epochOfHistory > found {
      // A file that cannot be read announces nothing.
      let announced = try? read(Self.currentName + ".tmp")
      guard let announced, announced >= epochOfHistory else {
        let accepted = try read(Self.acceptedName) ?? epochOfHistory
        throw mismatch(Epochs(accepted: accepted, current: found), lastZxid)
      }
      // A history with a transaction of an epoch contains everything with which its leader began, but nothing of a
      // later epoch: that epoch is the current one.
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

  /// Removes what an interrupted write of one of the files has left, and an announcement of an epoch that is current
  /// now. Nothing else would ever remove them.
  private func removeRemains(current: Int64) throws(TxnLogError) {
    var names = [Self.acceptedName + ".tmp", Self.currentName + Self.newSuffix]
    let announcement = Self.currentName + ".tmp"
    var announced: Int64?
    do throws(TxnLogError) {
      announced = try read(announcement)
    } catch {
      // It was cut short before it was durable, so that nothing relies on it.
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
  /// The announcement of `prepareCurrent` stays until the new number is durable, because it makes the log acceptable to
  /// `load`.
  package func saveCurrent(_ epoch: Int64) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace(
        Self.currentName, in: directory, with: Array(String(epoch).utf8), temporarySuffix: Self.newSuffix)
    }
  }

  /// Announces durably that `epoch` is about to become the current one, before transactions of it are logged.
  ///
  /// Without it, a crash between the log and `saveCurrent` leaves a directory on which no server starts. An earlier
  /// announcement may be what makes the present log acceptable, and is therefore replaced in one step.
  package func prepareCurrent(_ epoch: Int64) throws(TxnLogError) {
    try write(Self.currentName + ".tmp", epoch, in: directory)
  }

  /// Makes epochs that are there, and earlier than `epoch`, equal to it, so that `load` accepts a history of it.
  ///
  /// Later ones stay: the next leader must begin an epoch that no server has seen, whatever history it begins with.
  ///
  /// - Throws: `badNumber`; the failure of a call.
  func raise(to epoch: Int64) throws(TxnLogError) {
    // The accepted epoch is never earlier than the current one.
    if let accepted = try readEpoch(Self.acceptedName), accepted < epoch { try saveAccepted(epoch) }
    if let current = try readEpoch(Self.currentName), current < epoch { try saveCurrent(epoch) }
  }

  /// Writes the epochs that are there to another directory as well.
  ///
  /// - Throws: `badNumber`; the failure of a call.
  func copy(to other: EpochFiles) throws(TxnLogError) {
    if let accepted = try readEpoch(Self.acceptedName) { try other.saveAccepted(accepted) }
    if let current = try readEpoch(Self.currentName) { try other.saveCurrent(current) }
  }

  /// The server's id; nil if there is no `myid`.
  ///
  /// - Throws: `.badNumber`; the failure of a call.
  package func serverID() throws(TxnLogError) -> Int64? {
    try number(in: "\(dataDirectory)/myid")
  }

  /// Writes `myid`, with a line feed, because people edit it.
  package func saveServerID(_ id: Int64) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      try files.replace("myid", in: dataDirectory, with: Array("\(id)\n".utf8))
    }
  }

  /// Where `agreedConfiguration` is kept.
  package var configurationPath: String { "\(dataDirectory)/\(Self.configurationName)" }

  /// The last configuration that was known to be committed, as text; nil if there is none.
  ///
  /// Apache's servers keep it beside `zoo.cfg`, and ignore this file.
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
    // The limit is longer than any number, and short enough for an error message.
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
