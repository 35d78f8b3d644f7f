package import ZooKeeperProtocol

/// The last part of the log, in memory: what is not delivered yet, and what learners may lack.
///
/// It is contiguous, and ends where the log ends: `base` is the transaction before its first entry.
package struct TxnHistory: Equatable, Sendable {
  /// A transaction and its bytes, which are the same in the log and on the wire.
  package struct Entry: Equatable, Sendable {
    package var zxid: Zxid
    package var bytes: [UInt8]

    package init(zxid: Zxid, bytes: [UInt8]) {
      self.zxid = zxid
      self.bytes = bytes
    }
  }

  /// The transaction before the first entry; what is earlier is on disk only.
  package private(set) var base: Zxid
  private var entries: [Entry] = []
  /// The index of the first entry that is kept; those before it are dropped, and removed now and then.
  private var head = 0
  package private(set) var byteCount = 0

  /// Creates an empty window after `base`.
  package init(base: Zxid) { self.base = base }

  /// The last transaction of the log.
  package var last: Zxid { isEmpty ? base : entries[entries.count - 1].zxid }
  package var isEmpty: Bool { head == entries.count }
  package var count: Int { entries.count - head }

  /// Appends the next transaction.
  package mutating func append(_ entry: Entry) {
    precondition(entry.zxid > last, "transaction \(entry.zxid) is not after \(last)")
    entries.append(entry)
    byteCount += entry.bytes.count
  }

  /// Whether `zxid` is that of an entry in this window, or of the transaction before the first one.
  package func contains(_ zxid: Zxid) -> Bool {
    if zxid == base { return true }
    let index = firstIndex(after: zxid)
    return index > head && entries[index - 1].zxid == zxid
  }

  /// The first entry after `zxid`; nil when there is none.
  package func entry(after zxid: Zxid) -> Entry? {
    let index = firstIndex(after: zxid)
    return index < entries.count ? entries[index] : nil
  }

  /// The zxid of the last entry before `zxid`; `base` if there is none.
  package func place(before zxid: Zxid) -> Zxid {
    let index = firstIndex(after: Zxid(rawValue: zxid.rawValue - 1))
    return index > head ? entries[index - 1].zxid : base
  }

  /// The entries after `start`, up to and including `end`.
  package func entries(after start: Zxid, through end: Zxid) -> ArraySlice<Entry> {
    let from = firstIndex(after: start)
    return entries[from..<max(from, firstIndex(after: end))]
  }

  /// Removes the entries after `zxid`.
  package mutating func truncate(to zxid: Zxid) {
    let index = firstIndex(after: zxid)
    for entry in entries[index...] { byteCount -= entry.bytes.count }
    entries.removeSubrange(index...)
    // The log now ends there even if the window began later.
    if isEmpty { base = min(base, zxid) }
  }

  /// Drops the oldest entries while there are more than `count` or more than `bytes` in total, but none after `zxid`.
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
  /// - Complexity: logarithmic; constant for one in the epoch of the last entry, and at the ends.
  private func firstIndex(after zxid: Zxid) -> Int {
    var (low, high) = (head, entries.count)
    if low == high || zxid >= entries[high - 1].zxid { return high }
    if zxid < entries[low].zxid { return low }
    // The transactions of an epoch are numbered consecutively.
    let consecutive = entries[high - 1].zxid.rawValue &- zxid.rawValue
    if consecutive < Int64(high - low), entries[high - 1 - Int(consecutive)].zxid == zxid {
      return high - Int(consecutive)
    }
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].zxid <= zxid { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
