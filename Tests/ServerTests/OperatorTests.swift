import Foundation
import TestKit
import Testing

/// What operators and their tools see: four-letter words, the AdminServer, Prometheus.
@Suite(.timeLimit(.minutes(10)))
struct OperatorTests {
  /// What differs from run to run, and what one of the two does not have.
  private static func normalized(_ answer: String) -> [String] {
    answer.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line).replacing(/0x[0-9a-f]{8,}/, with: "ID").replacing(/:\d{4,5}/, with: ":PORT")
        .replacing(/lop=[A-Z]+/, with: "lop")
        .replacing(/=\d{10,}/, with: "=TIME").replacing(
          /lresp=\d+/, with: "lresp=TIME"
        )
        .replacing(/(l|min|avg|max)lat=\d+/, with: "lat").replacing(/at \w{3} .* \d{4}/, with: "at DATE")
        .replacing(/version.*/, with: "version").replacing(/Latency.*/, with: "Latency")
        .replacing(/Received: \d+|Sent: \d+/, with: "packets").replacing(/recved=\d+,sent=\d+/, with: "packets")
    }.filter { !$0.contains("PORT[0](queued") }
  }

  /// One session that holds an ephemeral znode and two watches, on either server.
  private static func holder(on server: String) async throws -> RunningCommand {
    let holder = try RunningCommand(try Products.executable("zkcli"), ["-s", server])
    try holder.write("create /held v\ncreate -e /ephemeral v\nget -w /held\nls -w /\nsync\n")
    for expected in ["/held", "/ephemeral", "v"] {
      #expect(try await holder.nextLine(within: .seconds(90)) == expected)
    }
    #expect(try await holder.nextLine(within: .seconds(90)) == "ephemeral")
    return holder
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func fourLetterWordsAreApaches() async throws {
    let apache = try await ApacheServer.start()
    let server = try ServerUnderTest(["tickTime=500"])
    try await server.start()
    let holders = [try await Self.holder(on: apache.connectString), try await Self.holder(on: server.connectString)]
    for word in [
      "ruok", "srvr", "stat", "cons", "wchs", "wchc", "wchp", "isro", "gtmk", "srst", "crst", "none",
    ] {
      let (expected, found) = (try apache.fourLetterWord(word), try server.ask(word))
      #expect(Self.normalized(found) == Self.normalized(expected), "\(word)")
    }
    // These tell of more than a server that is not Java has; what they tell has Apache's names, but for what this
    // server alone measures, and what Apache's measures since 3.9.
    let own = [
      "log_dir_free_bytes", "log_dir_total_bytes", "acl_count", "learner_lag", "tree_memory_bytes",
      "write_stage_time_ms", "snapshot_size_bytes", "log_bytes", "log_batch_bytes", "log_segment_count",
      "loop_turn_time_ms", "loop_lag_ms",
    ]
    let newer = [
      "snapshot_error_count", "snapshot_rate_limited_count", "restore_time", "restore_error_count",
      "restore_rate_limited_count",
    ]
    func isKnown(_ name: String) -> Bool { (own + newer).contains { name.hasSuffix("_\($0)") } }
    for (word, needed) in [("conf", "clientPort"), ("envi", "os.name"), ("mntr", "zk_znode_count")] {
      func names(_ answer: String) -> Set<String> {
        Set(answer.split(separator: "\n").compactMap { $0.split { "=\t:".contains($0) }.first.map(String.init) })
      }
      let (expected, found) = (names(try apache.fourLetterWord(word)), names(try server.ask(word)))
      #expect(found.contains(needed))
      #expect(found.subtracting(expected).filter { !isKnown($0) }.sorted() == [], "\(word)")
    }
    #expect(try server.ask("dump").contains("/ephemeral"))
    for holder in holders { holder.closeInput() }
  }

  @Test func wordsThatAreNotAllowedSaySo() async throws {
    let server = try ServerUnderTest(["4lw.commands.whitelist=ruok, isro"])
    try await server.start()
    #expect(try server.ask("ruok") == "imok")
    #expect(try server.ask("isro") == "rw")
    #expect(try server.ask("mntr") == "mntr is not executed because it is not in the whitelist.\n")
  }

  /// A server without a list of its own has the words that tools and clients need.
  @Test(arguments: [("", false), ("readonlymode.enabled=true", true)])
  func wordsThatToolsNeedAreAllowed(line: String, answersIsro: Bool) async throws {
    let server = try ServerUnderTest(["4lw.commands.whitelist=", line])
    try await server.start()
    #expect(try server.ask("srvr").contains("Mode: standalone"))
    let refusal = "isro is not executed because it is not in the whitelist.\n"
    #expect(try server.ask("isro") == (answersIsro ? "rw" : refusal))
    #expect(try server.ask("ruok") == "ruok is not executed because it is not in the whitelist.\n")
  }

  /// The body that `path` is answered with.
  private static func fetch(_ path: String, port: UInt16) throws -> (head: String, body: String) {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(20))
    try socket.write(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
    let text = String(decoding: try socket.readToEnd(), as: UTF8.self)
    let end = try #require(text.range(of: "\r\n\r\n"))
    return (String(text[..<end.lowerBound]), String(text[end.upperBound...]))
  }

  @Test func adminServerSpeaksJSON() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(["admin.enableServer=true", "admin.serverPort=\(port)"])
    try await server.start()
    let holder = try await Self.holder(on: server.connectString)
    let commands = [
      "configuration", "connection_stat_reset", "connections", "dirs", "dump", "environment", "hash", "is_read_only",
      "last_snapshot", "monitor", "ruok", "server_stats", "stats", "stat_reset", "watch_summary", "watches",
      "watches_by_path", "zabstate",
    ]
    let index = try Self.fetch("/commands", port: port)
    for command in commands {
      let (head, body) = try Self.fetch("/commands/\(command)", port: port)
      #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("application/json"), "\(command): \(head)")
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any], "\(command): \(body)")
      #expect(object["error"] is NSNull, "\(command): \(body)")
      #expect(index.body.contains("/commands/\(object["command"] ?? "")\""), "\(command)")
    }
    #expect(try Self.fetch("/commands/dump", port: port).body.contains("/ephemeral"))
    #expect(try Self.fetch("/commands/watches_by_path", port: port).body.contains("/held"))
    #expect(try Self.fetch("/commands/nonsense", port: port).body.contains("Unknown command"))
    #expect(try Self.fetch("/nothing", port: port).head.hasPrefix("HTTP/1.1 404"))
    holder.closeInput()
  }

  @Test func adminServerShowsTheConfigurationWithoutSecrets() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest([
      "admin.enableServer=true", "admin.serverPort=\(port)", "# ssl.keyStore.password=tulip",
      "ssl.trustStore.password=tulip", "DigestAuthenticationProvider.superDigest=super:tulip", "myKey=tulip",
      "DigestAuthenticationProvider.enabled=true",
    ])
    try await server.start()
    func object(_ command: String) throws -> [String: Any] {
      let body = try Self.fetch("/commands/\(command)", port: port).body
      #expect(!body.contains("tulip"), "\(body)")
      return try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    }
    let initial = try object("icfg")
    #expect(initial["command"] as? String == "initial_configuration" && initial["error"] is NSNull)
    let lines = try #require(initial["initial_configuration"] as? String).split(separator: "\n")
    for line in ["admin.serverPort=\(port)", "ssl.trustStore.password=***", "myKey=***"] {
      #expect(lines.contains { $0 == line }, "\(lines)")
    }
    let properties = try object("sysp")
    #expect(properties["command"] as? String == "system_properties" && properties["error"] is NSNull)
    #expect(properties["zookeeper.admin.serverPort"] as? String == "\(port)")
    #expect(properties["zookeeper.DigestAuthenticationProvider.superDigest"] as? String == "***")
    #expect(properties["os.name"] as? String == "Linux" || properties["os.name"] as? String == "Darwin")
    #expect(properties["zookeeper.dataDir"] == nil && properties["PATH"] == nil)
  }

  @Test func prometheusReadsTheMetrics() async throws {
    let port = try LoopbackPorts.reserve()
    let provider = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
    let server = try ServerUnderTest(["metricsProvider.className=\(provider)", "metricsProvider.httpPort=\(port)"])
    try await server.start()
    let (head, body) = try Self.fetch("/metrics", port: port)
    #expect(head.contains("text/plain"))
    let lines = body.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("znode_count ") })
    // The series that Apache's documented alerts name, but for the JVM's.
    let alerts = [
      "znode_count", "num_alive_connections", "approximate_data_size", "watch_count", "election_time_count",
      "open_file_descriptor_count", "fsynctime_sum", "snapshottime_sum", "avg_latency",
    ]
    for series in alerts { #expect(lines.count { $0.hasPrefix(series + " ") } == 1, "\(series)") }
    #expect(lines.contains("# TYPE commit_count counter") && lines.contains("# TYPE fsynctime summary"))
    for line in lines where line.hasPrefix("# TYPE") {
      let name = line.split(separator: " ")[2]
      #expect(lines.count { $0.hasPrefix("# TYPE \(name) ") } == 1, "\(name)")
    }
    for line in lines where !line.hasPrefix("#") {
      #expect(line.wholeMatch(of: /[a-z_:][a-z0-9_:]*(\{[^}]*\})? (-?[0-9.]+([eE][-+]?[0-9]+)?|NaN)/) != nil, "\(line)")
    }
  }
}
