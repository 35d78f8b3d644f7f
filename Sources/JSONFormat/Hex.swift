/// Lower-case hexadecimal.
package enum Hex {
  /// Two digits a byte, nothing between.
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Two digits.
  package static func text(_ byte: UInt8) -> String { text(CollectionOfOne(byte)) }

  private static let digits = [UInt8]("0123456789abcdef".utf8)
}

extension UInt8 {
  /// The value of a hexadecimal digit, or nil.
  package var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
