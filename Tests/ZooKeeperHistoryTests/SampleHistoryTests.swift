import Foundation
import StorageTesting
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperHistory

/// The files of Apache's servers of 3.8.0 and 3.9.5, with fuzzy snapshots; see `StorageFormat` D.12.
@Suite(.timeLimit(.minutes(5))) struct SampleHistoryTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "TxnLogTests/Resources")
  static let directories = ["run1-3.8.0", "run2-3.9.5-snapcount"].flatMap { run in (1...3).map { "\(run)/server\($0)" }
  }

  static func disk(_ directory: String) throws -> MemoryFileSystem {
    let disk = MemoryFileSystem()
    let files = root.appending(path: "\(directory)/version-2")
    for file in try FileManager.default.contentsOfDirectory(at: files, includingPropertiesForKeys: nil) {
      disk.install("/data/version-2/\(file.lastPathComponent)", [UInt8](try Data(contentsOf: file)))
    }
    return disk
  }

  /// Every transaction has the digest that the tree must have after it, so that a state that differs is a finding.
  @Test(arguments: directories) func everyStateHasTheLeadersDigest(_ directory: String) throws {
    let disk = try Self.disk(directory)
    var history = try HistoryDirectory(ReadOnlyFileSystem(disk), path: "/data")
    var stream = try TransactionStream(history, from: .beginning)
    var previous = Zxid.zero
    var count = 0
    while let item = try stream.next() {
      guard case .transaction(let record) = item else {
        Issue.record("\(item)")
        continue
      }
      let state = try history.state(at: .at(record.zxid))
      #expect(state.zxid == record.zxid)
      #expect(state.findings == [])
      #expect(try history.state(at: .before(record.zxid)).zxid == previous)
      previous = record.zxid
      count += 1
    }
    #expect(count >= 25)
    // What the runs end with.
    let newest = try history.state(at: .newest)
    #expect(newest.exists("/null") == !newest.exists("/epoch2"))
    #expect(newest.znode(at: "/cont")?.lifetime == .container)
    #expect(newest.znode(at: "/ttl")?.lifetime == .ttl(milliseconds: 3_600_000))
    #expect(newest.znode(at: "/app/a")?.acl.count == 2)
  }

  @Test(arguments: ["snapshot.15.gz", "snapshot.15.snappy"]) func compressedSnapshotsAreRead(_ name: String) throws {
    let disk = MemoryFileSystem()
    let file = Self.root.appending(path: "compressed/\(name)")
    disk.install("/data/\(name)", [UInt8](try Data(contentsOf: file)))
    for path in ["/data", "/data/\(name)"] {
      var history = try HistoryDirectory(ReadOnlyFileSystem(disk), path: path)
      let state = try history.state(at: .newest)
      #expect(state.zxid == Zxid(rawValue: 0x15))
      #expect(state.znodeCount > 4)
    }
    // Cut in the middle, nothing of it can be had.
    disk.install("/data/\(name)", Array([UInt8](try Data(contentsOf: file)).dropLast(40)))
    var history = try HistoryDirectory(ReadOnlyFileSystem(disk), path: "/data")
    let findings = try history.state(at: .newest).findings
    #expect(findings.contains { if case .partialSnapshot = $0 { true } else { false } })
  }
}
