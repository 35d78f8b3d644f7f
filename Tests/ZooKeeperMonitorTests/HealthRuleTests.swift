import Testing
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// Each fault is found by the figures that show it, and nothing is said of a sound ensemble.
@Suite struct HealthRuleTests {
  /// Three servers of one ensemble, which are well.
  static func sound() -> EnsembleReport {
    EnsembleReport(members: (1...3).map { member($0, role: $0 == 3 ? "leader" : "follower") })
  }

  static let configuration = """
    server.1=10.0.0.1:2888:3888:participant;10.0.0.1:2181
    server.2=10.0.0.2:2888:3888:participant;10.0.0.2:2181
    server.3=10.0.0.3:2888:3888:participant;10.0.0.3:2181
    version=100000000
    """

  static func member(_ id: Int, role: String, zxid: String = "0x100000010") -> MemberReport {
    var member = MemberReport(address: ServerAddress(host: "10.0.0.\(id)", port: 2181), state: .serving)
    member.status = ServerStatus(
      srvr: "Zookeeper version: 3.8.0-1, built on x\nZxid: \(zxid)\nMode: \(role)\nOutstanding: 0\n".bytes)
    member.metrics = metrics("zk_avg_latency\t1\nzk_avg_fsynctime\t2\nzk_quorum_size\t3\nzk_synced_followers\t2\n")
    member.id = ServerID(rawValue: Int64(id))
    member.words = ["srvr": .answered, "mntr": .answered, "conf": .answered]
    var session = MemberReport.Session(id: SessionID(rawValue: Int64(id) << 56 | 5), handshakeMilliseconds: 2)
    session.configuration = configuration
    session.rootACL = [ACL(permissions: .read, scheme: "world", id: "anyone")]
    session.clockOffsetMilliseconds = 3
    member.session = session
    return member
  }

  static func metrics(_ text: String) -> ServerMetrics? { ServerMetrics(mntr: text.bytes) }

  /// What is found, as `severity check`.
  private func found(_ report: EnsembleReport, disks: [ServerAddress: DiskSpace] = [:]) -> [String] {
    var rules = HealthRules(report)
    rules.disks = disks
    return rules.findings.map { "\($0.severity.rawValue) \($0.check.rawValue)" }
  }

  @Test func nothingIsSaidOfASoundEnsemble() {
    let rules = HealthRules(Self.sound())
    #expect(rules.findings.isEmpty)
    #expect(rules.verdict(isStrict: true) == .healthy)
    #expect(rules.report.failuresLeft == 1)
  }

  @Test func aDeadMember() {
    var report = Self.sound()
    report.members[1] = MemberReport(address: report.members[1].address, state: .unreachable(.refused))
    #expect(found(report) == ["warning margin", "fault reachable"])
    #expect(HealthRules(report).verdict() == .degraded)
    #expect(report.failuresLeft == 0)
  }

  @Test func noQuorum() {
    var report = Self.sound()
    for index in 0..<2 {
      report.members[index] = MemberReport(address: report.members[index].address, state: .unreachable(.refused))
    }
    report.members[2] = MemberReport(address: report.members[2].address, state: .notServing)
    #expect(found(report) == ["fault quorum", "fault reachable", "fault reachable", "fault serving"])
    #expect(HealthRules(report).verdict() == .down)
  }

  @Test func aLaggingMember() {
    var report = Self.sound()
    report.members[0] = Self.member(1, role: "follower", zxid: "0x10000000a")
    #expect(report.lag(of: report.members[0]) == 6)
    #expect(found(report) == ["warning lag"])
    // What was asked for by the end of the probe counts, and not what another server has reached since.
    report.goal = Zxid(rawValue: 0x1_0000_000a)
    #expect(found(report).isEmpty)
    report.goal = nil
    report.members[0] = Self.member(1, role: "follower", zxid: "0x5")
    #expect(report.lag(of: report.members[0]) == 17)
  }

  @Test func twoConfigurations() {
    var report = Self.sound()
    report.members[0].session?.configuration = Self.configuration.replacing("version=1", with: "version=2")
    #expect(found(report) == ["fault configuration"])
  }

