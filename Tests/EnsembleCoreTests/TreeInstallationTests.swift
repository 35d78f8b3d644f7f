import EnsembleCore
import ServerCore
import StorageTesting
import Testing
import TxnLog
import ZnodeTree
import ZooKeeperProtocol

/// A leader's tree that replaces what is on disk.
struct TreeInstallationTests {
  /// A learner that is behind by nothing but its snapshot: both files are of the same transaction.
  @Test func aTreeIsInstalledWhileASnapshotOfTheSameTransactionIsWritten() throws {
    let directory = DataDirectory(MemoryFileSystem(), dataDirectory: "/data")
    try directory.create()
    let state = RecoveredState(tree: DataTree(hashSeed: 1))
    let job = SnapshotJob(
      state.tree, sessions: state.sessions, logged: state.tree.lastProcessedZxid, hasDigest: true)
    var writer = try SnapshotWriter(job, directory)
    try directory.install(state, hasDigest: true)
    var end: SnapshotDigest?
    writing: while true {
      switch job.next(budgetBytes: 1 << 20) {
      case .write(let slice): try writer.append(slice)
      case .finish(let digest):
        end = digest
        break writing
      default:
        Issue.record("the snapshot does not go on")
        break writing
      }
    }
    try writer.finish(digest: end)
    var loader = TreeLoader(TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: 1))
    let report = try directory.recover(into: &loader)
    #expect(!report.isEmpty && loader.state.tree.treeDigest == state.tree.treeDigest)
    #expect(try directory.files.list("/data/version-2").filter { $0.hasSuffix(".tmp") } == [])
  }
}
