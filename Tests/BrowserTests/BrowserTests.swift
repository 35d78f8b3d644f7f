import Foundation
import TestKit
import Testing

/// The page in a real browser: `Tests/Browser`, in Python with selenium, drives Chromium against the program as it was
/// built.
@Suite(.timeLimit(.minutes(10))) struct BrowserTests {
  /// Where the tests in Python are.
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Browser").path

  /// Debian's packages `chromium` and `chromium-driver`.
  private static let hasBrowser = ["/usr/bin/chromium", "/usr/bin/chromedriver"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// They take minutes, and a browser.
  private static let areWanted = ProcessInfo.processInfo.environment["ZKCLI_BROWSER_TESTS"] != nil

  @Test(.enabled(if: areWanted, "set ZKCLI_BROWSER_TESTS=1")) func pageDoesWhatItPromises() async throws {
    guard Self.hasBrowser else { throw TestKitError(.missing, "Debian's chromium and chromium-driver") }
    let python = try await Self.virtualEnvironment()
    let server = try RunningCommand(
      try Products.executable("zkcli"), ["--local", "3", "web", "--listen", "127.0.0.1:0"],
      environment: RunningCommand.cleanEnvironment)
    let url = try #require(try await server.nextLine(within: .seconds(60)))
    var environment = RunningCommand.cleanEnvironment
    environment["ZKCLI_WEB_URL"] = url
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    // Chromium keeps its caches there.
    environment["HOME"] = try Scratch.directory("browser")
    if let announcement = try await server.nextLine(of: .error, within: .seconds(10)),
      let servers = announcement.split(separator: " ").last
    {
      environment["ZKCLI_SERVER"] = String(servers)
    }
    let run = try await CommandRun.run(
      python, ["-m", "unittest", "discover", "-s", Self.directory, "-t", Self.directory], environment: environment,
      timeLimit: .seconds(420))
    #expect(run.exitStatus == 0, "\((run.output + run.errorOutput).suffix(20_000))")
    server.send(signal: SIGINT)
    _ = try await server.waitForEnd(within: .seconds(30))
  }

  /// A Python with selenium, made by pip once for each set of versions; its path.
  private static func virtualEnvironment() async throws -> String {
    let requirements = try Data(contentsOf: URL(filePath: "\(directory)/requirements.txt"))
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in requirements { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let build = URL(filePath: try Products.executable("zkcli")).deletingLastPathComponent().deletingLastPathComponent()
    let home = build.appending(path: "browser-\(String(hash, radix: 16))").path
    let python = "\(home)/bin/python"
    if FileManager.default.fileExists(atPath: "\(home)/complete") { return python }
    try? FileManager.default.removeItem(atPath: home)
    // What pip is told of proxies and mirrors comes from outside.
    let environment = ProcessInfo.processInfo.environment
    for words in [
      ["/usr/bin/python3", "-m", "venv", home],
      [
        python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement",
        "\(directory)/requirements.txt",
      ],
    ] {
      let run = try await CommandRun.run(
        words[0], Array(words.dropFirst()), environment: environment, timeLimit: .seconds(240))
      guard run.exitStatus == 0 else {
        throw TestKitError(.missing, "selenium from PyPI: \(run.output)\(run.errorOutput)")
      }
    }
    try Data().write(to: URL(filePath: "\(home)/complete"))
    return python
  }
}
