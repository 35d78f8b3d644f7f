import Foundation
import ServerCore
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// The table of metrics, and how its rows are reported.
@Suite struct MetricTableTests {
  @Test func namesAreUniqueAndValid() {
    var seen: Set<String> = []
    for family in MetricTable.families {
      #expect(seen.insert(family.name).inserted, "\(family.name)")
      #expect(family.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(family.name)")
    }
    for family in MetricTable.reported { #expect(family.help.hasSuffix("."), "\(family.name)") }
  }

  /// Every family of Apache's is in the table, with its kind, and nothing else is called Apache's.
  @Test func familiesOfApachesAreComplete() throws {
    let lines = try Repository.text("Tests/ZooKeeperServerTests/ApacheMetrics.txt").split(separator: "\n")
      .filter { !$0.hasPrefix("#") }.map(String.init)
    #expect(lines.count == 160)
    let own = MetricTable.families.filter { $0.origin == .apache }.map { "\($0.name) \($0.kindText)" }
    #expect(Set(lines).subtracting(own).sorted() == [])
    #expect(Set(own).subtracting(lines).sorted() == [])
  }

  /// With ZKCLI_RECORD=1 this writes the page, and fails, so that no run that records passes for a test.
  @Test func thePageHasTheTable() throws {
    let path = "Sources/ZooKeeperServer/ZooKeeperServer.docc/Metrics.md"
    let page = try Repository.text(path)
    let start = try #require(page.range(of: "## Families\n"))
    let expected = page[..<start.upperBound] + "\n" + MetricTable.page
    guard ProcessInfo.processInfo.environment["ZKCLI_RECORD"] == "1" else {
      #expect(page == String(expected), "\(path) is stale: run with ZKCLI_RECORD=1 and review the change")
      return
    }
    try String(expected).write(to: Repository.url(path), atomically: true, encoding: .utf8)
    Issue.record("recorded \(path)")
  }

  private static func sample(_ name: String, _ value: MetricValue) throws -> MetricSample {
    MetricSample(family: try #require(MetricTable.families.first { $0.name == name }), value: value)
  }

  private static func distribution(_ numbers: [Int]) -> Distribution {
    var histogram = Histogram()
    for number in numbers { histogram.add(number) }
    return histogram.distribution
  }

  private static func words(_ sample: MetricSample) -> [String] {
    Monitor.entries(sample).map { "\($0.key) \($0.text)" }
  }

  @Test func timesAreReportedInMilliseconds() throws {
    let sample = try Self.sample("fsynctime", .distribution(Self.distribution([1500, 2500])))
    #expect(
      Self.words(sample) == [
        "avg_fsynctime 2.0", "min_fsynctime 1", "max_fsynctime 2", "cnt_fsynctime 2", "sum_fsynctime 4",
      ])
    #expect(
      Monitor.prometheus(sample) == [#"fsynctime{quantile="0.5"} 1.5"#, "fsynctime_count 2", "fsynctime_sum 4.0"])
  }

  @Test func setsHaveKeys() throws {
    let sample = try Self.sample("ack_latency", .distributions([("2", Self.distribution([3000]))]))
    #expect(Self.words(sample).first == "avg_2_ack_latency 3.0")
    #expect(Self.words(sample).last == "p999_2_ack_latency 3")
    #expect(
      Monitor.prometheus(sample) == [
        #"ack_latency{key="2",quantile="0.5"} 3.0"#, #"ack_latency{key="2",quantile="0.9"} 3.0"#,
        #"ack_latency{key="2",quantile="0.99"} 3.0"#, #"ack_latency_count{key="2"} 1"#,
        #"ack_latency_sum{key="2"} 3.0"#,
      ])
    let odd = try Self.sample("quota_exceeded_error_per_namespace", .numbers([("a\"\\b", 4)]))
    #expect(Monitor.prometheus(odd) == [#"quota_exceeded_error_per_namespace{key="a\"\\b"} 4"#])
  }

  @Test func aQuantileOfNothingIsNotANumber() throws {
    let sample = try Self.sample("startup_txns_loaded", .distribution(Distribution()))
    #expect(Monitor.prometheus(sample).first == #"startup_txns_loaded{quantile="0.5"} NaN"#)
    #expect(Self.words(sample).first == "avg_startup_txns_loaded 0.0")
  }

  @Test func proposalsAreFoundByZxid() {
    var times = ProposalTimes()
    for number in 1...5 { times.append(Zxid(rawValue: 1 << 32 + Int64(number)), at: Int64(number) * 10) }
    #expect(times.time(of: Zxid(rawValue: 1 << 32 + 3)) == 30)
    #expect(times.settleFirst(through: Zxid(rawValue: 1 << 32 + 1)) == 10)
    #expect(times.settleFirst(through: Zxid(rawValue: 1 << 32 + 1)) == nil)
    // A slow server acknowledges later what is committed.
    #expect(times.time(of: Zxid(rawValue: 1 << 32 + 1)) == 10)
    #expect(times.time(of: Zxid(rawValue: 1 << 32 + 5)) == 50)
    #expect(times.time(of: Zxid(rawValue: 1 << 32 + 6)) == nil)
    times.append(Zxid(rawValue: 2 << 32 + 1), at: 7)
    #expect(times.time(of: Zxid(rawValue: 1 << 32 + 5)) == nil)
    #expect(times.settleFirst(through: Zxid(rawValue: 2 << 32 + 1)) == 7)
    #expect(times.settleFirst(through: Zxid(rawValue: 2 << 32 + 1)) == nil)
  }

  @Test func timesOfOldProposalsAreForgotten() {
    var times = ProposalTimes()
    let count = 10 * Int64(ProposalTimes.settledLimitCount)
    for number in 1...count {
      times.append(Zxid(rawValue: number), at: number)
      #expect(times.settleFirst(through: Zxid(rawValue: number)) == number)
    }
    #expect(times.time(of: Zxid(rawValue: 1)) == nil)
    #expect(times.time(of: Zxid(rawValue: count - 100)) == count - 100)
  }

  @Test func electionsAreMeasuredFromTheirBegin() {
    func time(_ milliseconds: Int64) -> ServerTime {
      ServerTime(monotonicMilliseconds: milliseconds, wallMilliseconds: 0)
    }
    let metrics = EnsembleMetrics()
    metrics.noteRole(isLooking: true, time(100))
    metrics.noteRole(isLooking: false, time(130))
    metrics.noteServing(isLeader: false, isObserver: false, time(150))
    metrics.noteRole(isLooking: true, time(1000))
    metrics.noteRole(isLooking: false, time(1010))
    metrics.noteServing(isLeader: true, isObserver: false, time(1040))
    #expect(metrics.lookingCount == 2)
    #expect(metrics.electionTime.distribution.sum == 40_000)
    #expect(metrics.unavailableTime.distribution.sum == 90_000)
    #expect(metrics.leaderUnavailableTime.distribution.sum == 40_000)
    #expect(metrics.followerSyncTime.distribution.sum == 20_000)
    #expect(metrics.observerSyncTime.distribution.count == 0)
  }
}
