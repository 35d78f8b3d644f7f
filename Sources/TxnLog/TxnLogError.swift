package import ZooKeeperProtocol

/// Why files of a data directory could not be read or written.
///
/// It is the only error of this module, and names the file and, if there is one, the offset in it. Whatever a file
/// contains, the module does not trap.
package struct TxnLogError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  package enum Code: Hashable, Sendable {
    /// A call to the file system failed.
    case fileSystem(FileSystemError)
    /// An earlier write or sync of this writer failed. What was appended after it is not on disk.
    case poisoned
    /// The file does not begin with the header of its kind.
    case badHeader
    /// The header has a version that this module does not know.
    case unsupportedVersion(Int32)
    /// The file is too short for its content, in a way that no interrupted write leaves.
    case truncated
    /// Bytes that were durable once have changed.
    case damaged(Damage)
    /// A transaction's zxid is not after that of the previous one.
    case zxidOrder(previous: Zxid, found: Zxid)
    /// The last zxid is not a valid one, or is in the last epoch, after which no other is possible.
    case zxidOutOfRange(Zxid)
    /// Transactions between the two are missing.
    case gap(after: Zxid, next: Zxid)
    /// The newest snapshot, of this zxid, cannot be read, and what can be read ends before it.
    case lostHistory(readable: Zxid, snapshot: Zxid)
    /// There are snapshots, but none can be read.
    case noValidSnapshot
    /// There are transactions, but no snapshot that they follow.
    case noSnapshot
    /// The log does not have the transaction that a truncation should leave as the last.
    case truncationPointMissing(Zxid)
    /// The file is compressed in a way that this module cannot read.
    case unsupportedCompression
    /// There is a log in the directory of snapshots, or a snapshot in that of logs.
    case misplacedFile
    /// The content of an epoch file or of `myid` is not a valid number.
    case badNumber(String)
    /// The two epoch files, or the last transaction and the current epoch, contradict each other.
    case epochMismatch(accepted: Int64, current: Int64, lastZxid: Zxid)
    /// A directory does not exist, and must not be created.
    case missingDirectory
    /// Another server uses the directory.
    case locked
    /// The target of a recovery refused the content.
    case rejected(String)
    /// An entry is shorter than its header, or over the limit.
    case badEntry(lengthBytes: Int)
  }

  /// How damage was detected.
  package enum Damage: Hashable, Sendable {
    /// The checksum is wrong.
    case checksum
    /// A length is impossible.
    case length(Int)
    /// The byte or string that ends a part is wrong.
    case terminator
    /// The content cannot be decoded.
    case content
  }

  package let code: Code
  package let path: String
  /// Bytes from the start of the file; nil if the error concerns the file as a whole.
  package let offset: Int?

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

/// Runs calls to the file system, and converts their errors to this module's.
func fileCalls<Result: ~Copyable>(
  _ body: () throws(FileSystemError) -> Result
) throws(TxnLogError) -> Result {
  do throws(FileSystemError) {
    return try body()
  } catch {
    throw TxnLogError(error)
  }
}
