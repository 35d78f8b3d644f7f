import ZooKeeperProtocol

/// The format of a tar archive, which consists of blocks of 512 bytes. Each entry has one block for its head, and as
/// many as its content needs.
///
/// *Source*: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Interchange Format".
enum TarFormat {
  static let blockBytes = 512

  /// The kinds of entries that are read or written.
  enum Kind: UInt8 {
    case file = 0x30, directory = 0x35
    /// Records for the next entry, or for all following entries.
    case extended = 0x78, global = 0x67
    /// GNU tar's form of a long name.
    case longName = 0x4c
  }

  /// The head of an entry.
  struct Head {
    var name: String
    var kind: UInt8
    var size: Int
    var modifiedSeconds: Int64 = 0
  }

  /// The number of bytes that heads use here; the others are zero.
  private static let usedBytes = 265

  /// Adds the block of a head. Its name must be short enough.
  static func append(_ head: Head, to bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: blockBytes))
    bytes.withUnsafeMutableBytes { bytes in
      let block = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
      block.copyBytes(from: head.name.utf8.prefix(nameBytes))
      putOctal(head.kind == Kind.directory.rawValue ? 0o755 : 0o644, 7, at: 100, in: block)
      putOctal(0, 7, at: 108, in: block)
      putOctal(0, 7, at: 116, in: block)
      putOctal(Int64(head.size), 11, at: 124, in: block)
      putOctal(max(0, min(head.modifiedSeconds, 0o77777777777)), 11, at: 136, in: block)
      block[156] = head.kind
      UnsafeMutableRawBufferPointer(rebasing: block[257..<265]).copyBytes(from: "ustar\u{0}00".utf8)
      // The checksum counts its own eight bytes as blanks.
      var sum: Int64 = 8 * 0x20
      for byte in block[..<usedBytes] { sum += Int64(byte) }
      putOctal(sum, 6, at: 148, in: block)
      block[155] = 0x20
    }
  }

  /// Writes the lowest octal digits of a non-negative number.
  private static func putOctal(_ number: Int64, _ digits: Int, at offset: Int, in block: UnsafeMutableRawBufferPointer)
  {
    var rest = number
    for place in stride(from: offset + digits - 1, through: offset, by: -1) {
      block[place] = 0x30 + UInt8(rest & 7)
      rest >>= 3
    }
  }

  /// The maximum length of a name in a head, in bytes; longer names are in records.
  static let nameBytes = 100

  /// The head in a block.
  ///
  /// - Returns: nil if the checksum does not match, or a number is not valid.
  static func head(_ block: ArraySlice<UInt8>) -> Head? {
    let bytes = [UInt8](block)
    func field(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> { bytes[offset..<(offset + count)] }
    func number(_ offset: Int, _ count: Int) -> Int? {
      // If the highest bit is set, the rest is a binary number, for sizes that are too large for octal digits.
      if bytes[offset] & 0x80 != 0 {
        guard field(offset + 1, count - 9).allSatisfy({ $0 == 0 }), bytes[offset] == 0x80 else { return nil }
        let value = field(offset + count - 8, 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(exactly: value)
      }
      let digits = field(offset, count).drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
      guard digits.allSatisfy({ (0x30...0x37).contains($0) }), digits.count <= 20 else { return nil }
      return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }
    guard let checksum = number(148, 8), let size = number(124, 12) else { return nil }
    let sum = bytes.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(bytes[$1])) }
    guard sum == checksum else { return nil }
    func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
    let prefix = field(257, 5).elementsEqual("ustar".utf8) && bytes[262] == 0 ? text(field(345, 155)) : ""
    let name = text(field(0, 100))
    return Head(
      name: prefix.isEmpty ? name : "\(prefix)/\(name)", kind: bytes[156] == 0 ? Kind.file.rawValue : bytes[156],
      size: size, modifiedSeconds: Int64(number(136, 12) ?? 0))
  }

  /// The content of an entry with records: `LENGTH KEY=VALUE\n` for each.
  static func records(_ records: [(key: String, value: [UInt8])]) -> [UInt8] {
    records.flatMap { record in
      let rest = [UInt8](" \(record.key)=".utf8) + record.value + [0x0a]
      // The length includes its own digits.
      var length = rest.count + 1
      while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
      return [UInt8](String(length).utf8) + rest
    }
  }

  /// Reads records.
  ///
  /// - Returns: nil if they are malformed.
  static func readRecords(_ bytes: [UInt8]) -> [String: [UInt8]]? {
    var records: [String: [UInt8]] = [:]
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      let digits = rest.prefix { $0 != 0x20 }
      guard digits.count < 10, let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 2,
        length <= rest.count
      else { return nil }
      let record = rest.prefix(length).dropFirst(digits.count + 1)
      guard record.last == 0x0a, let equals = record.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      records[String(decoding: record[..<equals], as: UTF8.self)] = [UInt8](record[(equals + 1)...].dropLast())
      rest = rest.dropFirst(length)
    }
    return records
  }

  /// The number of padding bytes after content of a given size.
  static func padding(after size: Int) -> Int { (blockBytes - size % blockBytes) % blockBytes }
}
