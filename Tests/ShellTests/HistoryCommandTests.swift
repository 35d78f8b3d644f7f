import Foundation
import JSONFormat
import Jute
import TestKit
import Testing
import ZooKeeperHistory
import ZooKeeperProtocol

@testable import ZooKeeperShell

/// Moments, and transactions as lines.
@Suite(.timeLimit(.minutes(1))) struct HistoryCommandTests {
  private static let now: Int64 = 1_800_000_000_000

  @Test(arguments: [
    ("0x10000002A", Moment.at(Zxid(rawValue: 0x1_0000_002a))), ("26", .at(Zxid(rawValue: 26))),
    ("10m", .atTime(now - 600_000)), ("500ms", .atTime(now - 500)), ("1970-01-02", .atTime(86_400_000)),
    ("2026-11-28T12:00:00Z", .atTime(1_795_867_200_000)),
  ])
  func momentsAreTransactionsAndTimes(text: String, moment: Moment) throws {
    #expect(try ValueParser.moment(Word(text), of: "--at", now: Self.now) == moment)
  }

  @Test(arguments: ["", "0x", "0xg", "1a", "-5", "yesterday", "99999999999999999999", "2026-13-01", "12:00"])
  func otherTextsAreRefused(text: String) {
    let error = #expect(throws: ShellError.self) {
      try ValueParser.moment(Word(text), of: "--before", now: Self.now)
    }
    #expect(error?.exitCode == .usage)
    #expect(error?.hint?.contains("0x1a") == true)
  }

  private func batch(_ txns: [Txn]) -> TransactionBatch {
    var batch = TransactionBatch()
    for (index, txn) in txns.enumerated() {
      let header = TxnHeader(
        sessionID: SessionID(rawValue: 0x1_0000), cxid: Xid(rawValue: 3), zxid: Zxid(rawValue: Int64(index) + 15),
        timeMilliseconds: 1_795_867_200_007, opCode: txn.opCode)
      var writer = JuteWriter()
      TxnEntry(header: header, txn: txn, digest: nil).encode(into: &writer)
      writer.bytes.withUnsafeBytes { batch.append($0) }
    }
    return batch
  }

  @Test func transactionsAreLines() throws {
    let create = CreateTxn(
      path: "/a", data: Array("it's".utf8), acl: ACL.openUnsafe, isEphemeral: true, parentCVersion: 1)
    var batch = batch([
      .create(create), .multi([.delete(path: "/b"), .setData(SetDataTxn(path: "/c", data: nil, version: 7))]),
      .multi([.delete(path: "/b"), .error(.noNode)]), .closeSession(paths: ["/a"]), .error(.badVersion),
      .createSession(timeoutMilliseconds: 4000),
    ])
    let time = "2026-11-28T12:00:00.007Z"
    #expect(
      String(decoding: TransactionText.lines(of: batch), as: UTF8.self) == """
        0xf \(time) 0x10000 create /a 4 bytes ephemeral
        0x10 \(time) 0x10000 multi delete /b, set /c version 7 null
        0x11 \(time) 0x10000 multi undone delete /b, error NoNode
        0x12 \(time) 0x10000 closeSession, delete /a
        0x13 \(time) 0x10000 error BadVersion
        0x14 \(time) 0x10000 createSession timeout 4000 ms

        """)
    // Only what concerns a znode, with data, and with who it was.
    batch.filter.path = "/a"
    batch.showsData = true
    let log = try Scratch.directory("audit") + "/audit.log"
    try Scratch.write(
      """
      2026-11-28 12:00:00,001 INFO audit.Slf4jAuditLogger: user=bob,digest\toperation=serverStart\tresult=invoked
      2026-11-28 12:00:00,007 INFO audit.Slf4jAuditLogger: session=0x10000\tuser=bob\tip=10.0.0.7\toperation=create

      """, to: log)
    batch.users = try AuditFile.users(log)
    #expect(batch.users == [SessionID(rawValue: 0x1_0000): SessionUser(address: "10.0.0.7", user: "bob")])
    let first = String(decoding: TransactionText.lines(of: batch), as: UTF8.self).split(separator: "\n").first
    #expect(
      first == #"0xf \#(time) 0x10000 create /a 4 bytes ephemeral "it's" acl world:anyone:cdrwa by 10.0.0.7 bob"#)
    let documents = JSON.documents(of: batch)
    #expect(documents.count == 6)
    #expect(documents[0]["user"]?.text == "bob")
    guard case .array(let operations)? = documents[3]["operations"] else {
      Issue.record("no operations")
      return
    }
    #expect(operations.count == 1 && operations[0]["operation"]?.text == "delete")
  }
}
