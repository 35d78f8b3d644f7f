/// The encoding half of Jute: appends values to one growing array of bytes.
///
/// A writer may be kept and reused (`removeAll`), so that a connection encodes without allocating. `reserveFrame` and
/// `finishFrame` put the 4-byte length in front of a message once it is known.
///
/// *Source*: `org.apache.jute.BinaryOutputArchive`.
@frozen
public struct JuteWriter: Sendable {
  /// Everything written so far.
  public private(set) var bytes: [UInt8]

  @inlinable
  public init() { self.init(reservingBytes: 0) }

  /// An empty writer with room for `reservingBytes`.
  public init(reservingBytes: Int) {
    bytes = []
    bytes.reserveCapacity(reservingBytes)
  }

  /// Discards what was written, and keeps the storage for the next message.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Writes a 4-byte integer.
  public mutating func writeInt(_ value: Int32) { append(bigEndian: UInt32(bitPattern: value)) }

  /// Writes an 8-byte integer.
  public mutating func writeLong(_ value: Int64) { append(bigEndian: UInt64(bitPattern: value)) }

  /// Writes one byte.
  public mutating func writeByte(_ value: UInt8) { bytes.append(value) }

  /// Writes a boolean as 0 or 1.
  public mutating func writeBool(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// Appends bytes as they are, without a length.
  public mutating func writeRaw(_ raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

  /// Appends a block of memory as it is, without a length, as records of fixed size are written.
  public mutating func writeBlock(_ block: UnsafeRawBufferPointer) { bytes.append(contentsOf: block) }

  /// Writes a block of memory as a buffer or string: its length, then its bytes.
  public mutating func writeLengthPrefixed(_ block: UnsafeRawBufferPointer) {
    writeInt(Int32(block.count))
    bytes.append(contentsOf: block)
  }

  /// Replaces the integer written at `offset`: for counts and codes that are known only later.
  public mutating func overwriteInt(_ value: Int32, at offset: Int) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * index)) }
  }

  /// Discards what was written from `offset` on.
  public mutating func removeAll(from offset: Int) { bytes.removeSubrange(offset...) }

  /// Writes a buffer; nil is null (-1), distinct from empty.
  public mutating func writeBuffer(_ buffer: [UInt8]?) {
    guard let buffer else { return writeInt(-1) }
    writeInt(Int32(buffer.count))
    bytes.append(contentsOf: buffer)
  }

  /// Writes a string as UTF-8; nil is null (-1).
  public mutating func writeString(_ string: String?) {
    guard let string else { return writeInt(-1) }
    writeInt(Int32(string.utf8.count))
    bytes.append(contentsOf: string.utf8)
  }

  /// Writes a vector; nil is null (-1).
  @inlinable
  public mutating func writeVector<Element>(_ elements: [Element]?, _ write: (inout JuteWriter, Element) -> Void) {
    guard let elements else { return writeInt(-1) }
    writeInt(Int32(elements.count))
    for element in elements { write(&self, element) }
  }

  /// Leaves room for a frame's length and returns where it is, for `finishFrame`.
  public mutating func reserveFrame() -> Int {
    let start = bytes.count
    writeInt(0)
    return start
  }

  /// Fills in the length of the frame begun at `start`.
  public mutating func finishFrame(at start: Int) {
    let length = UInt32(bytes.count - start - 4)
    for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
  }

  private mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
    var shift = Integer.bitWidth
    while shift > 0 {
      shift -= 8
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}
