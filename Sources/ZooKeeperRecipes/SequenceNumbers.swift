import ZooKeeperClient
import ZooKeeperProtocol

/// The numbers that servers put behind the names of sequential znodes, and what orders znodes where these end.
///
/// A parent counts the children that were ever created under it, up to 2147483647. Behind that the count stays where it
/// is, so that many children get the same number; a server that has several creates at work at once may give negative
/// ones between. The transaction that has created a znode tells the order all the same.
///
/// *Source*: `PrepRequestProcessor.pRequest2TxnCreate`, whose sum wraps, and `DataTree.createNode`, which never lets
/// the count sink.
enum SequenceNumbers {
  /// The number that more than one znode may have.
  static let end = Int32.max

  /// Whether the numbers alone tell the order: none is at the end, and none occurs twice.
  static func tellOrder(_ numbers: some Sequence<Int32>) -> Bool {
    var seen: Set<Int32> = []
    return numbers.allSatisfy { $0 >= 0 && $0 < end && seen.insert($0).inserted }
  }

  /// How many children were ever created under a znode, by its stat: what the next sequential one is called.
  ///
  /// *Source*: `DataTree`'s `copyStat`: servers show twice that number less the children that are there.
  static func created(_ stat: Stat) -> Int32 {
    Int32(truncatingIfNeeded: UInt32(bitPattern: stat.cversion &+ stat.numChildren) >> 1)
  }
}

/// A znode with a sequence number in its name.
protocol Sequenced {
  var name: String { get }
  var sequence: Int32 { get }
  /// The transaction that created it, where the sequence numbers do not tell the order.
  var creation: Zxid? { get set }
}

extension Sequenced {
  /// Whether it was created before another.
  func wasCreated(before other: Self) -> Bool {
    guard let creation, let otherCreation = other.creation else { return sequence < other.sequence }
    if creation != otherCreation { return creation < otherCreation }
    // Two of one transaction: what matters is that all agree.
    return name.utf8.lexicographicallyPrecedes(other.name.utf8)
  }
}

extension RecipeClient {
  /// The same znodes with what tells their order: the transactions that created them, where the numbers do not.
  ///
  /// Those that are gone meanwhile are left out.
  func withOrder<Item: Sequenced>(_ items: [Item], in parent: String) async throws(ZooKeeperError) -> [Item] {
    guard !SequenceNumbers.tellOrder(items.lazy.map(\.sequence)) else { return items }
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
