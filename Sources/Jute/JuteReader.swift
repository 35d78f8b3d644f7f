/// A cursor over the bytes of one record: the decoding half of ZooKeeper's Jute encoding.
///
/// Every method that reads throws a ``JuteError`` with the offset of the value that could not be read, and never traps,
/// whatever the bytes are. A reader that has thrown is of no further use: how much it has consumed is not defined.
///
/// *Shape*: integers are big-endian two's complement; a boolean is one byte (0 is false, anything else
/// true); a buffer or string is an `int` length and its bytes, -1 meaning null; a vector is an `int`
/// count and its elements.
///
/// Lengths are checked against the bytes that are there before anything is allocated, so that a hostile length costs
/// nothing. The reader borrows its bytes: it must not outlive them.
///
/// *Source*: `org.apache.jute.BinaryInputArchive`.
@frozen
public struct JuteReader {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline var position: Int

  /// Starts at the first byte of `bytes`, which must stay valid as long as the reader is used.
  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    self.position = 0
  }

  /// Bytes consumed so far.
  @inlinable public var offset: Int { position }

  /// Bytes not yet consumed.
  @inlinable public var remainingBytes: Int { bytes.count - position }

  /// Reads a 4-byte integer.
  ///
  /// - Throws: `truncated` if fewer bytes are left.
  @inlinable
  public mutating func readInt() throws(JuteError) -> Int32 {
    Int32(bitPattern: try readBigEndian(UInt32.self))
  }

  /// Reads an 8-byte integer.
  ///
  /// - Throws: `truncated` if fewer bytes are left.
  @inlinable
  public mutating func readLong() throws(JuteError) -> Int64 {
    Int64(bitPattern: try readBigEndian(UInt64.self))
  }

  /// Reads one byte.
  ///
  /// - Throws: `truncated` if none is left.
  @inlinable
  public mutating func readByte() throws(JuteError) -> UInt8 {
    try readBigEndian(UInt8.self)
  }

  /// Reads a boolean; any byte but 0 is true, as in Java.
  ///
  /// - Throws: `truncated` if no byte is left.
  @inlinable
  public mutating func readBool() throws(JuteError) -> Bool {
    try readBigEndian(UInt8.self) != 0
  }

  /// Reads a buffer; null is nil and distinct from empty.
  ///
  /// - Throws: `negativeLength`, or `truncated` if the length is over what is left.
  @inlinable
  public mutating func readBuffer() throws(JuteError) -> [UInt8]? {
    guard let range = try readLengthPrefixedRange() else { return nil }
    return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// Reads a buffer or the bytes of a string without copying them; null is nil.
  ///
  /// What is returned is valid as long as the reader's own bytes are.
  ///
  /// - Throws: `negativeLength`, or `truncated` if the length is over what is left.
  @inlinable
  public mutating func readBorrowedBuffer() throws(JuteError) -> UnsafeRawBufferPointer? {
    guard let range = try readLengthPrefixedRange() else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// Reads a string; null is nil. Invalid UTF-8 becomes U+FFFD, as in Java's readers.
  ///
  /// - Throws: `negativeLength`, or `truncated` if the length is over what is left.
  @inlinable
  public mutating func readOptionalString() throws(JuteError) -> String? {
    guard let range = try readLengthPrefixedRange() else { return nil }
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  /// Reads a string that may not be null.
  ///
  /// - Throws: `unexpectedNull`, and what `readOptionalString` throws.
  @inlinable
  public mutating func readString() throws(JuteError) -> String {
    let start = position
    guard let string = try readOptionalString() else { throw JuteError(.unexpectedNull, offset: start) }
    return string
  }

  /// Reads a vector; null is nil.
  ///
  /// Every element takes at least one byte, so that a count over the remaining bytes is refused before anything is
  /// reserved.
  ///
  /// - Throws: `negativeLength`, `truncated` if the count is over what is left, and what `element` throws.
  @inlinable
  public mutating func readOptionalVector<Element>(
    _ element: (inout JuteReader) throws(JuteError) -> Element
  ) throws(JuteError) -> [Element]? {
    let start = position
    let count = Int(try readInt())
    if count == -1 { return nil }
    guard count >= 0 else { throw JuteError(.negativeLength(count), offset: start) }
    guard count <= remainingBytes else {
      throw JuteError(.truncated(missingBytes: count - remainingBytes), offset: start)
    }
    var elements: [Element] = []
    // An element of one byte may become a value of many: reserve for the wire's size, grow for the rest.
    elements.reserveCapacity(min(count, 4096))
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  /// Reads a vector that may not be null.
  ///
  /// - Throws: `unexpectedNull`, and what `readOptionalVector` throws.
  @inlinable
  public mutating func readVector<Element>(
    _ element: (inout JuteReader) throws(JuteError) -> Element
  ) throws(JuteError) -> [Element] {
    let start = position
    guard let elements = try readOptionalVector(element) else { throw JuteError(.unexpectedNull, offset: start) }
    return elements
  }

  /// Takes a block of `count` bytes with one bounds check, as records of fixed size are read.
  ///
  /// A check and a typed throw for each field of a `Stat` cost several times what the one check costs. The block is
  /// valid as long as the reader's own bytes are.
  ///
  /// - Throws: `truncated` if fewer bytes are left.
  @inlinable
  public mutating func readFixedBlock(count: Int) throws(JuteError) -> UnsafeRawBufferPointer {
    guard count <= remainingBytes else {
      throw JuteError(.truncated(missingBytes: count - remainingBytes), offset: position)
    }
    let block = UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    position += count
    return block
  }

  /// Takes all bytes that are left, for a record whose last field has no length.
  @inlinable
  public mutating func readRemaining() -> [UInt8] {
    defer { position = bytes.count }
    return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[position...]))
  }

  /// Checks that the record has consumed all bytes.
  ///
  /// - Throws: `trailingBytes` with the number of bytes that are left.
  @inlinable
  public func finish() throws(JuteError) {
    guard remainingBytes == 0 else { throw JuteError(.trailingBytes(remainingBytes), offset: position) }
  }

  /// Reads an integer of any width; one bounds check.
  @inlinable
  mutating func readBigEndian<Integer: FixedWidthInteger>(_: Integer.Type) throws(JuteError) -> Integer {
    let size = MemoryLayout<Integer>.size
    guard size <= remainingBytes else {
      throw JuteError(.truncated(missingBytes: size - remainingBytes), offset: position)
    }
    defer { position += size }
    return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Integer.self))
  }

  /// Reads a length and skips the bytes that it counts; nil is null.
  @inlinable
  mutating func readLengthPrefixedRange() throws(JuteError) -> Range<Int>? {
    let start = position
    let length = Int(try readInt())
    if length == -1 { return nil }
    guard length >= 0 else { throw JuteError(.negativeLength(length), offset: start) }
    guard length <= remainingBytes else {
      throw JuteError(.truncated(missingBytes: length - remainingBytes), offset: start)
    }
    defer { position += length }
    return position..<position + length
  }
}

extension UnsafeRawBufferPointer {
  /// The big-endian integer at `offset`; the caller has checked the bounds.
  @inlinable
  public func loadBigEndian<Integer: FixedWidthInteger>(at offset: Int, as _: Integer.Type) -> Integer {
    Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
  }
}
