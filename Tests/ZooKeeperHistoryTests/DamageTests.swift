import StorageTesting
import Synchronization
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperHistory

/// Files that are damaged, missing, or written by a server at the same time.
@Suite(.timeLimit(.minutes(5))) struct DamageTests {
  private func zxid(_ raw: Int64) -> Zxid { Zxid(rawValue: raw) }

  private func remove(_ names: String..., from server: Server) throws {
    for name in names { try server.disk.remove("\(Server.directory)/\(name)") }
  }

  @Test func damagedSnapshotIsReplacedByMoreOfTheLog() throws {
    let server = try Server.usual()
    let path = "\(Server.directory)/snapshot.78"
    let whole = try server.disk.contents(of: path)
    for offset in stride(from: 0, to: whole.count, by: max(1, whole.count / 60)) {
      try server.damage("snapshot.78", at: offset)
      var history = try server.history()
      let state = try history.state(at: .newest)
      #expect(state.znodes == server.states[zxid(180)])
      // Some bytes of the header mean nothing.
      if state.snapshot?.zxid == zxid(60) {
        #expect(state.findings.count == 1)
        #expect(!state.findings.contains { $0.isLoss })
      }
      server.disk.install(path, whole)
    }
    for count in [0, 3, 20, whole.count / 2, whole.count - 1] {
      try server.cut("snapshot.78", to: count)
      var history = try server.history()
      #expect(try history.state(at: .newest).znodes == server.states[zxid(180)])
      #expect(try history.state(at: .at(zxid(130))).replayedCount == 70)
      server.disk.install(path, whole)
    }
  }

  @Test func ofTheOnlySnapshotThePartBeforeTheDamageIsShown() throws {
    let server = try Server.usual()
    try remove("log.1", "log.3d", "log.79", "snapshot.0", "snapshot.3c", from: server)
    try server.cut("snapshot.78", to: try server.disk.contents(of: "\(Server.directory)/snapshot.78").count / 2)
    for path in ["/data", "\(Server.directory)/snapshot.78"] {
      var history = try HistoryDirectory(ReadOnlyFileSystem(server.disk), path: path)
      let state = try history.state(at: .newest)
      #expect(try history.state(at: .at(zxid(130))).findings.first == state.findings.first)
      guard case .partialSnapshot(_, zxid(120), let count)? = state.findings.first else {
        Issue.record("\(state.findings)")
        continue
      }
      #expect(count == state.znodeCount)
      let expected = try #require(server.states[zxid(120)])
      // But for the counters of the parents, whose other children are missing.
      let paths = Set(expected.map(\.path))
      #expect(state.znodes.allSatisfy { paths.contains($0.path) })
      #expect(state.znodeCount > 5 && state.znodeCount < expected.count)
    }
  }

  @Test(arguments: [true, false]) func damagedLogEndsTheStateBeforeIt(_ marksBatches: Bool) throws {
    for raw in [Int64(62), 90, 119] {
      let server = try Server.usual(marksBatches: marksBatches)
      try remove("snapshot.78", from: server)
      try server.damage("log.3d", at: try server.offset(of: zxid(raw), in: "log.3d") + 30)
      var history = try server.history()
      let state = try history.state(at: .newest)
      #expect(state.znodes == server.states[zxid(raw - 1)])
      guard case .damagedLog(let error, zxid(raw - 1))? = state.findings.first else {
        Issue.record("\(state.findings)")
        continue
      }
      #expect(error.path == "\(Server.directory)/log.3d")
      // Before the damage nothing is missing.
      #expect(try history.state(at: .at(zxid(raw - 1))).findings == [])
      // After the next whole snapshot neither.
      try server.damage("log.3d", at: try server.offset(of: zxid(61), in: "log.3d") + 30)
      let other = try Server.usual(marksBatches: marksBatches)
      try other.damage("log.3d", at: try other.offset(of: zxid(raw), in: "log.3d") + 30)
      var later = try other.history()
      #expect(try later.state(at: .newest).znodes == other.states[zxid(180)])
      #expect(try later.state(at: .newest).findings == [])
    }
  }

  @Test func missingSegmentIsAGap() throws {
    let server = try Server.usual()
    try remove("log.3d", "snapshot.78", from: server)
    var history = try server.history()
    for moment in [Moment.newest, .at(zxid(121))] {
      let state = try history.state(at: moment)
      #expect(state.znodes == server.states[zxid(60)])
      #expect(state.findings == [.gap(after: zxid(60), next: zxid(121))])
    }
    #expect(try history.state(at: .at(zxid(60))).findings == [])
  }

  @Test func tornEndIsNoLoss() throws {
    // A mark that is missing is damage, and not a torn end.
    let server = try Server.usual(marksBatches: false)
    let path = "\(Server.directory)/log.79"
    let whole = try server.disk.contents(of: path)
    let start = try server.offset(of: zxid(180), in: "log.79")
    var reader = try LogReader(server.disk, path: path, segment: zxid(121))
    var end = 0
    while let record = try reader.next() { end = record.endOffset }
    for offset in stride(from: start + 1, to: end, by: 7) {
      // What was preallocated is zeros.
      server.disk.install(path, Array(whole[..<offset]) + [UInt8](repeating: 0, count: whole.count - offset))
      var history = try server.history()
      let state = try history.state(at: .newest)
      #expect(state.zxid == zxid(179))
      #expect(state.znodes == server.states[zxid(179)])
      #expect(!state.findings.contains { $0.isLoss })
    }
  }

  @Test func fuzzySnapshotIsUsedOnlyAfterWhatItHas() throws {
    let server = try Server()
    for number in 1...10 { try server.create("/n\(number)") }
    // A snapshot whose writing began at 5 and ended at 8.
    let fuzzy = try Server()
    for number in 1...8 { try fuzzy.create("/n\(number)") }
    try fuzzy.snapshot(named: zxid(5))
    server.disk.install(
      "\(Server.directory)/snapshot.5", try fuzzy.disk.contents(of: "\(Server.directory)/snapshot.5"))
    var history = try server.history()
    for raw in Int64(0)...10 {
      let state = try history.state(at: .at(zxid(raw)))
      #expect(state.znodes == server.states[zxid(raw)])
      #expect(state.snapshot?.zxid == (raw < 8 ? .zero : zxid(5)))
      #expect(state.findings == [])
    }
    try remove("snapshot.0", from: server)
    // The log goes back to the first transaction.
    #expect(try history.state(at: .at(zxid(7))).znodes == server.states[zxid(7)])
    // One that the log has not reached is used, and it is said.
    try remove("log.1", from: server)
    try history.refresh()
    let state = try history.state(at: .newest)
    #expect(state.findings.contains(.aheadOfLog(snapshot: zxid(8), log: zxid(5))))
  }

  @Test func filesThatVanishAndAppearAreFoundAgain() throws {
    let server = try Server.usual()
    var history = try server.history()
    // A server purges what it no longer needs, after the directory was listed.
    try remove("log.1", "snapshot.0", "snapshot.3c", "log.3d", "snapshot.78", from: server)
    try server.snapshot()
    try server.roll()
    try server.create("/late")
    let state = try history.state(at: .newest)
    #expect(state.znodes == server.states[zxid(181)])
    #expect(state.findings == [])
    try server.create("/later")
    #expect(try history.state(at: .newest).exists("/later"))
  }

  @Test func bytesThatAreJustBeingWrittenAreReadAgain() throws {
    let server = try Server.usual()
    let path = "\(Server.directory)/log.79"
    let whole = try server.disk.contents(of: path)
    try server.damage("log.79", at: try server.offset(of: zxid(150), in: "log.79") + 20)
    let disk = SendableDisk(server.disk)
    let pauses = Mutex(0)
    var history = try server.history()
    let state = try history.state(
      at: .newest,
      HistoryHooks(pause: {
        pauses.withLock { $0 += 1 }
        disk.disk.install(path, whole)
      }))
    #expect(state.znodes == server.states[zxid(180)])
    #expect(state.findings == [])
    #expect(pauses.withLock(\.self) == 1)
  }

  /// Used by one thread at a time, as `MemoryFileSystem` requires.
  private struct SendableDisk: @unchecked Sendable {
    let disk: MemoryFileSystem
    init(_ disk: MemoryFileSystem) { self.disk = disk }
  }
}
