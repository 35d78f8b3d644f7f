import Testing
import ZooKeeperMonitor
import ZooKeeperProtocol

extension String {
  /// The bytes of the text.
  var bytes: [UInt8] { [UInt8](utf8) }
}

/// What servers write is read as it is meant, and what they never write does no harm.
@Suite struct AnswerTests {
  @Test func statusOfSrvr() {
    let status = ServerStatus(
      srvr: """
        Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC
        Latency min/avg/max: 0/0.0/0
        Received: 1
        Connections: 4
        Outstanding: 2
        Zxid: 0x100000006
        Mode: leader
        Node count: 5
        """.bytes)
    #expect(status?.mode == "leader")
    #expect(status?.zxid == Zxid(rawValue: 0x1_0000_0006))
    #expect(status?.connectionCount == 4)
    #expect(status?.outstandingCount == 2)
    #expect(status?.znodeCount == 5)
    #expect(ServerStatus(srvr: "This ZooKeeper instance is not currently serving requests\n".bytes) == nil)
    #expect(ServerStatus(srvr: [0xff, 0xfe, 0x3a, 0x0a]) == nil)
  }

  @Test func figuresOfMntr() {
    let metrics = ServerMetrics(
      mntr: "zk_version\t3.4.14-1, built on 03/06/2019\r\nzk_znode_count\t5\nzk_avg_latency\t0.25\nzk_bad\n".bytes)
    #expect(metrics?.figures.map(\.name) == ["version", "znode_count", "avg_latency"])
    #expect(metrics?["version"] == "3.4.14-1, built on 03/06/2019")
    #expect(metrics?.count("znode_count") == 5)
    #expect(metrics?.number("avg_latency") == 0.25)
    #expect(metrics?.number("version") == nil)
    #expect(metrics?.count("missing") == nil)
    #expect(ServerMetrics(mntr: "mntr is not executed because it is not in the whitelist.\n".bytes) == nil)
    let extreme = ServerMetrics(mntr: "zk_a\t1e300\nzk_b\t-1e300\nzk_c\tnan\nzk_d\tinf\n".bytes)
    #expect(extreme?.count("a") == .max)
    #expect(extreme?.count("b") == .min)
    #expect(extreme?.count("c") == nil)
    #expect(extreme?.count("d") == nil)
  }

  @Test func connectionsOfCons() throws {
    let connections = ClientConnection.parse(
      cons: """
         /127.0.0.1:59000[1](queued=0,recved=4,sent=3,sid=0x1a22574ffa30000,lop=GETD,est=1795924757302,to=30000,\
        lcxid=0x3,lzxid=0x100000002,lresp=54119520,llat=0,minlat=0,avglat=1,maxlat=4)
         /[0:0:0:0:0:0:0:1]:59028[0](queued=0,recved=1,sent=0)
         /broken[0](queued=
        nothing of the kind

        """.bytes)
    try #require(connections.count == 2)
    #expect(connections[0].client == "127.0.0.1:59000")
    #expect(connections[0].session == SessionID(rawValue: 0x1_a225_74ff_a30000))
    #expect(connections[0].receivedCount == 4)
    #expect(connections[0].sentCount == 3)
    #expect(connections[0].lastOperation == "GETD")
    #expect(connections[0].establishedMilliseconds == 1_795_924_757_302)
    #expect(connections[0].timeoutMilliseconds == 30000)
    #expect(connections[0].lastZxid == Zxid(rawValue: 0x1_0000_0002))
    #expect(connections[0].maximumLatencyMilliseconds == 4)
    #expect(connections[1].client == "[0:0:0:0:0:0:0:1]:59028")
    #expect(connections[1].session == nil)
  }

