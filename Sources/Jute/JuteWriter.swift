/// The encoding half of Jute: appends values to one growing block of bytes.
///
/// A writer may be kept and reused (`removeAll`), so that a connection encodes without allocating. `reserveFrame` and
/// `finishFrame` put the 4-byte length in front of a message once it is known.
///
/// Integers are stored whole into room that is there already: appended to an array byte by byte, they were a third of
/// what a reply costs.
///
/// *Source*: `org.apache.jute.BinaryOutputArchive`.
@frozen
public struct JuteWriter: Sendable {
  /// What was written, and after it room for more.
  @usableFromInline var storage: [UInt8]
  /// How many bytes were written.
  @inlinable public var count: Int { used }
  @usableFromInline var used: Int

  @inlinable
  public init() { self.init(reservingBytes: 0) }

  /// An empty writer with room for `reservingBytes`.
  public init(reservingBytes: Int) {
    storage = Self.room(forBytes: reservingBytes)
    used = 0
  }

  // MARK: What was written

  /// Whether nothing was written.
  public var isEmpty: Bool { count == 0 }

  /// A copy of everything written so far.
  public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

  /// Calls `body` with everything written so far.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  /// Gives everything written so far away, without a copy.
  public consuming func takeBytes() -> [UInt8] {
    storage.removeLast(storage.count - count)
    return storage
  }

  /// Discards what was written, and keeps the storage for the next message.
  public mutating func removeAll() { used = 0 }

  /// Discards what was written from `offset` on.
  public mutating func removeAll(from offset: Int) {
    precondition(0 <= offset && offset <= count, "a writer of \(count) bytes is cut at \(offset)")
    used = offset
  }

  // MARK: Values

  /// Writes a 4-byte integer.
  @inlinable
  public mutating func writeInt(_ value: Int32) { append(bigEndian: value) }

  /// Writes an 8-byte integer.
  @inlinable
  public mutating func writeLong(_ value: Int64) { append(bigEndian: value) }

  /// Writes one byte.
  public mutating func writeByte(_ value: UInt8) { append(bigEndian: value) }

  /// Writes a boolean as 0 or 1.
  public mutating func writeBool(_ value: Bool) { append(bigEndian: UInt8(value ? 1 : 0)) }

  /// Writes a buffer; nil is null (-1), distinct from empty.
  public mutating func writeBuffer(_ buffer: [UInt8]?) {
    guard let buffer else { return writeInt(-1) }
    buffer.withUnsafeBytes { writeLengthPrefixed($0) }
  }

  /// Writes a string as UTF-8; nil is null (-1).
  public mutating func writeString(_ string: String?) {
    guard let string else { return writeInt(-1) }
    // `withUTF8` changes the string, and would need a copy of it; only strings that are not native need one.
    let isWritten: Void? = string.utf8.withContiguousStorageIfAvailable {
      writeLengthPrefixed(UnsafeRawBufferPointer($0))
    }
    if isWritten == nil { writeBuffer([UInt8](string.utf8)) }
  }

  /// Writes a block of memory as a buffer or string: its length, then its bytes.
  public mutating func writeLengthPrefixed(_ block: UnsafeRawBufferPointer) {
    writeInt(Int32(block.count))
    writeBlock(block)
  }

  /// Writes a vector; nil is null (-1).
  @inlinable
  public mutating func writeVector<Element>(_ elements: [Element]?, _ write: (inout JuteWriter, Element) -> Void) {
    guard let elements else { return writeInt(-1) }
    writeInt(Int32(elements.count))
    for element in elements { write(&self, element) }
  }

  // MARK: Bytes as they are

  /// Appends bytes as they are, without a length.
  public mutating func writeRaw(_ raw: some Sequence<UInt8>) {
    if raw.withContiguousStorageIfAvailable({ writeBlock(UnsafeRawBufferPointer($0)) }) == nil {
      for byte in raw { writeByte(byte) }
    }
  }

  /// Appends a block of memory as it is, without a length, as records of fixed size are written.
  public mutating func writeBlock(_ block: UnsafeRawBufferPointer) {
    makeRoom(forBytes: block.count)
    storage.withUnsafeMutableBytes { storage in
      UnsafeMutableRawBufferPointer(rebasing: storage[used...]).copyMemory(from: block)
    }
    used += block.count
  }

  /// Appends `byteCount` bytes that `fill` stores in place, all of them, as records of fixed size are written: there is
  /// one check for room instead of one for each field.
  @inlinable
  @inline(__always)
  public mutating func writeBlock(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    makeRoom(forBytes: byteCount)
    storage.withUnsafeMutableBytes { storage in
      fill(UnsafeMutableRawBufferPointer(rebasing: storage[used..<used + byteCount]))
    }
    used += byteCount
  }

  // MARK: What is known later

  /// Replaces the integer written at `offset`: for counts and codes that are known only later.
  public mutating func overwriteInt(_ value: Int32, at offset: Int) {
    precondition(0 <= offset && offset <= count - 4, "a writer of \(count) bytes has no integer at \(offset)")
    storage.withUnsafeMutableBytes { $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self) }
  }

  /// Leaves room for a frame's length and returns where it is, for `finishFrame`.
  public mutating func reserveFrame() -> Int {
    let start = count
    writeInt(0)
    return start
  }

  /// Fills in the length of the frame begun at `start`.
  public mutating func finishFrame(at start: Int) { overwriteInt(Int32(count - start - 4), at: start) }

  // MARK: Room

  /// Writes an integer whole.
  @inlinable
  @inline(__always)
  mutating func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
    makeRoom(forBytes: MemoryLayout<Integer>.size)
    storage.withUnsafeMutableBytes { $0.storeBytes(of: value.bigEndian, toByteOffset: used, as: Integer.self) }
    used += MemoryLayout<Integer>.size
  }

  /// Makes room, if there is not enough, for so many bytes more.
  @inlinable
  @inline(__always)
  mutating func makeRoom(forBytes needed: Int) {
    if storage.count - used < needed { grow(forBytes: needed) }
  }

  /// Doubles the room, or makes as much as is needed.
  @usableFromInline
  @inline(never)
  mutating func grow(forBytes needed: Int) {
    var larger = Self.room(forBytes: max(2 * storage.count, count + needed, 64))
    larger.withUnsafeMutableBytes { larger in withUnsafeBytes { larger.copyMemory(from: $0) } }
    storage = larger
  }

  /// An array of bytes with any values: they are written before they are read.
  private static func room(forBytes byteCount: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { $1 = byteCount }
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Stores an integer in big-endian order at `offset`; the caller has checked the bounds.
  @inlinable
  public func storeBigEndian<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
  }
}
