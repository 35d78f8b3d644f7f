/// Decompresses data that is compressed with Snappy.
///
/// *Source*: google/snappy, "Snappy compressed format description" and "Snappy framing format description"; for
/// snappy-java's own framing, the class `SnappyOutputStream` of that library.
package enum Snappy {
  /// Why data cannot be decompressed.
  package enum Failure: Error, Hashable {
    case damaged
    case tooLarge
  }

  /// The start of a framed stream.
  package static let streamStart: [UInt8] = [0xff, 0x06, 0x00, 0x00] + [UInt8]("sNaPpY".utf8)
  /// The start of a stream of snappy-java, before two versions of four bytes.
  package static let javaStart: [UInt8] = [0x82] + [UInt8]("SNAPPY".utf8) + [0x00]

  /// The decompressed bytes of a framed stream.
  package static func decodeStream(_ bytes: [UInt8], limitBytes: Int) throws(Failure) -> [UInt8] {
    var output: [UInt8] = []
    var position = streamStart.count
    guard bytes.starts(with: streamStart) else { throw .damaged }
    while position < bytes.count {
      guard bytes.count - position >= 4 else { throw .damaged }
      let kind = bytes[position]
      let length = Int(bytes[position + 1]) | Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]) << 16
      position += 4
      guard bytes.count - position >= length else { throw .damaged }
      let chunk = bytes[position..<(position + length)]
      position += length
      switch kind {
      case 0x00, 0x01:
        guard length >= 4 else { throw .damaged }
        let sum = chunk.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let body = chunk.dropFirst(4)
        let part = kind == 0 ? try decode(body, limitBytes: limitBytes - output.count) : [UInt8](body)
        guard CRC32C.masked(part) == sum else { throw .damaged }
        guard part.count <= limitBytes - output.count else { throw .tooLarge }
        output += part
      case 0xff: guard [UInt8](chunk) == [UInt8](streamStart.dropFirst(4)) else { throw .damaged }
      // What can be skipped, padding included; other kinds cannot.
      case 0x80...0xfe: break
      default: throw .damaged
      }
    }
    return output
  }

  /// The decompressed bytes of a stream of snappy-java: blocks, each with its length in front.
  package static func decodeJavaStream(_ bytes: [UInt8], limitBytes: Int) throws(Failure) -> [UInt8] {
    var output: [UInt8] = []
    var position = javaStart.count + 8
    guard bytes.starts(with: javaStart), bytes.count >= position else { throw .damaged }
    while position < bytes.count {
      guard bytes.count - position >= 4 else { throw .damaged }
      let length = bytes[position..<(position + 4)].reduce(0) { $0 << 8 | Int($1) }
      position += 4
      guard length <= bytes.count - position else { throw .damaged }
      output += try decode(bytes[position..<(position + length)], limitBytes: limitBytes - output.count)
      position += length
    }
    return output
  }

  /// The decompressed bytes of one block.
  ///
  /// *Shape*: the length of the result as a variable-length number, then literals and copies of what came before.
  package static func decode(_ bytes: ArraySlice<UInt8>, limitBytes: Int) throws(Failure) -> [UInt8] {
    var reader = BlockReader(bytes)
    let length = try reader.variableLength()
    guard length <= limitBytes else { throw .tooLarge }
    var output: [UInt8] = []
    // Every three bytes make 64 at most, so that a length that cannot be true takes no memory.
    output.reserveCapacity(min(length, bytes.count * 32))
    while !reader.isAtEnd {
      let tag = try reader.byte()
      switch tag & 3 {
      case 0:
        var count = Int(tag >> 2)
        if count >= 60 { count = try reader.littleEndian(count - 59) }
        guard count < length - output.count else { throw .damaged }
        output += try reader.take(count + 1)
      case 1:
        let offset = Int(tag >> 5) << 8 | Int(try reader.byte())
        try copy(Int(tag >> 2 & 7) + 4, offset, &output, length)
      case 2: try copy(Int(tag >> 2) + 1, try reader.littleEndian(2), &output, length)
      default: try copy(Int(tag >> 2) + 1, try reader.littleEndian(4), &output, length)
      }
    }
    guard output.count == length else { throw .damaged }
    return output
  }

  private static func copy(
    _ count: Int, _ offset: Int, _ output: inout [UInt8], _ length: Int
  ) throws(Failure) {
    guard offset > 0, offset <= output.count, count <= length - output.count else { throw .damaged }
    // The source of the copy can overlap its target.
    for _ in 0..<count { output.append(output[output.count - offset]) }
  }

  private struct BlockReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws(Failure) -> UInt8 {
      guard let byte = rest.popFirst() else { throw .damaged }
      return byte
    }

    mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
      guard count <= rest.count else { throw .damaged }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }

    mutating func littleEndian(_ count: Int) throws(Failure) -> Int {
      try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Seven bits a byte, the lowest first, up to 32 bits.
    mutating func variableLength() throws(Failure) -> Int {
      var number = 0
      for shift in stride(from: 0, through: 28, by: 7) {
        let next = try byte()
        number |= Int(next & 0x7f) << shift
        guard next & 0x80 != 0 else {
          guard number <= Int(UInt32.max) else { throw .damaged }
          return number
        }
      }
      throw .damaged
    }
  }
}

/// The checksum of Snappy's frames.
///
/// *Source*: RFC 3720, appendix B.4.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { number in
    (0..<8).reduce(UInt32(number)) { sum, _ in sum & 1 == 1 ? 0x82f6_3b78 ^ sum >> 1 : sum >> 1 }
  }

  /// The checksum of bytes.
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
  }

  /// The checksum rotated, as Snappy's frames have it, lest a checksum be taken of data with its checksum.
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = checksum(bytes)
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }
}
