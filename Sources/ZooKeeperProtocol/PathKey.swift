/// A path as a key: equal when the bytes are.
///
/// Swift's strings are equal when Unicode calls them canonically equivalent; to ZooKeeper two spellings of `é`
/// are two names.
package struct PathKey: Hashable, Sendable {
  package let path: String
  /// A hash of the bytes, computed once because a key is looked up several times on the way of a write.
  @usableFromInline let mixed: UInt64

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
  var path = path
  return path.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}

/// A hash of bytes with a secret seed.
package enum PathHash {
  /// A hash of `bytes` that cannot be predicted without knowing the seed.
  @inlinable
  package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
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

  /// One step: a multiplication to 128 bits, folded.
  @inlinable
  static func mix(_ value: UInt64) -> UInt64 {
    let (high, low) = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return high ^ low
  }
}

/// Whether two blocks of memory hold the same bytes.
@inlinable
package func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  let count = left.count
  guard count == right.count else { return false }
  var offset = 0
  while offset + 8 <= count {
    let leftWord = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    guard leftWord == right.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
    offset += 8
  }
  while offset < count {
    guard left[offset] == right[offset] else { return false }
    offset += 1
  }
  return true
}
