import Foundation
import Jute
import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Apache's own files, against their decoded listings.
@Suite(.timeLimit(.minutes(10))) struct SampleTests {
  @Test(arguments: Samples.directories) func logsHaveTheirListedRecords(_ directory: String) throws {
    let disk = try Samples.disk(directory)
    for segment in try TxnLogTests.directory(disk).segments() {
      let name = try #require(segment.path.split(separator: "/").last)
      let listing = try Samples.decoded(directory, String(name))
      let dump = try LogDump(disk, path: segment.path, segment: segment.zxid)
      #expect(dump.damage == nil)
      let end = try #require(listing["end"] as? [String: Any])
      #expect(dump.end == SegmentEnd(offset: Int(try #require(integer(end["offset"]))), tornBytes: 0))
      let txns = try #require(listing["txns"] as? [[String: Any]])
      #expect(dump.records.count == txns.count)
      for (record, txn) in zip(dump.records, txns) { try compare(record, txn) }
    }
  }

  private func compare(_ record: LogDump.Record, _ listed: [String: Any]) throws {
    let header = try #require(listed["hdr"] as? [String: Any])
    #expect(Int64(record.offset) == integer(listed["offset"]))
    #expect(Int64(record.lengthBytes) == integer(listed["len"]))
    #expect(Int64(record.checksum) == integer(listed["crc"]))
    #expect(record.header.sessionID.rawValue == integer(header["clientId"]))
    #expect(Int64(record.header.cxid.rawValue) == integer(header["cxid"]))
    #expect(record.header.zxid.rawValue == integer(header["zxid"]))
    #expect(record.header.timeMilliseconds == integer(header["time"]))
    #expect(Int64(record.header.type) == integer(header["type"]))
    let entry = try #require(record.entry)
    let digest = (listed["digest"] as? [String: Any]).flatMap { integer($0["treeDigest"]) }
    #expect(entry.digest.map { Int64(bitPattern: $0.treeDigest) } == digest)
    let body = try #require(listed["txn"] as? [String: Any])
    switch entry.txn {
    case .create(let create), .create2(let create), .createContainer(let create), .createTTL(let create, _):
      #expect(create.path == body["path"] as? String)
      #expect(Int64(create.parentCVersion) == integer(body["parentCVersion"]))
    case .setData(let set):
      #expect(set.path == body["path"] as? String)
      #expect(Int64(set.version) == integer(body["version"]))
    case .delete(let path): #expect(path == body["path"] as? String)
    case .createSession(let timeout): #expect(Int64(timeout) == integer(body["timeOut"]))
    case .error(let code): #expect(Int64(code.rawValue) == integer(body["err"]))
    default: break
    }
  }

  @Test(arguments: Samples.directories) func snapshotsHaveTheirListedNodes(_ directory: String) throws {
    let disk = try Samples.disk(directory)
    for snapshot in try TxnLogTests.directory(disk).snapshots() {
      let name = try #require(snapshot.path.split(separator: "/").last)
      let listing = try Samples.decoded(directory, String(name))
      var reader = try SnapshotReader(disk, path: snapshot.path, zxid: snapshot.zxid)
      let sessions = try #require(listing["sessions"] as? [[String: Any]])
      #expect(reader.sessions.map(\.id.rawValue) == sessions.map { integer($0["id"]) })
      #expect(reader.sessions.map { Int64($0.timeoutMilliseconds) } == sessions.map { integer($0["timeout"]) })
      let lists = try #require(listing["acls"] as? [[String: Any]])
      #expect(reader.aclLists.map(\.key) == lists.map { integer($0["key"]) })
      #expect(reader.aclLists.map(\.acl.count) == lists.map { ($0["acl"] as? [Any])?.count })
      let nodes = try #require(listing["nodes"] as? [[String: Any]])
      for listed in nodes { try compare(try #require(try reader.next()).node, listed) }
      #expect(try reader.next() == nil)
      #expect((reader.lastProcessed != nil) == directory.hasPrefix("run2"))
      #expect(try #require(reader.digest).zxid == snapshot.zxid)
    }
  }

  private func compare(_ node: SnapshotNode, _ listed: [String: Any]) throws {
    #expect(node.path == listed["path"] as? String)
    #expect(node.aclKey == integer(listed["acl"]))
    let stat = node.stat
    #expect(stat.czxid.rawValue == integer(listed["czxid"]))
    #expect(stat.mzxid.rawValue == integer(listed["mzxid"]))
    #expect(stat.pzxid.rawValue == integer(listed["pzxid"]))
    #expect(stat.ctimeMilliseconds == integer(listed["ctime"]))
    #expect(stat.mtimeMilliseconds == integer(listed["mtime"]))
    #expect(
      [stat.version, stat.cversion, stat.aversion].map { Int64($0) }
        == ["version", "cversion", "aversion"].map { integer(listed[$0]) })
    #expect(stat.ephemeralOwner == integer(listed["ephemeralOwner"]))
    #expect((node.data == nil) == (node.path == "/null"))
  }

  @Test(arguments: Samples.directories) func recoveryLoadsTheWholeDirectory(_ name: String) throws {
    let disk = try Samples.disk(name)
    let before = disk.visibleFiles
    let directory = directory(disk)
    let (recorder, report) = try recover(directory)
    #expect(report.lastZxid == Zxid(rawValue: 0x2_0000_0003))
    #expect(report.cut.isEmpty && report.oldTorn.isEmpty && report.skippedSnapshots.isEmpty)
    #expect(report.unreachedZxid == nil && !report.isEmpty)
    #expect(report.snapshot == (try directory.snapshots().last))
    #expect(recorder.zxids.last == report.lastZxid && recorder.zxids.count == report.replayedCount)
    let epochs = try EpochFiles(directory).load(lastZxid: report.lastZxid)
    #expect(epochs == .init(accepted: 2, current: 2))
    #expect(try EpochFiles(directory).serverID() == Int64(String(name.last!)))
    // Nothing was torn, so nothing was changed.
    #expect(disk.visibleFiles == before)
  }

  @Test(arguments: Samples.directories) func olderSnapshotsLeadToTheSameEnd(_ name: String) throws {
    let disk = try Samples.disk(name)
    let all = try directory(disk).snapshots()
    for damagedCount in 1..<max(2, all.count) where damagedCount < all.count {
      let disk = try Samples.disk(name)
      for snapshot in all.suffix(damagedCount) {
        var bytes = try #require(disk.visibleFiles[snapshot.path])
        bytes[bytes.count / 2] ^= 1
        disk.install(snapshot.path, bytes)
      }
      let (_, report) = try recover(directory(disk))
      #expect(report.lastZxid == Zxid(rawValue: 0x2_0000_0003))
      #expect(report.skippedSnapshots.count == damagedCount)
    }
  }

  @Test(arguments: ["gz", "snappy"]) func compressedSnapshotsAreRead(_ suffix: String) throws {
    let disk = MemoryFileSystem()
    disk.install("/data/version-2/snapshot.15.\(suffix)", try Samples.bytes("compressed/snapshot.15.\(suffix)"))
    let (recorder, report) = try recover(directory(disk))
    #expect(report.lastZxid == Zxid(rawValue: 0x15))
    #expect(recorder.nodes.count == 24 && recorder.sessions.count == 1)
    let data = [UInt8](String(repeating: "payload ", count: 8).utf8)
    #expect(recorder.nodes.filter { $0.data == data }.count == 20)
    #expect(report.snapshotDigest?.treeDigest == (suffix == "gz" ? 0xd_99bc_8485 : 0xc_0a3d_fdf5))
  }

  @Test(arguments: Samples.directories) func rewrittenLogsAreIdentical(_ name: String) throws {
    let disk = try Samples.disk(name)
    for segment in try directory(disk).segments() {
      let copy = MemoryFileSystem()
      let target = directory(copy)
      try target.create()
      var reader = try LogReader(disk, path: segment.path, segment: segment.zxid)
      let before = Zxid(rawValue: segment.zxid.rawValue - 1)
      var writer = LogWriter(
        copy, directory: target.logDirectory, after: before, settings: settings(16 << 10, marksBatches: false))
      while let record = try reader.next() { try writer.append(record.entry) }
      try writer.sync()
      let original = try #require(disk.visibleFiles[segment.path])
      let written = try #require(copy.visibleFiles[segment.path])
      #expect(written.prefix(reader.offset) == original.prefix(reader.offset))
      #expect(written[reader.offset...].allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: Samples.directories) func rewrittenSnapshotsAreIdentical(_ name: String) throws {
    let disk = try Samples.disk(name)
    for snapshot in try directory(disk).snapshots() {
      var reader = try SnapshotReader(disk, path: snapshot.path, zxid: snapshot.zxid)
      let copy = MemoryFileSystem()
      try directory(copy).create()
      var writer = try SnapshotWriter(
        copy, directory: "/data/version-2", zxid: snapshot.zxid, sessions: reader.sessions, aclLists: reader.aclLists)
      while let node = try reader.next() { try writer.append(node) }
      let path = try writer.finish(digest: reader.digest, lastProcessed: reader.lastProcessed)
      #expect(path == snapshot.path)
      #expect(copy.visibleFiles[path] == disk.visibleFiles[path])
    }
  }
}
