import JSONFormat
import Synchronization
import ZnodeFormats
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The servers of the sandbox, a queue of changes, and a client that writes.
///
/// The sandbox makes one change at a time, and a change returns only after the ensemble has recovered. Therefore
/// changes are queued here, and requests return at once.
final class SandboxControl: Sendable {
  private struct State {
    var last: Task<Void, Never>?
    var waitingCount = 0
    var failure: String?
  }

  let ensemble: LocalEnsemble
  let writer: SandboxWriter
  private let state = Mutex(State())

  /// The maximum number of queued changes.
  private static let waitingLimit = 20

  init(_ ensemble: LocalEnsemble) {
    self.ensemble = ensemble
    writer = SandboxWriter(ensemble.connectString)
    ensemble.startLog()
  }

  /// Queues a change.
  ///
  /// - Throws: 429 if too many wait.
  func run(_ what: String, _ change: @escaping @Sendable () async throws(SandboxError) -> Void) throws(WebError) {
    let isTaken = state.withLock { state in
      guard state.waitingCount < Self.waitingLimit else { return false }
      state.waitingCount += 1
      let before = state.last
      state.last = Task { [weak self] in
        await before?.value
        var failure: String?
        do throws(SandboxError) { try await change() } catch { failure = "\(what): \(error.message)" }
        self?.state.withLock { state in
          state.waitingCount -= 1
          state.failure = failure
        }
      }
      return true
    }
    guard isTaken else { throw .tooMany("\(Self.waitingLimit) changes of the sandbox wait already") }
  }

  /// Waits until all changes have been made, within a time limit.
  func settle(within limit: Duration) async {
    let end = ContinuousClock.now + limit
    while state.withLock({ $0.waitingCount > 0 }), .now < end { try? await Task.sleep(for: .milliseconds(10)) }
  }

  /// Stops the writing client.
  func stop() async { await writer.stop() }

  /// The document of `GET /sandbox`.
  func document() async -> JSON {
    let members = await ensemble.status()
    let isUp = members.contains { $0.isServing && ["leader", "standalone"].contains($0.role) }
    let figures = await writer.figures()
    let failure = state.withLock { $0.failure }
    return .object([
      ("size", .number(ensemble.size)), ("hasQuorum", .bool(isUp)), ("connectString", .string(ensemble.connectString)),
      (
        "writer",
        .object([
          ("enabled", .bool(figures.isOn)), ("perSecond", .number(figures.perSecond)),
          ("acknowledged", .number(figures.acknowledgedCount)), ("failed", .number(figures.failedCount)),
          ("longestGapMilliseconds", .number(figures.longestGapMilliseconds)),
        ])
      ),
      ("members", .array(members.map { .of(LocalServer($0)) })), ("failure", .optional(failure)),
    ])
  }

  /// Takes the servers' log lines since the last call.
  func takeLog() -> [JSON] {
    ensemble.takeLog().map { line in
      .object([
        ("server", .number(line.server)), ("time", .time(line.timeMilliseconds)), ("level", .string(line.level)),
        ("message", .string(line.message)),
        ("fields", .object(line.fields.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })),
      ])
    }
  }
}

extension JSON {
  /// The document of the event `trace`.
  static func trace(_ events: [ConsensusEvent], lostCount: Int) -> JSON {
    .object([("events", .array(events.map(of))), ("lost", .number(lostCount))])
  }

  private static func of(_ event: ConsensusEvent) -> JSON {
    let (seconds, attoseconds) = event.time.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    return .object([
      ("time", decimal(Double(microseconds) / 1000)), ("server", .number(event.server)),
      ("peer", optional(event.peer.map(Int64.init))), ("direction", .string(event.direction.rawValue)),
      ("kind", .string(event.kind.rawValue)), ("zxid", optional(event.zxid.map { hexadecimal($0) })),
      ("epoch", optional(event.epoch.map(Int64.init))), ("leader", optional(event.leader.map(Int64.init))),
      ("round", optional(event.round)), ("detail", optional(event.detail)),
    ])
  }
}
