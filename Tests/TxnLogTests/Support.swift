import Foundation
import Jute
import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Real server data, and their decoded listings: see `StorageFormat` D.12.
enum Samples {
  static let root = Bundle.module.bundleURL.appending(path: "Resources").path

  /// Every data directory, as `run/serverN`.
  static let directories = ["run1-3.8.0", "run2-3.9.5-snapcount"].flatMap { run in
    (1...3).map { "\(run)/server\($0)" }
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: "\(root)/\(path)")))
  }

  static func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(directory)").sorted()
  }

  static func decoded(_ directory: String, _ name: String) throws -> [String: Any] {
    let file = "decoded/\(directory.replacingOccurrences(of: "/", with: ".")).\(name).json"
    let data = try Data(contentsOf: URL(filePath: "\(root)/\(file)"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// The directory as `/data` of a disk in memory.
  static func disk(_ directory: String) throws -> MemoryFileSystem {
    let disk = MemoryFileSystem()
    for name in try names(in: "\(directory)/version-2") {
      disk.install("/data/version-2/\(name)", try bytes("\(directory)/version-2/\(name)"))
    }
    disk.install("/data/myid", try bytes("\(directory)/myid"))
    return disk
  }
}

/// A JSON number or a hexadecimal string as an integer.
func integer(_ value: Any?) -> Int64? {
  if let number = value as? NSNumber { return number.int64Value }
  guard let text = value as? String, text.hasPrefix("0x") else { return nil }
  return UInt64(text.dropFirst(2), radix: 16).map(Int64.init(bitPattern:))
}

/// Remembers what recovery gives to it.
struct Recorder: RecoveryTarget {
  var snapshotZxid: Zxid?
  var sessions: [SnapshotSession] = []
  var aclLists: [SnapshotACLList] = []
  var nodes: [SnapshotNode] = []
  var entries: [[UInt8]] = []
  var zxids: [Zxid] = []
  var endedSnapshots = 0

  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) {
    self = Recorder()
    (snapshotZxid, self.sessions, self.aclLists) = (zxid, sessions, aclLists)
  }

  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError) { nodes.append(node.node) }

  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) { endedSnapshots += 1 }

  mutating func replay(_ entry: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) {
    entries.append([UInt8](entry))
    zxids.append(zxid)
  }
}

/// The disk of most tests, with the directories of one server.
typealias Directory = DataDirectory<MemoryFileSystem>

func directory(_ disk: MemoryFileSystem) -> Directory { Directory(disk, dataDirectory: "/data") }

/// A new server's directory with `snapshot.0`.
func freshDirectory(_ disk: MemoryFileSystem = MemoryFileSystem()) throws -> Directory {
  let directory = directory(disk)
  try directory.create()
  try writeSnapshot(directory, Zxid.zero)
  return directory
}

/// The nodes every tree has.
let builtIns: [SnapshotNode] = ["", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"].map {
  SnapshotNode(
    path: $0, data: [], aclKey: -1,
    stat: StatPersisted(
      czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: 0, pzxid: .zero))
}

func writeSnapshot(
  _ directory: Directory, _ zxid: Zxid, nodes: [SnapshotNode] = builtIns, fuzzyThrough: Zxid? = nil
) throws {
  var writer = try SnapshotWriter(
    directory.files, directory: directory.snapshotDirectory, zxid: zxid, sessions: [], aclLists: [])
  for node in nodes { try writer.append(node) }
  try writer.finish(digest: SnapshotDigest(zxid: fuzzyThrough ?? zxid, treeDigest: 1))
}

/// A create of `/n<zxid>` with `dataBytes` of data.
func entry(_ zxid: Int64, dataBytes: Int = 20) -> [UInt8] {
  let header = TxnHeader(
    sessionID: SessionID(rawValue: 0x1234), cxid: Xid(rawValue: Int32(truncatingIfNeeded: zxid)),
    zxid: Zxid(rawValue: zxid), timeMilliseconds: 1_700_000_000_000, opCode: .create)
  let body = CreateTxn(
    path: "/n\(zxid)", data: (0..<dataBytes).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(zxid)) },
    acl: ACL.openUnsafe, isEphemeral: false, parentCVersion: Int32(truncatingIfNeeded: zxid))
  return TxnEntry(header: header, txn: .create(body), digest: TxnDigest(treeDigest: UInt64(bitPattern: zxid))).encoded
}

/// Settings for small files.
func settings(_ preallocationBytes: Int = 4096, marksBatches: Bool = true) -> LogSettings {
  var settings = LogSettings()
  settings.preallocationBytes = preallocationBytes
  settings.marksBatches = marksBatches
  return settings
}

/// Writes batches of entries as one segment; each batch is synced.
func writeLog(
  _ directory: Directory, after last: Zxid = .zero, batches: [[Int64]], dataBytes: Int = 20,
  _ settings: LogSettings = settings()
) throws {
  var writer = LogWriter(directory.files, directory: directory.logDirectory, after: last, settings: settings)
  for batch in batches {
    for zxid in batch { try writer.append(entry(zxid, dataBytes: dataBytes)) }
    try writer.sync()
  }
}

/// What a directory holds: the zxids after its snapshot, and the report.
func recover(
  _ directory: Directory, _ settings: RecoverySettings = RecoverySettings()
) throws -> (Recorder, RecoveryReport) {
  var recorder = Recorder()
  let report = try directory.recover(into: &recorder, settings: settings)
  return (recorder, report)
}

/// The code of the error that recovery ends with.
func refusal(_ directory: Directory) -> TxnLogError? {
  #expect(throws: TxnLogError.self) { try recover(directory) }
}

func zxids(_ range: ClosedRange<Int64>) -> [Zxid] { range.map(Zxid.init(rawValue:)) }
