import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Compressed snapshots, as they are written and as they arrive.
@Suite(.timeLimit(.minutes(5))) struct SnapshotCompressionTests {
  /// Some megabytes, parts of which repeat and parts of which do not.
  private func nodes() -> [SnapshotNode] {
    var random = SplitMix64(seed: 7)
    return builtIns
      + (0..<3000).map { index in
        let data =
          index % 3 == 0
          ? (0..<900).map { _ in UInt8(truncatingIfNeeded: random.next()) }
          : Array(
            repeating: UInt8(index % 251), count: index)
        return SnapshotNode(path: "/node\(index)", data: data, aclKey: -1, stat: builtIns[0].stat)
      }
  }

  private func write(
    _ directory: Directory, _ nodes: [SnapshotNode], _ compression: SnapshotCompression?
  ) throws -> String {
    var writer = try SnapshotWriter(
      directory.files, directory: directory.snapshotDirectory, zxid: Zxid(rawValue: 9), sessions: [], aclLists: [],
      compression: compression)
    for node in nodes { try writer.append(node) }
    return try writer.finish(digest: SnapshotDigest(zxid: Zxid(rawValue: 9), treeDigest: 1))
  }

  @Test(arguments: [SnapshotCompression.gzip, .snappy]) func whatIsWrittenIsRead(_ compression: SnapshotCompression)
    throws
  {
    let disk = MemoryFileSystem()
    let directory = try freshDirectory(disk)
    let nodes = nodes()
    let path = try write(directory, nodes, compression)
    #expect(path == "/data/version-2/snapshot.9\(compression.suffix)")
    let (recorder, report) = try recover(directory)
    #expect(report.skippedSnapshots.isEmpty && report.snapshot?.path == path)
    #expect(recorder.nodes == nodes)
    let plain = directory.snapshotDirectory + "/snapshot.9"
    _ = try write(directory, nodes, nil)
    let sizes = [path, plain].map { disk.visibleFiles[$0]?.count ?? 0 }
    #expect(sizes[0] > 100_000 && sizes[0] < sizes[1] / 2, "\(sizes)")
  }

  /// The borders between pieces are at any place of the format.
  @Test(arguments: [SnapshotCompression.gzip, .snappy, nil], [1, 7, 4096, 100_000])
  func piecesAreUnpacked(_ compression: SnapshotCompression?, size: Int) throws {
    let disk = MemoryFileSystem()
    let directory = try freshDirectory(disk)
    let nodes = size == 1 ? Array(nodes().prefix(60)) : nodes()
    let path = try write(directory, nodes, compression)
    let packed = try #require(disk.visibleFiles[path])
    let plainPath = try write(directory, nodes, nil)
    let plain = try #require(disk.visibleFiles[plainPath])
    let (unpacked, isWhole) = unpack(packed, size: size)
    #expect(isWhole && unpacked == plain)
    if compression != nil {
      #expect(!unpack(Array(packed.dropLast(3)), size: size).isWhole)
      var damaged = packed
      damaged[packed.count / 2] ^= 0x55
      let result = unpack(damaged, size: size)
      #expect(!result.isWhole || result.bytes != plain)
    }
    if compression == .gzip {
      let (twice, isWhole) = unpack(packed + packed, size: size)
      #expect(isWhole && twice == plain + plain)
    }
  }

  @Test func whatIsShortIsHandedOn() {
    for bytes: [UInt8] in [[], [1], [0x1f, 0x8b, 8]] {
      let result = unpack(bytes, size: 1)
      #expect(result.isWhole == (bytes.first != 0x1f) && (result.bytes == bytes || bytes.first == 0x1f))
    }
    // A block that claims to be larger than any is refused before it has come.
    let huge: [UInt8] = [0x82] + Array("SNAPPY".utf8) + [0, 0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]
    #expect(!unpack(huge, size: 5).isWhole)
  }

  private func unpack(_ bytes: [UInt8], size: Int) -> (bytes: [UInt8], isWhole: Bool) {
    var unpacker = SnapshotUnpacker()
    var output: [UInt8] = []
    var isWhole = true
    bytes.withUnsafeBytes { raw in
      var rest = raw[...]
      while isWhole, !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(size))
        isWhole = unpacker.append(piece) { output.append(contentsOf: $0) }
        rest = rest.dropFirst(size)
      }
    }
    let isEnded = unpacker.finish { output.append(contentsOf: $0) }
    return (output, isWhole && isEnded)
  }

  /// Blocks of every length around the borders of the format, with and without repetitions.
  @Test func snappyKeepsEveryLength() {
    var random = SplitMix64(seed: 3)
    for count in [0, 1, 3, 4, 5, 59, 60, 61, 62, 255, 256, 257, 4095, 32_767, 32_768, 32_769, 70_000] {
      for alphabet: UInt64 in [1, 2, 5, 256] {
        let bytes = (0..<count).map { _ in UInt8(random.next() % alphabet) }
        var writer = SnappyWriter()
        var packed: [UInt8] = []
        bytes.withUnsafeBytes { writer.append($0, to: &packed) }
        writer.finish(to: &packed)
        let unpacked = packed.withUnsafeBytes { Snappy.decompressStream($0, limitBytes: 1 << 20) }
        #expect(unpacked == bytes, "\(count) bytes of \(alphabet)")
      }
    }
  }
}
