/// The end of a file as it is going to be: bytes from the start of a block on, in memory that direct writes can take.
///
/// Holds the block that was written in part already, and behind it what is to be written next.
struct BlockBuffer: ~Copyable {
  private var memory: UnsafeMutableRawBufferPointer
  /// Bytes that count; what is behind them is room, and all zeros.
  private(set) var count = 0

  /// An empty buffer.
  init() {
    memory = Self.allocate(byteCount: 4 * DirectWrite.blockBytes)
    Self.clear(memory, 0..<memory.count)
  }

  deinit { memory.deallocate() }

  /// The bytes that count.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// Whole blocks: the bytes that count, and zeros up to the end of the last block.
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

  /// Adds an integer as Jute writes it.
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append($0) }
  }

  /// Forgets the last bytes; `count` of them are left.
  mutating func removeLast(leaving count: Int) {
    Self.clear(memory, count..<self.count)
    self.count = count
  }

  /// Forgets the whole blocks at the front, and returns how many bytes those were.
  mutating func removeWholeBlocks() -> Int {
    let removed = DirectWrite.roundDown(count)
    guard removed > 0 else { return 0 }
    memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[removed..<count]))
    // Of what was moved and of what was not, all that lies behind what counts now.
    Self.clear(memory, (count - removed)..<count)
    count -= removed
    return removed
  }

  /// Makes room for so many bytes more, in whole blocks.
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

// The memory is the buffer's own.
extension BlockBuffer: @unchecked Sendable {}
