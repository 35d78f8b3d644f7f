/// Memory for names and data: blocks of a multiple of 2 bytes, and 8 at least, cut from large regions.
///
/// Freed blocks are kept in one list per size, for the next block of that size. Sizes over `largestPooledBytes` are
/// left to the system's allocator.
///
/// When the sizes that are asked for change, the blocks of the old ones stay free. So once a sixteenth of the regions
/// is unused, the emptiest are vacated: their free blocks are forgotten, the others are moved by their owner, who asks
/// `isLeaving` about each block that it has, and the regions go back to the system. This is done in steps, of which
/// each change of the tree makes one. To join neighbours instead, an arena must know them, at 2 bytes or more for
/// each block, and it bounds nothing: a few blocks that stay in use keep all others apart.
///
/// The system's allocator would add a header to each block and round its size up to 16 bytes, which costs 15 bytes more
/// for each znode. The contents of a block are read and written without regard to alignment.
struct BlockArena {
  static let granuleBytes = 2
  /// A free block must have room for a pointer.
  private static let minBlockBytes = 8
  static let largestPooledBytes = 1024
  /// A region begins at a multiple of its size, so that its header is found from any of its blocks.
  static let regionBytes = SystemMemory.largePageBytes
  private static let classCount = largestPooledBytes / granuleBytes + 1
  /// As much may be unused, besides a sixteenth of all: what is cheaper to keep than to vacate.
  private static let toleratedBytes = 3 << 20
  /// The first regions do not fill a large page at once: a small tree needs little memory.
  private static let smallPagedRegions = 4

  typealias FreeLists = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  /// What a region begins with.
  private struct Header {
    /// The bytes of its blocks that are in use.
    var liveBytes = 0
    var isLeaving = false
    static let bytes = 16
  }

  private struct State {
    var regions: [UnsafeMutableRawPointer] = []
    var next: UnsafeMutableRawPointer?
    var remainingBytes = 0
    /// By size in granules: the first free block, which begins with a pointer to the next.
    var free: FreeLists
    /// The lists from before regions were chosen to be vacated; what stays is moved to `free` step by step.
    var old: FreeLists
    /// The lists of `old` before this one are empty; there is nothing in any at `classCount`.
    var firstOld: Int
    /// The regions that are being vacated, in the order of their addresses.
    var leaving: [UnsafeMutableRawPointer] = []
    /// The bytes of all pooled blocks in use.
    var liveBytes = 0
    /// With fewer bytes in use, regions are vacated.
    var leastLiveBytes = 0
    var large: Set<UnsafeMutableRawPointer> = []
    var largeBytes = 0
  }

  private let state: UnsafeMutablePointer<State>

  /// An empty arena.
  init() {
    state = .allocate(capacity: 1)
    state.initialize(
      to: State(free: Self.emptyLists(), old: Self.emptyLists(), firstOld: Self.classCount))
  }

  private static func emptyLists() -> FreeLists {
    let lists = FreeLists.allocate(capacity: classCount)
    lists.initialize(repeating: nil, count: classCount)
    return lists
  }

