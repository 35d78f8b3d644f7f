import Jute
import TestKit
import Testing

/// A record with one field of every kind.
struct Sample: JuteRecord, Hashable {
  var int: Int32 = 7
  var long: Int64 = -8
  var byte: UInt8 = 9
  var bool = true
  var buffer: [UInt8]? = [1, 2, 3]
  var text: String? = "zoo"
  var list: [String]? = ["a", "", "bc"]

  init() {}

  init(from reader: inout JuteReader) throws(JuteError) {
    int = try reader.readInt()
    long = try reader.readLong()
    byte = try reader.readByte()
    bool = try reader.readBool()
    buffer = try reader.readBuffer()
    text = try reader.readOptionalString()
    list = try reader.readOptionalVector { reader throws(JuteError) in try reader.readString() }
  }

  func encode(into writer: inout JuteWriter) {
    writer.writeInt(int)
    writer.writeLong(long)
    writer.writeByte(byte)
    writer.writeBool(bool)
    writer.writeBuffer(buffer)
    writer.writeString(text)
    writer.writeVector(list) { $0.writeString($1) }
  }
}

/// Bytes that are cut, lie about their length, or are noise: an error each time, never a trap.
@Suite(.timeLimit(.minutes(10)))
struct HostileInputTests {
  /// The offsets of the lengths and counts of a `Sample`.
  static let lengthOffsets = [14, 21, 28, 32, 37, 41]

  @Test func sampleSurvivesTheRoundTrip() throws {
    #expect(try Sample(decoding: Sample().encoded) == Sample())
  }

  @Test func truncationIsAnErrorAtEveryOffset() throws {
    let bytes = Sample().encoded
    for count in 0..<bytes.count {
      let error = #expect(throws: JuteError.self) { try Sample(decoding: Array(bytes.prefix(count))) }
      guard case .truncated(let missing)? = error?.code else {
        Issue.record("\(count) bytes: \(String(describing: error))")
        continue
      }
      #expect(missing > 0)
      #expect((0...count).contains(try #require(error?.offset)))
    }
  }

  @Test func trailingBytesAreRefusedOrIgnoredAsAsked() throws {
    let bytes = Sample().encoded + [1, 2]
    #expect(throws: JuteError(.trailingBytes(2), offset: bytes.count - 2)) { try Sample(decoding: bytes) }
    #expect(try Sample(decoding: bytes, allowingTrailingBytes: true) == Sample())
  }

  @Test(arguments: lengthOffsets, [Int32.max, 0x1000_0000, 1000])
  func lengthPastTheEndCostsNothing(offset: Int, length: Int32) {
    var bytes = Sample().encoded
    bytes.replaceSubrange(offset..<offset + 4, with: bigEndian(length))
    let missing = Int(length) - (bytes.count - offset - 4)
    #expect(throws: JuteError(.truncated(missingBytes: missing), offset: offset)) { try Sample(decoding: bytes) }
  }

  @Test(arguments: lengthOffsets, [Int32.min, -2, -1000])
  func negativeLengthIsRefused(offset: Int, length: Int32) {
    var bytes = Sample().encoded
    bytes.replaceSubrange(offset..<offset + 4, with: bigEndian(length))
    #expect(throws: JuteError(.negativeLength(Int(length)), offset: offset)) { try Sample(decoding: bytes) }
  }

  @Test func minusOneIsNullWhereverAValueMayBeMissing() throws {
    var sample = Sample()
    sample.buffer = nil
    sample.text = nil
    sample.list = nil
    #expect(try Sample(decoding: sample.encoded) == sample)
    #expect(sample.encoded.suffix(12).allSatisfy { $0 == 255 })
  }

  @Test func vectorWithMoreElementsThanBytesIsRefusedBeforeTheFirst() {
    // Without the check, two thousand million elements of no bytes would be made.
    var made = 0
    #expect(throws: JuteError(.truncated(missingBytes: Int(Int32.max) - 4), offset: 0)) {
      try PrimitiveTests.read(bigEndian(.max) + [0, 0, 0, 0]) { reader throws(JuteError) in
        try reader.readVector { _ throws(JuteError) in made += 1 }
      }
    }
    #expect(made == 0)
  }

  @Test func vectorAtItsLimitIsRead() throws {
    let bytes = bigEndian(5000) + [UInt8](repeating: 1, count: 5000)
    let values = try PrimitiveTests.read(bytes) { reader throws(JuteError) in
      try reader.readVector { reader throws(JuteError) in try reader.readByte() }
    }
    #expect(values.count == 5000)
    #expect(throws: JuteError(.truncated(missingBytes: 1), offset: 0)) {
      try PrimitiveTests.read(Array(bytes.dropLast())) { reader throws(JuteError) in
        try reader.readVector { reader throws(JuteError) in try reader.readByte() }
      }
    }
  }

  @Test func mutatedRecordsNeverTrap() {
    var random = SeededGenerator()
    var decoded = 0
    for _ in 0..<50_000 {
      let bytes = mutate(Sample().encoded, using: &random)
      guard let sample = try? Sample(decoding: bytes, allowingTrailingBytes: true) else { continue }
      decoded += 1
      // What was decoded is the same when it is encoded and decoded again.
      let again = try? Sample(decoding: sample.encoded)
      if again != sample { Issue.record("\(bytes) gives \(sample), then \(String(describing: again))") }
    }
    #expect(decoded > 0)
  }
}
