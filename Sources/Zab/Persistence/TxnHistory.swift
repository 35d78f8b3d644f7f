package import ZooKeeperProtocol

/// The end of a server's log, as it is kept in memory: what is not committed yet, and what others may lack.
///
/// A window on the log without a hole: `base` is the transaction before its first entry.
package struct TxnHistory: Equatable, Sendable {
  /// A transaction and its bytes, which are the same in the log and on the wire.
  package struct Entry: Equatable, Sendable {
    package var zxid: Zxid
    package var bytes: [UInt8]

    /// Makes one of the given parts.
    package init(zxid: Zxid, bytes: [UInt8]) {
      self.zxid = zxid
      self.bytes = bytes
    }
  }

  /// The transaction before the first entry; what is earlier is on disk only.
  package private(set) var base: Zxid
  private var entries: [Entry] = []
  /// Entries at the front that were dropped and not yet moved away.
  private var head = 0
  package private(set) var byteCount = 0

  /// An empty window behind `base`.
  package init(base: Zxid) { self.base = base }

  /// The last transaction of the log.
  package var last: Zxid { isEmpty ? base : entries[entries.count - 1].zxid }
  package var isEmpty: Bool { head == entries.count }
  package var count: Int { entries.count - head }

  /// Adds the transaction that follows.
  package mutating func append(_ entry: Entry) {
    precondition(entry.zxid > last, "transaction \(entry.zxid) is not after \(last)")
    entries.append(entry)
    byteCount += entry.bytes.count
  }

  /// Whether `zxid` is a place in this window: an entry of it, or what is before its first.
  package func contains(_ zxid: Zxid) -> Bool {
    if zxid == base { return true }
    let index = firstIndex(after: zxid)
    return index > head && entries[index - 1].zxid == zxid
  }

  /// The entry after a place; nil when there is none.
  package func entry(after zxid: Zxid) -> Entry? {
    let index = firstIndex(after: zxid)
    return index < entries.count ? entries[index] : nil
  }

  /// The last place that is before `zxid`.
  package func place(before zxid: Zxid) -> Zxid {
    let index = firstIndex(after: Zxid(rawValue: zxid.rawValue - 1))
    return index > head ? entries[index - 1].zxid : base
  }

  /// Everything after one place up to another.
  package func entries(after start: Zxid, through end: Zxid) -> ArraySlice<Entry> {
    let from = firstIndex(after: start)
    return entries[from..<max(from, firstIndex(after: end))]
  }

  /// Drops what is after `zxid`.
  package mutating func truncate(to zxid: Zxid) {
    let index = firstIndex(after: zxid)
    for entry in entries[index...] { byteCount -= entry.bytes.count }
    entries.removeSubrange(index...)
    // What is on disk ends there, even if the window had begun later.
    if isEmpty { base = min(base, zxid) }
  }

  /// Drops the oldest entries while there are more than `count` or `bytes` of them, but none after `zxid`.
  package mutating func trim(count limit: Int, bytes: Int, notAfter zxid: Zxid) {
    while !isEmpty, count > limit || byteCount > bytes, entries[head].zxid <= zxid {
      base = entries[head].zxid
      byteCount -= entries[head].bytes.count
      entries[head].bytes = []
      head += 1
    }
    guard head >= 256, head * 2 >= entries.count else { return }
    entries.removeFirst(head)
    head = 0
  }

  /// The index of the first entry after `zxid`.
  ///
  /// - Complexity: logarithmic; constant near the ends, which is where it is asked for.
  private func firstIndex(after zxid: Zxid) -> Int {
    var (low, high) = (head, entries.count)
    if low == high || zxid >= entries[high - 1].zxid { return high }
    if zxid < entries[low].zxid { return low }
    if high - low > 1, zxid >= entries[high - 2].zxid { return high - 1 }
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].zxid <= zxid { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
