/// Lower-case hexadecimal.
enum Hex {
  /// Two digits a byte, nothing between.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Two digits.
  static func text(_ byte: UInt8) -> String { text(CollectionOfOne(byte)) }

  private static let digits = [UInt8]("0123456789abcdef".utf8)
}
