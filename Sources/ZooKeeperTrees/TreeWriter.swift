internal import DequeModule
public import ZooKeeperClient
public import ZooKeeperProtocol

/// Carries out many writes in order, many of them in one transaction and several transactions in flight. Further writes
/// can be added meanwhile.
///
/// If a transaction fails because of one write, its writes are carried out separately, so that a failure concerns only
/// its znode. A write whose connection was lost is repeated, and counts as done if the znode already has the intended
/// state.
public struct TreeWriter: Sendable {
  /// The maximum number of writes and of bytes in one transaction, below the servers' limit for a frame.
  public struct Limits: Sendable {
    public var batchCount: Int
    public var batchBytes: Int
    /// The maximum number of transactions in flight.
    public var inFlight: Int

    public init(batchCount: Int = 500, batchBytes: Int = 256 << 10, inFlight: Int = 8) {
      self.batchCount = batchCount
      self.batchBytes = batchBytes
      self.inFlight = inFlight
    }
  }

  private let client: ZooKeeperClient
  private let limits: Limits
  private let report: @Sendable (Int) -> Void
  private let window: RequestWindow
  /// Transactions that were sent together.
  private struct Group {
    let batches: [[MultiOperation]]
    let requests: BegunRequests<[MultiResult]>
  }
  private var begun: Deque<Group> = []
  private var batches: [[MultiOperation]] = []
  private var batch: [MultiOperation] = []
  private var batchBytes = 0

  /// The number of writes that were carried out.
  public private(set) var doneCount = 0
  /// The writes that failed, in order, with the reasons.
  public private(set) var failures: [(operation: MultiOperation, error: ZooKeeperError)] = []

  /// The maximum number of groups of transactions in flight. Each has half of the transactions, so that the servers
  /// process one while the writer waits for another.
  private static let groupLimit = 3
  /// The maximum number of repetitions after lost connections.
  private static let attemptLimit = 5

  /// - Parameter report: called with the number of writes that have been carried out.
  public init(
    client: ZooKeeperClient, limits: Limits = Limits(), report: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.client = client
    self.limits = limits
    self.report = report
    window = RequestWindow(limits.inFlight)
  }

  /// Adds a write. It is carried out together with others, at the latest by `finish`.
  ///
  /// - Throws: `ZooKeeperError` if the session fails, or the task is cancelled. The error can concern writes that were
  ///   added before.
  public mutating func add(_ operation: MultiOperation) async throws(ZooKeeperError) {
    let bytes = operation.approximateBytes
    if !batch.isEmpty, batch.count >= limits.batchCount || batchBytes + bytes > limits.batchBytes {
      closeBatch()
      if batches.count >= (limits.inFlight + 1) / 2 {
        begin()
        while begun.count >= Self.groupLimit { try await settleFirst() }
      }
    }
    batch.append(operation)
    batchBytes += bytes
  }

  /// Carries out all writes that were added.
  ///
  /// - Throws: as `add`.
  public mutating func finish() async throws(ZooKeeperError) {
    closeBatch()
    begin()
    try await settle()
  }

  /// Waits for writes in flight, without starting others.
  ///
  /// - Throws: as `add`.
  public mutating func settle() async throws(ZooKeeperError) {
    while !begun.isEmpty { try await settleFirst() }
  }

  /// Clears the failures, for another attempt.
  public mutating func forgetFailures() { failures = [] }

  private mutating func closeBatch() {
    guard !batch.isEmpty else { return }
    batches.append(batch)
    batch = []
    batchBytes = 0
  }

  private mutating func begin() {
    guard !batches.isEmpty else { return }
    begun.append(Group(batches: batches, requests: client.begin(multi: batches, in: window)))
    batches = []
  }

