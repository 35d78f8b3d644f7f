import ZooKeeperProtocol

/// The name of a queue's item, and the format of its data that follows from it.
struct QueueItemName: Sequenced, Hashable, Sendable {
  let name: String
  let priority: Int32
  let sequence: Int32
  var creation: Zxid?
  /// Whether the data is in Curator's frame.
  let isFramed: Bool

  /// Reads a name; nil if it is not the name of an item.
  init?(_ name: String) {
    self.name = name
    if let rest = name.dropping("qn-"), let sequence = Self.sequence(rest) {
      (priority, self.sequence, isFramed) = (0, sequence, false)
    } else if let rest = name.dropping("queue-") {
      // The number is the last ten characters; before it, if at all, nine of priority.
      guard let sequence = Self.sequence(rest.suffix(10)) else { return nil }
      let head = rest.dropLast(10)
      guard let priority = head.isEmpty ? 0 : Self.priority(head) else { return nil }
      (self.priority, self.sequence, isFramed) = (priority, sequence, true)
    } else if let rest = name.dropping("entry-"), let dash = rest.firstIndex(of: "-"),
      let priority = Int32(rest[..<dash]), let sequence = Self.sequence(rest[rest.index(after: dash)...])
    {
      (self.priority, self.sequence, isFramed) = (priority, sequence, false)
    } else {
      return nil
    }
  }

  /// Whether it is taken from the queue before another item.
  func isBefore(_ other: QueueItemName) -> Bool {
    priority != other.priority ? priority < other.priority : wasCreated(before: other)
  }

  /// The part of the name before the sequence number, for an item with a priority: `0` for negative and `1` for other
  /// priorities, so that names sort in the order of the numbers, and eight hexadecimal digits.
  ///
  /// *Source*: Curator's `DistributedPriorityQueue`.
  static func prefix(of priority: Int32) -> String {
    let digits = String(UInt32(bitPattern: priority), radix: 16, uppercase: true)
    let zeros = String(repeating: "0", count: 8 - digits.utf8.count)
    return "queue-\(priority < 0 ? "0" : "1")\(zeros)\(digits)"
  }

  /// Wraps data in Curator's frame: a version; for each item a 1, its length and its bytes; a 2 at the end.
  ///
  /// *Source*: Curator's `ItemSerializer`.
  static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = (0..<4).map { UInt8(truncatingIfNeeded: data.count >> (24 - 8 * $0)) }
    return [0, 1, 0, 1, 1] + length + data + [2]
  }

  /// The data in a frame; nil if the bytes are not a frame with exactly one item.
  static func unframed(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 10, bytes[0..<5].elementsEqual([0, 1, 0, 1, 1]) else { return nil }
    let length = bytes[5..<9].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count == 10 + length, bytes.last == 2 else { return nil }
    return [UInt8](bytes[9..<(9 + length)])
  }

  private static func sequence(_ text: Substring) -> Int32? {
    text.utf8.count >= 10 && text.first != "+" ? Int32(text) : nil
  }

  private static func priority(_ text: Substring) -> Int32? {
    guard text.utf8.count == 9, "01".contains(text.first!), let bits = UInt32(text.dropFirst(), radix: 16) else {
      return nil
    }
    return Int32(bitPattern: bits)
  }
}

extension String {
  /// What follows `prefix`; nil when it does not begin with it.
  fileprivate func dropping(_ prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
