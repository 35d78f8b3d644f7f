import JSONFormat

/// Random texts for secrets.
enum SecretText {
  /// 64 hexadecimal digits: 256 bits from the operating system.
  static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    return Hex.text((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
  }
}