  /// Frees all memory, including that of blocks in use. The arena must not be used afterwards.
  func destroy() {
    for region in state.pointee.regions { SystemMemory.giveBack(region, Self.regionBytes) }
    for block in state.pointee.large { block.deallocate() }
    state.pointee.free.deallocate()
    state.pointee.old.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// The memory of all regions and large blocks, free ones included, in bytes.
  var allocatedBytes: Int { regionsBytes + state.pointee.largeBytes }

  /// The bytes of all blocks in use.
  var liveBytes: Int { state.pointee.liveBytes + state.pointee.largeBytes }

  private var regionsBytes: Int { state.pointee.regions.count * Self.regionBytes }

  /// A block of at least `lengthBytes`.
  func allocate(_ lengthBytes: Int) -> UnsafeMutableRawPointer {
    guard lengthBytes <= Self.largestPooledBytes else {
      let block = UnsafeMutableRawPointer.allocate(byteCount: lengthBytes, alignment: Self.minBlockBytes)
      state.pointee.large.insert(block)
      state.pointee.largeBytes += lengthBytes
      return block
    }
    let granules = Self.granules(lengthBytes)
    let size = granules * Self.granuleBytes
    state.pointee.liveBytes += size
    let block = Self.pop(state.pointee.free, granules) ?? popOld(granules) ?? cut(size)
    Self.header(of: block).pointee.liveBytes += size
    return block
  }

  /// The size of a block of at least `lengthBytes`, in granules.
  private static func granules(_ lengthBytes: Int) -> Int {
    (max(minBlockBytes, lengthBytes) + granuleBytes - 1) / granuleBytes
  }

  /// Frees a block. `lengthBytes` is the length that was asked for.
  func free(_ block: UnsafeMutableRawPointer, lengthBytes: Int) {
    guard lengthBytes <= Self.largestPooledBytes else {
      state.pointee.large.remove(block)
      state.pointee.largeBytes -= lengthBytes
      block.deallocate()
      return
    }
    let granules = Self.granules(lengthBytes)
    let size = granules * Self.granuleBytes
    state.pointee.liveBytes -= size
    let header = Self.header(of: block)
    header.pointee.liveBytes -= size
    if !header.pointee.isLeaving { Self.push(block, granules, state.pointee.free) }
  }

  /// Whether a block of `oldBytes` also holds `newBytes` without waste.
  static func isSameSize(_ oldBytes: Int, _ newBytes: Int) -> Bool {
    guard oldBytes <= largestPooledBytes, newBytes <= largestPooledBytes else { return oldBytes == newBytes }
    return granules(oldBytes) == granules(newBytes)
  }

  private static func header(of block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Header> {
    region(of: block).assumingMemoryBound(to: Header.self)
  }

  private static func region(of block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    block - Int(bitPattern: block) & (regionBytes - 1)
  }

  private static func push(_ block: UnsafeMutableRawPointer, _ granules: Int, _ lists: FreeLists) {
    block.storeBytes(of: lists[granules], as: UnsafeMutableRawPointer?.self)
    lists[granules] = block
  }

  private static func pop(_ lists: FreeLists, _ granules: Int) -> UnsafeMutableRawPointer? {
    guard let block = lists[granules] else { return nil }
    lists[granules] = block.loadUnaligned(as: UnsafeMutableRawPointer?.self)
    return block
  }

  private func popOld(_ granules: Int) -> UnsafeMutableRawPointer? {
    guard state.pointee.firstOld <= granules else { return nil }
    while let block = Self.pop(state.pointee.old, granules) {
      if !Self.header(of: block).pointee.isLeaving { return block }
    }
    return nil
  }

  /// Cuts a block off the newest region.
  private func cut(_ size: Int) -> UnsafeMutableRawPointer {
    let block = state.pointee.remainingBytes >= size ? state.pointee.next : nil
    let start = block ?? addRegion()
    state.pointee.next = start + size
    state.pointee.remainingBytes -= size
    return start
  }

  /// Adds a region. The rest of the previous one, which is smaller than the largest size, becomes a free block.
  ///
  /// - Returns: where its blocks begin.
  private func addRegion() -> UnsafeMutableRawPointer {
    if let rest = state.pointee.next, state.pointee.remainingBytes >= Self.minBlockBytes {
      Self.push(rest, state.pointee.remainingBytes / Self.granuleBytes, state.pointee.free)
    }
    let region =
      state.pointee.regions.count < Self.smallPagedRegions
      ? SystemMemory.take(Self.regionBytes, alignment: Self.regionBytes)
      : SystemMemory.takeLargePages(Self.regionBytes)
    region.initializeMemory(as: Header.self, to: Header())
    state.pointee.regions.append(region)
    state.pointee.remainingBytes = Self.regionBytes - Header.bytes
    updateLeastLiveBytes()
    return region + Header.bytes
  }

  private func updateLeastLiveBytes() {
    state.pointee.leastLiveBytes = regionsBytes - regionsBytes / 16 - Self.toleratedBytes
  }
}

/// Vacating regions.
extension BlockArena {
  /// Whether regions should be vacated, or are being vacated.
  var needsVacating: Bool { state.pointee.liveBytes < state.pointee.leastLiveBytes || isVacating }

  var isVacating: Bool { !state.pointee.leaving.isEmpty }

  /// Chooses the regions to vacate: the emptiest ones, until a thirty-second of the memory is unused.
  func beginVacating() {
    let current = state.pointee.next.map { Self.region(of: $0 - 1) }
    func live(_ region: UnsafeMutableRawPointer) -> Int {
      region.assumingMemoryBound(to: Header.self).pointee.liveBytes
    }
    var excess = regionsBytes - state.pointee.liveBytes - regionsBytes / 32
    for region in state.pointee.regions.sorted(by: { live($0) < live($1) }) where region != current {
      guard excess > 0, live(region) < Self.regionBytes / 64 * 63 else { break }
      excess -= Self.regionBytes - live(region)
      region.assumingMemoryBound(to: Header.self).pointee.isLeaving = true
      state.pointee.leaving.append(region)
    }
    state.pointee.leaving.sort { $0 < $1 }
    swap(&state.pointee.free, &state.pointee.old)
    state.pointee.firstOld = 0
  }

  /// Whether a block of `lengthBytes` is in a region that is being vacated, and must be moved.
  func isLeaving(_ block: UnsafeMutableRawPointer) -> Bool {
    // The block may be a large one, which has no header. Binary search:
    let region = Self.region(of: block)
    var (low, high) = (0, state.pointee.leaving.count)
    return state.pointee.leaving.withUnsafeBufferPointer { leaving in
      while low < high {
        let middle = (low + high) / 2
        if leaving[middle] < region { low = middle + 1 } else { high = middle }
      }
      return low < leaving.count && leaving[low] == region
    }
  }

  /// Looks at some of the free blocks from before, at most `limit`, and keeps those that stay.
  ///
  /// - Returns: whether there are no others.
  func sortOldBlocks(limit: Int) -> Bool {
    var rest = limit
    while state.pointee.firstOld < Self.classCount {
      guard rest > 0 else { return false }
      rest -= 1
      guard let block = popOld(state.pointee.firstOld) else {
        state.pointee.firstOld += 1
        continue
      }
      Self.push(block, state.pointee.firstOld, state.pointee.free)
    }
    return true
  }

  /// Gives the regions back that were vacated, after `sortOldBlocks` has returned true and all blocks were moved.
  func endVacating() {
    state.pointee.regions.removeAll { region in
      let header = region.assumingMemoryBound(to: Header.self)
      guard header.pointee.isLeaving else { return false }
      header.pointee.isLeaving = false
      // What is in use nevertheless stays, until the next time.
      guard header.pointee.liveBytes == 0 else { return false }
      SystemMemory.giveBack(region, Self.regionBytes)
      return true
    }
    state.pointee.leaving = []
    updateLeastLiveBytes()
  }
}
