/// Puts Unicode scalars together from the bytes of a terminal, one byte at a time.
///
/// What has arrived of a character outlives an interruption, which a decoder inside one read call could not promise.
struct ScalarDecoder {
  private var value: UInt32 = 0
  private var smallest: UInt32 = 0
  private var missingBytes = 0

  /// Takes a byte and returns the scalar that it completes, if any.
  ///
  /// - Returns: U+FFFD for what is not UTF-8; a sequence that breaks off gives way to the byte that broke it.
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
