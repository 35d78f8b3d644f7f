/// A path as a key: equal when the bytes are.
///
/// Swift's strings are equal when Unicode calls them canonically equivalent; to ZooKeeper two spellings of `é`
/// are two names.
package struct PathKey: Hashable, Sendable {
  package let path: String
  /// Of the bytes, mixed once: a key is looked up several times on the way of a write.
  private let mixed: UInt64

  /// Clients choose the paths, and must not choose which of them collide: the seed of all hashing in this process.
  private static let seed = UInt64(bitPattern: Int64(Hasher().finalize()))

  /// The key of `path`.
  package init(_ path: String) {
    self.path = path
    mixed = withBytes(path) { PathBytes.hash($0, seed: Self.seed) }
  }

  /// Compares the bytes.
  package static func == (left: PathKey, right: PathKey) -> Bool {
    guard left.mixed == right.mixed else { return false }
    return withBytes(left.path) { leftBytes in withBytes(right.path) { areEqual(leftBytes, $0) } }
  }

  /// Hashes the bytes.
  package func hash(into hasher: inout Hasher) { hasher.combine(mixed) }
}

/// Runs `body` on the UTF-8 bytes of `path`, without copying them where the string is native.
@inline(__always)
package func withBytes<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
  var path = path
  return path.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}

/// Byte arithmetic on paths.
enum PathBytes {
  static let slash = UInt8(ascii: "/")

  /// A hash of the bytes that nobody can foresee who does not know the seed.
  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var value = seed
    var offset = 0
    while offset + 8 <= bytes.count {
      value = mix(value ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var tail = UInt64(bytes.count)
    while offset < bytes.count {
      tail = tail << 8 | UInt64(bytes[offset])
      offset += 1
    }
    return mix(value ^ tail)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return high ^ low
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

  /// The length that Java's strings would give it, in UTF-16 units, which is what Apache counts.
  static func utf16Count(_ path: UnsafeRawBufferPointer) -> Int {
    path.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : $1 >= 0xf0 ? 2 : 1) }
  }
}
