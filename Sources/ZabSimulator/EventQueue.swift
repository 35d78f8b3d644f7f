/// Future events in the order of the simulated time. Events of the same time keep the order in which they were added.
struct EventQueue<Event> {
  private struct Key {
    let time: Int64
    let number: UInt64
    let slot: Int

    func isBefore(_ other: Key) -> Bool { time == other.time ? number < other.number : time < other.time }
  }

  private var heap: [Key] = []
  private var slots: [Event?] = []
  private var freeSlots: [Int] = []
  private var nextNumber: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }

  /// The time of the next event, in microseconds.
  var nextTime: Int64? { heap.first?.time }

  /// The next event.
  var next: Event? { heap.first.flatMap { slots[$0.slot] } }

  /// Adds an event.
  mutating func push(_ event: Event, at time: Int64) {
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
      slots[slot] = event
    } else {
      slot = slots.count
      slots.append(event)
    }
    heap.append(Key(time: time, number: nextNumber, slot: slot))
    nextNumber += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Removes and returns the next event.
  mutating func pop() -> (time: Int64, event: Event)? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    guard let event = slots[top.slot].take() else { preconditionFailure("an event was taken twice") }
    freeSlots.append(top.slot)
    return (top.time, event)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var smallest = parent
      let (left, right) = (2 * parent + 1, 2 * parent + 2)
      if left < heap.count, heap[left].isBefore(heap[smallest]) { smallest = left }
      if right < heap.count, heap[right].isBefore(heap[smallest]) { smallest = right }
      guard smallest != parent else { return }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
