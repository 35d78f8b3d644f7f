/// The end of a file as it will be after the next write, from the start of a block on, in memory that is aligned for
/// direct writes.
///
/// It has the block that was written in part already, and after it the bytes that will be written next.
struct BlockBuffer: ~Copyable {
  private var memory: UnsafeMutableRawBufferPointer
  /// The number of bytes in use. The memory after them is all zeros.
  private(set) var count = 0

  init() {
    memory = Self.allocate(byteCount: 4 * DirectWrite.blockBytes)
    Self.clear(memory, 0..<memory.count)
  }

  deinit { memory.deallocate() }

  /// The bytes in use.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// The bytes in use, and zeros up to the end of the last block.
  var paddedBytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[..<DirectWrite.roundUp(count)])
  }

  /// Adds bytes at the end.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    reserve(bytes.count)
    UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
    count += bytes.count
  }

  /// Adds bytes at the end.
  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Adds an integer in big-endian order, as Jute encodes it.
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append($0) }
  }

  /// Removes bytes at the end, so that `count` are left.
  mutating func removeLast(leaving count: Int) {
    Self.clear(memory, count..<self.count)
    self.count = count
  }

  /// Removes the whole blocks at the front, and returns their size in bytes.
  mutating func removeWholeBlocks() -> Int {
    let removed = DirectWrite.roundDown(count)
    guard removed > 0 else { return 0 }
    memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[removed..<count]))
    // Clears what was moved and what was left over from it: all bytes that are no longer in use.
    Self.clear(memory, (count - removed)..<count)
    count -= removed
    return removed
  }

  /// Makes room for `byteCount` more bytes, in whole blocks.
  private mutating func reserve(_ byteCount: Int) {
    let needed = DirectWrite.roundUp(count + byteCount)
    guard needed > memory.count else { return }
    let larger = Self.allocate(byteCount: max(needed, 2 * memory.count))
    larger.copyMemory(from: bytes)
    Self.clear(larger, count..<larger.count)
    memory.deallocate()
    memory = larger
  }

  private static func clear(_ memory: UnsafeMutableRawBufferPointer, _ range: Range<Int>) {
    memory[range].initializeMemory(as: UInt8.self, repeating: 0)
  }

  private static func allocate(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    .allocate(byteCount: byteCount, alignment: DirectWrite.blockBytes)
  }
}

// @unchecked: the memory belongs to the buffer, which cannot be copied.
extension BlockBuffer: @unchecked Sendable {}
