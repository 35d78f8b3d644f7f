/// The Adler-32 checksum of a stream of bytes: what seals log entries and snapshots.
///
/// The two sums are reduced once every 5,552 bytes, the most that cannot overflow 32 bits, and taken sixteen bytes at a
/// time before that.
///
/// *Source*: RFC 1950, section 9; `java.util.zip.Adler32`.
package struct Adler32: Hashable, Sendable {
  private var low: UInt32 = 1
  private var high: UInt32 = 0

  private static let modulus: UInt32 = 65521
  private static let deferredBytes = 5552

  /// The checksum of no bytes, which is 1.
  package init() {}

  /// The checksum so far.
  package var value: UInt32 { high << 16 | low }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = Adler32()
    sum.update(bytes)
    return sum.value
  }

  /// Takes in more bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var position = 0
    while position < bytes.count {
      let end = min(position + Self.deferredBytes, bytes.count)
      while position + 16 <= end {
        addBlock(base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self))
        position += 16
      }
      while position < end {
        low &+= UInt32(base.load(fromByteOffset: position, as: UInt8.self))
        high &+= low
        position += 1
      }
      low %= Self.modulus
      high %= Self.modulus
    }
  }

  /// Sixteen steps at once: `high` grows by 16 times `low`, and by each byte as often as it is still to be counted.
  @inline(__always)
  private mutating func addBlock(_ block: SIMD16<UInt8>) {
    let wide = SIMD16<UInt16>(truncatingIfNeeded: block)
    let weights = SIMD16<UInt16>(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    // At most 255 * 136 = 34,680, which fits.
    high &+= low &* 16 &+ UInt32((wide &* weights).wrappedSum())
    low &+= UInt32(wide.wrappedSum())
  }
}
