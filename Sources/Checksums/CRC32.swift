internal import CDeflate

/// The CRC-32 checksum of zip and gzip.
///
/// *Source*: RFC 1952, section 8; `java.util.zip.CRC32`.
package enum CRC32 {
  /// The checksum of no bytes.
  package static let initial: UInt32 = 0

  /// Continues a checksum: `checksum` is that of all bytes before `bytes`, the result that of all of them.
  package static func update(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // A null pointer asks libdeflate for the initial value, and would reset the checksum.
    guard let base = bytes.baseAddress else { return checksum }
    return libdeflate_crc32(checksum, base, bytes.count)
  }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { update(initial, bytes) }
}
