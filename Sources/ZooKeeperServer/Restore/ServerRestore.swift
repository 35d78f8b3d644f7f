import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// Replaces the state of a running standalone server with a snapshot.
///
/// Until the snapshot has been checked, the server serves as before. Then what was proposed is made durable and
/// answered, the connections are closed, and the log ends. The files are exchanged in the background; see
/// `DataDirectory.decideRestore`. A new log begins after the snapshot's last transaction, and clients are served again:
/// those whose sessions the snapshot has, and that have seen no later transaction, return with their sessions.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer.restoreFromSnapshot`, which leaves the files to the operator.
///
/// *Thread*: the event loop.
final class ServerRestore: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  let directory: DataDirectory<PosixFileSystem>
  let trees: TreeSettings
  private let clients: ClientListener
  private let log: LogPipeline
  private let membership: Membership
  private let metrics: ServerMetrics
  private let loop: any EventLoop
  private let logger: Logger
  private let onFailure: (String) -> Void
  private var isStopped = false

  /// - Parameter onFailure: called when the server must stop, with the reason.
  init(
    _ recovered: Storage.Recovered, _ clients: ClientListener, _ log: LogPipeline, _ membership: Membership,
    _ metrics: ServerMetrics, loop: any EventLoop, logger: Logger, onFailure: @escaping (String) -> Void
  ) {
    directory = recovered.storage.directory
    trees = recovered.trees
    self.clients = clients
    self.log = log
    self.membership = membership
    self.metrics = metrics
    self.loop = loop
    self.logger = logger
    self.onFailure = onFailure
  }

  /// Whether the state of this server is its own, and not that of an ensemble.
  var isStandalone: Bool { membership.driver == nil }

  /// Nothing is served again after this.
  func stop() { isStopped = true }

  /// Makes a staged snapshot the state of this server.
  ///
  /// - Returns: fails with a `TxnLogError`; the server then has its old state and serves it, or it has stopped.
  func install(_ snapshot: CheckedSnapshot) -> EventLoopFuture<RestoredSnapshot> {
    guard case .standalone(let member) = membership, clients.served.audience == .everybody, !isStopped else {
      return loop.makeFailedFuture(poisoned)
    }
    let begun = NIODeadline.now()
    let last: Zxid
    do throws(TxnLogError) {
      member.propose()
      last = try log.stop()
    } catch {
      fail(error)
      return loop.makeFailedFuture(error)
    }
    // What was acknowledged before the restore is answered before it.
    member.onPersisted(through: last)
    clients.stopServing()
    let promise = loop.makePromise(of: Result<RestoredSnapshot, TxnLogError>.self)
    log.finish(waitsForSnapshot: true) { [directory] in
      promise.succeed(Self.exchange(directory, for: snapshot.zxid))
    }
    return promise.futureResult.assumeIsolated().flatMapThrowing { [self] result in
      switch result {
      case .success(let restored):
        serve(snapshot.state, member)
        log.onRestored(snapshot.zxid)
        metrics.restoreTime.add(Int((NIODeadline.now() - begun).nanoseconds / 1000))
        return restored
      case .failure(let error):
        // It cannot go on with the old state if the next start is going to replace that.
        if directory.isRestoreDecided {
          fail(error)
        } else {
          let core = clients.served.core
          serve(RecoveredState(tree: core.tree, sessions: core.committedSessions), member)
        }
        throw error
      }
    }.nonisolated()
  }

  private static func exchange(
    _ directory: DataDirectory<PosixFileSystem>, for zxid: Zxid
  ) -> Result<RestoredSnapshot, TxnLogError> {
    do throws(TxnLogError) {
      try directory.decideRestore(of: zxid)
      guard let restored = try directory.completeRestore() else {
        throw TxnLogError(.poisoned, path: directory.snapshotDirectory)
      }
      return .success(restored)
    } catch {
      return .failure(error)
    }
  }

  /// Begins a log after the last transaction of a state, and serves clients.
  private func serve(_ state: RecoveredState, _ member: StandaloneMember) {
    guard !isStopped else { return }
    member.restartLog(after: state.tree.lastProcessedZxid)
    clients.startServing(state)
  }

  private func fail(_ error: TxnLogError) {
    logger.critical("a restore cannot be completed; the server stops", metadata: ["reason": "\(error)"])
    onFailure("a restore cannot be completed: \(ServerStartError(error).message)")
  }

  private var poisoned: TxnLogError { TxnLogError(.poisoned, path: directory.snapshotDirectory) }
}
