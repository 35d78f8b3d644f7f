/// Fixed-size records in chunks that never move, with copy-on-write views of past moments.
///
/// While a view is open, `mutable` copies a chunk for it the first time one of its records is about to change, and
/// `FrozenRecords` reads the copy. Opening a view therefore costs a list of null pointers, and a change during it at
/// most one copy of 44 KiB for each chunk and view. The alternative is a fuzzy walk like Apache's, which copies
/// nothing. It was rejected because such a snapshot is not a state that the tree ever had.
///
/// The struct is only a handle, and its methods do not mutate it, so that no access needs a check for exclusivity. The
/// owner must call `destroy`.
struct RecordSlab {
  /// The number of records in a chunk; a power of two.
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
    /// Whether there are any views. Every change reads this, and it is cheaper than looking at the array.
    var hasViews = false
  }

  private let state: UnsafeMutablePointer<State>

  /// An empty slab.
  init() {
    let capacity = 16
    state = .allocate(capacity: 1)
    state.initialize(to: State(chunks: .allocate(capacity: capacity), chunkCapacity: capacity))
  }

  /// Frees all memory. The slab must not be used afterwards.
  func destroy() {
    for index in 0..<state.pointee.chunkCount { state.pointee.chunks[index].deallocate() }
    state.pointee.chunks.deallocate()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// The memory of all records, free ones included, in bytes.
  var allocatedBytes: Int { state.pointee.chunkCount * Self.chunkRecords * MemoryLayout<ZnodeRecord>.stride }

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

  /// Copies a chunk that is about to change, for the views that have no copy of it yet.
  @inline(never)
  private func preserve(_ chunk: Int) {
    for view in state.pointee.views { view.preserve(chunk, of: state.pointee.chunks[chunk]) }
  }

  /// Allocates an empty record.
  func allocate() -> ZnodeID {
    let free = state.pointee.firstFree
    if free != 0 {
      let record = mutable(free)
      state.pointee.firstFree = record.pointee.nextSibling
      record.pointee = ZnodeRecord()
      return free
    }
    let id = state.pointee.usedCount
    precondition(id != .max, "a tree has at most 4,294,967,294 znodes")
    if Int(id >> Self.chunkShift) >= state.pointee.chunkCount { addChunk() }
    state.pointee.usedCount = id + 1
    return id
  }

  /// Frees a record, whose block must have been freed before.
  func free(_ id: ZnodeID) {
    let record = mutable(id)
    record.pointee = ZnodeRecord()
    record.pointee.nextSibling = state.pointee.firstFree
    state.pointee.firstFree = id
  }

  /// Opens a view through which the present state stays readable until `thaw`.
  func freeze() -> FrozenRecords {
    let view = FrozenRecords(state, chunkCount: state.pointee.chunkCount)
    state.pointee.views.append(view)
    state.pointee.hasViews = true
    return view
  }

  /// Closes a view: nothing is copied for it from now on.
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

  /// The record of `id` at that moment. The slab must not have been destroyed, nor the view thawed.
  func record(_ id: ZnodeID) -> UnsafePointer<ZnodeRecord> {
    let chunk = Int(id >> RecordSlab.chunkShift)
    let records = copies[chunk] ?? state.pointee.chunks[chunk]
    return UnsafePointer(records + Int(id & RecordSlab.chunkMask))
  }
}
