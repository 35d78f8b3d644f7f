import NIOCore
import ServerCore
import TxnLog
import ZnodeTree

/// What keeps the data directory small, and the next start quick.
extension ServerNode {
  /// Removes old files, in the background.
  func purge() {
    let (directory, count, logger) = (storage.directory, configuration.retention.snapshotCount, logger)
    background.run {
      do throws(TxnLogError) {
        let removed = try directory.purge(retainCount: count)
        if !removed.isEmpty { logger.info("purged \(removed.count) old files") }
      } catch {
        logger.warning("old files could not be purged", metadata: ["reason": "\(error)"])
      }
    }
  }

  /// Begins a snapshot of the tree as it is, and a new segment of the log.
  func startSnapshot() {
    snapshots.reset()
    log.roll()
    snapshotTask = SnapshotTask(
      tree: core.tree, sessions: core.committedSessions,
      logged: ensemble?.member.zab.persisted ?? core.tree.lastProcessedZxid,
      directory: storage.directory,
      hasDigest: configuration.features.hasDigest, background: background, loop: loop
    ) { [weak self] result in
      guard let self, let task = snapshotTask else { return }
      snapshotTask = nil
      switch result {
      case .success: lastSnapshot = (task.zxid, Host.wallMilliseconds)
      case .failure(let error):
        // The log has everything: the server goes on, and tries again when the next one is due.
        logger.error("a snapshot could not be written", metadata: ["reason": "\(error)"])
      }
      onSnapshotEnded?()
    }
  }
}
