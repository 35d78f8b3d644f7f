import EnsembleCore
import NIOCore
import NIOPosix
import TestKit
import Testing
import TxnLog
import ZnodeTree
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// Snapshots that are being written while the log is truncated or replaced.
@Suite(.timeLimit(.minutes(2))) struct SnapshotTaskTests {
  private static let znodeCount = 4
  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  /// What the loop has been told. Touched on the loop only.
  private final class Ends {
    var results: [Result<String, TxnLogError>] = []
  }

  /// A tree that takes several slices, whose last transaction is 4.
  private func tree() -> DataTree {
    let tree = DataTree()
    for number in 1...Self.znodeCount {
      let zxid = Zxid(rawValue: Int64(number))
      var changes: [TreeChange] = []
      let header = TxnHeader(
        sessionID: .none, cxid: Xid(rawValue: 0), zxid: zxid, timeMilliseconds: 0, opCode: .create)
      let body = CreateTxn(
        path: "/z\(number)", data: [UInt8](repeating: 7, count: 300_000), acl: ACL.openUnsafe, isEphemeral: false,
        parentCVersion: -1)
      _ = tree.apply(header, .create(body), changes: &changes)
    }
    return tree
  }

  /// Whatever has been done of a snapshot when its history ends: it has its name by then, or never gets it.
  @Test(arguments: 0...10, [true, false]) func aSnapshotGetsNoNameAfterItsHistory(stepCount: Int, isLogged: Bool)
    async throws
  {
    let directory = DataDirectory(PosixFileSystem(), dataDirectory: try Scratch.directory("snapshot"))
    try directory.create()
    let background = BackgroundWorker()
    defer { background.stop() }
    let (loop, tree) = (loop, NIOLoopBoundBox.makeBoxSendingValue(tree(), eventLoop: loop))
    let names = { @Sendable () throws(FileSystemError) in
      try directory.files.list(directory.snapshotDirectory).sorted()
    }
    let state = try await loop.submit {
      let ends = Ends()
      let job = SnapshotJob(
        tree.value, sessions: [:], logged: Zxid(rawValue: isLogged ? 4 : 3), hasDigest: true)
      let task = SnapshotTask(
        job, directory, ServerConfiguration.Logging(), background: background, loop: loop
      ) { ends.results.append($0) }
      return NIOLoopBound((task: task, ends: ends), eventLoop: loop)
    }.get()
    for _ in 0..<stepCount {
      background.finishQueue()
      try await loop.submit {}.get()
    }
    let named = try await loop.submit {
      state.value.task.abandon()
      background.finishQueue()
      return try names().filter { $0.hasPrefix("snapshot.") }
    }.get()
    for _ in 0..<2 {
      background.finishQueue()
      try await loop.submit {}.get()
    }
    #expect(try names() == named)
    #expect(named.isEmpty || isLogged)
    try await loop.submit {
      let (task, ends) = state.value
      #expect(ends.results.count == 1 && task.isAbandoned == named.isEmpty)
      if case .success? = ends.results.first { #expect(!named.isEmpty) } else { #expect(named.isEmpty) }
    }.get()
  }
}
