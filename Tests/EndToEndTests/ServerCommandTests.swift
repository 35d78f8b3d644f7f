import Foundation
import TestKit
import Testing

/// `zkcli server` beside a server in the background.
@Suite(.timeLimit(.minutes(10)))
struct ServerCommandTests {
  /// A configuration of its own.
  private struct Place {
    let file: String
    let data: String
    let port: UInt16

    init(_ lines: String...) throws {
      let directory = try Scratch.directory("server-command")
      file = "\(directory)/zoo.cfg"
      data = "\(directory)/data"
      port = try LoopbackPorts.reserve()
      let all = ["dataDir=\(data)", "clientPort=\(port)", "clientPortAddress=127.0.0.1", "admin.enableServer=false"]
      try Scratch.write((all + lines).joined(separator: "\n") + "\n", to: file)
    }

    var processFile: String { "\(data)/zookeeper_server.pid" }
  }

  private let zkcli = Zkcli(server: nil)

  @Test func aStrangerWithTheNumberOfAServerIsLeftInPeace() async throws {
    let place = try Place()
    try FileManager.default.createDirectory(atPath: place.data, withIntermediateDirectories: true)
    try Scratch.write("", to: "\(place.data)/zkcli.lock")
    let stranger = try RunningCommand("/bin/sleep", ["600"])
    try Scratch.write("\(stranger.processID)\n", to: place.processFile)
    let stop = try await zkcli("server", "stop", place.file)
    #expect(stop.exitStatus == 0)
    #expect(stop.output.contains("no zookeeper to stop") && stop.output.contains("another program"))
    #expect(stranger.ending == nil && kill(stranger.processID, 0) == 0)
    // Nor does it keep a server from starting.
    try Scratch.write("\(stranger.processID)\n", to: place.processFile)
    let start = try await zkcli("server", "start", place.file, "-o", "json")
    let started = try jsonObject(start.output)
    #expect(started["state"] as? String == "started")
    let again = try await zkcli("server", "start", place.file)
    #expect(again.exitStatus == 1 && again.output.contains("already running"))
    let status = try jsonObject(try await zkcli("server", "status", place.file, "-o", "json").output)
    #expect(status["state"] as? String == "running" && status["mode"] as? String == "standalone")
    #expect(status["process"] as? Int == started["process"] as? Int)
    let stopped = try jsonObject(try await zkcli("server", "stop", place.file, "-o", "json").output)
    #expect(stopped["state"] as? String == "stopped")
    #expect(kill(stranger.processID, 0) == 0)
    stranger.killAll()
  }

  /// `srvr` is what `status` asks for; our servers answer it whatever the list says.
  @Test func aServerThatAllowsOnlyRuokTellsItsMode() async throws {
    let place = try Place("4lw.commands.whitelist=ruok")
    #expect(try await zkcli("server", "start", place.file).exitStatus == 0)
    let status = try await zkcli("server", "status", place.file)
    #expect(status.exitStatus == 0 && status.output.hasSuffix("Mode: standalone\n"), "\(status.output)")
    let document = try jsonObject(try await zkcli("server", "status", place.file, "-o", "json").output)
    #expect(document["state"] as? String == "running" && document["mode"] as? String == "standalone")
    #expect(try await zkcli("server", "stop", place.file).output.hasSuffix("STOPPED\n"))
    let gone = try await zkcli("server", "status", place.file)
    #expect(gone.exitStatus == 1 && gone.output.contains("probably not running"))
  }

  @Test func checkAnswersWithADocument() async throws {
    let good = try Place()
    let run = try await zkcli("server", "check", good.file, "-o", "json")
    let document = try jsonObject(run.output)
    #expect(run.exitStatus == 0 && (document["faults"] as? [Any])?.isEmpty == true)
    let bad = try Place("tickTime=soon")
    let faulty = try await zkcli("-o", "json", "server", "check", bad.file)
    let faults = try #require(try jsonObject(faulty.output)["faults"] as? [[String: Any]])
    #expect(faulty.exitStatus == 2 && faults.count == 1 && faults.first?["line"] as? Int == 5)
    #expect(faulty.standardError.isEmpty)
    let missing = try await zkcli("-o", "json", "server", "check", "/nonexistent")
    #expect(missing.exitStatus == 12 && missing.output.isEmpty)
  }

  @Test func tooFewDescriptorsAreSaidInWords() async throws {
    let place = try Place()
    for (limit, command) in [
      (24, "--local 3 ls /"), (16, "--local ls /"), (8, "ls /"), (24, "server run '\(place.file)'"),
      (8, "server status '\(place.file)'"), (24, "--local 9 -- true"),
    ] {
      let run = try await zkcli.shell("ulimit -n \(limit) && exec zkcli -q \(command)")
      #expect(run.exitStatus == 12, "\(command): \(run.ending) \(run.errorOutput)")
      #expect(run.errorOutput.contains("too few file descriptors") && run.errorOutput.contains("ulimit -n"))
    }
    // What this process may raise by itself, it does.
    let run = try await zkcli.shell("ulimit -Sn 24 && exec zkcli -q --local 3 ls /")
    expect(run, output: "zookeeper\n")
  }
}
