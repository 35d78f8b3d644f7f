import Foundation
import Testing
import Zab

/// The files in `Scenarios`: commands with their expected results, which can be read as a description of the protocol.
///
/// *Format*: a command, a line `----`, the expected results, an empty line. `#` begins a comment. With `ZK_REWRITE=1`
/// in the environment, the files are written again and the run fails, so that the difference is looked at.
@Suite(.timeLimit(.minutes(10))) struct ScenarioTests {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios")

  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).filter { $0.hasSuffix(".txt") }
    .sorted()

  @Test func thereAreScenarios() { #expect(Self.names.count >= 8) }

  @Test(arguments: names) func scenario(_ name: String) throws {
    let url = Self.directory.appending(path: name)
    let text = try String(contentsOf: url, encoding: .utf8)
    let found = Self.transcript(of: text, Cluster())
    if ProcessInfo.processInfo.environment["ZK_REWRITE"] == "1" {
      try found.write(to: url, atomically: true, encoding: .utf8)
      Issue.record("\(name) was written anew")
    }
    #expect(found == text)
  }

  /// The bug that the simulator seldom meets: a configuration that is committed while a server is being synchronized.
  @Test func aForgottenConfigurationIsSeen() throws {
    let url = Self.directory.appending(path: "reconfig-twice-during-synchronization.txt")
    let text = try String(contentsOf: url, encoding: .utf8)
    var cluster = Cluster()
    cluster.settings.mutation = .forgetsEarlierConfiguration
    #expect(Self.transcript(of: text, cluster) != text)
  }

  /// A scenario with the results of its commands on this cluster.
  private static func transcript(of text: String, _ start: Cluster) -> String {
    var cluster = start
    var found = ""
    var isExpectation = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if isExpectation {
        if line.isEmpty {
          isExpectation = false
          found += "\n"
        }
        continue
      }
      if line.isEmpty || line.hasPrefix("#") {
        found += line + "\n"
        continue
      }
      if line == "----" {
        isExpectation = true
        continue
      }
      let output = cluster.execute(String(line))
      found += "\(line)\n----\n" + (output.isEmpty ? "" : output + "\n")
    }
    while found.hasSuffix("\n\n") { found.removeLast() }
    return found
  }
}
