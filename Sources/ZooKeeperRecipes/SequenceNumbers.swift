import ZooKeeperClient
import ZooKeeperProtocol

/// The numbers that servers append to the names of sequential znodes, and the order of znodes after these have ended.
///
/// A parent counts the children that were ever created under it, up to 2147483647. Then the count stops, so that many
/// children get the same number; a server that processes several creates at the same time may also give negative
/// numbers. The order is then that of the transactions that created the znodes.
///
/// *Source*: `PrepRequestProcessor.pRequest2TxnCreate`, whose sum wraps, and `DataTree.createNode`, which never lets
/// the count sink.
enum SequenceNumbers {
  /// The last number, which more than one znode can have.
  static let end = Int32.max

  /// Whether the numbers determine the order: all are before the end, and none occurs twice.
  static func determineOrder(_ numbers: some Sequence<Int32>) -> Bool {
    var seen: Set<Int32> = []
    return numbers.allSatisfy { $0 >= 0 && $0 < end && seen.insert($0).inserted }
  }

  /// How many children were ever created under a znode, computed from its stat: the next sequence number.
  ///
  /// *Source*: `copyStat` of Apache's `DataTree`: the visible cversion is twice that number, minus the number of
  /// children that exist.
  static func created(_ stat: Stat) -> Int32 {
    Int32(truncatingIfNeeded: UInt32(bitPattern: stat.cversion &+ stat.numChildren) >> 1)
  }
}

/// A znode with a sequence number in its name.
protocol Sequenced {
  var name: String { get }
  var sequence: Int32 { get }
  /// The transaction that created it; set only if the sequence numbers do not determine the order.
  var creation: Zxid? { get set }
}

extension Sequenced {
  /// Whether it was created before another.
  func wasCreated(before other: Self) -> Bool {
    guard let creation, let otherCreation = other.creation else { return sequence < other.sequence }
    if creation != otherCreation { return creation < otherCreation }
    // Both were created by one transaction. The order is arbitrary, but the same for all clients.
    return name.utf8.lexicographicallyPrecedes(other.name.utf8)
  }
}

extension RecipeClient {
  /// Adds to the znodes the transactions that created them, if the sequence numbers do not determine their order.
  ///
  /// Znodes that were deleted meanwhile are left out.
  func withOrder<Item: Sequenced>(_ items: [Item], in parent: String) async throws(ZooKeeperError) -> [Item] {
    guard !SequenceNumbers.determineOrder(items.lazy.map(\.sequence)) else { return items }
    var ordered: [Item] = []
    for start in stride(from: 0, to: items.count, by: 1000) {
      let piece = items[start..<min(start + 1000, items.count)]
      let stats = try await retrying { client throws(ZooKeeperError) in
        try await client.stats(ofAll: piece.map { ZnodePath.child($0.name, of: parent) }).map {
          (result) throws(ZooKeeperError) -> Stat? in
          if case .failure(let error) = result, error.code == .server(.noNode) { return nil }
          return try result.get()
        }
      }
      for (item, stat) in zip(piece, stats) {
        guard let stat else { continue }
        var item = item
        item.creation = stat.czxid
        ordered.append(item)
      }
    }
    return ordered
  }
}
