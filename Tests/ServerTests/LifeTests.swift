import Foundation
import TestKit
import Testing

/// The life of a server as a process: what zkServer.sh, systemd, logrotate and an administrator's signals do with it.
@Suite(.timeLimit(.minutes(10)))
struct LifeTests {
  private static func zkcli(_ words: String..., as name: String? = nil) async throws -> CommandRun {
    var executable = try Products.executable("zkcli")
    if let name {
      let link = "\(try Scratch.directory("name"))/\(name)"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: executable)
      executable = link
    }
    return try await CommandRun.run(executable, words, timeLimit: .seconds(180))
  }

  /// Starts a server in the foreground, with more variables or options.
  private static func run(
    _ server: ServerUnderTest, environment: [String: String] = [:], _ options: String...
  ) throws -> RunningCommand {
    let words = try server.commandLine
    return try RunningCommand(
      words[0], Array(words.dropFirst()) + options,
      environment: RunningCommand.cleanEnvironment.merging(environment) { $1 })
  }

  private static func waitUntilServing(_ server: ServerUnderTest) async throws {
    try await eventually("a server on port \(server.port)", within: .seconds(90)) {
      (try? server.ask("ruok")) == "imok"
    }
  }

  /// Waits until the line of the start is in the log, which has a thread of its own.
  private static func waitForStart(in log: String) async throws {
    try await eventually("the line of the start", within: .seconds(60)) {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("serving on") == true
    }
  }

  // MARK: zkServer.sh

  @Test func scriptKnowsTheWordsOfZkServer() async throws {
    let server = try ServerUnderTest()
    let file = "\(server.directory)/zoo.cfg"
    let version = try await Self.zkcli("version", file, as: "zkServer.sh")
    #expect(version.exitStatus == 0 && version.output.hasPrefix("zkcli "), "\(version.errorOutput)")
    let command = try await Self.zkcli("print-cmd", file, as: "zkServer.sh")
    #expect(command.exitStatus == 0 && command.output.hasSuffix(" 2>&1 < /dev/null\n"), "\(command.output)")
    #expect(command.output.contains(#""server" "run" "\#(file)" > ""#), "\(command.output)")
    let idle = try await Self.zkcli("condrestart", file, as: "zkServer.sh")
    #expect(idle.exitStatus == 0 && idle.output == "no zookeeper to restart\n")
    #expect(!FileManager.default.fileExists(atPath: server.dataDirectory))
    let unknown = try await Self.zkcli("begin", file, as: "zkServer.sh")
    #expect(unknown.exitStatus == 0 && unknown.output.isEmpty)
    #expect(unknown.errorOutput.contains("{start|start-foreground|stop|version|restart|condrestart|status|print-cmd}"))
    #expect(try await Self.zkcli("start", file, as: "zkServer.sh").exitStatus == 0)
    let pidFile = "\(server.dataDirectory)/zookeeper_server.pid"
    let first = try String(contentsOfFile: pidFile, encoding: .utf8)
    let again = try await Self.zkcli("condrestart", file, as: "zkServer.sh")
    #expect(again.exitStatus == 0 && again.output.contains("STARTED"), "\(again.output)")
    #expect(try String(contentsOfFile: pidFile, encoding: .utf8) != first)
    #expect(try await Self.zkcli("stop", file, as: "zkServer.sh").output.contains("STOPPED"))
  }

  @Test func printedCommandRunsTheServer() async throws {
    let server = try ServerUnderTest()
    let printed = try await Self.zkcli("server", "print-cmd", "\(server.directory)/zoo.cfg")
    try FileManager.default.createDirectory(atPath: server.dataDirectory, withIntermediateDirectories: true)
    let shell = try RunningCommand("/bin/sh", ["-c", "exec \(printed.output)"])
    try await Self.waitUntilServing(server)
    shell.send(signal: SIGTERM)
    #expect(try await shell.waitForEnd(within: .seconds(60)) == .exited(0))
  }

  // MARK: The file with the process's number

  @Test func secondServerLeavesTheFileOfTheFirst() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let pidFile = "\(server.dataDirectory)/zookeeper_server.pid"
    // The server writes it after it has opened its ports.
    let process = try await eventually("the file with the process's number") {
      try? String(contentsOfFile: pidFile, encoding: .utf8)
    }
    let second = try await Self.zkcli("server", "run", "\(server.directory)/zoo.cfg")
    #expect(second.exitStatus == 12 && second.errorOutput.contains("another server uses"))
    #expect(try String(contentsOfFile: pidFile, encoding: .utf8) == process)
    try await server.end(by: SIGTERM)
    #expect(!FileManager.default.fileExists(atPath: pidFile))
  }

  /// A process with the command line of Apache's server is only the server of the configuration that it names.
  @Test func apachesServerOfAnotherConfigurationIsNotStopped() async throws {
    let server = try ServerUnderTest()
    try FileManager.default.createDirectory(atPath: server.dataDirectory, withIntermediateDirectories: true)
    let file = "\(server.directory)/zoo.cfg"
    let other = "\(try Scratch.directory("other"))/zoo.cfg"
    try Scratch.write("clientPort=1\n", to: other)
    for (named, isStopped) in [(other, false), ("/nonexistent/zoo.cfg", false), (file, true)] {
      let java = try RunningCommand(
        "/bin/sh", ["-c", "while :; do sleep 1; done", "org.apache.zookeeper.server.quorum.QuorumPeerMain", named])
      try Scratch.write("\(java.processID)", to: "\(server.dataDirectory)/zookeeper_server.pid")
      let stop = try await Self.zkcli("server", "stop", file)
      #expect(stop.exitStatus == 0 && stop.output.contains(isStopped ? "STOPPED" : "another program"), "\(named)")
      if isStopped { try await java.waitForEnd(within: .seconds(60)) }
      #expect(isStopped || (java.ending == nil && kill(java.processID, 0) == 0), "\(named)")
      java.killAll()
    }
  }

  // MARK: systemd

  @Test(arguments: [false, true]) func serviceManagerIsToldWhatHappens(isAbstract: Bool) async throws {
    let manager = try NotifySocket(isAbstract: isAbstract)
    let server = try ServerUnderTest()
    let command = try Self.run(
      server, environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"], "--log-level", "info")
    let start = try await manager.messages(until: "READY=1")
    #expect(start.last?.contains { $0.hasPrefix("STATUS=Serving on 127.0.0.1:\(server.port)") } == true, "\(start)")
    // What is ready serves.
    #expect(try server.ask("ruok") == "imok")
    for _ in 0..<3 { _ = try await manager.messages(until: "WATCHDOG=1") }
    command.send(signal: SIGHUP)
    let reload = try await manager.messages(until: "READY=1")
    let reloading = reload.first { $0.contains("RELOADING=1") }
    #expect(reloading?.contains { $0.hasPrefix("MONOTONIC_USEC=") } == true, "\(reload)")
    command.send(signal: SIGTERM)
    _ = try await manager.messages(until: "STOPPING=1")
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0))
  }

  @Test func watchdogOfAnotherProcessIsNotFed() async throws {
    let manager = try NotifySocket(isAbstract: true)
    let server = try ServerUnderTest()
    let command = try Self.run(
      server,
      environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"])
    _ = try await manager.messages(until: "READY=1")
    try await Self.waitUntilServing(server)
    command.send(signal: SIGTERM)
    let rest = try await manager.messages(until: "STOPPING=1")
    #expect(!rest.contains(["WATCHDOG=1"]))
    try await command.waitForEnd(within: .seconds(60))
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "needs systemd-analyze"))
  func systemdUnderstandsTheUnit() async throws {
    let directory = try Scratch.directory("unit of 100%")
    let file = "\(directory)/zoo.cfg"
    for data in ["/var/lib/zookeeper", "\(directory)/data"] {
      try Scratch.write("dataDir=\(data)\nclientPort=2181\n", to: file)
      let unit = try await Self.zkcli("server", "unit", file, "--user", "root")
      #expect(unit.exitStatus == 0 && unit.output.contains("Type=notify\n"))
      try Scratch.write(unit.output, to: "\(directory)/zkcli-server.service")
      let verify = try await CommandRun.run(
        "/usr/bin/systemd-analyze", ["verify", "--man=no", "\(directory)/zkcli-server.service"])
      #expect(verify.exitStatus == 0 && verify.errorOutput.isEmpty, "\(verify.errorOutput)")
    }
  }

  @Test func unitNamesUserAndDirectories() async throws {
    let directory = try Scratch.directory("unit")
    let file = "\(directory)/zoo.cfg"
    try Scratch.write("dataDir=\(directory)/data\ndataLogDir=\(directory)/log\nclientPort=2181\n", to: file)
    let unit = try await Self.zkcli("server", "unit", file, "--user", "keeper")
    for line in ["User=keeper", "ReadWritePaths=-\(directory)/data -\(directory)/log", "WatchdogSec=60"] {
      #expect(unit.output.split(separator: "\n").contains(Substring(line)), "\(line): \(unit.output)")
    }
    let line = try await Self.zkcli("server", "unit", "--sysusers", "--user", "keeper", file)
    #expect(line.output == "u keeper - \"ZooKeeper server\" \(directory)/data\n")
    for user in ["", "a b", "a\nb", "-x", "1"] {
      #expect(try await Self.zkcli("server", "unit", file, "--user=\(user)").exitStatus == 2, "\(user)")
    }
    #expect(try await Self.zkcli("server", "unit", "zoo.cfg").exitStatus == 2)
  }

  // MARK: The log

  @Test func logIsOpenedAgainAfterItWasRenamed() async throws {
    let server = try ServerUnderTest()
    let log = "\(server.directory)/server.log"
    let command = try Self.run(server, "--log-file", log, "--log-format", "json")
    try await Self.waitUntilServing(server)
    try await Self.waitForStart(in: log)
    try FileManager.default.moveItem(atPath: log, toPath: "\(log).1")
    command.send(signal: SIGHUP)
    try await eventually("a line in the new file", within: .seconds(60)) {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("the log was opened again") == true
    }
    let first = try String(contentsOfFile: "\(log).1", encoding: .utf8)
    #expect(first.contains("serving on 127.0.0.1:\(server.port)") && !first.contains("opened again"))
    for line in first.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["time"] is String && object?["level"] is String && object?["message"] is String, "\(line)")
    }
    command.send(signal: SIGTERM)
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0))
    #expect(command.bytes(of: .error).isEmpty)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/logrotate"), "needs logrotate"))
  func logrotateRotatesTheLog() async throws {
    let server = try ServerUnderTest()
    let log = "\(server.directory)/server.log"
    let command = try Self.run(server, "--log-file", log, "--log-size", "0")
    try await Self.waitUntilServing(server)
    try await Self.waitForStart(in: log)
    let configuration = "\(server.directory)/logrotate.conf"
    try Scratch.write(
      "\(log) {\n  rotate 2\n  size 1\n  postrotate\n    kill -HUP \(command.processID)\n  endscript\n}\n",
      to: configuration)
    chmod(configuration, 0o644)
    let run = try await CommandRun.run(
      "/usr/sbin/logrotate", ["--state", "\(server.directory)/state", "--force", configuration])
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    try await eventually("a line in the new file", within: .seconds(60)) {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("the log was opened again") == true
    }
    #expect(try String(contentsOfFile: "\(log).1", encoding: .utf8).contains("serving on"))
    command.send(signal: SIGTERM)
    try await command.waitForEnd(within: .seconds(60))
  }

  @Test func signalsAndTheAdminServerChangeTheLevel() async throws {
    let admin = try LoopbackPorts.reserve()
    let server = try ServerUnderTest([
      "admin.enableServer=true", "admin.serverAddress=127.0.0.1", "admin.serverPort=\(admin)",
    ])
    try await server.start()
    func level(_ query: String = "") throws -> [String: Any]? {
      let socket = try LoopbackSocket.connect(to: admin, timeout: .seconds(5))
      try socket.write(Array("GET /commands/log_level\(query) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
      let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
      let body = answer.range(of: "\r\n\r\n").map { answer[$0.upperBound...] } ?? ""
      return try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    }
    #expect(try level()?["level"] as? String == "info")
    #expect(!server.errorOutput.contains("a client has connected"))
    server.command?.send(signal: SIGUSR1)
    try await eventually("another level", within: .seconds(60)) { try level()?["level"] as? String == "debug" }
    _ = try server.ask("ruok")
    try await eventually("a line of that level", within: .seconds(60)) {
      server.errorOutput.contains("DEBUG a client has connected client=127.0.0.1:")
    }
    server.command?.send(signal: SIGUSR2)
    try await eventually("the first level", within: .seconds(60)) { try level()?["level"] as? String == "info" }
    #expect(try level("?level=error")?["level"] as? String == "error")
    let wrong = try level("?level=loud")
    #expect((wrong?["error"] as? String)?.contains("trace, debug, info") == true)
    #expect(try level()?["level"] as? String == "error" && level()?["initial_level"] as? String == "info")
    #expect(try await server.end(by: SIGTERM) == .exited(0))
  }

  /// Only where stderr is the journal, as the variable says, and not where it was merely inherited.
  @Test(arguments: [true, false]) func journalGetsPriorities(isJournal: Bool) async throws {
    let server = try ServerUnderTest()
    let words = try server.commandLine.joined(separator: " ")
    let stream = isJournal ? "$(stat -L -c %d:%i /proc/self/fd/2)" : "1:1"
    let command = try RunningCommand("/bin/sh", ["-c", "export JOURNAL_STREAM=\(stream); exec \(words)"])
    try await Self.waitUntilServing(server)
    command.send(signal: SIGTERM)
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0))
    let text = String(decoding: command.bytes(of: .error), as: UTF8.self)
    let expected = isJournal ? "<5>NOTICE serving on 127.0.0.1" : "Z NOTICE serving on 127.0.0.1"
    #expect(text.contains(expected) && text.contains("<6>") == isJournal, "\(text)")
  }

  @Test func logThatCannotBeWrittenKeepsTheServerFromStarting() async throws {
    let server = try ServerUnderTest()
    let file = "\(server.directory)/zoo.cfg"
    let run = try await Self.zkcli("server", "run", file, "--log-file", "/nonexistent/server.log")
    #expect(run.exitStatus == 12 && run.errorOutput.contains("the log /nonexistent/server.log cannot be opened"))
    #expect(!FileManager.default.fileExists(atPath: server.dataDirectory))
    for option in ["--log-level=loud", "--log-format=xml", "--log-size=big", "--log-files=-1"] {
      let wrong = try await Self.zkcli("server", "run", file, option)
      #expect(wrong.exitStatus == 2 && wrong.errorOutput.contains(option.prefix { $0 != "=" }), "\(wrong.errorOutput)")
    }
  }

  // MARK: An upgrade

  @Test func upgradeCheckChangesNothing() async throws {
    let server = try ServerUnderTest(["noSuchKey=1"])
    try await server.start()
    for number in 0..<5 { #expect(try await create("/n\(number)", on: server) == 0) }
    let file = "\(server.directory)/zoo.cfg"
    let busy = try await Self.zkcli("server", "upgrade-check", file)
    #expect(busy.exitStatus == 1 && busy.output.contains("obstacle: another server uses"), "\(busy.output)")
    try await server.end(by: SIGKILL)
    let before = try Self.listing(server.dataDirectory)
    for path in [file, server.dataDirectory, "\(server.dataDirectory)/version-2"] {
      let run = try await Self.zkcli("server", "upgrade-check", path)
      #expect(run.exitStatus == 0 && run.output.contains("10 znodes"), "\(run.output) \(run.errorOutput)")
      #expect(run.output.contains("fact: the last transaction is 0x") && run.output.contains("would start"))
      #expect(path != file || run.output.contains("change: \(file):9: "), "\(run.output)")
    }
    let document = try await Self.zkcli("server", "upgrade-check", file, "-o", "json")
    let object = try JSONSerialization.jsonObject(with: Data(document.output.utf8)) as? [String: Any]
    #expect(object?["state"] as? String == "can start" && (object?["findings"] as? [Any])?.isEmpty == false)
    #expect(try Self.listing(server.dataDirectory) == before)
    // Damage in the middle of what was durable.
    let logs = before.keys.filter { $0.hasPrefix("log.") }.sorted()
    let path = "\(server.dataDirectory)/version-2/\(try #require(logs.last))"
    var bytes = try Data(contentsOf: URL(filePath: path))
    for index in 24..<40 { bytes[index] ^= 0xff }
    try bytes.write(to: URL(filePath: path))
    let damaged = try await Self.zkcli("server", "upgrade-check", file)
    #expect(damaged.exitStatus == 1 && damaged.output.contains("obstacle: \(path)"), "\(damaged.output)")
    try Scratch.write("dataDir=/nonexistent\ntickTime=soon\n", to: file)
    let fault = try await Self.zkcli("server", "upgrade-check", file)
    #expect(fault.exitStatus == 1 && fault.output.contains("obstacle: \(file):2: tickTime"), "\(fault.output)")
  }

  private func create(_ path: String, on server: ServerUnderTest) async throws -> Int32? {
    try await Self.zkcli("-s", server.connectString, "create", path, "x").exitStatus
  }

  private static func listing(_ directory: String) throws -> [String: Data] {
    let version = "\(directory)/version-2"
    return try FileManager.default.contentsOfDirectory(atPath: version).reduce(into: [:]) { files, name in
      files[name] = try Data(contentsOf: URL(filePath: "\(version)/\(name)"))
    }
  }
}
