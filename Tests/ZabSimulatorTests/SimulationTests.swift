import Foundation
import Testing
import Zab

@testable import ZabSimulator

/// Whole ensembles under faults, by seed. `zabsim --seed N --trace` shows a run; `.ci/run` has a release build run many
/// more of them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SimulationTests {
  private func run(
    _ seed: UInt64, _ mutation: ZabMutation? = nil, keepsTrace: Bool = false, usesObserverMasters: Bool = false,
    pausesLeaders: Bool = false, reconfiguresOften: Bool = false, forcesSnapshotSync: Bool = false
  ) async -> SimulationReport {
    var options = SimulationOptions(seed: seed)
    if usesObserverMasters { options.useObserverMasters() }
    if pausesLeaders { options.pauseLeaders() }
    if reconfiguresOften { options.reconfigureOften() }
    if forcesSnapshotSync { options.forceSnapshotSync() }
    options.mutation = mutation
    let chosen = options
    // On a separate thread, because tests that talk to servers meanwhile need the threads of the pool.
    return await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: Simulation(chosen, keepsTrace: keepsTrace).run()) }
    }
  }

  @Test func rulesHoldOnFixedSeeds() async {
    for seed in UInt64(1)...12 {
      let report = await run(seed)
      #expect(report.violation == nil, "\(SimulationOptions(seed: seed))")
      // A run in which nothing happens proves nothing.
      #expect(report.faultCount > 20 && report.transactionCount > 10 && report.epochCount > 1, "seed \(seed)")
    }
  }

  /// Several observers behind followers that die, fall behind and follow other leaders.
  @Test func rulesHoldWithObserverMasters() async {
    var sum = ObserverMasterCounts()
    for seed in UInt64(1)...12 {
      let report = await run(seed, usesObserverMasters: true)
      #expect(report.violation == nil, "seed \(seed) with observer masters")
      sum.synchronizations += report.observerMasters.synchronizations
      sum.informs += report.observerMasters.informs
      sum.activations += report.observerMasters.activations
      sum.answers += report.observerMasters.answers
    }
    #expect(sum.synchronizations > 50 && sum.informs > 1000 && sum.activations > 8 && sum.answers > 20, "\(sum)")
  }

  /// Leaders that go on when another one has been elected, with requests in their sockets.
  @Test func rulesHoldWhenLeadersPause() async {
    for seed in UInt64(1)...12 {
      #expect(await run(seed, pausesLeaders: true).violation == nil, "seed \(seed) with leaders that pause")
    }
  }

  /// Every learner gets the whole tree, which replaces its log, while leaders pause.
  @Test func rulesHoldWhenLeadersSendTheirTree() async {
    for seed in UInt64(1)...12 {
      let report = await run(seed, pausesLeaders: true, forcesSnapshotSync: true)
      #expect(report.violation == nil, "seed \(seed) with trees for all learners")
    }
  }

  /// One reconfiguration after the other, while servers are being synchronized.
  @Test func rulesHoldWithManyReconfigurations() async {
    var count = 0
    for seed in UInt64(1)...12 {
      let report = await run(seed, usesObserverMasters: true, reconfiguresOften: true)
      #expect(report.violation == nil, "seed \(seed) with many reconfigurations")
      count += report.reconfigurationCount
    }
    #expect(count > 60, "\(count)")
  }

  @Test func rulesHoldOnSeedsThatFailedOnce() async throws {
    let url = try #require(Bundle.module.url(forResource: "seeds", withExtension: "txt"))
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(!lines.isEmpty)
    for line in lines {
      let words = line.split(separator: " ")
      let seed = try #require(words.first.flatMap { UInt64($0) })
      let options = words.dropFirst().prefix { ["observer-masters", "force-snapshot-sync"].contains($0) }
      let report = await run(
        seed, usesObserverMasters: options.contains("observer-masters"),
        forcesSnapshotSync: options.contains("force-snapshot-sync"))
      #expect(report.violation == nil, "\(SimulationOptions(seed: seed))")
    }
  }

  @Test func sameSeedGivesTheSameTrace() async {
    let first = await run(100, keepsTrace: true)
    let second = await run(100, keepsTrace: true)
    #expect(first == second)
    #expect(!first.trace.isEmpty)
    #expect(await run(101).traceHash != first.traceHash)
  }

  /// Where the search for a rare bug begins, so that it does not take long: otherwise at 1.
  private static let firstSeeds: [ZabMutation: UInt64] = [
    .acceptsLearnerAhead: 135, .truncationKeepsSnapshots: 105, .keepsAcksAcrossSync: 410,
    .leaderEpochBeforePersisted: 335, .forgetsPersistedWhenLogEnds: 97, .answersSyncsUnconfirmed: 365,
    .trustsReportsOfEarlierLogs: 66, .sendsLogToStrangers: 80, .forgetsEarlierConfiguration: 35,
    .treeLacksHistory: 25, .observerMasterAnswersSyncs: 20, .snapshotsIgnoreLog: 7, .observersCountForEpoch: 7,
  ]

  /// The bugs for which all ensembles have observer masters.
  private static let bugsOfObserverMasters: Set<ZabMutation> = [
    .observerMasterInformsEarly, .observerMasterSendsUncommitted, .observerMasterAnswersSyncs,
    .observerMasterForgetsActivation, .forgetsEarlierConfiguration,
  ]

  /// Each known bug must be found within a number of seeds.
  @Test(arguments: ZabMutation.allCases)
  func bugIsFound(_ mutation: ZabMutation) async {
    let budget: UInt64 = 60
    let first = Self.firstSeeds[mutation] ?? 1
    var found: UInt64?
    for seed in first..<(first + budget) where found == nil {
      let usesObserverMasters = Self.bugsOfObserverMasters.contains(mutation)
      // Only a leader that was paused can answer or commit when there is another one.
      let pausesLeaders = mutation == .answersSyncsUnconfirmed || mutation == .treeLacksHistory
      let report = await run(
        seed, mutation, usesObserverMasters: usesObserverMasters, pausesLeaders: pausesLeaders,
        reconfiguresOften: mutation == .forgetsEarlierConfiguration,
        forcesSnapshotSync: mutation == .treeLacksHistory)
      if report.violation != nil { found = seed }
    }
    #expect(found != nil, "\(mutation.rawValue) was not found within \(budget) seeds from \(first) on")
  }
}
