internal import CZlib

/// The CRC-32 of zip and gzip.
///
/// *Source*: RFC 1952, section 8; `java.util.zip.CRC32`.
package enum CRC32 {
  /// The checksum of no bytes.
  package static let initial: UInt32 = 0

  /// The checksum of all bytes so far, from `checksum`, that of those before `bytes`.
  package static func update(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // zlib takes a null pointer for the question after the initial value.
    guard let base = bytes.baseAddress else { return checksum }
    return UInt32(truncatingIfNeeded: crc32_z(UInt(checksum), base.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { update(initial, bytes) }
}
