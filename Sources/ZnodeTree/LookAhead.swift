internal import CMemory
internal import ZooKeeperProtocol

/// The znodes at the next few paths that a caller will ask for.
///
/// In a tree that is larger than the processor's caches, a look-up mostly waits for memory: at each level for the entry
/// of the index, then the record, then the block. Those of one path depend on each other, but those of several paths do
/// not. So one step is taken for each path before the next step is taken for any of them, and what each step needs is
/// loaded while the others are taken. With 3,000,000 znodes, waiting was 68 of 100 samples of a pipelined read.
///
/// *Shape*: the items are in the order in which they will be asked for. Their paths belong to the caller.
struct LookAhead {
  /// So many paths at a time: with half as many, memory was often not there yet when the next step needed it; what is
  /// loaded for many more would not stay in the smallest cache.
  static let largestCount = 32
  /// So many lines of a block are loaded; what follows them, the processor loads by itself.
  private static let largestLineCount = 4
  private static let lineBytes = 64

  fileprivate struct Item {
    var path: UnsafeRawBufferPointer
    /// Where the name of the present level is in the path.
    var start = 1
    var end = 1
    /// The znode above the present level, and in the end the one at the path; 0 if there is none.
    var id = DataTree.root
    var hash: UInt32 = 0
    /// What the index has under the hash.
    var candidate: ZnodeID = 0
    var isFound = false
  }

  private let items: UnsafeMutablePointer<Item>
  private(set) var count = 0
  /// The first item that may still be asked for.
  private var next = 0

  init() { items = .allocate(capacity: Self.largestCount) }

  /// Frees the memory. The value must not be used afterwards.
  func destroy() { items.deallocate() }

  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count == Self.largestCount }

  /// Adds a path, unless it is one that `DataTree.find` does not simply descend. There must be room.
  mutating func append(_ path: UnsafeRawBufferPointer) {
    guard path.count > 1, path.count < DeepPlace.minimumBytes, path[0] == PathBytes.slash else { return }
    (items + count).initialize(to: Item(path: path))
    count += 1
  }

  /// Forgets all paths.
  mutating func removeAll() {
    count = 0
    next = 0
  }

  /// Goes on to the first path that is not before `address`.
  mutating func advance(to address: UnsafeRawPointer) {
    while next < count, let base = items[next].path.baseAddress, base < address { next += 1 }
  }

  /// The znode at `path`, 0 if there is none, if it is the next path; nil if it is not.
  func known(_ path: UnsafeRawBufferPointer) -> ZnodeID? {
    guard next < count else { return nil }
    let item = items + next
    guard item.pointee.path.count == path.count,
      item.pointee.path.baseAddress == path.baseAddress || areEqual(item.pointee.path, path)
    else { return nil }
    return item.pointee.id
  }

  /// Finds the znodes at all paths.
  func resolve(_ index: NameIndex, _ slab: RecordSlab) {
    var openCount = count
    while openCount > 0 {
      forEachOpen { item in
        item.pointee.findName()
        let name = item.pointee.name
        item.pointee.hash = index.hash(item.pointee.id, name)
        memory_prefetch(index.entry(for: item.pointee.hash))
      }
      forEachOpen { item in
        item.pointee.candidate = index.candidate(for: item.pointee.hash)
        // A record may begin in one line and end in the next.
        let record = UnsafeRawPointer(slab.record(item.pointee.candidate))
        memory_prefetch(record)
        memory_prefetch(record + Self.lineBytes)
      }
      forEachOpen { loadBlock($0.pointee, slab) }
      openCount = 0
      forEachOpen { item in
        item.pointee.goDown(index, slab)
        if !item.pointee.isFound { openCount += 1 }
      }
    }
  }

  @inline(__always)
  private func forEachOpen(_ body: (UnsafeMutablePointer<Item>) -> Void) {
    for place in 0..<count where !items[place].isFound { body(items + place) }
  }

  /// Loads the name, and at the last level the data too.
  private func loadBlock(_ item: Item, _ slab: RecordSlab) {
    let record = slab.record(item.candidate)
    guard let block = record.pointee.block else { return }
    memory_prefetch(block)
    guard item.end == item.path.count else { return }
    let lengthBytes = item.end - item.start + max(0, Int(record.pointee.dataLength))
    var line = 1
    while line < Self.largestLineCount, line * Self.lineBytes <= lengthBytes {
      memory_prefetch(block + line * Self.lineBytes)
      line += 1
    }
  }
}

extension LookAhead.Item {
  fileprivate var name: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: path[start..<end]) }

  /// Sets where the name of the present level ends.
  fileprivate mutating func findName() { end = PathBytes.endOfName(in: path, from: start) }

  /// Takes the candidate if it is the znode, looks for it otherwise, and goes on to the next level if there is one.
  fileprivate mutating func goDown(_ index: NameIndex, _ slab: RecordSlab) {
    let record = slab.record(candidate)
    if candidate == 0 || record.pointee.parent != id || !areEqual(record.pointee.name, name) {
      // Two names have the same hash, or there is no such znode.
      candidate = candidate == 0 ? 0 : index.find(id, name, in: slab)
    }
    id = candidate
    isFound = id == 0 || end == path.count
    start = end + 1
  }
}
