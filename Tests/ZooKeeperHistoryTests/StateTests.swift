import StorageTesting
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperHistory

/// States of the past from whole files.
@Suite(.timeLimit(.minutes(5))) struct StateTests {
  private func zxid(_ raw: Int64) -> Zxid { Zxid(rawValue: raw) }

  @Test func everyStateIsTheOneOfThen() throws {
    let server = try Server.usual()
    var history = try server.history()
    for raw in Int64(0)...180 {
      let state = try history.state(at: .at(zxid(raw)))
      #expect(state.zxid == zxid(raw))
      #expect(state.znodes == server.states[zxid(raw)])
      #expect(state.findings == [])
      #expect(state.snapshot?.zxid == zxid(min(120, raw / 60 * 60)))
    }
    #expect(try history.state(at: .newest).znodes == server.states[zxid(180)])
  }

  @Test func momentsBeforeATransactionAndTimesMeanTheSame() throws {
    let server = try Server.usual()
    var history = try server.history()
    for raw in [Int64(1), 2, 60, 61, 119, 120, 121, 180] {
      let time = Server.time(of: zxid(raw))
      #expect(try history.state(at: .before(zxid(raw))).zxid == zxid(raw - 1))
      #expect(try history.state(at: .atTime(time)).zxid == zxid(raw))
      #expect(try history.state(at: .atTime(time + 999)).zxid == zxid(raw))
      #expect(try history.state(at: .beforeTime(time)).zxid == zxid(raw - 1))
      #expect(try history.state(at: .at(zxid(raw))).timeMilliseconds == (raw % 60 == 0 && raw < 180 ? nil : time))
    }
    #expect(try history.state(at: .atTime(.max)).zxid == zxid(180))
    #expect(try history.state(at: .atTime(0)).zxid == .zero)
  }

  @Test func sessionsAreThoseThatWereOpen() throws {
    let server = try Server()
    try server.apply(.createSession(timeoutMilliseconds: 5000))
    try server.create("/e", ephemeral: true)
    try server.snapshot()
    try server.apply(.closeSession(paths: ["/e"]))
    var history = try server.history()
    #expect(try history.state(at: .at(zxid(2))).sessions == [Server.session: 5000])
    #expect(try history.state(at: .at(zxid(3))).sessions == [:])
    #expect(try history.state(at: .at(zxid(2))).znode(at: "/e")?.lifetime == .session(Server.session))
    #expect(try history.state(at: .at(zxid(3))).znode(at: "/e") == nil)
  }

  @Test func momentAfterTheEndIsAnError() throws {
    let server = try Server.usual()
    var history = try server.history()
    for moment in [Moment.at(zxid(181)), .before(zxid(182))] {
      let error = #expect(throws: HistoryError.self) { try history.state(at: moment) }
      #expect(error?.code == .beyondEnd(last: zxid(180)))
    }
    #expect(try history.state(at: .before(zxid(181))).zxid == zxid(180))
  }

  @Test func momentBeforeTheFirstSnapshotNamesTheEarliest() throws {
    let server = try Server.usual()
    for name in ["snapshot.0", "log.1"] { try server.disk.remove("\(Server.directory)/\(name)") }
    var history = try server.history()
    let expected = HistoryError.Code.tooEarly(earliest: zxid(60), timeMilliseconds: Server.time(of: zxid(61)))
    let early: [Moment] = [
      .at(zxid(59)), .before(zxid(60)), .before(.zero), .atTime(Server.time(of: zxid(60))), .beforeTime(0),
    ]
    for moment in early {
      #expect(#expect(throws: HistoryError.self) { try history.state(at: moment) }?.code == expected)
    }
    #expect(try history.state(at: .before(zxid(61))).znodes == server.states[zxid(60)])
  }

  @Test func completeLogNeedsNoSnapshotAndAnotherDoes() throws {
    let server = try Server.usual()
    for name in ["snapshot.0", "snapshot.3c", "snapshot.78"] { try server.disk.remove("\(Server.directory)/\(name)") }
    var history = try server.history()
    #expect(try history.state(at: .newest).znodes == server.states[zxid(180)])
    try server.disk.remove("\(Server.directory)/log.1")
    try history.refresh()
    #expect(#expect(throws: HistoryError.self) { try history.state(at: .newest) }?.code == .noSnapshot)
  }

  @Test func snapshotsWithoutALogSaySo() throws {
    let server = try Server.usual()
    for name in ["log.1", "log.3d", "log.79"] { try server.disk.remove("\(Server.directory)/\(name)") }
    var history = try server.history()
    let state = try history.state(at: .newest)
    #expect(state.zxid == zxid(120))
    #expect(state.findings == [.noLog(directory: Server.directory)])
    #expect(try history.state(at: .at(zxid(60))).zxid == zxid(60))
    #expect(
      #expect(throws: HistoryError.self) { try history.state(at: .at(zxid(61))) }?.code == .beyondEnd(last: zxid(60)))
    #expect(#expect(throws: HistoryError.self) { try history.state(at: .atTime(5)) }?.code == .timeWithoutLog)
  }

  @Test func logsMayBeElsewhereAndFilesMayBeNamedAlone() throws {
    let server = try Server.usual()
    let disk = server.disk
    for path in ["/logs", "/logs/version-2"] { try disk.createDirectory(path) }
    for name in ["log.1", "log.3d", "log.79"] {
      disk.install("/logs/version-2/\(name)", try disk.contents(of: "\(Server.directory)/\(name)"))
      try disk.remove("\(Server.directory)/\(name)")
    }
    let files = ReadOnlyFileSystem(disk)
    for path in ["/data", "/data/", "/data/version-2"] {
      var history = try HistoryDirectory(files, path: path, logPath: "/logs")
      #expect(try history.state(at: .newest).znodes == server.states[zxid(180)])
    }
    disk.install("/copy", try disk.contents(of: "\(Server.directory)/snapshot.78"))
    for path in ["/copy", "\(Server.directory)/snapshot.78"] {
      var history = try HistoryDirectory(files, path: path)
      #expect(try history.state(at: .newest).znodes == server.states[zxid(120)])
      #expect(try history.state(at: .newest).zxid == zxid(120))
    }
    var log = try HistoryDirectory(files, path: "/logs/version-2/log.1")
    #expect(try log.state(at: .newest).znodes == server.states[zxid(60)])
  }

  @Test func nothingAndForeignFilesAreErrors() throws {
    let disk = MemoryFileSystem()
    for path in ["/empty", "/other"] { try disk.createDirectory(path) }
    disk.install("/other/notes.txt", Array("notes".utf8))
    let files = ReadOnlyFileSystem(disk)
    for path in ["/empty", "/other"] {
      let error = #expect(throws: HistoryError.self) { try HistoryDirectory(files, path: path) }
      #expect(error == HistoryError(.noData, path: path))
    }
    for path in ["/missing", "/other/notes.txt"] {
      let error = #expect(throws: HistoryError.self) { try HistoryDirectory(files, path: path) }
      guard case .file? = error?.code else {
        Issue.record("\(path): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func readingCanBeStopped() throws {
    let server = try Server()
    for number in 0..<9000 { try server.apply(.error(.noNode), zxid: zxid(Int64(number) + 1)) }
    var history = try server.history()
    let error = #expect(throws: HistoryError.self) {
      try history.state(at: .newest, HistoryHooks(goesOn: { $0 < 8000 }))
    }
    #expect(error?.code == .stopped)
  }

  @Test func epochsFollowEachOther() throws {
    let server = try Server()
    try server.apply(.createSession(timeoutMilliseconds: 1), zxid: zxid(0x1_0000_0001))
    try server.create("/a")
    try server.apply(.delete(path: "/a"), zxid: zxid(0x2_0000_0001))
    var history = try server.history()
    for moment in [Moment.before(zxid(0x2_0000_0001)), .at(zxid(0x1_0000_0fff))] {
      let state = try history.state(at: moment)
      #expect(state.zxid == zxid(0x1_0000_0002))
      #expect(state.exists("/a"))
    }
    #expect(try !history.state(at: .newest).exists("/a"))
  }
}
