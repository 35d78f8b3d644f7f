import Foundation
import TestKit
import Testing

/// The page in a real browser: `Tests/Browser`, in Python with selenium, drives Chromium against the program as it was
/// built.
///
/// What needs a sandbox is left out on Apache's ensemble.
@Suite(.serialized, .timeLimit(.minutes(20))) struct BrowserTests {
  /// Where the tests in Python are.
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Browser").path

  /// The command of a page whose servers have time: other tests take the processors meanwhile.
  private static let web = ["--timeout", "60s", "web", "--listen", "127.0.0.1:0"]

  /// Debian's packages `chromium` and `chromium-driver`.
  private static let hasBrowser = ["/usr/bin/chromium", "/usr/bin/chromedriver"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(.enabled(if: hasBrowser)) func pageDoesWhatItPromises() async throws {
    let server = try RunningCommand(
      try Products.executable("zkcli"), ["--local", "3"] + Self.web,
      environment: RunningCommand.cleanEnvironment)
    let announcement = try #require(try await server.nextLine(of: .error, within: .seconds(60)))
    let servers = try #require(announcement.split(separator: " ").last.map(String.init))
    try await Self.run(server, servers: servers)
  }

  @Test(.enabled(if: hasBrowser && ApacheServer.isInstalled)) func pageDoesSoOnApachesEnsemble() async throws {
    let apache = try await ApacheEnsemble.start(.permissive, reconfigEnabled: true)
    let server = try RunningCommand(
      try Products.executable("zkcli"), ["-s", apache.connectString] + Self.web,
      environment: RunningCommand.cleanEnvironment)
    try await Self.run(server, servers: apache.connectString)
    try await apache.stop()
  }

  /// Runs the tests in Python against a page.
  ///
  /// - Parameter servers: the ensemble's, by which many znodes are made at once.
  private static func run(_ server: RunningCommand, servers: String) async throws {
    let python = try await PythonEnvironment.make("browser", requirements: "\(directory)/requirements.txt")
    var environment = RunningCommand.cleanEnvironment
    let url = try #require(try await server.nextLine(within: .seconds(60)))
    environment["ZKCLI_WEB_URL"] = url
    environment["ZKCLI_SERVER"] = servers
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    // Other tests take the processors meanwhile.
    environment["ZKCLI_PATIENCE"] = "60"
    environment["ZKCLI_SHOTS"] = ProcessInfo.processInfo.environment["ZKCLI_SHOTS"]
    // Chromium keeps its caches there.
    environment["HOME"] = try Scratch.directory("browser")
    let run = try await CommandRun.run(
      python, ["-m", "unittest", "discover", "-s", directory, "-t", directory], environment: environment,
      timeLimit: .seconds(900))
    #expect(run.exitStatus == 0, "\((run.output + run.errorOutput).suffix(20_000))")
    server.send(signal: SIGINT)
    _ = try await server.waitForEnd(within: .seconds(30))
  }
}
