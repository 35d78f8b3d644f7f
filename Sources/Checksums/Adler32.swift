internal import CDeflate

/// The Adler-32 checksum of a stream of bytes, by which damage in log entries and snapshots is detected.
///
/// *Source*: RFC 1950, section 9; `java.util.zip.Adler32`.
package struct Adler32: Hashable, Sendable {
  /// The checksum so far.
  package private(set) var value: UInt32 = 1

  /// The checksum of no bytes, which is 1.
  package init() {}

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = Adler32()
    sum.update(bytes)
    return sum.value
  }

  /// Adds the next bytes of the stream.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    // A null pointer asks libdeflate for the initial value, and would reset the checksum.
    guard let base = bytes.baseAddress else { return }
    value = libdeflate_adler32(value, base, bytes.count)
  }
}
