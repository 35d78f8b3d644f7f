import JSONFormat

/// Bytes in hexadecimal beside their text, sixteen in a row, in a box.
///
/// *Source*: the output of zkCli.sh's `get -x`, made by Netty's `ByteBufUtil.prettyHexDump`.
enum HexDump {
  private static let edge = "+--------+-------------------------------------------------+----------------+"
  private static let head = [
    "         +-------------------------------------------------+",
    "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |",
  ]

  /// The rows with line ends between them; empty for no bytes.
  static func text(_ bytes: [UInt8]) -> String {
    guard !bytes.isEmpty else { return "" }
    let rows = stride(from: 0, to: bytes.count, by: 16).map { start in
      row(offset: start, bytes[start..<min(start + 16, bytes.count)])
    }
    return (head + [edge] + rows + [edge]).joined(separator: "\n")
  }

  private static func row(offset: Int, _ bytes: ArraySlice<UInt8>) -> String {
    let digits = String(offset, radix: 16)
    let number = String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    let hex = bytes.map { " " + Hex.text($0) }.joined()
    let text = String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
    let missing = 16 - bytes.count
    return "|\(number)|\(hex)\(blanks(3 * missing)) |\(text)\(blanks(missing))|"
  }

  private static func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }
}
