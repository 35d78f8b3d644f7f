package import TxnLog
package import ZooKeeperProtocol

/// Places in the log that a server has written itself, so that a transaction is found without reading the log from the
/// beginning of its segment.
///
/// *Shape*: oldest first, at most one for each `spacingBytes` of a segment.
package struct LogPlaces: Sendable {
  /// About so many bytes are read to find a transaction: half a millisecond's worth.
  private static let spacingBytes = 1 << 20
  /// With as many places the log has 4 GiB, more than learners are sent. 24 bytes each.
  private static let largestCount = 4096

  private var places: [LogPlace] = []

  package init() {}

  /// Adds a place after a transaction that is durable, if it is far enough from the last one.
  package mutating func note(_ place: LogPlace) {
    if let last = places.last, last.segment == place.segment, place.offset < last.offset + Self.spacingBytes { return }
    if places.count == Self.largestCount { places.removeFirst(Self.largestCount / 2) }
    places.append(place)
  }

  /// The last place that the log reaches before the transaction or with it; nil if none is known.
  package func place(notAfter zxid: Zxid) -> LogPlace? {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle].last <= zxid { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? places[low - 1] : nil
  }
}
