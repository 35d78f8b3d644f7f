import Jute
import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// Frames that come together are answered as if they had come one by one.
@Suite struct LookAheadTests {
  /// A server whose tree is large enough to look ahead.
  private func large() -> Client {
    let bench = Bench()
    var changes: [TreeChange] = []
    for number in 0..<30_000 {
      let body = CreateTxn(
        path: "/n\(number)", data: [UInt8("\(number)".utf8.count)], acl: ACL.openUnsafe, isEphemeral: false,
        parentCVersion: -1)
      let header = TxnHeader(
        sessionID: SessionID(rawValue: 1), cxid: .first, zxid: Zxid(rawValue: Int64(number) + 1), timeMilliseconds: 5,
        opCode: .create)
      _ = bench.core.tree.apply(header, .create(body), changes: &changes)
    }
    return Client(bench)
  }

  private func requests(_ random: inout SplitMix64) -> [ClientRequest] {
    (0..<Int.random(in: 1...40, using: &random)).map { _ in
      let path = "/n\(Int.random(in: 0..<31_000, using: &random))"
      switch Int.random(in: 0..<8, using: &random) {
      case 0: return .setData(SetDataRequest(path: path, data: [1, 2], version: -1))
      case 1: return .delete(PathVersionRequest(path: path, version: -1))
      case 2: return .exists(PathWatchRequest(path: path, watch: true))
      case 3: return .ping
      case 4: return .getData(PathWatchRequest(path: "bad", watch: false))
      default: return .getData(PathWatchRequest(path: path, watch: false))
      }
    }
  }

  /// Passes frames to a core as the connection's handler does.
  private func receive(_ frames: [UInt8], _ client: Client, looksAhead: Bool) -> Int {
    let core = client.bench.core
    var turns = 0
    frames.withUnsafeBytes { raw in
      var (offset, end) = (0, 0)
      while let payload = try? FrameSplitter.firstPayload(
        in: UnsafeRawBufferPointer(rebasing: raw[offset...]), limitBytes: 1 << 20)
      {
        if looksAhead, offset >= end {
          end = core.lookAhead(in: raw, from: offset, on: client.connection)
          turns += 1
          #expect(end > offset && end <= raw.count)
        }
        core.receive(payload, on: client.connection, client.bench.time)
        offset += FrameSplitter.prefixLengthBytes + payload.count
      }
      core.endLookAhead()
      #expect(offset == raw.count)
    }
    client.bench.settle()
    return turns
  }

  @Test func framesThatComeTogetherAreAnsweredAlike() {
    let clients = [large(), large()]
    for client in clients {
      #expect(client.bench.core.tree.isWorthLookingAhead)
      client.connect()
    }
    var random = SplitMix64(seed: 3)
    var xid: Int32 = 0
    var turns = 0
    for _ in 0..<200 {
      var writer = JuteWriter()
      for request in requests(&random) {
        xid += 1
        request.encodeFrame(xid: Xid(rawValue: xid), into: &writer)
      }
      turns += receive(writer.bytes, clients[0], looksAhead: true)
      _ = receive(writer.bytes, clients[1], looksAhead: false)
      #expect(clients[0].connection.output.bytes == clients[1].connection.output.bytes)
      for client in clients { client.connection.output.removeAll() }
    }
    #expect(turns > 200)
    #expect(clients[0].bench.core.tree.treeDigest == clients[1].bench.core.tree.treeDigest)
  }

  /// What is not a whole frame, or says that it is longer than it is, is not looked at.
  @Test(arguments: [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0], [0, 0, 0, 0]] as [[UInt8]])
  func brokenFramesAreNoConcern(tail: [UInt8]) {
    let client = large()
    client.connect()
    for pathLength in [-1, 0, 3, 200, Int32.max] as [Int32] {
      var writer = JuteWriter()
      ClientRequest.getData(PathWatchRequest(path: "/n1", watch: false)).encodeFrame(xid: .first, into: &writer)
      var odd = JuteWriter()
      odd.writeInt(2)
      odd.writeInt(OpCode.getData.rawValue)
      odd.writeInt(pathLength)
      odd.writeBool(true)
      writer.writeInt(Int32(odd.count))
      let bytes = writer.bytes + odd.bytes + tail
      bytes.withUnsafeBytes { raw in
        #expect(client.bench.core.lookAhead(in: raw, from: 0, on: client.connection) == raw.count)
        client.bench.core.endLookAhead()
      }
    }
  }
}
