/// Base64 with the standard alphabet.
///
/// *Source*: RFC 4648, section 4.
package enum Base64 {
  private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Encodes bytes, padded with `=`.
  package static func encode(_ bytes: [UInt8]) -> String {
    let length = (bytes.count + 2) / 3 * 4
    return String(unsafeUninitializedCapacity: length) { text in
      var end = 0
      alphabet.withUnsafeBufferPointer { alphabet in
        func append(_ bits: UInt32, _ characters: Int) {
          for place in 0..<4 {
            let isPadding = place >= characters
            text[end + place] = isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63]
          }
          end += 4
        }
        var next = 0
        while next + 3 <= bytes.count {
          append(UInt32(bytes[next]) << 16 | UInt32(bytes[next + 1]) << 8 | UInt32(bytes[next + 2]), 4)
          next += 3
        }
        switch bytes.count - next {
        case 1: append(UInt32(bytes[next]) << 16, 2)
        case 2: append(UInt32(bytes[next]) << 16 | UInt32(bytes[next + 1]) << 8, 3)
        default: break
        }
      }
      return length
    }
  }

  /// Decodes a text. The padding may be left out as a whole; any other deviation is an error.
  ///
  /// - Returns: nil for a character outside the alphabet, a wrong length or wrong padding.
  package static func decode(_ text: [UInt8]) -> [UInt8]? {
    let body = text.prefix { $0 != UInt8(ascii: "=") }
    let padding = text.dropFirst(body.count)
    guard padding.allSatisfy({ $0 == UInt8(ascii: "=") }), padding.isEmpty || text.count % 4 == 0, padding.count <= 2,
      body.count % 4 != 1
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for character in body {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | value
      bitCount += 6
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
    }
    return bytes
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