  /// Waits for the group that was sent first.
  private mutating func settleFirst() async throws(ZooKeeperError) {
    guard let group = begun.popFirst() else { return }
    do throws(ZooKeeperError) {
      if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false)) }
      for (operations, result) in zip(group.batches, await group.requests.results()) {
        switch result {
        case .success: doneCount += operations.count
        case .failure(let error):
          switch error.code {
          case .rolledBack, .requestTooLarge: try await carryOutOneByOne(operations, mayBeDone: false)
          case .connectionLoss(let outcomeUnknown):
            try await carryOutOneByOne(operations, mayBeDone: outcomeUnknown)
          default: throw error
          }
        }
        report(doneCount)
      }
    } catch {
      for group in [group] + begun { group.requests.cancel() }
      begun = []
      throw error
    }
  }

  /// Carries out the writes of a failed transaction separately.
  ///
  /// - Parameter mayBeDone: whether the transaction may have been carried out.
  private mutating func carryOutOneByOne(_ operations: [MultiOperation], mayBeDone: Bool) async throws(ZooKeeperError) {
    var rest = operations
    var mayBeDone = mayBeDone
    for _ in 1...Self.attemptLimit {
      var lost: [MultiOperation] = []
      var lostOutcome = false
      for (operation, result) in zip(rest, await client.multi(all: rest.map { [$0] }, inFlight: 64)) {
        guard case .failure(let error) = result else {
          doneCount += 1
          continue
        }
        switch error.code {
        case .connectionLoss(let outcomeUnknown):
          lost.append(operation)
          lostOutcome = lostOutcome || outcomeUnknown
        case .rolledBack, .requestTooLarge, .badPath:
          try await note(operation, error, mayBeDone: mayBeDone)
        default: throw error
        }
      }
      guard !lost.isEmpty else { return }
      rest = lost
      mayBeDone = mayBeDone || lostOutcome
    }
    throw ZooKeeperError(.connectionLoss(outcomeUnknown: true), path: rest.first?.path)
  }

  /// Records a failed write, unless it had been carried out before and only its reply was lost.
  private mutating func note(
    _ operation: MultiOperation, _ error: ZooKeeperError, mayBeDone: Bool
  ) async throws(ZooKeeperError) {
    if mayBeDone, try await isDone(operation) {
      doneCount += 1
    } else {
      let code = error.keeperError.map(ZooKeeperError.Code.server) ?? error.code
      failures.append((operation, ZooKeeperError(code, path: operation.path)))
    }
  }

  /// Whether a znode has the state that the write should produce.
  private func isDone(_ operation: MultiOperation) async throws(ZooKeeperError) -> Bool {
    let wanted: (data: [UInt8]?, version: Int32)
    switch operation {
    case .delete(let body): return try await client.statDespiteLoss(body.path) == nil
    case .create(let body), .create2(let body), .createContainer(let body): wanted = (body.data, 0)
    case .createTTL(let body): wanted = (body.create.data, 0)
    case .setData(let body): wanted = (body.data, body.version &+ 1)
    case .check, .getData, .getChildren: return false
    }
    switch try await client.readAllDespiteLoss([.data(path: operation.path)])[0] {
    case .success(.data(let data, let stat)):
      return data == wanted.data && (wanted.version <= 0 || stat.version == wanted.version)
    case .failure(let error) where !error.concernsOneZnode: throw error
    case .success, .failure: return false
    }
  }
}

extension MultiOperation {
  /// The approximate size of the operation in a transaction's frame, in bytes.
  var approximateBytes: Int {
    let path = self.path.utf8.count
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): return path + Self.bytes(of: body)
    case .createTTL(let body): return path + Self.bytes(of: body.create)
    case .setData(let body): return path + (body.data?.count ?? 0) + 24
    case .delete, .check, .getData, .getChildren: return path + 21
    }
  }

  private static func bytes(of body: CreateRequest) -> Int {
    (body.data?.count ?? 0) + body.acl.reduce(0) { $0 + $1.scheme.utf8.count + $1.id.utf8.count + 12 } + 32
  }
}
