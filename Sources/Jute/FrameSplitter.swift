/// Finds whole frames in a stream: an `int` length, excluding itself, and that many bytes.
///
/// The splitter owns no bytes: its caller keeps what has arrived, asks for the next frame, and discards what was
/// consumed, so that a read with fifty frames in it is decoded in place.
public enum FrameSplitter {
  /// The size of the length in front of a frame, in bytes.
  public static let prefixLengthBytes = 4

  /// ZooKeeper's default `jute.maxbuffer`: the largest frame accepted, in bytes.
  public static let defaultLimitBytes = 0xfffff

  /// The payload of the first frame of `bytes`, or nil while it is incomplete.
  ///
  /// - Throws: `negativeLength` or `tooLarge` (over `limitBytes`) as soon as the length is known, before any of the
  ///   payload has arrived.
  @inlinable
  public static func firstPayload(
    in bytes: UnsafeRawBufferPointer, limitBytes: Int
  ) throws(JuteError) -> UnsafeRawBufferPointer? {
    guard bytes.count >= prefixLengthBytes else { return nil }
    let length = Int(bytes.loadBigEndian(at: 0, as: Int32.self))
    guard length >= 0 else { throw JuteError(.negativeLength(length), offset: 0) }
    guard length <= limitBytes else {
      throw JuteError(.tooLarge(lengthBytes: length, limitBytes: limitBytes), offset: 0)
    }
    guard bytes.count - prefixLengthBytes >= length else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[prefixLengthBytes..<prefixLengthBytes + length])
  }

  /// Where the frame at `offset` ends, which may be beyond the end of `bytes`; at the end if the length is incomplete
  /// or negative.
  package static func endOfFrame(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
    guard bytes.count - offset >= prefixLengthBytes else { return bytes.count }
    let length = Int(bytes.loadBigEndian(at: offset, as: Int32.self))
    return length < 0 ? bytes.count : offset + prefixLengthBytes + length
  }
}
