import Foundation
import TestKit
import Testing

/// A server whose answers have the shape of answers and senseless numbers in them: none may stop the program, and no
/// command may wait for ever.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HostileServerTests {
  static let commands: [[String]] = [
    ["ls", "-l", "/"], ["ls", "-R", "/"], ["stat", "/x"], ["stat", "-o", "json", "/x"], ["get", "-s", "/x"],
    ["exists", "-v", "/x"], ["set", "-s", "/x", "v"], ["create", "-s", "/x"], ["getAcl", "-s", "/x"],
    ["deleteall", "/x"],
    ["multi", "create", "/a", "1", ",", "check", "/b", "0"], ["getAllChildrenNumber", "/x"], ["listquota", "/x"],
    ["setquota", "-n", "5", "/x"], ["config", "-c", "-s"], ["getEphemerals"], ["lock", "/x", "--", "true"],
    ["lock", "--list", "/x"], ["lock", "--slots", "2", "/x", "--", "true"], ["elect", "/x", "me", "--", "true"],
    ["elect", "--observe", "/x"], ["queue", "put", "/x", "d"], ["queue", "list", "/x"], ["queue", "take", "/x"],
    ["id", "next", "/x"], ["counter", "add", "/x"], ["barrier", "run", "--count", "1", "/x", "--", "true"],
    ["group", "join", "/x", "me", "--", "true"], ["group", "watch", "/x"], ["rendezvous", "get", "/x"],
    ["commit", "propose", "--participants", "a", "/x", "d"], ["commit", "vote", "/x", "a", "commit"],
    ["wait", "--children", ">=3", "/x"], ["watch", "--initial", "--with-data", "-R", "/x"],
  ]

  @Test(arguments: commands, 0..<4 as Range<UInt64>) func itsNumbersStopNobody(words: [String], seed: UInt64)
    async throws
  {
    let server = try FakeServer(.script { try HostileAnswers(seed: seed).serve($0) })
    var zkcli = Zkcli(server: server.connectString)
    // A fault would be told for seconds.
    zkcli = zkcli.with(["SWIFT_BACKTRACE": "enable=no"])
    let run = try await zkcli.run(["--timeout", "500ms"] + words, timeLimit: .seconds(90))
    // 128 and more is a signal: of the command's own there is none.
    #expect(run.exitStatus ?? 255 < 126, "\(words): \(run.errorOutput)")
  }
}

/// Answers to one connection's requests.
private struct HostileAnswers {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let names = [
    "a", "", "/", "..", "a/b", "\u{0}", "ready", "qn-2147483647", "qn--2147483648", "x-lock-2147483647",
    "x-lock--000000001", "lock-99999999999", "queue-0FFFFFFFF2147483647", "entry--2147483648--2147483648",
    "latch-0000000000",
  ]
  private static let texts: [[UInt8]] = [
    [], [UInt8]("9223372036854775807".utf8), [UInt8]("-9223372036854775808".utf8), [0x7f, 0xff, 0xff, 0xff],
    [0x80, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, 0x7f, 0xff, 0xff, 0xff, 2],
    [UInt8]("count=9223372036854775807,bytes=-9223372036854775808".utf8),
    [UInt8]("server.1=a:2888:3888:participant;2181\nversion=ffffffffffffffff".utf8),
  ]

  /// Serves a connection until the client leaves it or has asked a hundred times.
  func serve(_ client: LoopbackSocket) throws {
    var answers = self
    _ = try client.readFrame()
    let timeout: Int32 = ([.max, 4000, 30_000] as [Int32]).randomElement(using: &answers.random) ?? 4000
    let session = answers.long()
    try client.writeFrame(bytes(Int32(0)) + bytes(timeout) + session + text([UInt8](repeating: 1, count: 16)) + [0])
    for _ in 0..<100 {
      let request = try client.readFrame()
      guard request.count >= 8 else { return }
      let operation = request[4..<8].reduce(Int32(0)) { $0 << 8 | Int32($1) }
      if answers.chance(7) { try client.writeFrame(answers.event()) }
      let isRefused = answers.chance(6)
      let errors: [Int32] = [-101, -103, -110, -111, .min, .max, -6]
      let error = isRefused ? errors.randomElement(using: &answers.random) ?? 0 : 0
      let header = [UInt8](request[0..<4]) + (answers.chance(2) ? answers.long() : bytes(Int64(5))) + bytes(error)
      try client.writeFrame(isRefused ? header : header + answers.body(of: operation))
      if operation == -11 { return }
    }
  }

  private mutating func body(of operation: Int32) -> [UInt8] {
    switch operation {
    case 1: text([UInt8]((["/x/qn-2147483647", "", "a", "/"].randomElement(using: &random) ?? "").utf8))
    case 15, 19, 21: text([UInt8]("/x/_c_-id--2147483648".utf8)) + stat()
    case 3, 5, 7: stat()
    case 4, 16: text(Self.texts.randomElement(using: &random) ?? []) + stat()
    case 6: bytes(Int32(1)) + int() + text([UInt8]("digest".utf8)) + text([UInt8]("a:b".utf8)) + stat()
    case 8, 103: children()
    case 9: text([UInt8]("/".utf8))
    case 12: children() + stat()
    case 14, 22: bytes(Int32(5)) + [0] + int() + stat() + bytes(Int32(-1)) + [1] + bytes(Int32(-1))
    case 104: int()
    default: []
    }
  }

  private mutating func event() -> [UInt8] {
    let type = ([1, 2, 3, 4, -1] as [Int32]).randomElement(using: &random) ?? 1
    let path = ["/x", "", "a", "//", "/"].randomElement(using: &random) ?? ""
    return bytes(Int32(-1)) + long() + bytes(Int32(0)) + bytes(type) + int() + text([UInt8](path.utf8))
  }

  private mutating func stat() -> [UInt8] {
    long() + long() + long() + long() + int() + int() + int() + long() + int() + int() + long()
  }

  private mutating func children() -> [UInt8] {
    let count = Int.random(in: 0...5, using: &random)
    return bytes(Int32(count))
      + (0..<count).flatMap { _ in text([UInt8]((Self.names.randomElement(using: &random) ?? "").utf8)) }
  }

  private mutating func int() -> [UInt8] {
    bytes(([.min, .max, -1, 0, 1, .max - 1] as [Int32]).randomElement(using: &random) ?? 0)
  }

  private mutating func long() -> [UInt8] {
    bytes(([.min, .max, -1, 0, .max - 1000, .min + 1, 1 << 62] as [Int64]).randomElement(using: &random) ?? 0)
  }

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  private func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

  private func text(_ bytes: [UInt8]) -> [UInt8] { self.bytes(Int32(bytes.count)) + bytes }
}
