internal import ZooKeeperProtocol

/// Byte arithmetic on paths.
enum PathBytes {
  static let slash = UInt8(ascii: "/")

  /// The offset of the first slash at or after `start`; the end if there is none.
  static func endOfName(in path: UnsafeRawBufferPointer, from start: Int) -> Int {
    let slashes = 0x0101_0101_0101_0101 &* UInt64(slash)
    var offset = start
    while offset + 8 <= path.count {
      let word = UInt64(littleEndian: path.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ slashes
      // The lowest bit that is set is the high bit of the first byte that was a slash.
      let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if found != 0 { return offset + found.trailingZeroBitCount / 8 }
      offset += 8
    }
    while offset < path.count, path[offset] != slash { offset += 1 }
    return offset
  }

  /// The offset of the last slash.
  static func lastSlash(_ path: UnsafeRawBufferPointer) -> Int? {
    var index = path.count - 1
    while index >= 0 {
      if path[index] == slash { return index }
      index -= 1
    }
    return nil
  }

  /// The first `count` bytes.
  static func prefix(_ path: UnsafeRawBufferPointer, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: path[..<count])
  }

  /// The bytes from `start` on.
  static func suffix(_ path: UnsafeRawBufferPointer, from start: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: path[start...])
  }

  /// Whether `path` begins with `prefix`.
  static func hasPrefix(_ path: UnsafeRawBufferPointer, _ prefix: StaticString) -> Bool {
    let count = prefix.utf8CodeUnitCount
    guard path.count >= count else { return false }
    return areEqual(Self.prefix(path, count), UnsafeRawBufferPointer(start: prefix.utf8Start, count: count))
  }

  /// The length of the path as a Java string, in UTF-16 units, which is what Apache's servers add up.
  static func utf16Count(_ path: UnsafeRawBufferPointer) -> Int {
    path.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : $1 >= 0xf0 ? 2 : 1) }
  }
}
