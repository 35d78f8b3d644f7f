import Foundation
import TestKit
import Testing
import ZooKeeperClient

/// Ensembles under load whose members are killed and paused at random.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct FaultTests {
  /// How long faults happen in each ensemble, in seconds; more with `ZKCLI_FAULT_SECONDS`.
  static let faultSeconds = ProcessInfo.processInfo.environment["ZKCLI_FAULT_SECONDS"].flatMap { Int($0) } ?? 15

  @Test(arguments: [3, 5]) func nothingAcknowledgedIsLost(size: Int) async throws {
    let random = SeededGenerator(for: "\(size) servers")
    var configuration = ServerEnsemble.Configuration([MemberKind](repeating: .ours, count: size))
    configuration.tickTimeMilliseconds = 200
    configuration.initLimit = 25
    configuration.syncLimit = 5
    // Snapshots every few hundred transactions, so that faults hit them too.
    configuration.extraLines = ["snapCount=700", "preAllocSize=256"]
    let ensemble = try await ServerEnsemble.start(configuration)
    let load = SessionLoad(ensemble.connectString, clientCount: 6)
    try await load.prepare()
    let faults = try await Self.run(load, on: ensemble, random)
    print(
      "\(size) servers: \(faults) faults, \(load.acknowledgedCount) acknowledged writes, \(load.expiryCount) expiries")
    for violation in load.violations.prefix(10) { Issue.record("\(violation)") }
    for member in ensemble.members {
      let missing = try await member.withClient { client in
        var missing: [String] = []
        // Sessions of the last moments may still have to expire.
        do {
          try await eventually("all promises", within: .seconds(60), every: .milliseconds(100)) {
            missing = try await load.check(client)
            return missing.isEmpty
          }
        } catch let error as TestKitError where error.code == .timedOut {}
        return missing
      }
      for line in missing.prefix(10) { Issue.record("server \(member.id): \(line)") }
      #expect(!member.log.contains(" CRITICAL "), "\(member.log.suffix(2_000))")
    }
    #expect(load.acknowledgedCount > 20)
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  /// Runs clients and faults; then waits until every client is served again.
  private static func run(
    _ load: SessionLoad, on ensemble: ServerEnsemble, _ seed: SeededGenerator
  ) async throws -> Int {
    var random = seed
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<load.clientCount {
        let generator = SeededGenerator(from: &random)
        group.addTask { try await load.run(client: number, generator) }
      }
      var faults = 0
      let end = ContinuousClock.now + .seconds(faultSeconds)
      while ContinuousClock.now < end, load.violations.isEmpty {
        try await harm(ensemble, &random)
        faults += 1
      }
      load.forgetSuccesses()
      try await ensemble.waitUntilServing()
      try await eventually("service for all clients", within: .seconds(90)) {
        load.allHaveWritten || !load.violations.isEmpty
      }
      load.stop()
      try await group.waitForAll()
      return faults
    }
  }

  /// One fault of one or more members, and its end.
  private static func harm(_ ensemble: ServerEnsemble, _ random: inout SeededGenerator) async throws {
    let minority = (ensemble.members.count - 1) / 2
    // Sometimes more members than the ensemble tolerates.
    let count = Int.random(in: 0..<5, using: &random) == 0 ? minority + 1 : Int.random(in: 1...minority, using: &random)
    var victims = [ServerMember](ensemble.members.shuffled(using: &random).prefix(count))
    if Bool.random(using: &random), let leader = ensemble.leader, !victims.contains(where: { $0 === leader }) {
      victims[0] = leader
    }
    let isKill = Bool.random(using: &random)
    for victim in victims { if isKill { try await victim.kill() } else { try await victim.pause() } }
    try await pass(.milliseconds(Int.random(in: 50...1_500, using: &random)))
    for victim in victims { if isKill { try await victim.launch() } else { victim.resume() } }
    try await pass(.milliseconds(Int.random(in: 50...1_000, using: &random)))
  }

  /// Lets time pass: that a fault lasts is the fault itself.
  private static func pass(_ time: Duration) async throws {
    let moment = ContinuousClock.now + time
    try await eventually("a moment") { ContinuousClock.now >= moment }
  }
}
