internal import ZooKeeperProtocol

/// The bytes that a transaction may still take.
///
/// A transaction can be far larger than the request that it comes from. One that is too large for other servers to read
/// must never be logged: its leader would lose its followers, win the next election because of its longer history, and
/// lose them again. Every part is therefore charged before anything is changed, and before work is done for it.
///
/// *Source*: ZOOKEEPER-4306, which describes this fault in Apache's servers.
struct TxnBudget {
  /// An upper bound on the size of header and digest.
  private static let frameBytes = 96
  /// An upper bound on what a part of a multi takes besides its body.
  private static let partBytes = 16

  private var remainingBytes: Int

  init(_ settings: ServerSettings) { remainingBytes = settings.maximumTxnBytes - Self.frameBytes }

  /// Charges a number of bytes.
  ///
  /// - Throws: `marshallingError` if fewer are left.
  mutating func charge(_ bytes: Int) throws(KeeperError) {
    guard bytes <= remainingBytes else { throw .marshallingError }
    remainingBytes -= bytes
  }

  /// Charges an entry of an ACL.
  ///
  /// - Throws: as `charge(_:)` for bytes.
  mutating func charge(_ entry: ACL) throws(KeeperError) {
    try charge(12 + entry.scheme.utf8.count + entry.id.utf8.count)
  }

  /// Charges a path with its data, and the numbers of a record besides them.
  ///
  /// - Throws: as `charge(_:)` for bytes.
  mutating func charge(path: String, data: [UInt8]? = nil) throws(KeeperError) {
    try charge(24 + path.utf8.count + (data?.count ?? 0))
  }

  /// Charges the headers of the parts of a multi. A part that fails takes no more than that.
  ///
  /// - Throws: as `charge(_:)` for bytes.
  mutating func charge(parts count: Int) throws(KeeperError) { try charge(Self.partBytes * count) }

  /// The first paths, as many as there is room for.
  func fitting(_ paths: [String]) -> [String] {
    var room = remainingBytes
    let end = paths.firstIndex { path in
      room -= 4 + path.utf8.count
      return room < 0
    }
    return end.map { Array(paths[..<$0]) } ?? paths
  }
}
