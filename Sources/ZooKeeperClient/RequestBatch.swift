import ZooKeeperProtocol

/// Requests that are sent without waiting for each other, and their replies.
///
/// *Thread*: everything but `init` runs on the driver's loop.
final class Batch<Reply: Sendable>: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  private let driver: SessionDriver
  private let window: RequestWindow
  private let limit: Int64?
  private let decode: @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  private let requests: [ClientRequest]
  private let ids: [RequestID]
  @exclusivity(unchecked) private var results: [Result<Reply, ZooKeeperError>?]
  /// The number of the first request that has not been sent.
  @exclusivity(unchecked) private var next = 0
  @exclusivity(unchecked) private var missing: Int
  private var isCancelled = false
  /// Whether a connection was lost or a limit has passed, so that nothing more is sent.
  private var isBroken = false
  private var continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>?

  /// - Parameter limit: how long each request may take once it is sent, in milliseconds.
  init(
    _ requests: [ClientRequest], driver: SessionDriver, window: RequestWindow, limit: Int64?,
    decode: @escaping @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  ) {
    self.requests = requests
    self.driver = driver
    self.window = window
    self.limit = limit
    self.decode = decode
    ids = requests.map { _ in driver.nextRequestID() }
    results = Array(repeating: nil, count: requests.count)
    missing = requests.count
  }

  /// Begins to send the requests.
  func start(_ continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>) {
    self.continuation = continuation
    window.add { [self] in sendNext() }
  }

  /// Stops waiting for replies, and sends nothing more.
  func cancel() {
    guard !isCancelled else { return }
    isCancelled = true
    for id in ids[..<next] { driver.cancel(id) }
    failUnsent(.cancelled(outcomeUnknown: false))
  }

  /// Sends the next request; false if there is none.
  private func sendNext() -> Bool {
    guard next < requests.count else { return false }
    let index = next
    next += 1
    driver.submit(requests[index], id: ids[index], watch: nil, limit: limit) { [self] result in
      complete(index, result)
      if case .failure(let error) = result, !error.isAnswer, !isBroken, !isCancelled {
        isBroken = true
        failUnsent(.connectionLoss(outcomeUnknown: false))
      }
      window.release()
    }
    return true
  }

  private func failUnsent(_ code: ZooKeeperError.Code) {
    while next < requests.count {
      next += 1
      complete(next - 1, .failure(ZooKeeperError(code)))
    }
  }

  private func complete(_ index: Int, _ result: Result<[UInt8], ZooKeeperError>) {
    results[index] = result.flatMap { bytes in
      do throws(ZooKeeperError) { return .success(try decode(index, bytes)) } catch { return .failure(error) }
    }
    missing -= 1
    if missing == 0 { continuation?.resume(returning: results.map { $0! }) }
  }
}

extension ZooKeeperError {
  /// Whether the failure is the server's answer to this request, so that others may well succeed.
  fileprivate var isAnswer: Bool {
    switch code {
    case .server, .rolledBack, .malformedReply, .requestTooLarge: true
    default: false
    }
  }
}
