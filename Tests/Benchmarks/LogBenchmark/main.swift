import Checksums
import Foundation
import TxnLog
import ZooKeeperProtocol

// What the log and snapshots cost on this machine: log-benchmark [DIRECTORY].
// Rates are wall time, which a busy machine disturbs; the CPU column is this process's user and system time.

/// Seconds of wall time and CPU that `body` takes.
func measure(_ body: () throws -> Void) rethrows -> (wall: Double, cpu: Double) {
  func cpu() -> Double {
    var usage = rusage()
    _ = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
  let (start, startCPU) = (ContinuousClock.now, cpu())
  try body()
  let wall = ContinuousClock.now - start
  return (Double(wall.components.seconds) + Double(wall.components.attoseconds) / 1e18, cpu() - startCPU)
}

/// An entry of `count` bytes whose header has room for a zxid.
func entry(_ zxid: Int64, count: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0x5a, count: count)
  for index in 0..<8 { bytes[12 + index] = UInt8(truncatingIfNeeded: zxid >> (56 - 8 * Int64(index))) }
  return bytes
}

/// Discards what it is given, and counts.
struct Counter: RecoveryTarget {
  var nodes = 0
  var txns = 0
  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) { nodes = 0 }
  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError) { nodes += 1 }
  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) {}
  mutating func replay(_ entry: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) { txns += 1 }
}

let files = PosixFileSystem()
let base = CommandLine.arguments.dropFirst().first ?? FileManager.default.temporaryDirectory.path
let root = "\(base)/log-benchmark-\(getpid())"
defer { try? FileManager.default.removeItem(atPath: root) }

func row(_ name: String, _ count: Int, _ unit: String, _ time: (wall: Double, cpu: Double)) {
  let rate = Int(Double(count) / time.wall)
  let cost = String(format: "%.2f", time.cpu / Double(count) * 1e6)
  print("\(name): \(rate) \(unit)/s, \(cost) us CPU each")
}

for (outstanding, batches) in [(1, 4000), (8, 3000), (64, 2000), (512, 500)] {
  for step in [0, 64 << 20] {
    let directory = DataDirectory(files, dataDirectory: "\(root)/log-\(outstanding)-\(step)")
    try directory.create()
    var settings = LogSettings()
    settings.preallocationBytes = step
    var writer = LogWriter(files, directory: directory.logDirectory, after: .zero, settings: settings)
    var zxid: Int64 = 0
    let time = try measure {
      for _ in 0..<batches {
        for _ in 0..<outstanding {
          zxid += 1
          try writer.append(entry(zxid, count: 200))
        }
        try writer.sync()
      }
    }
    row(
      "append and sync, \(outstanding) outstanding, \(step >> 20) MiB preallocated", batches * outstanding, "txns", time
    )
  }
}

let nodeCount = 1_000_000
let directory = DataDirectory(files, dataDirectory: "\(root)/snapshot")
try directory.create()
let stat = StatPersisted(
  czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
  ephemeralOwner: 0, pzxid: .zero)
let path = Array("/parent-0123/child-000001".utf8)
let data = [UInt8](repeating: 7, count: 100)
let writing = try measure {
  var writer = try SnapshotWriter(
    files, directory: directory.snapshotDirectory, zxid: .zero, sessions: [], aclLists: [])
  try path.withUnsafeBytes { path in
    try data.withUnsafeBytes { data in
      for _ in 0..<nodeCount {
        try writer.append(SnapshotNodeView(path: path, data: data, aclKey: -1, stat: stat))
      }
    }
  }
  try writer.finish(digest: nil)
}
row("snapshot written", nodeCount, "nodes", writing)
var log = LogWriter(files, directory: directory.logDirectory, after: .zero)
for zxid in 1...500_000 as ClosedRange<Int64> { try log.append(entry(zxid, count: 200)) }
try log.roll()
var counter = Counter()
let reading = try measure { _ = try directory.recover(into: &counter) }
row("recovery of \(counter.nodes) nodes and \(counter.txns) txns", counter.nodes + counter.txns, "items", reading)
let block = [UInt8](repeating: 0xa5, count: 64 << 20)
let summing = block.withUnsafeBytes { raw in measure { precondition(Adler32.checksum(raw) != 0) } }
row("Adler-32", 64, "MiB", summing)
