internal import ZooKeeperProtocol

/// The outstanding change of each path: an open-addressing table.
///
/// Every write looks for its znode here when it is prepared, when its change is recorded and when it has been applied.
/// A dictionary hashes the hash that a key has already once more, which made these searches a tenth of a pipelined
/// write's instructions; here they are a third of that.
///
/// *Shape*: an entry has the hash in the upper half, and in the lower one the index of its record plus 1; 0 is empty.
/// Probing is linear. A removal moves later entries of its run up, so that there are no tombstones. At most three
/// quarters of the table are full. Records have no gaps: the last one takes the place of one that is removed.
struct ChangeTable {
  private var entries = [UInt64](repeating: 0, count: Self.leastCapacity)
  /// The records, in no order.
  private(set) var records: [ChangeRecord] = []

  private static let leastCapacity = 64
  /// A table that has become empty is kept if it is not larger than this.
  private static let keptCapacity = 1 << 16

  var isEmpty: Bool { records.isEmpty }

  /// The index of a path's record; nil if it has none. It is valid until the next removal.
  func index(of path: PathKey) -> Int? {
    let hash = Self.hash(of: path)
    var position = Int(hash) & (entries.count - 1)
    while true {
      let entry = entries[position]
      if entry == 0 { return nil }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash {
        let index = Self.index(in: entry)
        if records[index].path == path { return index }
      }
      position = (position + 1) & (entries.count - 1)
    }
  }

  /// Adds the record of a path, or replaces it.
  ///
  /// - Returns: the record that was replaced; nil if there was none.
  @discardableResult
  mutating func update(_ record: consuming ChangeRecord) -> ChangeRecord? {
    if let index = index(of: record.path) {
      swap(&records[index], &record)
      return record
    }
    if (records.count + 1) * 4 > entries.count * 3 { resize(to: entries.count * 2) }
    let hash = Self.hash(of: record.path)
    records.append(record)
    place(hash, records.count - 1)
    return nil
  }

  /// Removes the record at an index. The last record gets its index.
  mutating func remove(at index: Int) {
    vacate(position(of: index))
    let last = records.count - 1
    if index < last { entries[position(of: last)] = Self.entry(Self.hash(of: records[last].path), index) }
    let moved = records.removeLast()
    if index < last { records[index] = moved }
    if records.isEmpty, entries.count > Self.keptCapacity {
      records = []
      resize(to: Self.leastCapacity)
    }
  }

  private static func hash(of path: PathKey) -> UInt32 { UInt32(truncatingIfNeeded: path.mixed >> 32) }

  private static func entry(_ hash: UInt32, _ index: Int) -> UInt64 { UInt64(hash) << 32 | UInt64(index + 1) }

  private static func index(in entry: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: entry)) - 1 }

  /// The position of the entry of a record.
  private func position(of index: Int) -> Int {
    let entry = Self.entry(Self.hash(of: records[index].path), index)
    var position = Int(entry >> 32) & (entries.count - 1)
    while entries[position] != entry {
      precondition(entries[position] != 0, "\(records[index].path.path) is not in the table")
      position = (position + 1) & (entries.count - 1)
    }
    return position
  }

  private mutating func place(_ hash: UInt32, _ index: Int) {
    var position = Int(hash) & (entries.count - 1)
    while entries[position] != 0 { position = (position + 1) & (entries.count - 1) }
    entries[position] = Self.entry(hash, index)
  }

  /// Empties a position, and moves the entries after it up that would no longer be found.
  private mutating func vacate(_ position: Int) {
    let mask = entries.count - 1
    var hole = position
    var next = position
    while true {
      next = (next + 1) & mask
      let moved = entries[next]
      if moved == 0 { break }
      // An entry may move up to the hole, unless the position of its hash is after the hole.
      let home = Int(moved >> 32) & mask
      if (next - home) & mask >= (next - hole) & mask {
        entries[hole] = moved
        hole = next
      }
    }
    entries[hole] = 0
  }

  private mutating func resize(to capacity: Int) {
    entries = [UInt64](repeating: 0, count: capacity)
    for index in records.indices { place(Self.hash(of: records[index].path), index) }
  }
}
