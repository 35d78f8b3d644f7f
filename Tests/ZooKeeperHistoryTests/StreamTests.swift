import Jute
import StorageTesting
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperHistory

/// The log from front to back.
@Suite(.timeLimit(.minutes(5))) struct StreamTests {
  private func zxid(_ raw: Int64) -> Zxid { Zxid(rawValue: raw) }

  /// The zxids that come, and what is found.
  private func read<Files>(
    _ stream: inout TransactionStream<Files>
  ) throws -> (zxids: [Int64], findings: [HistoryFinding]) {
    var zxids: [Int64] = []
    var findings: [HistoryFinding] = []
    while let item = try stream.next() {
      switch item {
      case .transaction(let record): zxids.append(record.zxid.rawValue)
      case .finding(let finding): findings.append(finding)
      }
    }
    return (zxids, findings)
  }

  @Test func allTransactionsComeInOrderFromAnyPlace() throws {
    let server = try Server.usual()
    let history = try server.history()
    var all = try TransactionStream(history, from: .beginning)
    #expect(try read(&all).zxids == Array(1...180))
    for (start, first) in [
      (TransactionStream<ReadOnlyFileSystem>.Start.zxid(zxid(61)), 61), (.zxid(zxid(60)), 1), (.lastSegments(1), 121),
      (.time(Server.time(of: zxid(130))), 121), (.time(0), 1),
    ] {
      var stream = try TransactionStream(history, from: start)
      #expect(try read(&stream).zxids == Array(Int64(first)...180))
    }
  }

  @Test(arguments: [true, false]) func damageIsReportedAndPassed(_ marksBatches: Bool) throws {
    let server = try Server.usual(marksBatches: marksBatches)
    try server.damage("log.3d", at: try server.offset(of: zxid(90), in: "log.3d") + 30)
    try server.damage("log.79", at: try server.offset(of: zxid(170), in: "log.79") + 30)
    var stream = try TransactionStream(try server.history(), from: .beginning)
    let (zxids, findings) = try read(&stream)
    #expect(zxids == Array(1...89) + Array(91...169) + Array(171...180))
    #expect(findings.count == 2)
    guard case .damagedLog(_, zxid(89))? = findings.first, case .damagedLog(_, zxid(169))? = findings.last else {
      Issue.record("\(findings)")
      return
    }
  }

  @Test func missingAndForeignSegmentsAreReported() throws {
    let server = try Server.usual()
    try server.disk.remove("\(Server.directory)/log.3d")
    var stream = try TransactionStream(try server.history(), from: .beginning)
    let (zxids, findings) = try read(&stream)
    #expect(zxids == Array(1...60) + Array(121...180))
    #expect(findings == [.gap(after: zxid(60), next: zxid(121))])
    server.disk.install("\(Server.directory)/log.3d", Array("not a log at all".utf8))
    var other = try TransactionStream(try server.history(), from: .beginning)
    let foreign = try read(&other)
    #expect(foreign.zxids == zxids)
    #expect(foreign.findings.count == 1)
  }

  @Test func growingLogIsFollowedIntoOtherSegments() throws {
    let server = try Server()
    var stream = try TransactionStream(try server.history(), from: .beginning)
    #expect(try read(&stream).zxids == [])
    for round in Int64(0)..<4 {
      let first = round * 3 + 1
      for number in first..<(first + 3) {
        try server.create("/n\(number)")
        // Larger than what is preallocated.
        try server.apply(.setData(SetDataTxn(path: "/n\(number)", data: .init(repeating: 7, count: 9000), version: 1)))
      }
      if round % 2 == 1 { try server.roll() }
      try stream.refresh()
      #expect(try read(&stream).zxids == Array((first * 2 - 1)...(first * 2 + 4)))
    }
    #expect(try read(&stream).findings == [])
  }

  @Test func outlinesHaveWhatTheEntriesHave() throws {
    let server = try Server.usual()
    var stream = try TransactionStream(try server.history(), from: .beginning)
    var kinds: Set<OpCode> = []
    while let item = try stream.next() {
      guard case .transaction(let record) = item else { continue }
      var reader = JuteReader(record.entry)
      let entry = try TxnEntry(from: &reader)
      let outline = try #require(TxnOutline(record.entry))
      #expect(outline.header == entry.header)
      var operations: [TxnOutline.Operation] = []
      #expect(
        outline.forEachOperation(readsACLs: true) {
          operations.append($0); return true
        })
      let txns = if case .multi(let parts) = entry.txn { parts } else { [entry.txn] }
      #expect(operations.map(\.opCode) == txns.map(\.opCode))
      for (operation, txn) in zip(operations, txns) {
        kinds.insert(txn.opCode)
        let path = String(decoding: operation.path, as: UTF8.self)
        switch txn {
        case .create(let body):
          #expect(path == body.path && operation.data.map { [UInt8]($0) } == body.data && operation.acl == body.acl)
          #expect(operation.isEphemeral == body.isEphemeral)
        case .setData(let body): #expect(path == body.path && operation.version == body.version)
        case .delete(let deleted): #expect(path == deleted)
        case .error(let code): #expect(operation.error == code)
        case .createSession(let timeout): #expect(operation.milliseconds == Int64(timeout))
        default: break
        }
      }
    }
    #expect(kinds == [.create, .setData, .delete, .error, .createSession, .check])
  }

  @Test func filtersChooseByPathSessionKindAndBounds() throws {
    let server = try Server.usual()
    let history = try server.history()
    func count(_ change: (inout TxnFilter) -> Void) throws -> Int {
      var filter = TxnFilter()
      change(&filter)
      var stream = try TransactionStream(history, from: .beginning)
      var count = 0
      while let item = try stream.next() {
        if case .transaction(let record) = item, let outline = TxnOutline(record.entry), filter.includes(outline) {
          count += 1
        }
      }
      return count
    }
    #expect(try count { _ in } == 180)
    #expect(try count { $0.path = "/app" } == 30)
    #expect(
      try count {
        $0.path = "/ap"; $0.includesDescendants = true
      } == 0)
    #expect(
      try count {
        $0.path = "/app"; $0.includesDescendants = true
      } == 30 + 30 + 29 + 30)
    #expect(
      try count {
        $0.path = "/app/e8"; $0.opCodes = [.delete]
      } == 1)
    #expect(
      try count {
        $0.path = "/"; $0.includesDescendants = true
      } == 119 + 30)
    #expect(try count { $0.session = SessionID(rawValue: 5) } == 0)
    #expect(try count { $0.zxids = Zxid(rawValue: 10)...Zxid(rawValue: 19) } == 10)
    #expect(try count { $0.times = Server.time(of: Zxid(rawValue: 10))...Server.time(of: Zxid(rawValue: 12)) } == 3)
  }

  @Test func damagedBodiesNeverTrap() throws {
    let server = try Server.usual()
    var stream = try TransactionStream(try server.history(), from: .beginning)
    var entries: [[UInt8]] = []
    while let item = try stream.next() {
      if case .transaction(let record) = item { entries.append([UInt8](record.entry)) }
    }
    var random = SplitMix64(seed: 14)
    var readCount = 0
    for _ in 0..<20_000 {
      var bytes = entries[Int(random.next() % UInt64(entries.count))]
      for _ in 0..<(1 + random.next() % 3) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 255)
      }
      if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      bytes.withUnsafeBytes { raw in
        guard let outline = TxnOutline(raw) else { return }
        if outline.forEachOperation(readsACLs: random.next() & 1 == 0, { $0.path.count >= 0 }) { readCount += 1 }
      }
    }
    #expect(readCount > 1000)
  }
}
