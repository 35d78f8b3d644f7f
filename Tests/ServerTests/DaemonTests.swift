import Foundation
import TestKit
import Testing

/// `zkcli server` and `zookeeper-server`: configurations, and servers in the background.
@Suite(.timeLimit(.minutes(10)))
struct DaemonTests {
  private static func zkcli(_ words: String..., under name: String? = nil) async throws -> CommandRun {
    var executable = try Products.executable("zkcli")
    if let name {
      let link = "\(try Scratch.directory("name"))/\(name)"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: executable)
      executable = link
    }
    return try await CommandRun.run(executable, words, timeLimit: .seconds(180))
  }

  @Test func checkNamesEveryFaultWithItsLine() async throws {
    let directory = try Scratch.directory("configuration")
    let file = "\(directory)/zoo.cfg"
    try Scratch.write(
      """
      # a comment
      tickTime=soon
      dataDir=\(directory)/data
      clientPort=70000
      standaloneEnabled=maybe
      noSuchKey=1
      reconfigEnabled=perhaps
      """, to: file)
    let run = try await Self.zkcli("server", "check", file)
    #expect(run.exitStatus == 2)
    for text in [":2: tickTime must be", ":4: clientPort must be", ":5: standaloneEnabled must be", ":7: reconfigEn"] {
      #expect(run.errorOutput.contains(file + text), "\(text): \(run.errorOutput)")
    }
    try Scratch.write("dataDir=\(directory)/data\nclientPort=0\nforceSync=maybe\n", to: file)
    let clean = try await Self.zkcli("server", "check", file)
    #expect(clean.exitStatus == 0 && clean.output == "\(file): no faults\n")
    #expect(clean.errorOutput.contains("\(file):3: ") && clean.errorOutput.contains("forceSync"))
    try Scratch.write("dataDir=\(directory)/data\nclientPort=0\ntickTim=1\nnoSuchKey=1\n", to: file)
    let unknown = try await Self.zkcli("server", "check", file)
    #expect(unknown.exitStatus == 1 && unknown.output == "\(file): 2 keys that no server knows\n")
    #expect(unknown.errorOutput.contains(":3: the key tickTim has no effect here"))
    #expect(unknown.errorOutput.contains("did you mean tickTime?") && unknown.errorOutput.contains("noSuchKey"))
    let missing = try await Self.zkcli("server", "run", "\(directory)/none.cfg")
    #expect(missing.exitStatus == 12 && missing.errorOutput.contains("\(directory)/none.cfg"))
  }

  /// What is to be protected and cannot be: neither a check nor a start passes it over.
  @Test(arguments: ["ssl.crl=true", "fips-mode=true", "quorum.auth.learnerRequireSasl=true"])
  func missingProtectionIsAFault(line: String) async throws {
    let directory = try Scratch.directory("protection")
    let file = "\(directory)/zoo.cfg"
    try Scratch.write("dataDir=\(directory)/data\r\nclientPort=0\r\n\(line)\r\n", to: file)
    for action in ["check", "run", "start"] {
      let run = try await Self.zkcli("server", action, file)
      #expect(run.exitStatus == 2 && run.errorOutput.contains("\(file):3: "), "\(run.errorOutput)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(directory)/data"))
  }

  /// All but what a server alone may not have is read without a warning, from the configuration that Debian ships.
  @Test(.enabled(if: FileManager.default.isReadableFile(atPath: "/etc/zookeeper/conf_example/zoo.cfg")))
  func debiansOwnConfigurationIsUnderstood() async throws {
    let run = try await Self.zkcli("server", "check", "/etc/zookeeper/conf_example/zoo.cfg")
    let lines = run.errorOutput.split(separator: "\n")
    // Whoever runs it may have meant its open port and its single disk.
    #expect(run.exitStatus == 0 && lines.allSatisfy { $0.contains("zoo.cfg: note: ") }, "\(run.errorOutput)")
  }

  @Test(arguments: ["zkcli", "zookeeper-server"])
  func startsStopsAndTellsItsState(name: String) async throws {
    let server = try ServerUnderTest()
    let file = "\(server.directory)/zoo.cfg"
    let isScript = name == "zookeeper-server"
    func call(_ action: String) async throws -> CommandRun {
      isScript
        ? try await Self.zkcli(action, file, under: name) : try await Self.zkcli("server", action, file)
    }
    let down = try await call("status")
    #expect(down.exitStatus == 1 && down.output.contains("Error contacting service. It is probably not running."))
    let start = try await call("start")
    #expect(start.exitStatus == 0 && start.output.contains("Starting zookeeper ... STARTED"), "\(start.errorOutput)")
    #expect(!isScript || start.errorOutput.contains("Using config: \(file)"))
    let pidFile = "\(server.dataDirectory)/zookeeper_server.pid"
    let first = try String(contentsOfFile: pidFile, encoding: .utf8)
    defer {
      if let process = try? String(contentsOfFile: pidFile, encoding: .utf8) { kill(pid_t(process) ?? 0, SIGKILL) }
    }
    let up = try await call("status")
    #expect(up.exitStatus == 0 && up.output.hasSuffix("Mode: standalone\n"), "\(up.output)")
    let again = try await call("start")
    #expect(again.exitStatus == 1 && again.output.contains("already running as process \(first)."))
    #expect(try server.ask("ruok") == "imok")
    let restart = try await call("restart")
    #expect(restart.exitStatus == 0 && restart.output.contains("STARTED"), "\(restart.output)")
    #expect(try String(contentsOfFile: pidFile, encoding: .utf8) != first)
    let stop = try await call("stop")
    #expect(stop.exitStatus == 0 && stop.output.contains("Stopping zookeeper ... STOPPED"))
    #expect(!FileManager.default.fileExists(atPath: pidFile))
    let none = try await call("stop")
    #expect(none.exitStatus == 0 && none.output.contains("no zookeeper to stop"))
  }

  @Test func whatCannotStartSaysWhy() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    // The same directory.
    let second = try ServerUnderTest(dataDirectory: server.dataDirectory)
    let locked = try await Self.zkcli("server", "run", "\(second.directory)/zoo.cfg")
    #expect(locked.exitStatus == 12 && locked.errorOutput.contains("another server uses"), "\(locked.errorOutput)")
    // The same port, in the background: the log has the reason.
    let third = try ServerUnderTest(["clientPort=\(server.port)"])
    let taken = try await Self.zkcli("server", "start", "\(third.directory)/zoo.cfg")
    #expect(taken.exitStatus == 1 && taken.output.contains("FAILED TO START"))
    let log = try String(contentsOfFile: "\(third.dataDirectory)/zookeeper.out", encoding: .utf8)
    #expect(log.contains("cannot listen on 127.0.0.1:\(server.port)"), "\(log)")
  }

  @Test func takenMetricsPortIsFatalAndNamed() async throws {
    let listener = try LoopbackSocket.listen()
    let provider = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
    let lines = ["metricsProvider.className=\(provider)", "metricsProvider.httpPort=\(listener.localPort)"]
    let server = try ServerUnderTest(lines)
    let run = try await Self.zkcli("server", "run", "\(server.directory)/zoo.cfg")
    #expect(run.exitStatus == 12 && run.errorOutput.contains("the metrics port"), "\(run.errorOutput)")
  }

  @Test(arguments: [SIGTERM, SIGINT]) func stopsCleanlyWhenAsked(signal: Int32) async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let ending = try await server.end(by: signal)
    #expect(ending == .exited(0), "\(server.errorOutput)")
  }
}
