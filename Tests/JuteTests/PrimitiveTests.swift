import Jute
import Testing

/// Each primitive against bytes written by hand, in both directions.
@Suite(.timeLimit(.minutes(10)))
struct PrimitiveTests {
  /// Decodes all of `bytes` as one value.
  static func read<Value>(
    _ bytes: [UInt8], _ body: (inout JuteReader) throws(JuteError) -> Value
  ) throws(JuteError) -> Value {
    let result = bytes.withUnsafeBytes { raw -> Result<Value, JuteError> in
      var reader = JuteReader(raw)
      do throws(JuteError) {
        let value = try body(&reader)
        try reader.finish()
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  static func written(_ body: (inout JuteWriter) -> Void) -> [UInt8] {
    var writer = JuteWriter()
    body(&writer)
    return writer.bytes
  }

  static let ints: [(Int32, [UInt8])] = [
    (0, [0, 0, 0, 0]), (1, [0, 0, 0, 1]), (-1, [255, 255, 255, 255]), (0x0102_0304, [1, 2, 3, 4]),
    (.max, [0x7f, 255, 255, 255]), (.min, [0x80, 0, 0, 0]),
  ]

  @Test(arguments: ints) func intIsFourBytesBigEndian(value: Int32, bytes: [UInt8]) throws {
    #expect(Self.written { $0.writeInt(value) } == bytes)
    #expect(try Self.read(bytes) { reader throws(JuteError) in try reader.readInt() } == value)
  }

  static let longs: [(Int64, [UInt8])] = [
    (0, [0, 0, 0, 0, 0, 0, 0, 0]), (-2, [255, 255, 255, 255, 255, 255, 255, 254]),
    (0x0102_0304_0506_0708, [1, 2, 3, 4, 5, 6, 7, 8]), (.max, [0x7f, 255, 255, 255, 255, 255, 255, 255]),
    (.min, [0x80, 0, 0, 0, 0, 0, 0, 0]),
  ]

  @Test(arguments: longs) func longIsEightBytesBigEndian(value: Int64, bytes: [UInt8]) throws {
    #expect(Self.written { $0.writeLong(value) } == bytes)
    #expect(try Self.read(bytes) { reader throws(JuteError) in try reader.readLong() } == value)
  }

  @Test func everyByteIsItselfAndTrueUnlessZero() throws {
    #expect(Self.written { $0.writeBool(true) } == [1])
    #expect(Self.written { $0.writeBool(false) } == [0])
    for byte in UInt8.min...UInt8.max {
      #expect(Self.written { $0.writeByte(byte) } == [byte])
      #expect(try Self.read([byte]) { reader throws(JuteError) in try reader.readByte() } == byte)
      #expect(try Self.read([byte]) { reader throws(JuteError) in try reader.readBool() } == (byte != 0))
    }
  }

  static let buffers: [([UInt8]?, [UInt8])] = [
    (nil, [255, 255, 255, 255]), ([], [0, 0, 0, 0]), ([7], [0, 0, 0, 1, 7]), ([0, 255], [0, 0, 0, 2, 0, 255]),
  ]

  @Test(arguments: buffers) func bufferKeepsNullAndEmptyApart(value: [UInt8]?, bytes: [UInt8]) throws {
    #expect(Self.written { $0.writeBuffer(value) } == bytes)
    #expect(try Self.read(bytes) { reader throws(JuteError) in try reader.readBuffer() } == value)
  }

  static let strings: [(String?, [UInt8])] = [
    (nil, [255, 255, 255, 255]), ("", [0, 0, 0, 0]), ("/v", [0, 0, 0, 2, 0x2f, 0x76]), ("\0", [0, 0, 0, 1, 0]),
    ("é", [0, 0, 0, 2, 0xc3, 0xa9]), ("😀", [0, 0, 0, 4, 0xf0, 0x9f, 0x98, 0x80]),
  ]

  @Test(arguments: strings) func stringIsUTF8(value: String?, bytes: [UInt8]) throws {
    #expect(Self.written { $0.writeString(value) } == bytes)
    #expect(try Self.read(bytes) { reader throws(JuteError) in try reader.readOptionalString() } == value)
  }

  static let invalid: [([UInt8], String)] = [
    ([0xff], "\u{fffd}"), ([0x61, 0xc3], "a\u{fffd}"), ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"),
    ([0xc0, 0x80], "\u{fffd}\u{fffd}"),
  ]

  @Test(arguments: invalid) func invalidUTF8IsReplaced(raw: [UInt8], text: String) throws {
    let bytes = [0, 0, 0, UInt8(raw.count)] + raw
    #expect(try Self.read(bytes) { reader throws(JuteError) in try reader.readString() } == text)
  }

  static let vectors: [([Int32]?, [UInt8])] = [
    (nil, [255, 255, 255, 255]), ([], [0, 0, 0, 0]), ([1, -1], [0, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 255]),
  ]

  @Test(arguments: vectors) func vectorKeepsNullAndEmptyApart(value: [Int32]?, bytes: [UInt8]) throws {
    #expect(Self.written { $0.writeVector(value) { $0.writeInt($1) } } == bytes)
    let decoded = try Self.read(bytes) { reader throws(JuteError) in
      try reader.readOptionalVector { reader throws(JuteError) in try reader.readInt() }
    }
    #expect(decoded == value)
  }

  @Test func nullIsRefusedWhereAValueIsRequired() {
    let null: [UInt8] = [255, 255, 255, 255]
    let expected = JuteError(.unexpectedNull, offset: 0)
    #expect(throws: expected) { try Self.read(null) { reader throws(JuteError) in try reader.readString() } }
    #expect(throws: expected) {
      try Self.read(null) { reader throws(JuteError) in
        try reader.readVector { reader throws(JuteError) in try reader.readInt() }
      }
    }
  }

  @Test func leftOverBytesAreCounted() {
    #expect(throws: JuteError(.trailingBytes(3), offset: 4)) {
      try Self.read([0, 0, 0, 1, 9, 9, 9]) { reader throws(JuteError) in try reader.readInt() }
    }
  }

  @Test func fixedBlockAndRemainderShareTheBytes() throws {
    let parts = try Self.read([1, 2, 3, 4, 5]) { reader throws(JuteError) in
      let block = [UInt8](try reader.readFixedBlock(count: 2))
      let offset = reader.offset
      return (block: block, offset: offset, rest: reader.readRemaining(), none: reader.readRemaining())
    }
    #expect(parts.block == [1, 2])
    #expect(parts.offset == 2)
    #expect(parts.rest == [3, 4, 5])
    #expect(parts.none == [])
  }

  @Test func writerIsReusedAndFramesAreClosed() {
    var writer = JuteWriter(reservingBytes: 64)
    writer.writeRaw([9])
    let outer = writer.reserveFrame()
    writer.writeString("abc")
    writer.finishFrame(at: outer)
    #expect(writer.bytes == [9, 0, 0, 0, 7, 0, 0, 0, 3, 0x61, 0x62, 0x63])
    writer.removeAll()
    #expect(writer.bytes == [])
    let empty = writer.reserveFrame()
    writer.finishFrame(at: empty)
    #expect(writer.bytes == [0, 0, 0, 0])
  }

  @Test func recordOfFixedSizeIsStoredInPlace() {
    var writer = JuteWriter()
    writer.writeByte(9)
    for round in 0..<50 {
      writer.writeBlock(byteCount: 14) { block in
        #expect(block.count == 14)
        block.storeBigEndian(Int64(round), at: 0)
        block.storeBigEndian(Int32(-2), at: 8)
        block.storeBigEndian(UInt16(0x0102), at: 12)
      }
    }
    var expected: [UInt8] = [9]
    for round in 0..<50 { expected += [0, 0, 0, 0, 0, 0, 0, UInt8(round), 0xff, 0xff, 0xff, 0xfe, 1, 2] }
    #expect(writer.bytes == expected)
  }

  @Test func longFrameHasItsLengthInAllFourBytes() {
    var writer = JuteWriter()
    let start = writer.reserveFrame()
    writer.writeRaw([UInt8](repeating: 0, count: 0x01_0203))
    writer.finishFrame(at: start)
    #expect(Array(writer.bytes.prefix(4)) == [0, 1, 2, 3])
  }
}
