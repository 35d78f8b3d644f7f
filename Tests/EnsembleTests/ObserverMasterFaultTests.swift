import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Three voters at addresses of their own, each of which may be an observer master, and two observers behind them:
/// sessions that move, servers that die, members that change.
@Suite(.timeLimit(.minutes(8)), .serialized)
struct ObserverMasterFaultTests {
  private static func host(_ id: Int) -> String { "127.0.7.\(id)" }

  private static func start(
    voters: MemberKind = .ours, observers: MemberKind = .ours, _ lines: [String] = []
  ) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration([voters, voters, voters, observers, observers])
    configuration.observers = [4, 5]
    for id in 1...5 { configuration.quorumHosts[id] = host(id) }
    let hasApaches = voters == .apache || observers == .apache
    configuration.tickTimeMilliseconds = hasApaches ? 1000 : 500
    configuration.syncLimit = 20
    configuration.extraLines =
      RejoinTests.lines + ["observerMasterPort=\(try LoopbackPorts.reserve())"] + lines
    let ensemble = try await ServerEnsemble.start(configuration, first: [1, 2, 3])
    try await expectFollowersHaveTheObservers(ensemble)
    return ensemble
  }

  /// Waits until the observers are connected to followers, and none to the leader.
  ///
  /// - Parameter orLeader: whether the leader may have them too, which takes an observer that comes while no follower
  ///   is up to date.
  private static func expectFollowersHaveTheObservers(
    _ ensemble: ServerEnsemble, count: Int = 2, orLeader: Bool = false
  ) async throws {
    try await eventually("all observers at followers", within: .seconds(90), every: .milliseconds(50)) {
      let voters = ensemble.members.prefix(3).filter { $0.isRunning }
      let counts = voters.map { ($0.mode, Int($0.figure("synced_observers") ?? "") ?? 0) }
      return counts.contains { $0.0 == "leader" && ($0.1 == 0 || orLeader) }
        && counts.reduce(0) { $0 + ($1.0 == "follower" || orLeader ? $1.1 : 0) } == count
    }
  }

  /// The master of one of the observers.
  private static func someMaster(_ ensemble: ServerEnsemble) throws -> ServerMember {
    try #require(
      ensemble.members.prefix(3).first { $0.mode == "follower" && $0.figure("synced_observers") ?? "0" != "0" })
  }

  /// Lets servers die one after the other: a master, then the leader.
  private func loseServers(voters: MemberKind, observers: MemberKind) async throws {
    let ensemble = try await Self.start(voters: voters, observers: observers)
    try await ensemble.writeThroughEach("/first")
    if voters == .ours {
      let master = try Self.someMaster(ensemble)
      #expect(Int(master.figure("cnt_om_commit_process_time_ms") ?? "") ?? 0 > 0)
      #expect(Int(master.figure("cnt_om_proposal_process_time_ms") ?? "") ?? 0 > 0)
    }

    let master = try Self.someMaster(ensemble)
    try await master.kill()
    try await Self.expectFollowersHaveTheObservers(ensemble, orLeader: true)
    try await ensemble.waitUntilServing([4, 5])
    try await ensemble.writeThroughEach("/second")
    try await master.launch()
    try await ensemble.waitUntilServing()

    let leader = try await ensemble.waitForLeader()
    try await leader.kill()
    try await ensemble.waitForLeader()
    try await Self.expectFollowersHaveTheObservers(ensemble, orLeader: true)
    try await ensemble.waitUntilServing([4, 5])
    try await ensemble.writeThroughEach("/third")
    try await leader.launch()
    try await ensemble.waitUntilServing()
    try await Self.expectFollowersHaveTheObservers(ensemble, orLeader: true)
    try await ensemble.writeThroughEach("/fourth")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test func oursLoseTheirMasterAndTheirLeader() async throws {
    try await loseServers(voters: .ours, observers: .ours)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursLoseApachesMasterAndLeader() async throws {
    try await loseServers(voters: .apache, observers: .ours)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func apachesLoseOurMasterAndLeader() async throws {
    try await loseServers(voters: .ours, observers: .apache)
  }

  /// A master that stands still closes nothing; its observers notice the silence, and go to the other follower.
  @Test func aMasterThatStandsStillIsLeft() async throws {
    let ensemble = try await Self.start()
    let master = try Self.someMaster(ensemble)
    let other = try #require(
      ensemble.members.prefix(3).first { $0.mode == "follower" && $0.id != master.id })
    try await master.pause()
    try await eventually("both observers at the other follower", within: .seconds(60), every: .milliseconds(50)) {
      other.figure("synced_observers") == "2"
    }
    for member in ensemble.members where member.id != master.id {
      try await member.withClient { _ = try await $0.create("/while-it-stands-\(member.id)") }
    }
    master.resume()
    try await ensemble.waitUntilServing()
    try await ensemble.writeThroughEach("/after")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  /// A session goes from a voter to an observer behind a master, stays there for longer than its timeout, goes on to
  /// the other observer and back; its ephemeral lives on, until the session ends.
  private func moveSession(voters: MemberKind, observers: MemberKind) async throws {
    let ensemble = try await Self.start(voters: voters, observers: observers)
    let leader = try await ensemble.waitForLeader()
    let proxy = try TCPProxy(to: leader.ports.client)
    // A learner of Apache's passes on that a session lives with its leader's next ping, and an observer behind it with
    // the one after that: on a busy machine that takes seconds.
    try await withSession(proxy.connectString, timeout: .seconds(7)) { client in
      let session = await client.snapshot().sessionID
      try await client.create("/moved", mode: .ephemeral)
      for id in [4, 5, leader.id, 4] {
        proxy.retarget(to: ensemble[id].ports.client)
        proxy.cut()
        // The request may meet the broken connection; the session connects again.
        try await eventually("service on \(id)", within: .seconds(30), every: .milliseconds(50)) {
          try #require(await client.snapshot().state != .expired, "server \(id)")
          return (try? await client.setData("/moved", data: Array("at \(id)".utf8))) != nil
        }
        #expect(await client.snapshot().sessionID == session, "server \(id)")
        let clock = ContinuousClock()
        let end = clock.now + (id == leader.id ? .seconds(1) : .seconds(9))
        while clock.now < end {
          let stat = try await leader.withClient { client in
            try await client.sync("/")
            return try await client.exists("/moved")
          }
          try #require(stat?.ephemeralOwner == session, "server \(id)")
        }
        try await client.sync("/")
        #expect(try await client.getData("/moved").data == Array("at \(id)".utf8), "server \(id)")
      }
    }
    for member in ensemble.members {
      try await member.withClient { client in
        try await client.sync("/")
        #expect(try await client.exists("/moved") == nil, "server \(member.id)")
      }
    }
    try await expireSession(ensemble, proxy)
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  /// A session that has expired is not taken back by another observer, which asks the leader through its master.
  private func expireSession(_ ensemble: ServerEnsemble, _ proxy: TCPProxy) async throws {
    proxy.retarget(to: ensemble[4].ports.client)
    let client = try session(proxy.connectString, timeout: .seconds(4))
    try await client.connected(failsFast: false)
    try await client.create("/lost", mode: .ephemeral)
    proxy.refuse()
    proxy.cut()
    let leader = try await ensemble.waitForLeader()
    try await eventually("the end of the session", within: .seconds(60), every: .milliseconds(100)) {
      try await leader.withClient { client in
        try await client.sync("/")
        return try await client.exists("/lost") == nil
      }
    }
    proxy.retarget(to: ensemble[5].ports.client)
    try proxy.accept()
    try await eventually("word that it has expired", within: .seconds(30), every: .milliseconds(50)) {
      await client.snapshot().state == .expired
    }
    await client.close(limit: .zero)
  }

  @Test func sessionsMove() async throws { try await moveSession(voters: .ours, observers: .ours) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func sessionsMoveToApachesObserversBehindOurs() async throws {
    try await moveSession(voters: .ours, observers: .apache)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func sessionsMoveToOurObserversBehindApaches() async throws {
    try await moveSession(voters: .apache, observers: .ours)
  }

  @Test func localSessionsAreUpgraded() async throws {
    let ensemble = try await Self.start(["localSessionsEnabled=true", "localSessionsUpgradingEnabled=true"])
    let leader = try await ensemble.waitForLeader()
    for observer in [ensemble[4], ensemble[5]] {
      try await observer.withClient { client in
        try await client.create("/by-\(observer.id)", data: [1])
        #expect(observer.figure("local_sessions") == "1" && observer.figure("global_sessions") == "0")
        try await client.create("/e-\(observer.id)", mode: .ephemeral)
        let session = await client.snapshot().sessionID
        #expect(try await client.exists("/e-\(observer.id)")?.ephemeralOwner == session)
        #expect(observer.figure("local_sessions") == "0" && observer.figure("global_sessions") == "1")
        let seen = try await leader.withClient { client in
          try await client.sync("/")
          return try await client.exists("/e-\(observer.id)")
        }
        #expect(seen?.ephemeralOwner == session)
      }
      for member in ensemble.members {
        try await member.withClient { client in
          try await client.sync("/")
          #expect(try await client.exists("/e-\(observer.id)") == nil, "server \(member.id)")
        }
      }
    }
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  private func line(_ member: ServerMember, _ role: String) -> String {
    "server.\(member.id)=\(Self.host(member.id)):\(member.ports.quorum):\(member.ports.election):\(role)"
      + ";127.0.0.1:\(member.ports.client)"
  }

  /// The version and the voters that a member has in its tree.
  private func configuration(_ member: ServerMember) async throws -> QuorumConfiguration {
    try await member.withClient { client in
      try await client.sync("/")
      return try QuorumConfiguration(parsing: String(decoding: try await client.getConfig().data ?? [], as: UTF8.self))
    }
  }

  /// An observer asks to become a voter through its master, and then to be an observer again; the other one, which
  /// remains an observer, activates each configuration too.
  private func changeMembers(observers: MemberKind) async throws {
    let ensemble = try await Self.start(
      observers: observers, ["reconfigEnabled=true", "skipACL=yes", "standaloneEnabled=false"])
    for (role, mode, count) in [("participant", "follower", 4), ("observer", "observer", 3)] {
      let request = ReconfigRequest(
        joiningServers: line(ensemble[4], role), leavingServers: nil, newMembers: nil, configVersion: -1)
      // The server that changes its role closes its clients' connections, perhaps before the answer.
      _ = try? await ensemble[4].withClient { try await $0.reconfig(request) }
      try await eventually("server 4 as \(mode)", within: .seconds(60), every: .milliseconds(50)) {
        ensemble[4].mode == mode
      }
      try await ensemble.waitUntilServing()
      let leader = try await configuration(ensemble.waitForLeader())
      #expect(leader.voters.count == count && leader.version > 0)
      for member in ensemble.members {
        let own = try await configuration(member)
        #expect(own.voters.count == count && own.version == leader.version, "server \(member.id)")
      }
      try await Self.expectFollowersHaveTheObservers(ensemble, count: 5 - count)
      try await ensemble.writeThroughEach("/with-\(count)")
    }
    if observers == .ours {
      // It was told by its master, not when it connected again.
      let log = ensemble[5].log
      #expect(log.components(separatedBy: "the ensemble has changed").count >= 3, "\(log.suffix(2_000))")
    }
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test func membersChangeThroughAMaster() async throws { try await changeMembers(observers: .ours) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func membersChangeThroughAMasterOfApaches() async throws {
    try await changeMembers(observers: .apache)
  }
}
