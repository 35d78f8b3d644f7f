import EnsembleCore
import Jute
import ServerCore
import TestKit
import Testing
import ZooKeeperProtocol

/// Trees that a leader sends to a learner.
struct TreeStreamTests {
  private func reader() -> TreeStreamReader {
    TreeStreamReader(
      zxid: Zxid(rawValue: 0x1_0000_0018), TreeSettings(hasExtendedTypes: true, hasDigest: true, hashSeed: 1))
  }

  private func feed(
    _ reader: inout TreeStreamReader, _ bytes: [UInt8]
  ) throws -> (state: RecoveredState, rest: [UInt8])? {
    try bytes.withUnsafeBytes { raw in try reader.read(raw) }
  }

  static let streams = QuorumVectors.named("quorum.SNAP.stream")

  @Test(arguments: streams) func streamOfApachesIsReadAndWritten(_ vector: QuorumVectors.Vector) throws {
    var reader = reader()
    let (state, rest) = try #require(try feed(&reader, vector.bytes))
    #expect(rest.isEmpty)
    #expect(state.tree.znodeCount >= 4)
    var writer = JuteWriter()
    let stream = TreeStream(state.tree, sessions: state.sessions)
    while !stream.encode(into: &writer, budgetBytes: 64) {}
    // The order of ACL lists differs, and this server leaves out ACLs that no znode uses; the tree is the same.
    #expect(writer.count <= vector.bytes.count)
    var second = self.reader()
    let (again, _) = try #require(try feed(&second, writer.bytes))
    #expect(again.tree.treeDigest == state.tree.treeDigest)
    #expect(again.sessions == state.sessions)
  }

  @Test(arguments: streams) func streamMayComeInAnyPieces(_ vector: QuorumVectors.Vector) throws {
    let bytes = vector.bytes + [1, 2, 3]
    for size in [1, 7, 64, 1000] {
      var reader = reader()
      var found: (state: RecoveredState, rest: [UInt8])?
      var offset = 0
      while found == nil, offset < bytes.count {
        let piece = Array(bytes[offset..<min(offset + size, bytes.count)])
        offset += piece.count
        found = try feed(&reader, piece)
      }
      let (_, rest) = try #require(found)
      #expect(rest + bytes[offset...] == [1, 2, 3])
    }
  }

  @Test func garbageIsRefused() {
    for bytes in [[UInt8](repeating: 0xff, count: 40), [0, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x80, count: 90)] {
      var reader = reader()
      #expect(throws: TreeStreamReader.Failure.self) { try feed(&reader, bytes) }
    }
  }
}
