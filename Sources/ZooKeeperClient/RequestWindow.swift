import DequeModule

/// How many requests of one or several batches are in flight at a time.
///
/// Batches that share a window are sent one after the other, each request as soon as there is room: while the last
/// replies of one batch are awaited, the next one has begun.
///
/// *Thread*: everything but `init` runs on the driver's loop.
package final class RequestWindow: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  @exclusivity(unchecked) private var free: Int
  private var batches: Deque<() -> Bool> = []
  @exclusivity(unchecked) private var isSending = false

  /// - Parameter size: how many requests wait for their replies at a time, at least 1.
  package init(_ size: Int) { free = max(1, size) }

  /// Sends the requests of a batch after those of the batches before it.
  ///
  /// - Parameter sendNext: sends the next request of the batch; false if there is none. The batch must call `release`
  ///   once for each request, when it is complete.
  func add(_ sendNext: @escaping () -> Bool) {
    batches.append(sendNext)
    send()
  }

  /// Makes room for another request.
  func release() {
    free += 1
    send()
  }

  private func send() {
    // A request that is refused is complete before `sendNext` returns, and its place is taken by this loop too.
    guard !isSending else { return }
    isSending = true
    defer { isSending = false }
    while free > 0, let sendNext = batches.first {
      free -= 1
      guard !sendNext() else { continue }
      free += 1
      batches.removeFirst()
    }
  }
}
