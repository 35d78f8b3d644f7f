import Foundation
import TestKit
import Testing

/// kazoo's own tests, as far as they need only a server: what passes on Apache's passes on ours.
///
/// `Kazoo/requirements.txt` has the versions, `Kazoo/exclusions.txt` what is left out and why, and
/// `Kazoo/one_server.py` how the tests find a server that they can stop and start.
@Suite(.timeLimit(.minutes(10)))
struct KazooTests {
  /// Where this file's neighbours lie.
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Kazoo").path

  /// How each test ended, by its name.
  typealias Outcomes = [String: String]

  @Test(.enabled(if: ApacheServer.isInstalled)) func whatPassesOnApachePassesHere() async throws {
    let python = try await PythonEnvironment.make("kazoo", requirements: "\(Self.directory)/requirements.txt")
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest(["maxClientCnxns=0"])
    let apache = try ApacheServer.commandLine(port: port)
    // Most of the time of both is waiting.
    async let theirs = Self.run(python, port: port, command: apache)
    async let ours = Self.run(python, port: server.port, command: try server.commandLine)
    let (expected, found) = (try await theirs, try await ours)
    #expect(expected.outcomes.values.count { $0 == "passed" } > 200, "\(expected.log)")
    let failures = expected.outcomes.filter { $0.value == "passed" && found.outcomes[$0.key] != "passed" }.keys.sorted()
    guard !failures.isEmpty else { return }
    // Some give their threads tenths of a second, which two runs and all other tests at a time may use up: who fails
    // has a second chance, with less company. Who is broken fails again.
    #expect(failures.count <= 3, "\(found.log)")
    let again = try await Self.run(python, port: server.port, command: try server.commandLine, only: failures)
    #expect(failures.filter { again.outcomes[$0] != "passed" } == [], "\(found.log)\n\(again.log)")
  }

  /// Runs all that is not excluded, or only some, on a server that the tests start by `command`.
  private static func run(
    _ python: String, port: UInt16, command: [String], only names: [String] = []
  ) async throws -> (outcomes: Outcomes, log: String) {
    let results = "\(try Scratch.directory("kazoo"))/results"
    var environment = RunningCommand.cleanEnvironment
    environment["KAZOO_SERVER_COMMAND"] = String(decoding: try JSONEncoder().encode(command), as: UTF8.self)
    environment["KAZOO_SERVER_PORT"] = "\(port)"
    // Every exclusion must match something, which among a few tests none does.
    environment["KAZOO_EXCLUSIONS"] = names.isEmpty ? "\(directory)/exclusions.txt" : "/dev/null"
    environment["KAZOO_RESULTS"] = results
    environment["PYTHONPATH"] = directory
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    // Apache's version, by which kazoo chooses what to test.
    environment["ZOOKEEPER_VERSION"] = "3.8.0"
    let words = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "one_server", "-q", "--timeout=180", "--tb=short"]
    // `test_queue.py::Class::test` is `kazoo.tests.test_queue::Class::test` to pytest.
    let chosen = names.map { "kazoo.tests." + $0.replacing(".py::", with: "::", maxReplacements: 1) }
    let run = try await CommandRun.run(
      python, words + ["--pyargs"] + (names.isEmpty ? ["kazoo.tests"] : chosen), environment: environment,
      timeLimit: .seconds(540))
    let lines = ((try? String(contentsOfFile: results, encoding: .utf8)) ?? "").split(separator: "\n")
    var outcomes: Outcomes = [:]
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 1)
      // A failure after the test stays one.
      if parts.count == 2, outcomes[String(parts[1])] != "failed" { outcomes[String(parts[1])] = String(parts[0]) }
    }
    return (outcomes, String((run.output + run.errorOutput).suffix(20_000)))
  }
}
