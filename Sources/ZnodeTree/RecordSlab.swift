/// Fixed-size records in chunks that never move, with a copy-on-write view of one past moment.
///
/// While a snapshot is open, `mutable` copies a chunk the first time one of its records is to change, and
/// `frozen` reads the copy. So opening a snapshot costs a list of null pointers, and a change during it
/// 48 KiB of copying at most once a chunk. Rejected: a fuzzy walk as Apache's, which costs no copies but
/// makes a snapshot that is no state the tree ever had.
///
/// The methods do not mutate the struct, which is only a handle: so that no access to it needs a check for
/// exclusivity. The owner calls `destroy`.
struct RecordSlab {
  /// Records of a chunk; a power of two.
  static let chunkRecords = 512
  private static let chunkShift: UInt32 = 9
  private static let chunkMask: UInt32 = 511

  private struct State {
    var chunks: UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>>
    var chunkCapacity: Int
    var chunkCount = 0
    /// Ids handed out so far, free ones included; id 0 is never handed out.
    var usedCount: UInt32 = 1
    var firstFree: ZnodeID = 0
    /// Copies of chunks as they were when the snapshot opened; nil when none is open.
    var frozenChunks: UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>?>?
    var frozenChunkCount = 0
  }

  private let state: UnsafeMutablePointer<State>

  /// An empty slab.
  init() {
    let capacity = 16
    state = .allocate(capacity: 1)
    state.initialize(to: State(chunks: .allocate(capacity: capacity), chunkCapacity: capacity))
  }

  /// Frees everything; the slab must not be used after it.
  func destroy() {
    thaw()
    for index in 0..<state.pointee.chunkCount { state.pointee.chunks[index].deallocate() }
    state.pointee.chunks.deallocate()
    state.deallocate()
  }

  /// The record of `id` for reading.
  @inline(__always)
  func record(_ id: ZnodeID) -> UnsafePointer<ZnodeRecord> {
    UnsafePointer(state.pointee.chunks[Int(id >> Self.chunkShift)] + Int(id & Self.chunkMask))
  }

  /// The record of `id` for writing.
  @inline(__always)
  func mutable(_ id: ZnodeID) -> UnsafeMutablePointer<ZnodeRecord> {
    let chunk = Int(id >> Self.chunkShift)
    if let frozen = state.pointee.frozenChunks, chunk < state.pointee.frozenChunkCount, frozen[chunk] == nil {
      let copy = UnsafeMutablePointer<ZnodeRecord>.allocate(capacity: Self.chunkRecords)
      copy.initialize(from: state.pointee.chunks[chunk], count: Self.chunkRecords)
      frozen[chunk] = copy
    }
    return state.pointee.chunks[chunk] + Int(id & Self.chunkMask)
  }

  /// The record of `id` as it was when the snapshot opened.
  func frozen(_ id: ZnodeID) -> UnsafePointer<ZnodeRecord> {
    let chunk = Int(id >> Self.chunkShift)
    if let frozen = state.pointee.frozenChunks, let copy = frozen[chunk] {
      return UnsafePointer(copy + Int(id & Self.chunkMask))
    }
    return record(id)
  }

  /// Hands out an empty record.
  func allocate() -> ZnodeID {
    let free = state.pointee.firstFree
    if free != 0 {
      let record = mutable(free)
      state.pointee.firstFree = record.pointee.nextSibling
      record.pointee = ZnodeRecord()
      return free
    }
    let id = state.pointee.usedCount
    precondition(id != .max, "more znodes than a tree can hold")
    if Int(id >> Self.chunkShift) >= state.pointee.chunkCount { addChunk() }
    state.pointee.usedCount = id + 1
    return id
  }

  /// Takes a record back. Its block must have been freed.
  func free(_ id: ZnodeID) {
    let record = mutable(id)
    record.pointee = ZnodeRecord()
    record.pointee.nextSibling = state.pointee.firstFree
    state.pointee.firstFree = id
  }

  /// Keeps the present state readable through `frozen` until `thaw`.
  func freeze() {
    precondition(state.pointee.frozenChunks == nil, "one snapshot at a time")
    let count = state.pointee.chunkCount
    let frozen = UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>?>.allocate(capacity: max(count, 1))
    frozen.initialize(repeating: nil, count: max(count, 1))
    state.pointee.frozenChunks = frozen
    state.pointee.frozenChunkCount = count
  }

  /// Gives up the frozen state, if there is one.
  func thaw() {
    guard let frozen = state.pointee.frozenChunks else { return }
    for index in 0..<state.pointee.frozenChunkCount { frozen[index]?.deallocate() }
    frozen.deallocate()
    state.pointee.frozenChunks = nil
    state.pointee.frozenChunkCount = 0
  }

  var isFrozen: Bool { state.pointee.frozenChunks != nil }

  private func addChunk() {
    if state.pointee.chunkCount == state.pointee.chunkCapacity {
      let capacity = state.pointee.chunkCapacity * 2
      let chunks = UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>>.allocate(capacity: capacity)
      chunks.initialize(from: state.pointee.chunks, count: state.pointee.chunkCount)
      state.pointee.chunks.deallocate()
      state.pointee.chunks = chunks
      state.pointee.chunkCapacity = capacity
    }
    let chunk = UnsafeMutablePointer<ZnodeRecord>.allocate(capacity: Self.chunkRecords)
    chunk.initialize(repeating: ZnodeRecord(), count: Self.chunkRecords)
    state.pointee.chunks[state.pointee.chunkCount] = chunk
    state.pointee.chunkCount += 1
  }
}
