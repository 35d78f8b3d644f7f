package import ZooKeeperProtocol
import ZooKeeperServer

/// A restore into the data directory of a server that does not run; see `OfflineRestore`.
///
/// *Thread*: one at a time; the calls block.
package final class DirectoryRestore {
  /// The contents of a state.
  package struct Contents: Hashable, Sendable {
    package let zxid: Zxid
    package let znodes: Int
    package let sessions: Int
    /// Whether the snapshot was written while transactions were applied, so that it includes effects of later ones.
    package let isFuzzy: Bool
  }

  /// The result of a restore.
  package struct Result: Hashable, Sendable {
    /// The snapshot under its final name.
    package let path: String
    /// The directories with the files of the earlier state, in the layout of a data directory.
    package let asidePaths: [String]
  }

  private let restore: OfflineRestore

  /// Locks a data directory.
  ///
  /// - Throws: if it does not exist or cannot be written, or if a server uses it.
  package init(dataDirectory: String, logDirectory: String) throws(SandboxError) {
    restore = try Self.translated { () throws(ServerStartError) in
      try OfflineRestore(dataDirectory: dataDirectory, logDirectory: logDirectory)
    }
  }

  /// The present state; nil if there is none.
  ///
  /// - Throws: if it cannot be read, which does not prevent a restore.
  package func contents() throws(SandboxError) -> Contents? {
    try Self.translated { () throws(ServerStartError) in try restore.contents() }.map(Self.contents)
  }

  /// Copies a snapshot into the directory, and reads it completely. Nothing else is changed.
  ///
  /// - Parameter zxid: its last transaction, if the snapshot does not contain it.
  /// - Throws: if it is incomplete, or the disk is full.
  package func stage(_ path: String, zxid: Zxid?) throws(SandboxError) -> Contents {
    Self.contents(try Self.translated { () throws(ServerStartError) in try restore.stage(path, zxid: zxid) })
  }

  /// Makes the staged snapshot the state.
  ///
  /// - Throws: the error of a system call. If the restore had been committed by then, the next start of a server
  ///   completes it.
  package func install(_ zxid: Zxid) throws(SandboxError) -> Result {
    let result = try Self.translated { () throws(ServerStartError) in try restore.install(zxid) }
    return Result(path: result.path, asidePaths: result.asidePaths)
  }

  /// Removes a staged snapshot, and unlocks the directory.
  package func close() {
    restore.discard()
    restore.close()
  }

  private static func contents(_ contents: OfflineRestore.Contents) -> Contents {
    Contents(
      zxid: contents.zxid, znodes: contents.znodes, sessions: contents.sessions, isFuzzy: contents.isFuzzy)
  }

  private static func translated<Value>(
    _ work: () throws(ServerStartError) -> Value
  ) throws(SandboxError) -> Value {
    do throws(ServerStartError) {
      return try work()
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }
}
