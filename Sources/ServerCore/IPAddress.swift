/// A numeric IPv4 or IPv6 address, as in ACLs of scheme `ip`.
///
/// *Source*: `org.apache.zookeeper.server.auth.IPAuthenticationProvider`, 3.9.5.
struct IPAddress: Hashable {
  /// 4 or 16 bytes.
  var bytes: [UInt8]

  /// Reads `a.b.c.d`, or eight hexadecimal groups of which a run of zeros may be `::`.
  init?(parsing text: Substring) {
    if text.contains(":") {
      guard let bytes = Self.version6(text) else { return nil }
      self.bytes = bytes
    } else {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      let bytes = parts.compactMap { UInt8($0) }
      guard parts.count == 4, bytes.count == 4 else { return nil }
      self.bytes = bytes
    }
  }

  /// The address with only its first `count` bits; the rest is 0.
  func masked(bits count: Int) -> IPAddress {
    var masked = self
    for index in bytes.indices {
      let bits = min(8, max(0, count - index * 8))
      masked.bytes[index] &= UInt8(truncatingIfNeeded: 0xff00 >> bits)
    }
    return masked
  }

  private static func version6(_ text: Substring) -> [UInt8]? {
    var halves = [text]
    if let gap = text.firstRange(of: "::") {
      halves = [text[..<gap.lowerBound], text[gap.upperBound...]]
      guard halves[1].firstRange(of: "::") == nil else { return nil }
    }
    let groups = halves.map { half in half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false) }
    let count = groups.reduce(0) { $0 + $1.count }
    guard halves.count == 1 ? count == 8 : count < 8 else { return nil }
    var words: [UInt16] = []
    for (index, half) in groups.enumerated() {
      if index == 1 { words += [UInt16](repeating: 0, count: 8 - count) }
      for group in half {
        guard (1...4).contains(group.utf8.count), group.first != "+", let word = UInt16(group, radix: 16) else {
          return nil
        }
        words.append(word)
      }
    }
    return words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
  }
}

/// An address and the length of its prefix in bits: the id of an ACL entry of scheme `ip`.
struct IPNetwork {
  var address: IPAddress
  var bits: Int

  /// Reads `address` or `address/bits`.
  init?(parsing text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(parsing: first) else { return nil }
    self.address = address
    bits = address.bytes.count * 8
    if parts.count == 2 {
      guard let bits = Int(parts[1]), (0...self.bits).contains(bits) else { return nil }
      self.bits = bits
    }
  }

  /// Whether `other` has the same version and the same prefix.
  func contains(_ other: IPAddress) -> Bool {
    other.bytes.count == address.bytes.count && other.masked(bits: bits) == address.masked(bits: bits)
  }
}
