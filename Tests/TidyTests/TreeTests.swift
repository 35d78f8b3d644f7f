import Foundation
import Testing

/// The rules, over the tree that contains this file.
@Suite struct TreeTests {
  /// The root of the repository: three steps up from here.
  static let root = (1...3).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }

  @Test func everySwiftFileKeepsTheRules() async throws {
    let sources = try await Self.sources()
    // An empty list would pass every rule.
    let paths = sources.map(\.path)
    #expect(paths.contains("Tests/TidyTests/TreeTests.swift") && paths.contains("Sources/zkcli/main.swift"))
    var breaches: [Breach] = []
    for (path, text) in sources {
      breaches += Rules.all.flatMap { $0(path, text) }
      await Task.yield()
    }
    #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
  }

  @Test func everyTargetIsInTheImportTable() throws {
    let targets = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: "Sources").path)
    #expect(Set(targets).subtracting(ImportTable.allowed.keys) == [])
  }

  @Test func topOfTheRepositoryIsAsExpected() throws {
    // A source archive has no list of what is committed, and may have been built in.
    guard FileManager.default.fileExists(atPath: Self.root.appending(path: ".git").path) else { return }
    let git = Process()
    git.executableURL = URL(filePath: "/usr/bin/env")
    git.arguments = ["git", "-C", Self.root.path, "ls-files", "-z"]
    let output = Pipe()
    git.standardOutput = output
    try git.run()
    let list = output.fileHandleForReading.readDataToEndOfFile()
    git.waitUntilExit()
    try #require(git.terminationStatus == 0)
    let paths = String(decoding: list, as: UTF8.self).split(separator: "\0").map(String.init)
    #expect(Rules.topLevel(paths) == [])
  }

  /// All Swift files with their paths, read and scanned once for all rules: the scan takes most of the time.
  static func sources() async throws -> [(path: String, text: SwiftText)] { try await scanning.value }

  /// It yields between two files, so that tests that measure a time are not held up: there are few threads.
  private static let scanning = Task {
    var sources: [(path: String, text: SwiftText)] = []
    for path in try swiftFiles() {
      sources.append((path, SwiftText(try String(contentsOf: root.appending(path: path), encoding: .utf8))))
      await Task.yield()
    }
    return sources
  }

  /// The paths of all Swift files, from the root of the repository.
  static func swiftFiles() throws -> [String] {
    try ["Sources", "Tests", "Package.swift"].flatMap { entry -> [String] in
      if entry.hasSuffix(".swift") { return [entry] }
      let below = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: entry).path)
      return below.filter { $0.hasSuffix(".swift") }.sorted().map { "\(entry)/\($0)" }
    }
  }
}
