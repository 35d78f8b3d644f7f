import NIOCore

/// What was sent on a connection whose link is slow and has not left yet.
///
/// The order is kept: bytes with a shorter delay wait for those before them, as on a TCP connection.
///
/// *Thread*: the event loop.
final class DelayLine {
  /// The most bytes that wait. Beyond it, the oldest leave early, so that a slow link to a fast server does not fill
  /// the memory.
  static let maximumBytes = 64 << 20

  private let loop: any EventLoop
  private let write: ([UInt8]) -> Void
  private var waiting: [(due: NIODeadline, bytes: [UInt8])] = []
  private var timer: Scheduled<Void>?
  private(set) var waitingBytes = 0

  /// - Parameter write: sends bytes that have been held back for long enough.
  init(_ loop: any EventLoop, write: @escaping ([UInt8]) -> Void) {
    self.loop = loop
    self.write = write
  }

  /// Sends bytes after a while.
  func send(_ bytes: [UInt8], after delay: TimeAmount) {
    let due = max(NIODeadline.now() + delay, waiting.last?.due ?? .distantPast)
    waiting.append((due, bytes))
    waitingBytes += bytes.count
    if waitingBytes > Self.maximumBytes {
      var excess = waitingBytes - Self.maximumBytes
      let count = waiting.prefix { entry in
        defer { excess -= entry.bytes.count }
        return excess > 0
      }.count
      release(first: count)
    }
    schedule()
  }

  /// Sends everything at once.
  func releaseAll() { release(first: waiting.count) }

  /// Drops everything that waits.
  func cancel() {
    timer?.cancel()
    timer = nil
    waiting = []
    waitingBytes = 0
  }

  private func release(first count: Int) {
    let leaving = waiting.prefix(count)
    waiting.removeFirst(count)
    for entry in leaving {
      waitingBytes -= entry.bytes.count
      write(entry.bytes)
    }
    if waiting.isEmpty {
      timer?.cancel()
      timer = nil
    }
  }

  private func schedule() {
    guard timer == nil, let due = waiting.first?.due else { return }
    timer = loop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in
      guard let self else { return }
      timer = nil
      let now = NIODeadline.now()
      release(first: waiting.prefix { $0.due <= now }.count)
      schedule()
    }
  }
}
