import Foundation
import Jute
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Mutations of what servers and clients say, also in the name of members, on all ports, while servers follow, lead and
/// look for a leader, with restarts in between. Nobody may end, nothing that was acknowledged may be lost, and when it
/// is over the ensemble works.
///
/// `ZK_FUZZ_ROUNDS=200 swift test --filter FuzzTests` goes on for longer.
@Suite(.timeLimit(.minutes(60)), .serialized)
struct FuzzTests {
  private static let rounds = ProcessInfo.processInfo.environment["ZK_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 6
  private static let connectionsInARound = 60

  private static let numbers: [Int64] = [
    0, 1, 2, -1, .max, .min, .max - 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff << 32, (1 << 32) + 5,
  ]

  /// What servers say to each other when they look for a leader.
  private static func election(_ random: inout SeededGenerator, _ ports: [ServerMember.Ports]) -> [UInt8] {
    let sender = ServerID(rawValue: [1, 2, 3, 4, 77].randomElement(using: &random)!)
    let address = ServerAddress(host: "127.0.0.1", port: Int(ports[0].election))
    var bytes = ElectionGreeting(serverID: sender, addresses: [address]).encoded
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let members = (1...3).map { "server.\($0)=127.0.0.1:\($0):\($0 + 10):participant" }.joined(separator: "\n")
      let version = numbers.randomElement(using: &random)!
      let notification = ElectionNotification(
        state: [.looking, .following, .leading, .observing].randomElement(using: &random)!,
        leader: ServerID(rawValue: Int64.random(in: 0...4, using: &random)),
        zxid: Zxid(rawValue: numbers.randomElement(using: &random)!), round: numbers.randomElement(using: &random)!,
        peerEpoch: Epoch(rawValue: numbers.randomElement(using: &random)!),
        configuration: Bool.random(using: &random)
          ? nil : members + "\nversion=" + String(UInt64(bitPattern: version), radix: 16))
      let payload = notification.encoded
      bytes += bigEndian(Int32(payload.count)) + payload
    }
    return bytes
  }

  /// What learners say to leaders.
  private static func learner(_ random: inout SeededGenerator) -> [UInt8] {
    let sender = ServerID(rawValue: [1, 2, 3, 4, 77].randomElement(using: &random)!)
    let info = LearnerInfo(serverID: sender, configurationVersion: numbers.randomElement(using: &random)!)
    let zxids = numbers.map { Zxid(rawValue: $0) }
    var bytes = QuorumPacket(
      Bool.random(using: &random) ? .followerInfo : .observerInfo, zxid: zxids.randomElement(using: &random)!,
      data: info.encoded
    ).encoded
    let kinds: [QuorumPacket.Kind] = [.ackEpoch, .ack, .ping, .request, .revalidate, .commit, .proposal, .sync]
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let data = (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let (kind, zxid) = (kinds.randomElement(using: &random)!, zxids.randomElement(using: &random)!)
      bytes += QuorumPacket(kind, zxid: zxid, data: data).encoded
    }
    return bytes
  }

  /// What clients say.
  private static func client(_ random: inout SeededGenerator) -> [UInt8] {
    let connect = ConnectRequest(
      lastZxidSeen: .zero, timeoutMilliseconds: Int32(truncatingIfNeeded: numbers.randomElement(using: &random)!),
      sessionID: .none, password: [UInt8](repeating: 0, count: 16), readOnly: false
    ).encoded
    var bytes = bigEndian(Int32(connect.count)) + connect
    let version = Int32(truncatingIfNeeded: numbers.randomElement(using: &random)!)
    let requests: [ClientRequest] = [
      .create(CreateRequest(path: "/fuzz-", data: [1], acl: ACL.openUnsafe, flags: 3)),
      .setData(SetDataRequest(path: "/zookeeper/quota", data: [1], version: version)),
      .delete(PathVersionRequest(path: "/fuzz", version: version)), .sync(PathRequest(path: "/")),
      .multi(MultiRequest(operations: [.check(PathVersionRequest(path: "/", version: version))])),
      .getData(PathWatchRequest(path: "/", watch: true)), .closeSession,
    ]
    for number in 0..<Int.random(in: 1...5, using: &random) {
      var writer = JuteWriter()
      requests.randomElement(using: &random)!.encodeFrame(xid: Xid(rawValue: Int32(number + 1)), into: &writer)
      bytes += writer.bytes
    }
    return bytes
  }

  /// Sends what some strangers say to members that run.
  private static func attack(_ ensemble: ServerEnsemble, _ random: inout SeededGenerator) throws {
    let running = ensemble.members.filter(\.isRunning)
    for _ in 0..<connectionsInARound {
      let member = running.randomElement(using: &random)!
      let (port, seed) =
        switch Int.random(in: 0..<3, using: &random) {
        case 0: (member.ports.election, election(&random, ensemble.members.map(\.ports)))
        case 1: (member.ports.quorum, learner(&random))
        default: (member.ports.client, client(&random))
        }
      let bytes = Int.random(in: 0..<3, using: &random) == 0 ? seed : mutate(seed, using: &random)
      guard let socket = try? LoopbackSocket.connect(to: port, timeout: .seconds(5)) else { continue }
      try? socket.write(bytes)
      socket.shutdown()
    }
    for member in running {
      try #require(member.isRunning, "server \(member.id) has ended: \(member.log.suffix(3_000))")
    }
  }

  /// Where ensembles may change, whoever speaks in the name of a member can tell one that looks for a leader of another
  /// ensemble: that is left out here.
  @Test func membersBearWhatStrangersSay() async throws {
    var random = SeededGenerator()
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.tickTimeMilliseconds = 200
    configuration.initLimit = 25
    configuration.syncLimit = 20
    configuration.extraLines = ["preAllocSize=256"]
    let ensemble = try await ServerEnsemble.start(configuration)
    var written: [String] = []
    for round in 0..<Self.rounds {
      // All serve; then one is away, and may come back to an election; then two are, so that the third looks on.
      try Self.attack(ensemble, &random)
      let away = ensemble.members.shuffled(using: &random)
      try await away[0].kill()
      try Self.attack(ensemble, &random)
      try await away[1].kill()
      try Self.attack(ensemble, &random)
      for member in away[...1] { try await member.launch() }
      try Self.attack(ensemble, &random)
      try await ensemble.waitUntilServing(within: .seconds(90))
      let path = "/written-\(round)"
      try await withSession(ensemble.connectString) { client in
        try await eventually("a write", within: .seconds(60), every: .milliseconds(50)) {
          do {
            _ = try await client.create(path)
            return true
          } catch let error as ZooKeeperError where error.code == .server(.nodeExists) {
            return true
          } catch {
            return false
          }
        }
        written.append(path)
        try await client.sync("/")
        let names = Set(try await client.getChildren("/").map { "/" + $0 })
        #expect(names.isSuperset(of: written), "round \(round)")
      }
    }
    try await ensemble.waitUntilServing(within: .seconds(90))
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }
}
