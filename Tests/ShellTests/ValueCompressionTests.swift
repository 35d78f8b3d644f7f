import Foundation
import TestKit
import Testing

@testable import ZnodeFormats
@testable import ZooKeeperShell

/// Compressed values, made by other programs, damaged, and larger than allowed.
@Suite(.timeLimit(.minutes(10))) struct ValueCompressionTests {
  static let text = [UInt8]((String(repeating: "The quick brown fox. ", count: 40) + "end\n").utf8)

  /// Made by Python's `gzip` and `zlib`, by `cramjam` (Rust's `snap`), and by snappy-java 1.1.8.
  static let samples: [(kind: ValueCompression, base64: String)] = [
    (.gzip, "H4sIAAAAAAACAwvJSFUoLM1MzlZIKsovz1NIy6/QUwgZFRwVHBUkRTA1L4ULACw/c1xMAwAA"),
    (.zlib, "eNoLyUhVKCzNTM5WSCrKL89TSMuv0FMIGRUcFRwVJEUwNS+FCwD4Ryh5"),
    (.snappy, "zAZQVGhlIHF1aWNrIGJyb3duIGZveC4g" + copies + "yhUADGVuZAo="),
    (.snappy, "/wYAAHNOYVBwWQBIAADSDPOfzAZQVGhlIHF1aWNrIGJyb3duIGZveC4g" + copies + "yhUADGVuZAo="),
    (
      .snappy,
      "glNOQVBQWQAAAAABAAAAAQAAAETMBlBUaGUgcXVpY2sgYnJvd24gZm94LiD+"
        + "FQD+FQD+FQD+FQD+FQD+FQD+FQD+FQD+FQD+FQD+FQD+FQDKFQAMZW5kCg=="
    ),
  ]
  private static let copies = String(repeating: "/hUA", count: 12)

  private func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64)!) }

  @Test(arguments: samples) func samplesAreRecognized(kind: ValueCompression, base64: String) throws {
    let found = try #require(try ValueCompression.recognized(bytes(base64)))
    #expect(found.kind == kind)
    #expect(found.data == Self.text)
    for other in ValueCompression.allCases where other != kind {
      #expect(throws: ValueCompression.Failure.self) { try other.decode(bytes(base64)) }
    }
  }

  @Test(arguments: samples) func theLimitIsKept(kind: ValueCompression, base64: String) throws {
    let data = bytes(base64)
    #expect(try kind.decode(data, limitBytes: Self.text.count) == Self.text)
    let error = #expect(throws: ValueCompression.Failure.self) {
      try kind.decode(data, limitBytes: Self.text.count - 1)
    }
    #expect(error == (kind == .snappy ? .tooLarge : .damagedOrTooLarge))
  }

  /// Every cut, and every byte changed: an error or other data, but no trap.
  @Test(arguments: samples) func damageIsAnError(kind: ValueCompression, base64: String) throws {
    let data = bytes(base64)
    var generator = SeededGenerator(seed: 9)
    for count in 0..<data.count { _ = try? kind.decode([UInt8](data.prefix(count)), limitBytes: 1 << 20) }
    for index in data.indices {
      for _ in 0..<20 {
        var damaged = data
        damaged[index] = .random(in: 0...255, using: &generator)
        _ = try? kind.decode(damaged, limitBytes: 1 << 20)
        _ = try? ValueCompression.recognized(damaged, limitBytes: 1 << 20)
      }
    }
    #expect(throws: ValueCompression.Failure.self) { try kind.decode([UInt8](data.dropLast())) }
  }

  @Test func framesAreChecked() throws {
    var framed = bytes(Self.samples[3].base64)
    framed[14] ^= 1
    #expect(throws: ValueCompression.Failure.damaged) { try ValueCompression.snappy.decode(framed) }
    // An uncompressed chunk, padding, and the start of another stream.
    let chunk = [UInt8]("abc".utf8)
    let sum = CRC32C.masked(chunk)
    let stream =
      Snappy.streamStart + [0x01, 7, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) } + chunk
      + [0xfe, 2, 0, 0, 9, 9] + Snappy.streamStart
    #expect(try ValueCompression.snappy.decode(stream) == chunk)
    #expect(throws: ValueCompression.Failure.damaged) { try ValueCompression.snappy.decode(stream + [0x02, 0, 0, 0]) }
  }

  /// RFC 3720, appendix B.4.
  @Test func checksumIsThatOfTheStandard() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](0..<32)) == 0x46dd_794e)
  }

  @Test(arguments: [
    "", "plain", "{\"a\": 1}", "x\u{9c}text", "hello world\n", "\u{0}", "\u{1}\u{2}",
    " |" + String(repeating: "a", count: 32),
  ])
  func otherDataIsNotTakenForCompressed(text: String) throws {
    #expect(try ValueCompression.recognized([UInt8](text.utf8)) == nil)
  }

  @Test func bombsAreRefused() throws {
    // A block that claims 4 GiB, and copies without end.
    #expect(throws: ValueCompression.Failure.tooLarge) {
      try ValueCompression.snappy.decode([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x41])
    }
    #expect(throws: ValueCompression.Failure.damaged) {
      try ValueCompression.snappy.decode([0x80, 0x80, 0x80, 0x1f, 0x00, 0x41, 0xfe, 0x01, 0x00])
    }
    #expect(throws: ValueCompression.Failure.damaged) {
      try ValueCompression.snappy.decode([0xff, 0xff, 0xff, 0xff, 0xff, 1])
    }
  }
}
