import Foundation
import TestKit
import Testing

/// `--help` on the command line, under every name: something is explained, and nothing is done.
@Suite(.timeLimit(.minutes(10)))
struct HelpTests {
  /// The built program under another name.
  private func program(_ name: String) throws -> String {
    let link = "\(try Scratch.directory("name"))/\(name)"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: try Products.executable("zkcli"))
    return link
  }

  private func commands() async throws -> [String] {
    let lines = try await Zkcli(server: nil)("help").output.split(separator: "\n")
    return lines.prefix { $0 != "Topics:" }.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .map { String($0.dropFirst(2).prefix { $0 != " " }) }
  }

  @Test(arguments: ["zkcli", "zkCli.sh", "zookeeper-client", "zookeeper-server", "zkServer.sh"])
  func everyCommandIsExplained(name: String) async throws {
    let executable = try program(name)
    let names = try await commands()
    #expect(names.count >= 45)
    // A server that is not there: whoever asked it would fail.
    var environment = RunningCommand.cleanEnvironment
    environment["ZKCLI_SERVER"] = try refusedServer()
    for command in names {
      let run = try await CommandRun.run(executable, [command, "stop", "--help"], environment: environment)
      let expected = name.hasPrefix("zk") && name != "zkServer.sh" || name == "zookeeper-client" ? command : "server"
      #expect(run.exitStatus == 0 && run.output.contains("usage: \(expected)"), "\(command): \(run.errorOutput)")
      #expect(run.standardError.isEmpty)
    }
  }

  @Test func noServerIsStartedStoppedOrRepaired() async throws {
    let directory = try Scratch.directory("help")
    let data = "\(directory)/data"
    let file = "\(directory)/zoo.cfg"
    try Scratch.write("dataDir=\(data)\nclientPort=1\n", to: file)
    let zkcli = Zkcli(server: nil)
    for action in ["run", "start", "stop", "restart", "status", "check", "repair"] {
      for line in [
        ["server", action, file, "--help"], ["server", action, "--help", file], ["server", "--help", action, file],
      ] {
        let run = try await zkcli.run(line)
        #expect(run.exitStatus == 0 && run.output.hasPrefix("usage: server action"), "\(line)")
      }
    }
    let script = try program("zookeeper-server")
    for action in ["start", "start-foreground", "stop", "restart", "status"] {
      let run = try await CommandRun.run(script, ["--config", directory, action, "--help"])
      #expect(run.exitStatus == 0 && run.output.hasPrefix("Usage: zookeeper-server"), "\(action)")
    }
    #expect(!FileManager.default.fileExists(atPath: data))
  }

  @Test func whatStandsBehindDashesIsNoneOfOurs() async throws {
    let run = try await Zkcli(server: nil)("-q", "--local", "--", "printf", "%s\\n", "--help")
    expect(run, output: "--help\n")
  }
}
