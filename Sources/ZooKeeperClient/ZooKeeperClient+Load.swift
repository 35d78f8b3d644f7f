import NIOCore
package import ZooKeeperProtocol

/// Requests that follow each other as fast as the servers answer, for measuring them.
extension ZooKeeperClient {
  /// The path of a znode below the servers' own root, as `keepInFlight` needs it.
  package func absolutePath(_ path: String) -> String { chroot.absolute(path) }

  /// Keeps requests in flight as long as `next` makes any, and waits for the last reply.
  ///
  /// - Parameters:
  ///   - inFlight: how many requests wait for their replies at a time.
  ///   - next: makes the request with a number, from 0 on, whose paths are not below the chroot; nil ends the run. It
  ///     is called on the client's loop.
  ///   - onReply: takes for each request its number, the nanoseconds from sending it to its reply, and its failure. It
  ///     is called on the client's loop.
  package func keepInFlight(
    _ inFlight: Int, next: @escaping @Sendable (Int) -> ClientRequest?,
    onReply: @escaping @Sendable (_ number: Int, _ nanoseconds: Int64, ZooKeeperError?) -> Void
  ) async {
    let stream = RequestStream(driver: driver, limit: timeLimitMilliseconds, next: next, onReply: onReply)
    await withCheckedContinuation { continuation in
      driver.loop.execute { stream.start(inFlight: inFlight, continuation) }
    }
  }
}

/// *Thread*: everything but `init` runs on the driver's loop.
private final class RequestStream: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  private let driver: SessionDriver
  private let limit: Int64?
  private let next: @Sendable (Int) -> ClientRequest?
  private let onReply: @Sendable (Int, Int64, ZooKeeperError?) -> Void
  @exclusivity(unchecked) private var count = 0
  @exclusivity(unchecked) private var missing = 0
  @exclusivity(unchecked) private var isOver = false
  private var continuation: CheckedContinuation<Void, Never>?

  init(
    driver: SessionDriver, limit: Int64?, next: @escaping @Sendable (Int) -> ClientRequest?,
    onReply: @escaping @Sendable (Int, Int64, ZooKeeperError?) -> Void
  ) {
    self.driver = driver
    self.limit = limit
    self.next = next
    self.onReply = onReply
  }

  func start(inFlight: Int, _ continuation: CheckedContinuation<Void, Never>) {
    self.continuation = continuation
    // So that replies that come at once do not end the run before all of the first requests are sent.
    missing = 1
    for _ in 0..<max(1, inFlight) { sendNext() }
    completeOne()
  }

  private func sendNext() {
    guard !isOver else { return }
    guard let request = next(count) else {
      isOver = true
      return
    }
    let number = count
    let started = NIODeadline.now()
    count += 1
    missing += 1
    driver.submit(request, id: driver.nextRequestID(), watch: nil, limit: limit) { [self] result in
      let nanoseconds = (NIODeadline.now() - started).nanoseconds
      switch result {
      case .success: onReply(number, nanoseconds, nil)
      case .failure(let error):
        onReply(number, nanoseconds, error)
        // Without a session or a connection every further request would fail at once, and the run would never end.
        if error.endsStreams { isOver = true }
      }
      sendNext()
      completeOne()
    }
  }

  private func completeOne() {
    missing -= 1
    if missing == 0 { continuation?.resume() }
  }
}

extension ZooKeeperError {
  /// Whether what follows would fail at once as well.
  fileprivate var endsStreams: Bool {
    switch code {
    case .server, .rolledBack, .malformedReply, .requestTooLarge, .timedOut: false
    default: true
    }
  }
}
