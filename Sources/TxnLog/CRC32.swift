/// The CRC-32 of zip and gzip.
///
/// *Source*: RFC 1952, section 8.
enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
  }

  /// The CRC of `bytes`.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~0) { value, byte in table[Int((value ^ UInt32(byte)) & 0xff)] ^ value >> 8 }
    }
  }
}
