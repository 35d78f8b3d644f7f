/// Decodes Unicode scalars from the bytes of a terminal, one byte at a time.
///
/// A partial character survives an interruption, unlike in a decoder inside one read call.
struct ScalarDecoder {
  private var value: UInt32 = 0
  private var smallest: UInt32 = 0
  private var missingBytes = 0

  /// Adds a byte and returns the scalar that it completes, if any.
  ///
  /// - Returns: U+FFFD for invalid UTF-8; an incomplete sequence is replaced by the byte that interrupts it.
  mutating func push(_ byte: UInt8) -> Unicode.Scalar? {
    switch byte {
    case 0x00...0x7F:
      missingBytes = 0
      return Unicode.Scalar(byte)
    case 0xC2...0xDF:
      return begin(with: byte & 0x1F, following: 1, smallest: 0x80)
    case 0xE0...0xEF:
      return begin(with: byte & 0x0F, following: 2, smallest: 0x800)
    case 0xF0...0xF4:
      return begin(with: byte & 0x07, following: 3, smallest: 0x10000)
    case 0x80...0xBF where missingBytes > 0:
      return append(byte & 0x3F)
    default:
      missingBytes = 0
      return "\u{FFFD}"
    }
  }

  private mutating func begin(with bits: UInt8, following: Int, smallest: UInt32) -> Unicode.Scalar? {
    value = UInt32(bits)
    missingBytes = following
    self.smallest = smallest
    return nil
  }

  private mutating func append(_ bits: UInt8) -> Unicode.Scalar? {
    value = value << 6 | UInt32(bits)
    missingBytes -= 1
    guard missingBytes == 0 else { return nil }
    // Neither overlong forms nor surrogates nor numbers past U+10FFFF are scalars.
    return value < smallest ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}"
  }
}
