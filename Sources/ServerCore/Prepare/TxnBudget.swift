internal import ZooKeeperProtocol

/// The bytes that a transaction may still have.
///
/// A transaction can be far larger than the request that asks for it. What is too large for other servers to read must
/// never get a place in the log: its leader would fall, win the next election with the longer history, and fall again.
/// So every part is charged before anything is changed, and before work is done for it.
///
/// *Source*: ZOOKEEPER-4306, where Apache's servers have that fault.
struct TxnBudget {
  /// What header and digest have, and the type and length in front of a part of a multi.
  private static let frameBytes = 96
  private static let partBytes = 16

  private var remainingBytes: Int

  /// All that a transaction may have.
  init(_ settings: ServerSettings) { remainingBytes = settings.maximumTxnBytes - Self.frameBytes }

  /// Takes up room.
  ///
  /// - Throws: `marshallingError` when there is not so much.
  mutating func charge(_ bytes: Int) throws(KeeperError) {
    guard bytes <= remainingBytes else { throw .marshallingError }
    remainingBytes -= bytes
  }

  /// Takes up room for an entry of an ACL.
  mutating func charge(_ entry: ACL) throws(KeeperError) {
    try charge(12 + entry.scheme.utf8.count + entry.id.utf8.count)
  }

  /// Takes up room for a path with its data, and the numbers beside them.
  mutating func charge(path: String, data: [UInt8]? = nil) throws(KeeperError) {
    try charge(24 + path.utf8.count + (data?.count ?? 0))
  }

  /// Takes up room for what stands around the parts of a multi. A part that fails has no more than that.
  mutating func charge(parts count: Int) throws(KeeperError) { try charge(Self.partBytes * count) }

  /// As many paths as there is room for.
  func fitting(_ paths: [String]) -> [String] {
    var room = remainingBytes
    let end = paths.firstIndex { path in
      room -= 4 + path.utf8.count
      return room < 0
    }
    return end.map { Array(paths[..<$0]) } ?? paths
  }
}
