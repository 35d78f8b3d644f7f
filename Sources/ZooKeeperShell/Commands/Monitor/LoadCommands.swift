import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// latency and bench.
extension CommandContext {
  // MARK: latency

  /// Measures how long each server takes to answer.
  func latency() async throws -> ExitCode {
    let count = try number(.count, default: 50, in: 1...1_000_000)
    let pause = try invocation.value(.every).map { word throws(ShellError) in
      try ValueParser.duration(word, of: "--every")
    }
    let limit = try answerLimit()
    progress.begin("measured", "times", of: count * servers.count)
    let rows = await withTaskGroup(of: (Int, Result<LatencySample, any Error>).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          do {
            let client = try await openMember(server, limit).withTimeLimit(limit)
            return (index, .success(await sample(client, count, every: pause ?? .milliseconds(20))))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      return await group.reduce(into: [Int: Result<LatencySample, any Error>]()) { $0[$1.0] = $1.1 }
    }
    try Task.checkCancellation()
    var records: [Record] = []
    var failures: [any Error] = []
    for (index, server) in servers.enumerated() {
      switch rows[index] {
      case .success(let sample):
        records.append(Self.record(server, "read", sample.reads, sample.failedCount))
        records.append(Self.record(server, "sync", sample.syncs, 0))
      case .failure(let error): failures.append(error)
      case nil: continue
      }
    }
    if records.isEmpty, let error = failures.first { throw error }
    try emit(.table(RecordTable(records, columns: Self.latencyColumns)))
    for error in failures { try emit(.warning(ShellError(error).text)) }
    return failures.isEmpty ? .success : .partial
  }

  private struct LatencySample: Sendable {
    var reads = LatencyHistogram()
    var syncs = LatencyHistogram()
    var failedCount = 0
  }

  private func sample(_ client: ZooKeeperClient, _ count: Int, every pause: Duration) async -> LatencySample {
    var sample = LatencySample()
    for number in 0..<count where !Task.isCancelled {
      if number > 0 { try? await Task.sleep(for: pause) }
      do {
        let start = ContinuousClock.now
        _ = try await client.exists("/")
        let middle = ContinuousClock.now
        _ = try await client.sync("/")
        sample.reads.add(nanoseconds: Int64((middle - start) / .nanoseconds(1)))
        sample.syncs.add(nanoseconds: Int64((ContinuousClock.now - middle) / .nanoseconds(1)))
      } catch {
        sample.failedCount += 1
      }
      progress.advance()
    }
    return sample
  }

  private static let latencyColumns: [RecordTable.Column] = [
    .init("server"), .init("request"), .init("count"), .init("failed"), .init("minMs", "min"), .init("p50Ms", "p50"),
    .init("p99Ms", "p99"), .init("maxMs", "max"), .init("avgMs", "avg"),
  ]

  private static func record(
    _ server: ServerAddress, _ request: String, _ histogram: LatencyHistogram, _ failedCount: Int
  ) -> Record {
    Record([
      "server": .text(server.description), "request": .text(request), "count": .number(Int64(histogram.count)),
      "failed": .number(Int64(failedCount)), "minMs": milliseconds(histogram.shortest),
      "p50Ms": milliseconds(histogram.percentile(0.5)), "p99Ms": milliseconds(histogram.percentile(0.99)),
      "maxMs": milliseconds(histogram.longest), "avgMs": milliseconds(histogram.average),
    ])
  }

  private static func milliseconds(_ nanoseconds: UInt64) -> Record.Value { .decimal(Double(nanoseconds) / 1e6) }

  // MARK: bench

  /// Puts a load on the ensemble and measures the ensemble's performance.
  func bench() async throws -> ExitCode {
    let plan = try loadPlan()
    if cluster?.isProtected == true {
      try await allow("Put a load on the servers", count: max(2, plan.keyCount))
    }
    let parent = try invocation.value(.path).map { word throws(ShellError) in try path(of: word) } ?? "/"
    let limit = try answerLimit()
    var clients: [ZooKeeperClient] = []
    for index in 0..<plan.sessionCount {
      try Task.checkCancellation()
      let client = try await openBenchClient(index, limit)
      clients.append(client.withTimeLimit(.seconds(30)))
    }
    let name = "zkcli-bench-" + String(UInt64.random(in: 0..<1 << 40), radix: 36)
    let base = parent == "/" ? chroot ?? "/" : (chroot ?? "") + parent
    let run = LoadRun(plan, root: ZnodePath.child(name, of: base), clients: clients)
    let result: LoadResult
    do {
      try await run.prepare()
      result = await withTaskCancellationHandler {
        await run.run()
      } onCancel: {
        run.end()
      }
    } catch {
      await Self.cleanUp(run)
      throw error
    }
    await Self.cleanUp(run)
    try emit(.record(Self.record(result, plan)))
    try Task.checkCancellation()
    if result.count == 0 {
      throw ShellError(.ensembleCannot, "Failed", "no request succeeded: \(Self.text(result.failures))")
    }
    return result.failures.isEmpty ? .success : .partial
  }

  /// Opens each session with another server, so that the load is distributed.
  private func openBenchClient(_ index: Int, _ limit: Duration) async throws -> ZooKeeperClient {
    var failures: [ConnectFailure] = []
    for attempt in servers.indices {
      do {
        return try await openMember(servers[(index + attempt) % servers.count], limit)
      } catch let error as ZooKeeperError {
        guard case .cannotConnect(let reasons) = error.code else { throw error }
        failures += reasons
      }
    }
    throw ShellError.cannotConnect(failures)
  }

  /// Removes the znodes of a load, also if the command was interrupted.
  private static func cleanUp(_ run: LoadRun) async {
    // Znodes that remain are ephemeral, and are deleted with their sessions.
    await Task { try? await run.cleanUp() }.value
  }

  private func loadPlan() throws(ShellError) -> LoadPlan {
    let works = LoadPlan.Work.allCases.map(\.rawValue)
    let work = try invocation.argument(0).map { word throws(ShellError) in
      try ValueParser.choice(word, of: "work", among: works)
    }
    var plan = LoadPlan(LoadPlan.Work(rawValue: work ?? "mixed") ?? .mixed)
    plan.sessionCount = try number(.inSessions, default: 1, in: 1...10_000)
    plan.inFlight = try number(.inFlight, default: 1, in: 1...100_000)
    plan.keyCount = try number(.keys, default: 1000, in: 1...1_000_000)
    plan.readPercent = try number(.reads, default: 90, in: 0...100)
    if let word = invocation.value(.size) { plan.sizeBytes = try ValueParser.sizeBytes(word, of: "--size") }
    guard plan.sizeBytes <= maximumFrameBytes - 1024 else {
      throw .usage(
        "--size \(plan.sizeBytes) is too large for a request", hint: "the limit is \(maximumFrameBytes)")
    }
    if let word = invocation.value(.work) {
      plan.duration = try ValueParser.duration(word, of: "--for")
      if invocation.flag(.count) { throw .usage("--for and --count cannot be combined") }
    } else {
      plan.requestCount = try number(.count, default: 10_000, in: 1...1_000_000_000)
    }
    return plan
  }

  private static func record(_ result: LoadResult, _ plan: LoadPlan) -> Record {
    func part(_ name: String, _ histogram: LatencyHistogram) -> Record {
      Record([
        "request": .text(name), "count": .number(Int64(histogram.count)), "minMs": milliseconds(histogram.shortest),
        "p50Ms": milliseconds(histogram.percentile(0.5)), "p95Ms": milliseconds(histogram.percentile(0.95)),
        "p99Ms": milliseconds(histogram.percentile(0.99)), "p999Ms": milliseconds(histogram.percentile(0.999)),
        "maxMs": milliseconds(histogram.longest), "avgMs": milliseconds(histogram.average),
      ])
    }
    let parts = [("read", result.reads), ("write", result.writes)].filter { $0.1.count > 0 }.map { part($0.0, $0.1) }
    let table = RecordTable(
      parts,
      columns: [
        .init("request"), .init("count"), .init("minMs", "min"), .init("p50Ms", "p50"), .init("p95Ms", "p95"),
        .init("p99Ms", "p99"), .init("p999Ms", "p99.9"), .init("maxMs", "max"), .init("avgMs", "avg"),
      ])
    let failed = result.failures.values.reduce(0, +)
    let rate = Int64(result.rate.rounded())
    let head =
      "\(result.count) requests in \(Record.text(of: result.seconds)) s, \(rate) a second; times in milliseconds"
      + (failed > 0 ? "; \(failed) failed: \(text(result.failures))" : "")
    return Record(
      ([head] + table.lines(withHead: true)).joined(separator: "\n"),
      [
        "work": .text(plan.work.rawValue), "sessions": .number(Int64(plan.sessionCount)),
        "inFlight": .number(Int64(plan.inFlight)), "sizeBytes": .number(Int64(plan.sizeBytes)),
        "seconds": .decimal(result.seconds), "count": .number(Int64(result.count)), "failed": .number(Int64(failed)),
        "perSecond": .decimal(result.rate), "requests": .records(parts),
      ])
  }

  private static func text(_ failures: [String: Int]) -> String {
    failures.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) times" }.joined(separator: ", ")
  }
}
