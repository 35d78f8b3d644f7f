import JSONFormat
import Synchronization
import ZooKeeperClient

/// The running jobs, and those that have ended recently.
///
/// *Thread*: any.
final class JobTable: Sendable {
  private struct State {
    var jobs: [Job] = []
    var count = 0
    var isStopped = false
  }

  private let state = Mutex(State())
  private let explain: @Sendable (any Error) -> WebError
  private let report: @Sendable (JSON) -> Void

  init(explain: @escaping @Sendable (any Error) -> WebError, report: @escaping @Sendable (JSON) -> Void) {
    self.explain = explain
    self.report = report
  }

  /// Starts a job.
  ///
  /// - Parameter work: does the work and records failed znodes. An error ends the job.
  /// - Throws: 429 if too many run.
  func start(
    _ kind: Job.Kind, cluster: String, path: String, to target: String? = nil, total: Int? = nil,
    _ work: @escaping @Sendable (Job) async throws -> Void
  ) throws(WebError) -> Job {
    let job = state.withLock { state -> Job? in
      guard !state.isStopped, state.jobs.count(where: \.isRunning) < WebLimits.runningJobs else { return nil }
      if state.jobs.count >= WebLimits.rememberedJobs, let index = state.jobs.firstIndex(where: { !$0.isRunning }) {
        state.jobs.remove(at: index)
      }
      state.count += 1
      let job = Job(
        id: "\(state.count)", kind, cluster: cluster, path: path, to: target, total: total, report: report)
      state.jobs.append(job)
      return job
    }
    guard let job else { throw .tooMany("\(WebLimits.runningJobs) jobs are running") }
    report(job.document)
    job.own(
      Task { [explain] in
        do {
          try await work(job)
          try Task.checkCancellation()
          let count = job.failureCount
          job.finish(.done, count == 0 ? nil : "\(count) \(count == 1 ? "znode was" : "znodes were") left undone")
        } catch {
          if Task.isCancelled { return job.finish(.stopped, "it was stopped before it was complete") }
          let told = explain(error)
          job.finish(.failed, [told.message, told.hint].compactMap(\.self).joined(separator: "; "))
        }
      })
    return job
  }

  /// All remembered jobs, the latest first.
  var all: [Job] { state.withLock { $0.jobs.reversed() } }

  /// The job with an id; nil if it is not remembered.
  func job(_ id: String) -> Job? { state.withLock { state in state.jobs.first { $0.id == id } } }

  /// Records failed znodes of a job.
  func note(_ failures: [String: ZooKeeperError], in job: Job) {
    for path in failures.keys.sorted() {
      guard let error = failures[path] else { continue }
      let told = explain(error)
      job.fail(.init(path: path, word: told.word, message: told.message))
    }
  }

  /// Stops all jobs, and prevents new ones.
  func stop() async {
    let jobs = state.withLock { state in
      state.isStopped = true
      return state.jobs
    }
    for job in jobs { await job.stop() }
  }
}
