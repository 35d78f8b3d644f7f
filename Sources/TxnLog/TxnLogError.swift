package import ZooKeeperProtocol

/// Why files of a data directory could not be read or written.
///
/// The one error of this module. It names the file, and the offset in it where there is one; nothing a file contains
/// makes the module trap.
package struct TxnLogError: Error, Hashable, Sendable {
  /// The closed list of what can be wrong.
  package enum Code: Hashable, Sendable {
    /// A call to the file system failed.
    case fileSystem(FileSystemError)
    /// An earlier write or sync of this writer failed; what it was given since is not on disk.
    case poisoned
    /// The file does not begin with the header of its kind.
    case badHeader
    /// The header says a version this module does not know.
    case unsupportedVersion(Int32)
    /// A file ends before its content does, and not as an interrupted write leaves it.
    case truncated
    /// Bytes that were durable once have changed.
    case damaged(Damage)
    /// A transaction does not come after the one before it.
    case zxidOrder(previous: Zxid, found: Zxid)
    /// The last transaction has a number behind which there is no room for others, or none that a transaction has.
    case zxidOutOfRange(Zxid)
    /// Transactions between the two are missing.
    case gap(after: Zxid, next: Zxid)
    /// The snapshot of this zxid is unreadable and what is readable ends before it.
    case lostHistory(readable: Zxid, snapshot: Zxid)
    /// There are snapshots, and none can be read.
    case noValidSnapshot
    /// There are transactions, and no snapshot that they follow.
    case noSnapshot
    /// The transaction that a truncation should leave as the last is not there.
    case truncationPointMissing(Zxid)
    /// Compressed in a way that this module cannot read.
    case unsupportedCompression
    /// A log in the directory of snapshots, or a snapshot in that of logs.
    case misplacedFile
    /// An epoch file or `myid` with something else in it than a number.
    case badNumber(String)
    /// The two epoch files, or the last transaction and the current epoch, contradict each other.
    case epochMismatch(accepted: Int64, current: Int64, lastZxid: Zxid)
    /// A directory is not there, and is not to be made.
    case missingDirectory
    /// Another server uses the directory.
    case locked
    /// Whoever was given the content refused it.
    case rejected(String)
    /// An entry that is too short for its header or over the limit in force.
    case badEntry(lengthBytes: Int)
  }

  /// How a part of a file is not what was written.
  package enum Damage: Hashable, Sendable {
    case checksum
    case length(Int)
    case terminator
    case content
  }

  package let code: Code
  package let path: String
  /// Bytes from the start of the file; nil when the error has no place in it.
  package let offset: Int?

  /// An error about the file at `path`.
  package init(_ code: Code, path: String, offset: Int? = nil) {
    self.code = code
    self.path = path
    self.offset = offset
  }

  /// The error for a failed call.
  package init(_ error: FileSystemError) {
    self.init(error.reason == .locked ? .locked : .fileSystem(error), path: error.path)
  }
}

extension TxnLogError: CustomStringConvertible {
  package var description: String {
    let place = offset.map { "\(path) at offset \($0)" } ?? path
    return "\(place): \(code)"
  }
}

/// Runs calls to the file system, with this module's error for theirs.
func fileCalls<Result: ~Copyable>(
  _ body: () throws(FileSystemError) -> Result
) throws(TxnLogError) -> Result {
  do throws(FileSystemError) {
    return try body()
  } catch {
    throw TxnLogError(error)
  }
}
