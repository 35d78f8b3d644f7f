internal import DequeModule
internal import ZooKeeperProtocol

/// A queue of values that belong to transactions, in the order of their zxids.
///
/// The zxids are in a queue separate from the elements, so that reading the first one does not copy an element.
struct ZxidQueue<Element> {
  private var zxids = Deque<Zxid>()
  private var elements = Deque<Element>()

  var isEmpty: Bool { zxids.isEmpty }
  var count: Int { zxids.count }
  var firstZxid: Zxid? { zxids.first }

  /// Adds an element at the end.
  mutating func append(_ element: consuming Element, _ zxid: Zxid) {
    zxids.append(zxid)
    elements.append(element)
  }

  /// Removes the newest element.
  mutating func removeLast() {
    zxids.removeLast()
    elements.removeLast()
  }

  /// Removes and returns the oldest element, if its zxid is not after `zxid`.
  mutating func popFirst(through zxid: Zxid) -> Element? {
    guard let first = zxids.first, first <= zxid else { return nil }
    zxids.removeFirst()
    return elements.removeFirst()
  }
}
