internal import CMemory
internal import ZooKeeperProtocol

/// Finds children: an open-addressing table from parent and name to the znode.
///
/// *Shape*: an entry has 8 bytes: the hash in the upper half, the id in the lower; 0 is empty. Probing is linear. A
/// removal moves later entries of its run up, so that there are no tombstones. At most three quarters of the table are
/// full. Names are not in the table: they are compared in the records, through the slab that is passed to each call.
struct NameIndex {
  private struct State {
    var entries: UnsafeMutablePointer<UInt64>
    var mask: Int
    var count = 0
  }

  private let state: UnsafeMutablePointer<State>
  /// Makes hashes unpredictable for clients, which choose the names.
  private let seed: UInt64

  /// An empty index; `seed` may be any number.
  init(seed: UInt64) {
    self.seed = seed
    let capacity = 64
    state = .allocate(capacity: 1)
    state.initialize(to: State(entries: Self.emptyEntries(capacity), mask: capacity - 1))
  }

  /// Frees the table. The index must not be used afterwards.
  func destroy() {
    Self.free(state.pointee.entries, capacity: state.pointee.mask + 1)
    state.deallocate()
  }

  /// Tables that are not small come from the system, which fills them with zeros.
  private static let systemBytes = 1 << 20

  private static func emptyEntries(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
    let bytes = capacity * MemoryLayout<UInt64>.stride
    if bytes >= systemBytes {
      return SystemMemory.takeLargePages(bytes).bindMemory(to: UInt64.self, capacity: capacity)
    }
    let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    entries.initialize(repeating: 0, count: capacity)
    return entries
  }

  private static func free(_ entries: UnsafeMutablePointer<UInt64>, capacity: Int) {
    let bytes = capacity * MemoryLayout<UInt64>.stride
    if bytes >= systemBytes { SystemMemory.giveBack(entries, bytes) } else { entries.deallocate() }
  }

  /// The size of the table, in bytes.
  var allocatedBytes: Int { (state.pointee.mask + 1) * MemoryLayout<UInt64>.stride }

  /// The child of `parent` with that name; 0 if there is none.
  func find(_ parent: ZnodeID, _ name: UnsafeRawBufferPointer, in slab: RecordSlab) -> ZnodeID {
    let hash = hash(parent, name)
    let mask = state.pointee.mask
    let entries = state.pointee.entries
    var position = Int(hash) & mask
    while true {
      let entry = entries[position]
      if entry == 0 { return 0 }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash {
        let id = ZnodeID(truncatingIfNeeded: entry)
        let record = slab.record(id)
        if record.pointee.parent == parent, areEqual(record.pointee.name, name) { return id }
      }
      position = (position + 1) & mask
    }
  }

  /// Where the search for a hash begins, for loading it in advance.
  func entry(for hash: UInt32) -> UnsafePointer<UInt64> {
    UnsafePointer(state.pointee.entries + (Int(hash) & state.pointee.mask))
  }

  /// The first znode under a hash, which is nearly always the only one; 0 if there is none.
  func candidate(for hash: UInt32) -> ZnodeID {
    let mask = state.pointee.mask
    var position = Int(hash) & mask
    while true {
      let entry = state.pointee.entries[position]
      if entry == 0 { return 0 }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash { return ZnodeID(truncatingIfNeeded: entry) }
      position = (position + 1) & mask
    }
  }

  /// Adds a child that is not in the index.
  func insert(_ id: ZnodeID, _ parent: ZnodeID, _ name: UnsafeRawBufferPointer) {
    if (state.pointee.count + 1) * 4 > (state.pointee.mask + 1) * 3 { grow() }
    place(UInt64(hash(parent, name)) << 32 | UInt64(id))
    state.pointee.count += 1
  }

  /// Adds many children, which is faster than one after the other: their entries are far apart in memory, and are all
  /// loaded at the same time.
  ///
  /// - Returns: the first child whose parent has a child of that name already; it and those after it are not added.
  func insert(contentsOf ids: [ZnodeID], in slab: RecordSlab) -> ZnodeID? {
    while (state.pointee.count + ids.count) * 4 > (state.pointee.mask + 1) * 3 { grow() }
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: ids.count) { hashes in
      for index in ids.indices {
        let record = slab.record(ids[index])
        let hash = hash(record.pointee.parent, record.pointee.name)
        hashes.initializeElement(at: index, to: hash)
        memory_prefetch(entry(for: hash))
      }
      for index in ids.indices {
        guard insertNew(ids[index], hashes[index], in: slab) else { return ids[index] }
      }
      return nil
    }
  }

  /// Adds a child, unless its parent has one of that name. There must be room in the table.
  ///
  /// - Returns: whether it was added.
  private func insertNew(_ id: ZnodeID, _ hash: UInt32, in slab: RecordSlab) -> Bool {
    let mask = state.pointee.mask
    let entries = state.pointee.entries
    let (parent, name) = (slab.record(id).pointee.parent, slab.record(id).pointee.name)
    var position = Int(hash) & mask
    while entries[position] != 0 {
      if UInt32(truncatingIfNeeded: entries[position] >> 32) == hash {
        let other = slab.record(ZnodeID(truncatingIfNeeded: entries[position]))
        if other.pointee.parent == parent, areEqual(other.pointee.name, name) { return false }
      }
      position = (position + 1) & mask
    }
    entries[position] = UInt64(hash) << 32 | UInt64(id)
    state.pointee.count += 1
    return true
  }

  /// Removes a child that is in the index.
  func remove(_ id: ZnodeID, _ parent: ZnodeID, _ name: UnsafeRawBufferPointer) {
    let mask = state.pointee.mask
    let entries = state.pointee.entries
    let entry = UInt64(hash(parent, name)) << 32 | UInt64(id)
    var hole = Int(entry >> 32) & mask
    while entries[hole] != entry {
      precondition(entries[hole] != 0, "znode \(id) is not in the index")
      hole = (hole + 1) & mask
    }
    var position = hole
    while true {
      position = (position + 1) & mask
      let moved = entries[position]
      if moved == 0 { break }
      // An entry may move up to the hole, unless the position of its hash is after the hole.
      let home = Int(moved >> 32) & mask
      if (position - home) & mask >= (position - hole) & mask {
        entries[hole] = moved
        hole = position
      }
    }
    entries[hole] = 0
    state.pointee.count -= 1
  }

  private func place(_ entry: UInt64) {
    let mask = state.pointee.mask
    var position = Int(entry >> 32) & mask
    while state.pointee.entries[position] != 0 { position = (position + 1) & mask }
    state.pointee.entries[position] = entry
  }

  private func grow() {
    let old = state.pointee.entries
    let oldCapacity = state.pointee.mask + 1
    state.pointee.entries = Self.emptyEntries(oldCapacity * 2)
    state.pointee.mask = oldCapacity * 2 - 1
    for position in 0..<oldCapacity where old[position] != 0 { place(old[position]) }
    Self.free(old, capacity: oldCapacity)
  }

  /// What the entry of a child has in its upper half.
  func hash(_ parent: ZnodeID, _ name: UnsafeRawBufferPointer) -> UInt32 {
    let own = seed ^ (UInt64(parent) &* 0x9e37_79b9_7f4a_7c15)
    return UInt32(truncatingIfNeeded: PathHash.hash(name, seed: own) >> 32)
  }
}
