import Checksums
import Testing

/// The checksums, against definitions and published values.
@Suite struct ChecksumTests {
  /// Adler-32 as its definition has it.
  private func slowAdler(_ bytes: [UInt8]) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    return high << 16 | low
  }

  /// CRC-32 as its definition has it: a division of polynomials, bit by bit.
  private func slowCRC(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0xedb8_8320) }
    }
  }

  @Test func publishedValues() {
    #expect(Array("Wikipedia".utf8).withUnsafeBytes { Adler32.checksum($0) } == 0x11e6_0398)
    #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.checksum($0) } == 0xcbf4_3926)
    #expect(Adler32().value == 1)
    #expect(
      [UInt8]().withUnsafeBytes { CRC32.checksum($0) } == 0 && [UInt8]().withUnsafeBytes { Adler32.checksum($0) } == 1)
  }

  @Test func deferredModuloDoesNotOverflow() {
    for count in [0, 1, 15, 16, 17, 5551, 5552, 5553, 5568, 20_000] {
      for fill: UInt8 in [0, 0xff, 0x5a] {
        let bytes = [UInt8](repeating: fill, count: count)
        #expect(bytes.withUnsafeBytes { Adler32.checksum($0) } == slowAdler(bytes))
      }
    }
  }

  /// The processor's vectors take whole blocks of memory; what is before and after them is summed up in other ways.
  @Test func everyLengthAtEveryAlignment() {
    let bytes = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 2) }
    bytes.withUnsafeBytes { all in
      for start in [0, 1, 2, 4, 7, 8, 15] {
        for count in 0...200 {
          let part = UnsafeRawBufferPointer(rebasing: all[start..<start + count])
          #expect(CRC32.checksum(part) == slowCRC(part), "CRC-32 of \(count) bytes at \(start)")
          #expect(Adler32.checksum(part) == slowAdler(Array(part)), "Adler-32 of \(count) bytes at \(start)")
        }
      }
    }
  }

  @Test func piecesAddUp() {
    let bytes = (0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }
    var sum = Adler32()
    var start = 0
    for count in [1, 7, 16, 100, 5552, 9000, 15_324] {
      bytes[start..<start + count].withUnsafeBytes { sum.update($0) }
      start += count
    }
    #expect(start == bytes.count && sum.value == slowAdler(bytes))
    let parts = [bytes[..<100], bytes[100...]].map { part in Array(part) }
    let state = parts.reduce(CRC32.initial) { state, part in part.withUnsafeBytes { CRC32.update(state, $0) } }
    #expect(state == bytes.withUnsafeBytes { CRC32.checksum($0) })
  }
}
