/// A path as a key: equal when the bytes are.
///
/// Swift's strings are equal when Unicode calls them canonically equivalent; to ZooKeeper two spellings of `é`
/// are two names.
package struct PathKey: Hashable, Sendable {
  package let path: String
  /// A hash of the bytes, computed once because a key is looked up several times on the way of a write.
  package let mixed: UInt64

  /// Clients choose the paths, and must not be able to choose which of them collide: the seed is random for each
  /// process. Nothing may depend on the order of a dictionary with these keys.
  @usableFromInline static let seed = UInt64(bitPattern: Int64(Hasher().finalize()))

  /// The key of `path`.
  @inlinable
  package init(_ path: String) {
    self.path = path
    mixed = withBytes(path) { PathHash.hash($0, seed: Self.seed) }
  }

  /// Compares the bytes.
  @inlinable
  package static func == (left: PathKey, right: PathKey) -> Bool {
    guard left.mixed == right.mixed else { return false }
    // Compares eight bytes at a time, because comparing the UTF-8 views took a seventh of all instructions of a
    // pipelined write.
    return withBytes(left.path) { leftBytes in withBytes(right.path) { areEqual(leftBytes, $0) } }
  }

  /// Hashes the bytes.
  @inlinable
  package func hash(into hasher: inout Hasher) { hasher.combine(mixed) }
}

/// Runs `body` on the UTF-8 bytes of `path`, without copying them where the string is native.
@inlinable
@inline(__always)
package func withBytes<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
  // `withUTF8` changes the string, and would need a copy of it, whose reference is counted.
  if let result = path.utf8.withContiguousStorageIfAvailable({ body(UnsafeRawBufferPointer($0)) }) { return result }
  return withBytesOfForeign(path, body)
}

/// `withBytes` for a string that is not native, as those of Objective-C.
@usableFromInline
@inline(never)
package func withBytesOfForeign<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
  var path = path
  return path.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}

/// A hash of bytes with a secret seed.
package enum PathHash {
  /// A hash of `bytes` that cannot be predicted without knowing the seed.
  @inlinable
  package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let count = bytes.count
    var value = seed &+ UInt64(count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset + 8 <= count {
      value = mix(value ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    return offset == count ? mix(value) : mix(value ^ lastBytes(of: bytes))
  }

  /// One step: a multiplication to 128 bits, folded.
  @inlinable
  static func mix(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return high ^ low
  }
}

/// The last bytes, up to eight, as a number that no others of the same count have, which must not be 0.
///
/// Blocks overlap where there are fewer than eight. That is faster than a loop over single bytes, and most names are
/// short.
@inlinable
@inline(__always)
package func lastBytes(of bytes: UnsafeRawBufferPointer) -> UInt64 {
  let count = bytes.count
  if count >= 8 { return bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) }
  if count >= 4 {
    let first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
    let last = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
    return UInt64(first) | UInt64(last) << 32
  }
  return UInt64(bytes[0]) | UInt64(bytes[count / 2]) << 8 | UInt64(bytes[count - 1]) << 16
}

/// Whether two blocks of memory hold the same bytes.
@inlinable
@inline(__always)
package func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  let count = left.count
  guard count == right.count else { return false }
  var offset = 0
  while offset + 8 <= count {
    let leftWord = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    guard leftWord == right.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
    offset += 8
  }
  return offset == count || lastBytes(of: left) == lastBytes(of: right)
}
