/// The records of a slab as they were at one moment, for a walk that passes each of them once.
///
/// *Shape*: for each id a number of 4 bytes says whether the record is unchanged (0), was passed, or was copied, and
/// where the copy is. Nothing is moved when there are more copies, and no change waits for that. The memory comes from
/// the system, which fills it with zeros only as it is used, and goes back to it when the view ends.
final class FrozenRecords {
  private struct Copy {
    /// The first field, so that a pointer to the copy is one to the record.
    var record: ZnodeRecord
    /// 0 for a copy that is no longer needed.
    var id: ZnodeID
    /// The place of another one that is no longer needed.
    var nextFree: UInt32
  }

  private let slab: RecordSlab
  /// Records with this id or a higher one are newer than the view.
  private let usedCount: UInt32
  private let places: UnsafeMutablePointer<UInt32>
  private var chunks: [UnsafeMutablePointer<Copy>] = []
  private var copyCount: UInt32 = 0
  private var firstFree: UInt32 = 0

  private static let passed = UInt32.max
  private static let chunkBytes = 256 << 10
  private static let chunkCopies = UInt32(chunkBytes / MemoryLayout<Copy>.stride)

  init(_ slab: RecordSlab, usedCount: UInt32) {
    self.slab = slab
    self.usedCount = usedCount
    places = SystemMemory.take(Self.placesBytes(usedCount)).bindMemory(to: UInt32.self, capacity: Int(usedCount))
  }

  deinit {
    for chunk in chunks { SystemMemory.giveBack(chunk, Self.chunkBytes) }
    SystemMemory.giveBack(places, Self.placesBytes(usedCount))
  }

  private static func placesBytes(_ count: UInt32) -> Int { Int(count) * MemoryLayout<UInt32>.stride }

  /// The memory for copies, in bytes.
  var allocatedBytes: Int { chunks.count * Self.chunkBytes }

  /// Copies a record that is about to change, unless there is a copy or none is needed.
  func preserve(_ id: ZnodeID, _ record: ZnodeRecord) {
    guard id < usedCount, places[Int(id)] == 0 else { return }
    // A record that was free is not part of the tree that the view shows.
    guard record.block != nil else { return places[Int(id)] = Self.passed }
    places[Int(id)] = add(Copy(record: record, id: id, nextFree: 0))
  }

  /// The record of `id` at that moment. It must not have been passed.
  func record(_ id: ZnodeID) -> UnsafePointer<ZnodeRecord> {
    let place = places[Int(id)]
    precondition(place != Self.passed, "znode \(id) was passed before")
    if place == 0 { return slab.record(id) }
    return UnsafeRawPointer(copy(place)).assumingMemoryBound(to: ZnodeRecord.self)
  }

  /// Whether the view needs a block that the znode has no longer, or is about to lose.
  func needs(_ block: UnsafeMutableRawPointer, of id: ZnodeID) -> Bool {
    guard id < usedCount, places[Int(id)] != Self.passed else { return false }
    return record(id).pointee.block == block
  }

  /// Says that the record will not be asked for again.
  ///
  /// - Returns: the copy, if there was one.
  func pass(_ id: ZnodeID) -> ZnodeRecord? {
    let place = places[Int(id)]
    places[Int(id)] = Self.passed
    guard place != 0, place != Self.passed else { return nil }
    let copy = copy(place)
    copy.pointee.id = 0
    copy.pointee.nextFree = firstFree
    firstFree = place
    return copy.pointee.record
  }

  /// Passes all that was copied and not passed.
  func passAll(_ body: (ZnodeID, ZnodeRecord) -> Void) {
    guard copyCount > 0 else { return }
    for place in 1...copyCount {
      let id = copy(place).pointee.id
      if id != 0, let record = pass(id) { body(id, record) }
    }
  }

  /// Places count from 1.
  private func copy(_ place: UInt32) -> UnsafeMutablePointer<Copy> {
    chunks[Int((place - 1) / Self.chunkCopies)] + Int((place - 1) % Self.chunkCopies)
  }

  private func add(_ new: Copy) -> UInt32 {
    if firstFree != 0 {
      let place = firstFree
      firstFree = copy(place).pointee.nextFree
      copy(place).pointee = new
      return place
    }
    if copyCount == UInt32(chunks.count) * Self.chunkCopies {
      chunks.append(
        SystemMemory.take(Self.chunkBytes).bindMemory(to: Copy.self, capacity: Int(Self.chunkCopies)))
    }
    copyCount += 1
    copy(copyCount).initialize(to: new)
    return copyCount
  }
}
