/// Compresses a stream of bytes as snappy-java's output stream does, piece by piece.
///
/// *Shape*: see `Snappy`.
///
/// *Source*: snappy's `format_description.txt`; snappy-java's `SnappyOutputStream`.
package struct SnappyWriter {
  /// The size of what is compressed at a time, as in snappy-java. Offsets in a block fit into 16 bits.
  static let blockBytes = 32 << 10
  private static let hashBits = 13

  private var block: [UInt8] = []
  /// The position in the block at which each hash was last seen.
  private var positions = [UInt16](repeating: 0, count: 1 << hashBits)
  private var hasBegun = false

  package init() { block.reserveCapacity(Self.blockBytes) }

  /// Adds bytes, and appends the output that is available.
  package mutating func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    begin(&output)
    var rest = bytes
    while !rest.isEmpty {
      let part = rest.prefix(Self.blockBytes - block.count)
      block.append(contentsOf: part)
      rest = UnsafeRawBufferPointer(rebasing: rest[part.endIndex...])
      if block.count == Self.blockBytes { writeBlock(&output) }
    }
  }

  /// Ends the stream.
  package mutating func finish(to output: inout [UInt8]) {
    begin(&output)
    if !block.isEmpty { writeBlock(&output) }
  }

  private mutating func begin(_ output: inout [UInt8]) {
    guard !hasBegun else { return }
    hasBegun = true
    output += Snappy.magic
    // The version of the stream, and the oldest one that reads it.
    output += [0, 0, 0, 1, 0, 0, 0, 1]
  }

  private mutating func writeBlock(_ output: inout [UInt8]) {
    let start = output.count
    output += [0, 0, 0, 0]
    var size = block.count
    while size >= 0x80 {
      output.append(UInt8(size & 0x7f | 0x80))
      size >>= 7
    }
    output.append(UInt8(size))
    compress(&output)
    let length = UInt32(output.count - start - 4)
    for index in 0..<4 { output[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
    block.removeAll(keepingCapacity: true)
  }

  /// Appends literals, and copies of earlier bytes: wherever four bytes have been seen at a place with the same hash.
  private mutating func compress(_ output: inout [UInt8]) {
    for index in positions.indices { positions[index] = 0 }
    let count = block.count
    block.withUnsafeBytes { bytes in
      var literal = 0
      var position = 1
      // A stretch without a repetition is passed over faster and faster.
      var misses = 32
      while position + 4 <= count {
        let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
        let hash = Int((word &* 0x1e35_a7bd) >> UInt32(32 - Self.hashBits))
        let candidate = Int(positions[hash])
        positions[hash] = UInt16(position)
        guard candidate < position, bytes.loadUnaligned(fromByteOffset: candidate, as: UInt32.self) == word else {
          position += misses >> 5
          misses += 1
          continue
        }
        Self.writeLiteral(bytes, literal..<position, &output)
        var length = 4
        while position + length < count, bytes[candidate + length] == bytes[position + length] { length += 1 }
        Self.writeCopy(length, position - candidate, &output)
        position += length
        literal = position
        misses = 32
      }
      Self.writeLiteral(bytes, literal..<count, &output)
    }
  }

  private static func writeLiteral(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ output: inout [UInt8]) {
    guard !range.isEmpty else { return }
    let length = range.count - 1
    switch length {
    case ..<60: output.append(UInt8(length) << 2)
    case ..<256: output += [60 << 2, UInt8(length)]
    default: output += [61 << 2, UInt8(length & 0xff), UInt8(length >> 8)]
    }
    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// A copy has at most 64 bytes.
  private static func writeCopy(_ length: Int, _ offset: Int, _ output: inout [UInt8]) {
    var rest = length
    while rest > 0 {
      let part = min(rest, 64)
      output += [UInt8(part - 1) << 2 | 2, UInt8(offset & 0xff), UInt8(offset >> 8)]
      rest -= part
    }
  }
}
