/// Moving blocks out of regions of the arena, which then go back to the system.
extension DataTree {
  /// A step looks at so many records, which are one after the other in memory, and moves at most so many blocks. So a
  /// change takes a few microseconds longer, while it lasts, and what becomes free meanwhile is little.
  private static let recordsPerStep: UInt32 = 64
  private static let movesPerStep = 16
  private static let freeBlocksPerStep = 32

  /// Vacates regions step by step, if there is much unused memory. Called after each change.
  ///
  /// While a snapshot is written, nothing is moved: the snapshot would need the old blocks too.
  func vacate() {
    guard !slab.isFrozen else { return }
    if !arena.isVacating {
      arena.beginVacating()
      nextToVacate = 1
    }
    let isSorted = arena.sortOldBlocks(limit: Self.freeBlocksPerStep)
    let end = min(slab.usedCount, nextToVacate &+ Self.recordsPerStep)
    var moves = 0
    while nextToVacate < end, moves < Self.movesPerStep {
      if moveBlock(of: nextToVacate) { moves += 1 }
      nextToVacate += 1
    }
    if isSorted, nextToVacate == slab.usedCount { arena.endVacating() }
  }

  private func moveBlock(of id: ZnodeID) -> Bool {
    guard let block = slab.record(id).pointee.block, arena.isLeaving(block) else { return false }
    let record = slab.mutable(id)
    let length = record.pointee.blockLength
    let copy = arena.allocate(length)
    copy.copyMemory(from: block, byteCount: length)
    record.pointee.block = copy
    arena.free(block, lengthBytes: length)
    return true
  }
}
