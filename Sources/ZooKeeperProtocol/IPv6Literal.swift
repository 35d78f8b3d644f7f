/// An IPv6 address written out in numbers, `::1` or `fe80::1%eth0`, without brackets.
///
/// *Source*: RFC 4291, section 2.2; RFC 4007, section 11, for the zone.
public struct IPv6Literal: Hashable, Sendable {
  /// 16 bytes.
  public let bytes: [UInt8]
  /// What follows `%`: an interface of this machine.
  public let zone: String?

  /// Reads an address; nil if the text is not one.
  public init?(parsing text: some StringProtocol) {
    let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first, let bytes = Self.bytes(of: Substring(address)) else { return nil }
    self.bytes = bytes
    guard parts.count == 2 else {
      zone = nil
      return
    }
    let isName = parts[1].utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard !parts[1].isEmpty, isName else { return nil }
    zone = String(parts[1])
  }

  /// The IPv4 address that `::ffff:a.b.c.d` stands for; nil for any other address.
  ///
  /// A socket that serves both families shows the addresses of IPv4 peers in this form.
  public var mappedIPv4: String? {
    guard zone == nil, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff else { return nil }
    return bytes[12...].map { "\($0)" }.joined(separator: ".")
  }

  private static func bytes(of text: Substring) -> [UInt8]? {
    guard let gap = text.firstRange(of: "::") else {
      let groups = groups(text[...])
      return groups?.count == 16 ? groups : nil
    }
    guard let front = groups(text[..<gap.lowerBound]), let back = groups(text[gap.upperBound...]),
      front.count + back.count <= 14
    else { return nil }
    return front + [UInt8](repeating: 0, count: 16 - front.count - back.count) + back
  }

  /// The bytes of groups with colons between, the last two of which may be an IPv4 address.
  private static func groups(_ text: Substring) -> [UInt8]? {
    if text.isEmpty { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(".") {
        let numbers = part.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard numbers.count == 4, !numbers.contains(nil) else { return nil }
        bytes += numbers.compactMap { $0 }
      } else {
        guard (1...4).contains(part.utf8.count), part.first != "+", let word = UInt16(part, radix: 16) else {
          return nil
        }
        bytes += [UInt8(word >> 8), UInt8(word & 0xff)]
      }
    }
    return bytes.count <= 16 ? bytes : nil
  }
}
