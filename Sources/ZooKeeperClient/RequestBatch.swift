import ZooKeeperProtocol

/// Requests that are sent without waiting for each other, and their replies.
///
/// *Thread*: everything but `init` runs on the driver's loop.
final class Batch<Reply: Sendable>: @unchecked Sendable {
  // @unchecked: all mutable state is touched on the driver's loop only.

  private let driver: SessionDriver
  private let limit: Int64?
  private let decode: @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  private let requests: [ClientRequest]
  private let ids: [RequestID]
  private var results: [Result<Reply, ZooKeeperError>?]
  /// The number of the first request that has not been sent.
  private var next = 0
  private var missing: Int
  private var isCancelled = false
  /// Whether a connection was lost or a limit has passed, so that nothing more is sent.
  private var isBroken = false
  private var continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>?

  /// - Parameter limit: how long each request may take once it is sent, in milliseconds.
  init(
    _ requests: [ClientRequest], driver: SessionDriver, limit: Int64?,
    decode: @escaping @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  ) {
    self.requests = requests
    self.driver = driver
    self.limit = limit
    self.decode = decode
    ids = requests.map { _ in driver.nextRequestID() }
    results = Array(repeating: nil, count: requests.count)
    missing = requests.count
  }

  /// Sends the first requests; each reply makes room for another one.
  func start(inFlight: Int, _ continuation: CheckedContinuation<[Result<Reply, ZooKeeperError>], Never>) {
    self.continuation = continuation
    for _ in 0..<min(max(inFlight, 1), requests.count) { sendNext() }
  }

  /// Stops waiting for replies, and sends nothing more.
  func cancel() {
    guard !isCancelled else { return }
    isCancelled = true
    for id in ids[..<next] { driver.cancel(id) }
    while next < requests.count { sendNext() }
  }

  private func sendNext() {
    guard next < requests.count else { return }
    let index = next
    next += 1
    guard !isCancelled, !isBroken else {
      let code: ZooKeeperError.Code =
        isCancelled ? .cancelled(outcomeUnknown: false) : .connectionLoss(outcomeUnknown: false)
      return complete(index, .failure(ZooKeeperError(code)))
    }
    driver.submit(requests[index], id: ids[index], watch: nil, limit: limit) { [self] result in
      complete(index, result)
      if case .failure(let error) = result, !error.isAnswer, !isBroken, !isCancelled {
        isBroken = true
        while next < requests.count { sendNext() }
      }
      sendNext()
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
