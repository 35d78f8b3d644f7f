import NIOCore
import ZooKeeperProtocol

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
    _ inFlight: Int, next: @escaping @Sendable (Int) -> EncodedRequest?,
    onReply: @escaping @Sendable (_ number: Int, _ nanoseconds: Int64, ZooKeeperError?) -> Void
  ) async {
    let stream = RequestStream(driver: driver, limit: timeLimitMilliseconds, next: next, onReply: onReply)
    await withCheckedContinuation { continuation in
      driver.loop.execute { stream.start(inFlight: inFlight, continuation) }
    }
  }
}

/// Keeps requests of a load in flight, and passes on what came of each.
///
/// *Thread*: everything but `init` runs on the driver's loop.
final class RequestStream: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  /// A request without a limit waits as long as the session lives.
  private static let longestLimit: Int64 = 1 << 40

  private let driver: SessionDriver
  private let limit: Int64
  private let next: @Sendable (Int) -> EncodedRequest?
  private let onReply: @Sendable (Int, Int64, ZooKeeperError?) -> Void
  @exclusivity(unchecked) private var free = 0
  @exclusivity(unchecked) private var count = 0
  @exclusivity(unchecked) private var missing = 0
  @exclusivity(unchecked) private var isOver = false
  private var continuation: CheckedContinuation<Void, Never>?

  init(
    driver: SessionDriver, limit: Int64?, next: @escaping @Sendable (Int) -> EncodedRequest?,
    onReply: @escaping @Sendable (Int, Int64, ZooKeeperError?) -> Void
  ) {
    self.driver = driver
    self.limit = limit ?? Self.longestLimit
    self.next = next
    self.onReply = onReply
  }

  /// Sends the first requests; the continuation is resumed after the last reply.
  func start(inFlight: Int, _ continuation: CheckedContinuation<Void, Never>) {
    self.continuation = continuation
    free = max(1, inFlight)
    driver.run(self)
    fill()
    driver.sendStreamed()
    finishIfOver()
  }

  /// Takes what came of some requests, and sends others.
  func take(_ replies: [StreamReply]) {
    let now = driver.turnNanoseconds
    for reply in replies {
      let nanoseconds = now - reply.sentNanoseconds
      switch reply.outcome {
      case .success: onReply(reply.number, nanoseconds, nil)
      case .server(let error): onReply(reply.number, nanoseconds, ZooKeeperError(.server(error)))
      case .timedOut: onReply(reply.number, nanoseconds, ZooKeeperError(.timedOut(outcomeUnknown: true)))
      case .lost:
        onReply(reply.number, nanoseconds, ZooKeeperError(.connectionLoss(outcomeUnknown: true)))
        // Without a connection every further request would fail at once, and the run would never end.
        isOver = true
      }
    }
    missing -= replies.count
    free += replies.count
    fill()
    finishIfOver()
  }

  private func fill() {
    while free > 0, !isOver {
      guard let request = next(count) else {
        isOver = true
        return
      }
      let number = count
      count += 1
      if let failure = driver.stream(request, number: number, limit: limit) {
        // The others would be refused as well.
        onReply(number, 0, failure)
        isOver = true
        return
      }
      missing += 1
      free -= 1
    }
  }

  private func finishIfOver() {
    guard isOver, missing == 0, let continuation else { return }
    self.continuation = nil
    driver.run(nil)
    continuation.resume()
  }
}
