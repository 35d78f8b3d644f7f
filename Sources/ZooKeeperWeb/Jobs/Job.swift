import JSONFormat
import Platform
import Synchronization
import ZnodeFormats
import ZooKeeperProtocol

/// Work on a subtree that continues after the answer to the request that started it.
///
/// *Thread*: any.
final class Job: Sendable {
  /// The kind of work.
  enum Kind: String, Sendable {
    case delete, copy, move, acl
    case importTree = "import"
  }

  /// The phase.
  enum Phase: String, Sendable {
    case running, done, failed, stopped
  }

  /// The numbers of znodes by outcome.
  struct Counts: Sendable {
    var created = 0
    var changed = 0
    var skipped = 0
    var deleted = 0
    var failed = 0
  }

  /// A znode for which the work has failed.
  struct Failure: Sendable {
    var path: String
    var word: String
    var message: String
  }

  private struct State {
    var phase = Phase.running
    var done = 0
    var total: Int?
    var counts = Counts()
    var failures: [Failure] = []
    var failureCount = 0
    var message: String?
    var endedMilliseconds: Int64?
    var task: Task<Void, Never>?
    var lastReport = ContinuousClock.now
    var isReportDue = false
  }

  /// The interval of progress events.
  private static let reportInterval = Duration.milliseconds(200)

  let id: String
  let kind: Kind
  let cluster: String
  let path: String
  let target: String?
  private let startedMilliseconds = WallClock.nowMilliseconds()
  private let state: Mutex<State>
  private let report: @Sendable (JSON) -> Void

  init(
    id: String, _ kind: Kind, cluster: String, path: String, to target: String?, total: Int?,
    report: @escaping @Sendable (JSON) -> Void
  ) {
    self.id = id
    self.kind = kind
    self.cluster = cluster
    self.path = path
    self.target = target
    self.report = report
    state = Mutex(State(total: total))
  }

  /// Whether it is running.
  var isRunning: Bool { state.withLock { $0.phase == .running } }

  /// Sets the task that does the work.
  func own(_ task: Task<Void, Never>) { state.withLock { $0.task = task } }

  /// Records the progress.
  func advance(to done: Int? = nil, total: Int? = nil, counts: Counts? = nil) {
    let isDue = state.withLock { state in
      if let done { state.done = done }
      if let total { state.total = total }
      if let counts { state.counts = counts }
      guard ContinuousClock.now - state.lastReport >= Self.reportInterval else { return false }
      state.lastReport = .now
      return true
    }
    if isDue { report(document) }
  }

  /// Records a failure.
  func fail(_ failure: Failure) {
    state.withLock { state in
      state.failureCount += 1
      state.counts.failed += 1
      if state.failures.count < WebLimits.jobFailures { state.failures.append(failure) }
    }
  }

  /// Records the end.
  func finish(_ phase: Phase, _ message: String? = nil) {
    state.withLock { state in
      guard state.phase == .running else { return }
      state.phase = phase
      state.message = message
      state.endedMilliseconds = WallClock.nowMilliseconds()
      state.task = nil
    }
    report(document)
  }

  /// Whether a znode has failed.
  var hasFailures: Bool { state.withLock { $0.failureCount > 0 } }

  /// The number of failed znodes.
  var failureCount: Int { state.withLock { $0.failureCount } }

  /// Stops the work, and returns when it has ended.
  func stop() async {
    guard let task = state.withLock({ $0.task }) else { return }
    task.cancel()
    await task.value
  }

  /// The document `JOB`.
  var document: JSON {
    let state = state.withLock { $0 }
    let counts = state.counts
    let failures = state.failures.map { failure in
      JSON.object([
        ("path", .string(failure.path)), ("error", .string(failure.word)), ("message", .string(failure.message)),
      ])
    }
    func time(_ milliseconds: Int64) -> JSON { .string(TimeStyle.iso.text(milliseconds: milliseconds)) }
    return .object([
      ("id", .string(id)), ("kind", .string(kind.rawValue)), ("cluster", .string(cluster)), ("path", .string(path)),
      ("to", .optional(target)), ("state", .string(state.phase.rawValue)), ("done", .number(state.done)),
      ("total", state.total.map { .number($0) } ?? .null),
      (
        "counts",
        .object([
          ("created", .number(counts.created)), ("changed", .number(counts.changed)),
          ("skipped", .number(counts.skipped)), ("deleted", .number(counts.deleted)),
          ("failed", .number(counts.failed)),
        ])
      ),
      ("failures", .array(failures)), ("failureCount", .number(state.failureCount)),
      ("message", .optional(state.message)), ("started", time(startedMilliseconds)),
      ("ended", state.endedMilliseconds.map(time) ?? .null),
    ])
  }
}
