/// Parses numbers as Java does in Apache's server.
///
/// *Source*: the documentation of `java.lang.Integer`, `java.lang.Long` and `java.lang.Boolean`.
enum JavaNumber {
  /// A decimal number of 32 bits with an optional sign: `Integer.parseInt`.
  static func int(_ text: String) -> Int? { Int32(text).map(Int.init) }

  /// A decimal number of 64 bits with an optional sign: `Long.parseLong`.
  static func long(_ text: String) -> Int? { Int64(text).map(Int.init) }

  /// A number of 32 bits: decimal, hexadecimal after `0x` or `#`, or octal after `0`: `Integer.getInteger`.
  static func decodedInt(_ text: String) -> Int? {
    guard let number = decodedLong(text), Int32(exactly: number) != nil else { return nil }
    return number
  }

  /// A number of 64 bits in the same formats: `Long.getLong`.
  static func decodedLong(_ text: String) -> Int? {
    var digits = text[...]
    let isNegative = digits.first == "-"
    if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
    var radix = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      digits.removeFirst(2)
      radix = 16
    } else if digits.hasPrefix("#") {
      digits.removeFirst()
      radix = 16
    } else if digits.hasPrefix("0"), digits.count > 1 {
      digits.removeFirst()
      radix = 8
    }
    guard digits.first?.isHexDigit == true else { return nil }
    return Int((isNegative ? "-" : "") + digits, radix: radix)
  }

  /// A duration in milliseconds: a number followed by `ms`, `s`, `m`, `h` or `d`; without a suffix it counts in `unit`.
  ///
  /// *Source*: `org.apache.zookeeper.common.Time.parseTimeInterval`.
  static func milliseconds(_ text: String, bareUnit unit: Int) -> Int? {
    let lower = text.lowercased()
    var (digits, factor) = (lower[...], unit)
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
    if let (suffix, milliseconds) = units.first(where: { lower.hasSuffix($0.0) }) {
      digits = lower.dropLast(suffix.count)
      factor = milliseconds
    }
    guard let number = int(String(digits)) else { return nil }
    let (product, isOver) = number.multipliedReportingOverflow(by: factor)
    return isOver ? nil : product
  }
}
