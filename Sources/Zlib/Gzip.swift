internal import CZlib

/// Compresses a stream of bytes to a gzip file, piece by piece, in memory that does not grow with it.
///
/// *Source*: RFC 1952; zlib's `deflate`.
package struct GzipWriter: ~Copyable {
  /// zlib keeps the address of the stream, which therefore must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private static let stepBytes = 64 << 10

  /// Begins a file.
  ///
  /// - Returns: nil if there is no memory for it.
  package init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard shim_gzip_init(stream, Z_DEFAULT_COMPRESSION) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Adds bytes, and appends the output that is available.
  package mutating func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    var rest = bytes
    while !rest.isEmpty {
      // zlib counts in 32 bits.
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(Int32.max)))
      run(part, Z_NO_FLUSH, &output)
      rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
    }
  }

  /// Ends the file. Nothing may be added afterwards.
  package mutating func finish(to output: inout [UInt8]) {
    run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH, &output)
  }

  /// Compresses a part. With enough room for the output, nothing in this can fail.
  private func run(_ bytes: UnsafeRawBufferPointer, _ flush: Int32, _ output: inout [UInt8]) {
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    var isFull = true
    while isFull {
      output.append(
        contentsOf: [UInt8](unsafeUninitializedCapacity: Self.stepBytes) { buffer, count in
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(Self.stepBytes)
          _ = deflate(stream, flush)
          count = Self.stepBytes - Int(stream.pointee.avail_out)
          isFull = stream.pointee.avail_out == 0
        })
    }
  }
}

extension GzipWriter: @unchecked Sendable {
  // @unchecked: the stream belongs to this value alone, which cannot be copied.
}

/// Decompresses a gzip file that comes piece by piece, in memory that does not grow with it.
///
/// *Source*: RFC 1952; zlib's `inflate`.
package struct GzipReader: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>
  private static let stepBytes = 64 << 10
  /// Whether the last member is complete. Only another member, or nothing, may follow.
  package private(set) var isComplete = false

  /// Begins a file.
  ///
  /// - Returns: nil if there is no memory for it.
  package init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard shim_inflate_init(stream) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Decompresses the next piece, and passes the output to `take`, some ten KiB at a time.
  ///
  /// - Returns: false if it is damaged.
  /// - Throws: what `take` throws.
  package mutating func append<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    var rest = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(Int32.max)))
    let space = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.stepBytes, alignment: 16)
    defer { space.deallocate() }
    while !rest.isEmpty {
      if isComplete {
        guard inflateReset(stream) == Z_OK else { return false }
        isComplete = false
      }
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: rest.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(rest.count)
      var isFull = true
      while isFull, !isComplete {
        stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(Self.stepBytes)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        // There is nothing to do if everything was given out with the last call.
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return false }
        isFull = stream.pointee.avail_out == 0
        isComplete = status == Z_STREAM_END
        let count = Self.stepBytes - Int(stream.pointee.avail_out)
        if count > 0 { try take(UnsafeRawBufferPointer(rebasing: space[..<count])) }
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[(rest.count - Int(stream.pointee.avail_in))...])
    }
    return bytes.count <= Int(Int32.max)
  }
}

extension GzipReader: @unchecked Sendable {
  // @unchecked: the stream belongs to this value alone, which cannot be copied.
}
