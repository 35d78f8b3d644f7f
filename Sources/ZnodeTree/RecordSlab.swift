/// Fixed-size records in chunks that never move, with copy-on-write views of past moments.
///
/// While a view is open, `mutable` copies a chunk for it the first time one of its records is to change, and
/// `FrozenRecords` reads the copy. So opening a view costs a list of null pointers, and a change during it
/// 44 KiB of copying at most once a chunk and view. Rejected: a fuzzy walk as Apache's, which costs no copies but
/// makes a snapshot that is no state the tree ever had.
///
/// The methods do not mutate the struct, which is only a handle: so that no access to it needs a check for
/// exclusivity. The owner calls `destroy`.
struct RecordSlab {
  /// Records of a chunk; a power of two.
  static let chunkRecords = 512
  fileprivate static let chunkShift: UInt32 = 9
  fileprivate static let chunkMask: UInt32 = 511

  fileprivate struct State {
    var chunks: UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>>
    var chunkCapacity: Int
    var chunkCount = 0
    /// Ids handed out so far, free ones included; id 0 is never handed out.
    var usedCount: UInt32 = 1
    var firstFree: ZnodeID = 0
    /// The open views: one for each snapshot that is being written or sent.
    var views: [FrozenRecords] = []
    /// Whether there are any, for the way that every change takes.
    var hasViews = false
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
    for index in 0..<state.pointee.chunkCount { state.pointee.chunks[index].deallocate() }
    state.pointee.chunks.deallocate()
    state.deinitialize(count: 1)
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
    if state.pointee.hasViews { preserve(chunk) }
    return state.pointee.chunks[chunk] + Int(id & Self.chunkMask)
  }

  /// Copies a chunk that is about to change for the views that have no copy of it yet.
  @inline(never)
  private func preserve(_ chunk: Int) {
    for view in state.pointee.views { view.preserve(chunk, of: state.pointee.chunks[chunk]) }
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

  /// Keeps the present state readable through a view, until `thaw` is told of that.
  func freeze() -> FrozenRecords {
    let view = FrozenRecords(state, chunkCount: state.pointee.chunkCount)
    state.pointee.views.append(view)
    state.pointee.hasViews = true
    return view
  }

  /// Copies nothing for a view any more.
  func thaw(_ view: FrozenRecords) {
    state.pointee.views.removeAll { $0 === view }
    state.pointee.hasViews = !state.pointee.views.isEmpty
  }

  var isFrozen: Bool { state.pointee.hasViews }

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

/// The records of a slab as they were at one moment.
final class FrozenRecords {
  private let state: UnsafeMutablePointer<RecordSlab.State>
  /// Copies of the chunks that have changed since.
  private let copies: UnsafeMutablePointer<UnsafeMutablePointer<ZnodeRecord>?>
  private let chunkCount: Int

  fileprivate init(_ state: UnsafeMutablePointer<RecordSlab.State>, chunkCount: Int) {
    self.state = state
    self.chunkCount = chunkCount
    copies = .allocate(capacity: max(chunkCount, 1))
    copies.initialize(repeating: nil, count: max(chunkCount, 1))
  }

  deinit {
    for index in 0..<chunkCount { copies[index]?.deallocate() }
    copies.deallocate()
  }

  fileprivate func preserve(_ chunk: Int, of records: UnsafeMutablePointer<ZnodeRecord>) {
    guard chunk < chunkCount, copies[chunk] == nil else { return }
    let copy = UnsafeMutablePointer<ZnodeRecord>.allocate(capacity: RecordSlab.chunkRecords)
    copy.initialize(from: records, count: RecordSlab.chunkRecords)
    copies[chunk] = copy
  }

  /// The record of `id` at that moment. The slab must be there, and the view not thawed.
  func record(_ id: ZnodeID) -> UnsafePointer<ZnodeRecord> {
    let chunk = Int(id >> RecordSlab.chunkShift)
    let records = copies[chunk] ?? state.pointee.chunks[chunk]
    return UnsafePointer(records + Int(id & RecordSlab.chunkMask))
  }
}
