import Foundation
import Jute
import NIOCore
import NIOPosix
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// How a leader reads its log for a learner, on a real disk.
@Suite(.timeLimit(.minutes(2))) final class LearnerLogTests {
  private let loop = MultiThreadedEventLoopGroup.singleton.next()
  private let path = FileManager.default.temporaryDirectory.appending(path: "learner-log-\(UUID())").path
  private let directory: DataDirectory<PosixFileSystem>

  init() throws {
    directory = DataDirectory(PosixFileSystem(), dataDirectory: path)
    try directory.create()
    try Data(count: 1000).write(to: URL(filePath: "\(directory.snapshotDirectory)/snapshot.0"))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private static func zxid(_ counter: Int) -> Zxid { Zxid(rawValue: 1 << 32 | Int64(counter)) }

  /// Writes the transactions 1 to `count` of epoch 1, each of so many bytes.
  private func write(_ count: Int, bytes: Int) throws {
    var settings = LogSettings()
    settings.preallocationBytes = 0
    var writer = LogWriter(
      directory.files, directory: directory.logDirectory, after: Self.zxid(0), settings: settings)
    for counter in 1...count {
      let entry = TxnEntry(
        header: TxnHeader(
          sessionID: .none, cxid: Xid(rawValue: 0), zxid: Self.zxid(counter), timeMilliseconds: 0, opCode: .setData),
        txn: .setData(SetDataTxn(path: "/a", data: [UInt8](repeating: 7, count: bytes), version: 1)), digest: nil)
      try writer.append(entry.encoded)
    }
    _ = try writer.sync()
  }

  /// What an examination of everything after a transaction finds; nil if it ends without a finding.
  private func finding(
    after first: Int = 1, through last: Int, sizeFactor: Double = 0, patience: TimeAmount = .seconds(60),
    isWanted: Bool = true
  ) async throws -> LearnerLog.Finding? {
    try await loop.flatSubmit { [loop, directory] in
      let promise = loop.makePromise(of: LearnerLog.Finding?.self)
      let log = LearnerLog(directory, sizeFactor: sizeFactor, loop: loop)
      let wanted = {
        if isWanted { return true }
        promise.succeed(nil)
        log.stop()
        return false
      }
      log.examine(after: Self.zxid(first), through: Self.zxid(last), at: nil, for: patience, while: wanted) {
        promise.succeed($0)
        log.stop()
      }
      return promise.futureResult
    }.get()
  }

  @Test func aLogIsExamined() async throws {
    try write(10, bytes: 100)
    #expect(try await finding(through: 10) == .complete)
    // The snapshot has 1000 bytes, and nine transactions of more than 100 each follow.
    #expect(try await finding(through: 10, sizeFactor: 0.9) == .unsuitable)
    try FileManager.default.removeItem(atPath: directory.logDirectory + "/log.100000001")
    #expect(try await finding(through: 10) == .unsuitable)
    try write(3, bytes: 100)
    #expect(try await finding(through: 3, sizeFactor: 0.9) == .complete)
  }

  @Test func anExaminationEndsInTime() async throws {
    try write(12, bytes: 1 << 20)
    #expect(try await finding(after: 11, through: 12) == .complete)
    #expect(try await finding(after: 11, through: 12, patience: .zero) == .tooSlow)
    #expect(try await finding(after: 11, through: 12, isWanted: false) == nil)
  }

  @Test func aLogIsSentInPieces() async throws {
    try write(6, bytes: 100_000)
    var counts: [Int] = []
    let pieces = try await pieces(through: 6)
    for piece in pieces {
      var zxids: [Zxid] = []
      try piece.withUnsafeBytes { bytes in
        var rest = bytes
        while let (packet, length) = try QuorumPacket.first(in: rest, limitBytes: 1 << 20) {
          #expect(packet.kind == (packet.data == nil ? .commit : .proposal))
          zxids.append(packet.zxid)
          rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
        #expect(rest.isEmpty)
      }
      counts.append(zxids.count)
    }
    // Five transactions with their COMMITs: three are enough for a piece.
    #expect(counts == [6, 4])
  }

  @Test func aLogThatDoesNotHaveItAllIsAnError() async throws {
    try write(3, bytes: 10)
    await #expect(throws: TxnLogError.self) { try await self.pieces(through: 5) }
  }

  /// The bytes of the pieces of everything after the first transaction.
  private func pieces(through last: Int) async throws -> [[UInt8]] {
    try await loop.flatSubmit { [loop, directory] in
      let promise = loop.makePromise(of: [[UInt8]].self)
      let log = LearnerLog(directory, sizeFactor: 0, loop: loop)
      let feed = log.feed(after: Self.zxid(1), through: Self.zxid(last))
      var pieces: [[UInt8]] = []
      func proceed() {
        feed.next { result in
          switch result {
          case .success(let piece):
            pieces.append(piece.bytes.bytes)
            guard piece.isLast else { return proceed() }
            promise.succeed(pieces)
          case .failure(let error): promise.fail(error)
          }
          log.stop()
        }
      }
      proceed()
      return promise.futureResult
    }.get()
  }
}
