import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Random damage to real files: the readers answer with records or an error, and never trap.
@Suite(.timeLimit(.minutes(10))) struct MutationTests {
  private func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var result = bytes
    for _ in 0...(random.next() % 4) {
      guard !result.isEmpty else { return result }
      let place = Int(random.next() % UInt64(result.count))
      switch random.next() % 6 {
      case 0: result[place] ^= UInt8(truncatingIfNeeded: 1 << (random.next() % 8))
      case 1: result[place] = UInt8(truncatingIfNeeded: random.next())
      case 2: result.removeSubrange(place..<min(result.count, place + Int(random.next() % 40)))
      case 3: result.insert(contentsOf: (0..<Int(random.next() % 40)).map { _ in 0xff }, at: place)
      case 4: result.removeLast(result.count - place)
      default:
        let values: [UInt8] = [[0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0, 0, 0, 0]][
          Int(random.next() % 4)]
        for (index, value) in values.enumerated() where place + index < result.count { result[place + index] = value }
      }
    }
    return result
  }

  @Test func logReaderNeverTraps() throws {
    let bytes = try Samples.bytes("run1-3.8.0/server1/version-2/log.100000001")
    let original = MemoryFileSystem()
    original.install("/log.100000001", bytes)
    let whole = try LogDump(original, path: "/log.100000001", segment: Zxid(rawValue: 0x1_0000_0001)).records
    let short = Array(bytes[..<2800])
    for seed in UInt64(1)...3000 {
      var random = SplitMix64(seed: seed)
      let disk = MemoryFileSystem()
      disk.install("/log.100000001", mutate(short, &random))
      guard let dump = try? LogDump(disk, path: "/log.100000001", segment: Zxid(rawValue: 0x1_0000_0001)) else {
        continue
      }
      // What is returned was written.
      for record in dump.records { #expect(whole.contains { $0.entry == record.entry }, "seed \(seed)") }
    }
  }

  @Test(arguments: [
    "run1-3.8.0/server2/version-2/snapshot.100000018", "compressed/snapshot.15.gz", "compressed/snapshot.15.snappy",
  ])
  func snapshotReaderNeverTraps(_ file: String) throws {
    let bytes = try Samples.bytes(file)
    let path = "/" + file.split(separator: "/").last!
    for seed in UInt64(1)...1500 {
      var random = SplitMix64(seed: seed)
      let disk = MemoryFileSystem()
      let mutated = mutate(bytes, &random)
      disk.install(path, mutated)
      do throws(TxnLogError) {
        var reader = try SnapshotReader(disk, path: path, zxid: .zero)
        try reader.verify()
        // Headers are not sealed in gzip, and a seal does not cover its own last bytes; the content is whole.
        #expect(reader.nodeCount == (file.hasPrefix("run1") ? 13 : 24), "seed \(seed)")
      } catch {
        #expect(error.path == path)
      }
    }
  }

  @Test func everyChangedByteOfASnapshotIsFound() throws {
    let bytes = try Samples.bytes("run1-3.8.0/server2/version-2/snapshot.100000018")
    for offset in bytes.indices {
      var damaged = bytes
      damaged[offset] ^= 0x10
      let disk = MemoryFileSystem()
      disk.install("/snapshot.1", damaged)
      #expect(throws: TxnLogError.self, "byte \(offset)") {
        var reader = try SnapshotReader(disk, path: "/snapshot.1", zxid: Zxid(rawValue: 1))
        try reader.verify()
      }
    }
  }
}
