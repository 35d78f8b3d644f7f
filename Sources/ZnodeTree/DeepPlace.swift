/// A znode with a long path, from which znodes near it are found without descending from the root again.
struct DeepPlace {
  /// Shorter paths are found as quickly from the root.
  static let minimumBytes = 512

  var id: ZnodeID
  var path: [UInt8]

  /// Moves to the parent.
  mutating func goUp(to parent: ZnodeID) {
    id = parent
    let slash = path.lastIndex(of: PathBytes.slash) ?? 0
    path.removeLast(path.count - slash)
  }
}

extension DataTree {
  /// `find` for long paths: goes from the znode that was found last up to where the two paths separate, and down from
  /// there.
  ///
  /// A client that creates or walks a deep tree goes from each znode to one near it. From the root, each look-up would
  /// take a time proportional to the depth, and the whole walk its square.
  ///
  /// *Complexity*: a comparison of the path's bytes, and a step for each level between the two znodes.
  func findDeep(_ path: UnsafeRawBufferPointer) -> ZnodeID? {
    var start = 0
    var top = Self.root
    if let place = deepPlace, let common = commonPlace(place, path) { (top, start) = common }
    guard start < path.count else {
      deepPlace = DeepPlace(id: top, path: Array(path))
      return top
    }
    guard let id = descend(from: top, path, at: start + 1) else {
      // The znode is probably about to be created, and its parent looked up next.
      if start >= DeepPlace.minimumBytes { deepPlace = DeepPlace(id: top, path: Array(path[..<start])) }
      return nil
    }
    if deepPlace?.id != id { deepPlace = DeepPlace(id: id, path: Array(path)) }
    return id
  }

  /// The deepest common ancestor of the two, or one of them, and the length of its path.
  private func commonPlace(_ place: DeepPlace, _ path: UnsafeRawBufferPointer) -> (ZnodeID, Int)? {
    place.path.withUnsafeBytes { old -> (ZnodeID, Int)? in
      var length = Self.commonPrefixLength(old, path)
      // The common prefix is shortened to the end of a name in both paths.
      func ends(_ bytes: UnsafeRawBufferPointer) -> Bool { length == bytes.count || bytes[length] == PathBytes.slash }
      while length > 0, !(ends(old) && ends(path)) { length -= 1 }
      var id = place.id
      for byte in old[length...] where byte == PathBytes.slash { id = step(up: id) }
      return length > 0 ? (id, length) : nil
    }
  }

  private func step(up id: ZnodeID) -> ZnodeID { slab.record(id).pointee.parent }

  private static func commonPrefixLength(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let count = min(left.count, right.count)
    var index = 0
    while index + 8 <= count,
      left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        == right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    { index += 8 }
    while index < count, left[index] == right[index] { index += 1 }
    return index
  }
}
