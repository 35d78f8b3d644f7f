internal import DequeModule
internal import ZooKeeperProtocol

/// A queue of what belongs to transactions, in the order of their zxids.
///
/// The zxids are kept apart from the elements, so that looking at the first one copies no element.
struct ZxidQueue<Element> {
  private var zxids = Deque<Zxid>()
  private var elements = Deque<Element>()

  var isEmpty: Bool { zxids.isEmpty }
  var count: Int { zxids.count }
  var firstZxid: Zxid? { zxids.first }

  /// Adds an element at the end.
  mutating func append(_ element: Element, _ zxid: Zxid) {
    zxids.append(zxid)
    elements.append(element)
  }

  /// Drops the newest element.
  mutating func removeLast() {
    zxids.removeLast()
    elements.removeLast()
  }

  /// Takes the oldest element, if its zxid is `zxid` or before.
  mutating func popFirst(through zxid: Zxid) -> Element? {
    guard let first = zxids.first, first <= zxid else { return nil }
    zxids.removeFirst()
    return elements.removeFirst()
  }
}