  @Test func aFullDisk() {
    let report = Self.sound()
    let address = report.members[0].address
    #expect(
      found(report, disks: [address: DiskSpace(freeBytes: 1 << 20, totalBytes: 1 << 40)]) == ["fault disk"])
    #expect(
      found(report, disks: [address: DiskSpace(freeBytes: 1 << 30, totalBytes: 1 << 40)]) == ["warning disk"])
    #expect(found(report, disks: [address: DiskSpace(freeBytes: 1 << 39, totalBytes: 1 << 40)]).isEmpty)
    var own = report
    own.members[0].metrics = Self.metrics("zk_log_dir_free_bytes\t1000\nzk_log_dir_total_bytes\t100000\n")
    #expect(found(own) == ["fault disk"])
  }

  @Test func aSkewedClock() {
    var report = Self.sound()
    report.members[1].session?.clockOffsetMilliseconds = -90_000
    let findings = HealthRules(report).findings
    #expect(findings.map(\.check) == [.clock])
    #expect(findings[0].member == report.members[1].address)
    #expect(findings[0].message == "its clock is 90 s behind the others")
    // When this machine's is the wrong one, the servers are not accused.
    for index in 0..<3 { report.members[index].session?.clockOffsetMilliseconds = 5000 }
    #expect(found(report) == ["note clock"])
    for index in 0..<3 { report.members[index].session?.clockOffsetMilliseconds = .min + 1 }
    #expect(found(report) == ["note clock"])
  }

  @Test func aSlowSync() {
    var report = Self.sound()
    report.members[2].metrics = Self.metrics("zk_avg_fsynctime\t80\nzk_quorum_size\t3\nzk_synced_followers\t2\n")
    #expect(found(report) == ["warning sync"])
    report.members[2].metrics = Self.metrics("zk_avg_fsynctime\t3\nzk_max_fsynctime\t2000\n")
    #expect(found(report) == ["warning sync"])
  }

  @Test func anEvenNumber() {
    var report = Self.sound()
    let four = Self.configuration + "\nserver.4=10.0.0.4:2888:3888:participant;10.0.0.4:2181"
    report.members.append(Self.member(4, role: "follower"))
    for index in 0..<4 { report.members[index].session?.configuration = four }
    report.members[2].metrics = Self.metrics("zk_quorum_size\t4\nzk_synced_followers\t3\n")
    #expect(found(report) == ["warning voters"])
    let observer = four.replacing("3888:participant;10.0.0.4", with: "3888:observer;10.0.0.4")
    for index in 0..<4 { report.members[index].session?.configuration = observer }
    #expect(found(report).isEmpty)
  }

  @Test func aForbiddenWord() {
    var report = Self.sound()
    report.members[0].metrics = nil
    report.members[0].words["mntr"] = .notAllowed
    let findings = HealthRules(report).findings
    #expect(findings.map(\.check) == [.words])
    #expect(findings[0].hint?.contains("4lw.commands.whitelist=mntr, srvr") == true)
    #expect(HealthRules(report).verdict() == .healthy)
    #expect(HealthRules(report).verdict(isStrict: true) == .degraded)
  }

  @Test func aRootThatEverybodyMayChange() {
    var report = Self.sound()
    report.members[0].session?.rootACL = ACL.openUnsafe
    #expect(found(report) == ["note root-acl"])
  }

  @Test func aMemberOfAnotherEnsemble() {
    var report = Self.sound()
    var stranger = Self.member(3, role: "leader", zxid: "0x900000001")
    stranger.session?.configuration = "server.3=192.168.0.9:2888:3888:participant;192.168.0.9:2181\nversion=0\n"
    report.members[2] = stranger
    #expect(found(report).contains("fault ensemble"))
    report = Self.sound()
    report.members[2].status?.mode = "standalone"
    #expect(found(report).contains("fault ensemble"))
    report = Self.sound()
    report.members[1].status?.mode = "leader"
    #expect(found(report).contains("fault ensemble"))
  }

  @Test func moreThatCanBeWrong() {
    var report = Self.sound()
    report.members[0].status?.outstandingCount = 5000
    #expect(found(report) == ["warning outstanding"])
    report = Self.sound()
    report.members[0].status?.mode = "read-only"
    #expect(found(report) == ["fault serving"])
    report = Self.sound()
    report.members[0].session = nil
    #expect(found(report) == ["fault serving"])
    report = Self.sound()
    report.members[2].dump = SessionDump(
      dump: "SessionTracker dump:\n0x1\t5ms\nSessions with Ephemerals (1):\n0x2:\n\t/e\n".bytes)
    #expect(found(report) == ["warning ephemerals"])
    report = Self.sound()
    report.members[0].metrics = Self.metrics("zk_open_file_descriptor_count\t99\nzk_max_file_descriptor_count\t100\n")
    #expect(found(report) == ["warning descriptors"])
    report = Self.sound()
    report.members.removeLast()
    #expect(found(report) == ["note configuration"])
  }

  /// A server may say any number: none of them stops the program.
  @Test func numbersAtTheEndsOfTheirTypes() throws {
    for (from, to) in [(0, Int64.min), (Int64.max, .min), (0, .max), (.min, .max)] as [(Int64, Int64)] {
      var report = Self.sound()
      let offset = MemberReport.Session.clockOffset(from: from, to: to)
      report.members[0].session?.clockOffsetMilliseconds = offset
      report.members[1].session?.clockOffsetMilliseconds = -offset
      #expect(found(report).contains("warning clock"))
    }
    #expect(MemberReport.Session.clockOffset(from: 5, to: 3) == -2)
    var report = Self.sound()
    report.members[2].metrics = Self.metrics("zk_quorum_size\t-1e300\nzk_synced_followers\t1e300\n")
    #expect(found(report).isEmpty)
    func connections(_ count: Int64) -> [ClientConnection] {
      ClientConnection.parse(cons: " /127.0.0.1:1[1](queued=0,recved=\(count),sent=0,sid=0x1)\n".bytes)
    }
    let address = ServerAddress(host: "127.0.0.1", port: 2181)
    let start = ContinuousClock.now
    let before = ServerSample(address: address, taken: start, connections: connections(.min))
    let after = ServerSample(address: address, taken: start + .seconds(1), connections: connections(.max))
    let rate = try #require(Activity([after], since: [address: before]).clients.first?.requestRate)
    #expect(rate > 1e19)
  }
}
