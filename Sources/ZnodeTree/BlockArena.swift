/// Memory for names and data: blocks of a multiple of 2 bytes, and 8 at least, cut from large regions.
///
/// Freed blocks are kept in one list per size, for the next block of that size. Sizes over `largestPooledBytes` are
/// left to the system's allocator. While blocks are kept for a snapshot, freed ones are only recorded.
///
/// The system's allocator would add a header to each block and round its size up to 16 bytes, which costs 15 bytes more
/// for each znode. The contents of a block are read and written without regard to alignment.
struct BlockArena {
  static let granuleBytes = 2
  /// A free block must have room for a pointer.
  private static let minBlockBytes = 8
  static let largestPooledBytes = 1024
  private static let regionBytes = 1 << 20
  private static let classCount = largestPooledBytes / granuleBytes + 1

  private struct State {
    var regions: [UnsafeMutableRawPointer] = []
    var next: UnsafeMutableRawPointer?
    var remainingBytes = 0
    /// By size in granules: the first free block, which begins with a pointer to the next.
    var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    var large: Set<UnsafeMutableRawPointer> = []
    var largeBytes = 0
    /// The number of open snapshots. While there are any, freed blocks stay as they are.
    var keeperCount = 0
    var kept: [(block: UnsafeMutableRawPointer, lengthBytes: Int)] = []
  }

  private let state: UnsafeMutablePointer<State>

  /// An empty arena.
  init() {
    let free = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: Self.classCount)
    free.initialize(repeating: nil, count: Self.classCount)
    state = .allocate(capacity: 1)
    state.initialize(to: State(free: free))
  }

  /// Frees all memory, including that of blocks in use. The arena must not be used afterwards.
  func destroy() {
    for region in state.pointee.regions { region.deallocate() }
    for block in state.pointee.large { block.deallocate() }
    state.pointee.free.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// The memory of all regions and large blocks, free ones included, in bytes.
  var allocatedBytes: Int { state.pointee.regions.count * Self.regionBytes + state.pointee.largeBytes }

  /// A block of at least `lengthBytes`.
  func allocate(_ lengthBytes: Int) -> UnsafeMutableRawPointer {
    guard lengthBytes <= Self.largestPooledBytes else {
      let block = UnsafeMutableRawPointer.allocate(byteCount: lengthBytes, alignment: Self.minBlockBytes)
      state.pointee.large.insert(block)
      state.pointee.largeBytes += lengthBytes
      return block
    }
    let granules = Self.granules(lengthBytes)
    if let block = state.pointee.free[granules] {
      state.pointee.free[granules] = block.loadUnaligned(as: UnsafeMutableRawPointer?.self)
      return block
    }
    let size = granules * Self.granuleBytes
    if state.pointee.remainingBytes < size { addRegion() }
    // A region was just added if there was none.
    let block = state.pointee.next!
    state.pointee.next = block + size
    state.pointee.remainingBytes -= size
    return block
  }

  /// The size of a block of at least `lengthBytes`, in granules.
  private static func granules(_ lengthBytes: Int) -> Int {
    (max(minBlockBytes, lengthBytes) + granuleBytes - 1) / granuleBytes
  }

  /// Frees a block. `lengthBytes` is the length that was asked for.
  func free(_ block: UnsafeMutableRawPointer, lengthBytes: Int) {
    if state.pointee.keeperCount > 0 {
      state.pointee.kept.append((block, lengthBytes))
      return
    }
    guard lengthBytes <= Self.largestPooledBytes else {
      state.pointee.large.remove(block)
      state.pointee.largeBytes -= lengthBytes
      block.deallocate()
      return
    }
    recycle(block, granules: Self.granules(lengthBytes))
  }

  /// Whether a block of `oldBytes` also holds `newBytes` without waste.
  static func isSameSize(_ oldBytes: Int, _ newBytes: Int) -> Bool {
    guard oldBytes <= largestPooledBytes, newBytes <= largestPooledBytes else { return oldBytes == newBytes }
    return granules(oldBytes) == granules(newBytes)
  }

  /// Keeps freed blocks readable from now on, until `releaseKeptBlocks` has been called as often as this.
  func keepFreedBlocks() { state.pointee.keeperCount += 1 }

  /// Ends one `keepFreedBlocks`. After the last one, the blocks that were freed meanwhile can be used again.
  func releaseKeptBlocks() {
    state.pointee.keeperCount -= 1
    guard state.pointee.keeperCount == 0 else { return }
    let kept = state.pointee.kept
    state.pointee.kept = []
    for (block, length) in kept { free(block, lengthBytes: length) }
  }

  private func recycle(_ block: UnsafeMutableRawPointer, granules: Int) {
    block.storeBytes(of: state.pointee.free[granules], as: UnsafeMutableRawPointer?.self)
    state.pointee.free[granules] = block
  }

  /// Adds a region. The rest of the previous one, which is smaller than the largest size, becomes a free block.
  private func addRegion() {
    if let rest = state.pointee.next, state.pointee.remainingBytes >= Self.minBlockBytes {
      recycle(rest, granules: state.pointee.remainingBytes / Self.granuleBytes)
    }
    let region = UnsafeMutableRawPointer.allocate(byteCount: Self.regionBytes, alignment: 16)
    state.pointee.regions.append(region)
    state.pointee.next = region
    state.pointee.remainingBytes = Self.regionBytes
  }
}
