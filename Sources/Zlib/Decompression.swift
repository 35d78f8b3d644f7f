internal import CZlib

/// Decompresses data that is compressed with zlib's method.
///
/// *Source*: RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).
package enum Decompression {
  /// The output grows by at least this many bytes at a time.
  private static let minimumStepBytes = 64 << 10

  /// The decompressed bytes of a gzip file, whose members follow each other, or of a zlib stream.
  ///
  /// Bytes after the end that do not begin another member are ignored, as `java.util.zip.GZIPInputStream` does.
  ///
  /// The limit protects against a small file that decompresses to more than the memory has.
  ///
  /// - Returns: nil if `bytes` are neither, are damaged or cut off, or decompress to more than `limitBytes`.
  package static func inflate(_ bytes: UnsafeRawBufferPointer, limitBytes: Int) -> [UInt8]? {
    var output: [UInt8] = []
    var rest = bytes
    repeat {
      guard let consumed = inflateMember(rest, into: &output, limitBytes: limitBytes) else { return nil }
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
    } while rest.starts(with: [0x1f, 0x8b])
    return output
  }

  /// Appends what one member decompresses to.
  ///
  /// - Returns: how many compressed bytes the member has; nil if it is damaged, cut off or too large.
  private static func inflateMember(
    _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8], limitBytes: Int
  ) -> Int? {
    var stream = z_stream()
    guard shim_inflate_init(&stream) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var consumed = 0
    while true {
      // zlib counts in 32 bits.
      let input = UnsafeRawBufferPointer(rebasing: bytes[consumed...].prefix(Int(Int32.max)))
      let step = min(max(minimumStepBytes, output.count), limitBytes - output.count + 1, Int(Int32.max))
      let start = output.count
      var status = Z_OK
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(input.count)
      output.append(
        contentsOf: [UInt8](unsafeUninitializedCapacity: step) { buffer, count in
          stream.next_out = buffer.baseAddress
          stream.avail_out = UInt32(step)
          status = CZlib.inflate(&stream, Z_NO_FLUSH)
          count = step - Int(stream.avail_out)
        })
      consumed += input.count - Int(stream.avail_in)
      guard output.count <= limitBytes else { return nil }
      switch status {
      case Z_STREAM_END: return consumed
      // Without progress in either direction, the stream is cut off.
      case Z_OK where output.count == start && stream.avail_in == input.count: return nil
      case Z_OK: continue
      default: return nil
      }
    }
  }
}
