/// The checksum of zip files, eight bytes at a time.
///
/// A handle on its tables, which are made once per tree: a global would be looked up with a check on every use.
/// The owner calls `destroy`.
struct CRC32 {
  private let tables: UnsafeMutablePointer<UInt32>

  /// The state before any byte.
  static let initial: UInt32 = 0xffff_ffff

  /// Makes the tables: eight of 256 entries.
  init() {
    tables = .allocate(capacity: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
      tables[index] = value
    }
    for index in 256..<8 * 256 {
      let previous = tables[index - 256]
      tables[index] = previous >> 8 ^ tables[Int(previous & 0xff)]
    }
  }

  /// Frees the tables.
  func destroy() { tables.deallocate() }

  /// The state after `bytes`, from the state before them.
  func update(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var state = state
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(state)
      state =
        tables[7 * 256 + Int(word & 0xff)] ^ tables[6 * 256 + Int(word >> 8 & 0xff)]
        ^ tables[5 * 256 + Int(word >> 16 & 0xff)] ^ tables[4 * 256 + Int(word >> 24 & 0xff)]
        ^ tables[3 * 256 + Int(word >> 32 & 0xff)] ^ tables[2 * 256 + Int(word >> 40 & 0xff)]
        ^ tables[256 + Int(word >> 48 & 0xff)] ^ tables[Int(word >> 56)]
      offset += 8
    }
    while offset < bytes.count {
      state = state >> 8 ^ tables[Int((state ^ UInt32(bytes[offset])) & 0xff)]
      offset += 1
    }
    return state
  }
}
