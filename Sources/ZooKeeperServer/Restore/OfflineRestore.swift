import EnsembleCore
import TxnLog
package import ZooKeeperProtocol

/// Replaces the state of a stopped server, of this package or Apache's, with a snapshot.
///
/// The data directory is locked as long as this value exists.
///
/// *Thread*: one at a time; the calls block.
package final class OfflineRestore {
  /// The contents of a state.
  package struct Contents: Hashable, Sendable {
    package let zxid: Zxid
    package let znodes: Int
    package let sessions: Int
    /// Whether the tree is not the one that it was at `zxid`; see `CheckedSnapshot`.
    package var isFuzzy = false
  }

  /// The result of a restore.
  package struct Result: Hashable, Sendable {
    /// The snapshot under its final name.
    package let path: String
    /// The directories in which the files of the earlier state are, in the layout of a data directory.
    package let asidePaths: [String]
  }

  private let directory: DataDirectory<PosixFileSystem>
  private var lock: DirectoryLock<PosixFileSystem>?
  private let trees: TreeSettings

  /// Locks a data directory, and creates `version-2` in it if there is none.
  ///
  /// - Throws: when it does not exist or cannot be written, or when a server uses it.
  package init(dataDirectory: String, logDirectory: String) throws(ServerStartError) {
    directory = DataDirectory(PosixFileSystem(), dataDirectory: dataDirectory, dataLogDirectory: logDirectory)
    trees = TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: .random(in: .min ... .max))
    do throws(TxnLogError) {
      for path in [dataDirectory, logDirectory] where !directory.files.exists(path) {
        throw TxnLogError(.missingDirectory, path: path)
      }
      try directory.create()
      lock = try directory.lock()
      try directory.checkWritable()
      try directory.completeRestore()
      try directory.checkPlacement()
    } catch {
      throw ServerStartError(error)
    }
  }

  /// The present state; nil if there is none.
  ///
  /// - Throws: when it cannot be read, which does not prevent a restore.
  package func contents() throws(ServerStartError) -> Contents? {
    do throws(TxnLogError) {
      var settings = RecoverySettings()
      settings.trustsMissingSnapshot = true
      settings.repairsTornTails = false
      var loader = TreeLoader(trees)
      let report = try directory.recover(into: &loader, settings: settings)
      guard !report.isEmpty else { return nil }
      let state = loader.state
      return Contents(
        zxid: report.lastZxid, znodes: state.tree.znodeCount, sessions: state.sessions.count)
    } catch {
      throw ServerStartError(error)
    }
  }

  /// Copies a snapshot into the directory, and reads it completely. Nothing else is changed.
  ///
  /// - Parameter zxid: its last transaction, if it does not say that itself.
  /// - Throws: when it is not whole, or the disk is full.
  package func stage(_ path: String, zxid: Zxid?) throws(ServerStartError) -> Contents {
    do throws(TxnLogError) {
      try directory.stageRestore(from: path)
      let checked = try CheckedSnapshot(directory, trees, zxid: zxid)
      return Contents(
        zxid: checked.zxid, znodes: checked.state.tree.znodeCount, sessions: checked.state.sessions.count,
        isFuzzy: checked.isFuzzy)
    } catch {
      discard()
      throw ServerStartError(error)
    }
  }

  /// Makes the staged snapshot the state.
  ///
  /// - Throws: the failure of a call. If it had been decided by then, the next start completes it.
  package func install(_ zxid: Zxid) throws(ServerStartError) -> Result {
    do throws(TxnLogError) {
      try directory.decideRestore(of: zxid)
      guard let restored = try directory.completeRestore() else {
        throw TxnLogError(.poisoned, path: directory.snapshotDirectory)
      }
      return Result(path: restored.path, asidePaths: restored.asidePaths)
    } catch {
      throw ServerStartError(error)
    }
  }

  /// Removes what was staged.
  package func discard() {
    // What cannot be removed now is removed by the next start.
    try? directory.discardStagedRestore()
  }

  /// Unlocks the directory.
  package func close() {
    lock?.release()
    lock = nil
  }
}
