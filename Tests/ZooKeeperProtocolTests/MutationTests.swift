import Jute
import TestKit
import Testing
import ZooKeeperProtocol

/// Damaged frames give a value or an error, never a trap, whatever they are taken for.
@Suite(.timeLimit(.minutes(10)))
struct MutationTests {
  @Test func damagedFramesNeverTrap() {
    var random = SeededGenerator()
    var understood = 0
    for (vector, opCode) in GoldenVectors.all {
      for _ in 0..<30 {
        let bytes = mutate(vector.payload, using: &random)
        let other = OpCode.allCases.randomElement(using: &random) ?? .getData
        for opCode in [opCode ?? other, other] {
          understood += survives(bytes, opCode, vector)
        }
      }
    }
    // Most mutations hit data, which may be anything.
    #expect(understood > 1000)
  }

  /// Decodes `bytes` as everything they could be, and counts what made sense.
  private func survives(_ bytes: [UInt8], _ opCode: OpCode, _ vector: Vector) -> Int {
    var count = 0
    func roundTrip<Value: Equatable>(_ value: Value?, _ again: (Value) throws -> Value?) {
      guard let value else { return }
      count += 1
      let second = try? again(value)
      if second != value { Issue.record("\(vector): \(bytes) gives \(value), then \(String(describing: second))") }
    }
    roundTrip(try? ConnectRequest(decoding: bytes, allowingTrailingBytes: true)) {
      try ConnectRequest(decoding: $0.encoded)
    }
    roundTrip(try? ConnectResponse(decoding: bytes, allowingTrailingBytes: true)) {
      try ConnectResponse(decoding: $0.encoded)
    }
    roundTrip(try? WatcherEvent(decoding: Array(bytes.dropFirst(16)))) { try WatcherEvent(decoding: $0.encoded) }
    let request = try? Array(bytes.dropFirst(8)).decode { reader throws(JuteError) in
      try ClientRequest(opCode: opCode, from: &reader)
    }
    roundTrip(request ?? nil) { request in
      var writer = JuteWriter()
      request.encodeBody(into: &writer)
      _ = request.path
      return try writer.bytes.decode { reader throws(JuteError) in
        try ClientRequest(opCode: opCode, from: &reader)
      }
    }
    let reply = try? Array(bytes.dropFirst(16)).decode { reader throws(JuteError) in
      try ServerReply(to: opCode, from: &reader)
    }
    roundTrip(reply) { reply in
      var writer = JuteWriter()
      reply.encode(into: &writer)
      return try writer.bytes.decode { reader throws(JuteError) in try ServerReply(to: opCode, from: &reader) }
    }
    return count
  }
}