  @Test func sessionsOfDumps() {
    let ofLeader = SessionDump(
      dump: """
        SessionTracker dump:
        Session Sets (1)/(1):
        1 expire at Sun Nov 29 04:03:21 UTC 2026:
        \t0x3000338962c0000
        ephemeral nodes dump:
        Sessions with Ephemerals (2):
        0x3000338962c0000:
        \t/a b
        \t/e2
        0x3000338962c0009:
        \t/orphan
        Connections dump:
        Connections Sets (2)/(2):
        1 expire at Sun Nov 29 04:03:07 UTC 2026:
        \tip: /127.0.0.1:60778 sessionId: 0x0
        """.bytes)
    let id = SessionID(rawValue: 0x300_0338_962c_0000)
    #expect(ofLeader?.sessions == [id])
    #expect(ofLeader?.ephemerals[id] == ["/a b", "/e2"])
    #expect(ofLeader?.ephemerals.count == 2)
    let ofFollower = SessionDump(
      dump: "SessionTracker dump:\nGlobal Sessions(1):\n0x100033896090000\t30000ms\nephemeral nodes dump:\n".bytes)
    #expect(ofFollower?.timeoutMilliseconds[SessionID(rawValue: 0x1_0003_3896_090000)] == 30000)
    #expect(SessionDump(dump: "dump is not executed because it is not in the whitelist.\n".bytes) == nil)
    let admin = SessionDump(
      adminDump: """
        {"expiry_time_to_session_ids":{"54364000":[216176323686301696]},\
        "session_id_to_ephemeral_paths":{"216176323686301696":["/a b"]},"command":"dump","error":null}
        """.bytes)
    #expect(admin?.sessions == [id])
    #expect(admin?.ephemerals[id] == ["/a b"])
    #expect(SessionDump(adminDump: "[]".bytes) == nil)
  }

  @Test func watchesBySessionAndByPath() {
    let id = SessionID(rawValue: 0x1_0003_3896_090000)
    #expect(WatchDump(wchc: "0x100033896090000\n\t/e1\n\t/\n\n".bytes).pathsBySession == [id: ["/e1", "/"]])
    #expect(WatchDump(wchp: "/e1\n\t0x100033896090000\n/\n\t0x100033896090000\n".bytes).watchers(of: "/e1") == [id])
    #expect(WatchDump(wchc: "\t/without a session\n".bytes).pathsBySession.isEmpty)
  }

  /// Summaries get their quantiles back, names that Prometheus does not allow are changed, and labels are escaped.
  @Test func prometheusText() throws {
    let metrics = try #require(
      ServerMetrics(
        mntr: """
          zk_version\t3.8.0 "x"
          zk_server_state\tleader
          zk_znode_count\t5
          zk_avg_fsynctime\t1.5
          zk_cnt_fsynctime\t6
          zk_sum_fsynctime\t9
          zk_p99_fsynctime\t4
          zk_cnt_lonely\t1
          zk_1_learner-x\t2
          """.bytes))
    #expect(
      PrometheusText.write([(label: nil, metrics: metrics)]) == #"""
        # TYPE version gauge
        version{value="3.8.0 \"x\""} 1
        # TYPE server_state gauge
        server_state{value="leader"} 1
        # TYPE znode_count untyped
        znode_count 5
        # TYPE avg_fsynctime untyped
        avg_fsynctime 1.5
        # TYPE fsynctime summary
        fsynctime_count 6
        fsynctime_sum 9
        fsynctime{quantile="0.99"} 4
        # TYPE cnt_lonely untyped
        cnt_lonely 1
        # TYPE _1_learner_x untyped
        _1_learner_x 2

        """#)
    let two = PrometheusText.write([(label: "a:1", metrics: metrics), (label: "b:2", metrics: metrics)])
    #expect(two.contains("# TYPE znode_count untyped\nznode_count{member=\"a:1\"} 5\nznode_count{member=\"b:2\"} 5\n"))
  }

  /// Percentiles are those of the sorted times, to the promised 1/32.
  @Test func percentilesOfTimes() {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(0.5) == 0)
    var times: [Int64] = []
    var random = SystemRandomNumberGenerator()
    for _ in 0..<10_000 {
      let time = Int64.random(in: 0...(1 << Int64.random(in: 1...40, using: &random)), using: &random)
      times.append(time)
      histogram.add(nanoseconds: time)
    }
    times.sort()
    #expect(histogram.count == 10_000)
    #expect(histogram.shortest == UInt64(times[0]))
    #expect(histogram.longest == UInt64(times[9999]))
    for share in [0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0] {
      let exact = Double(times[max(0, Int((10_000 * share).rounded(.up)) - 1)])
      let found = Double(histogram.percentile(share))
      #expect(found >= exact && found <= exact * (1 + 1.0 / 32) + 1, "\(share): \(exact) and \(found)")
    }
    histogram.add(nanoseconds: -5)
    histogram.add(nanoseconds: .max)
    #expect(histogram.shortest == 0)
    #expect(histogram.longest == UInt64(Int64.max))
    var sum = LatencyHistogram()
    sum.add(histogram)
    sum.add(LatencyHistogram())
    #expect(sum == histogram)
  }
}
