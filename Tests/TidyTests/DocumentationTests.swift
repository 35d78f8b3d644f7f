import Foundation
import Testing

/// The rules about the documentation, over the tree that contains this file.
@Suite struct DocumentationTests {
  private static let root = TreeTests.root
  private static let paths = Set(
    ["Sources", "Tests", "man", "completions"].flatMap { folder -> [String] in
      let below = (try? FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
      return below.map { "\(folder)/\($0)" }
    } + ["README.md", "Package.swift", "LICENSE"])

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The README and all articles of catalogues.
  private static func articles() throws -> [Article] {
    let paths = paths.filter { $0 == "README.md" || $0.hasPrefix("Sources/") && $0.hasSuffix(".md") }
    return try paths.sorted().map { Article(path: $0, try text($0)) }
  }

  private static func targets() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path).sorted()
  }

  @Test func everyCitationResolves() throws {
    let articles = try Self.articles()
    let sections = Dictionary(
      uniqueKeysWithValues: articles.filter { !$0.sections.isEmpty }.map { ($0.name, $0.sections) })
    #expect(sections.keys.sorted() == ["ClientProtocol", "QuorumProtocol", "StorageFormat"])
    var breaches: [Breach] = []
    var count = 0
    for path in try TreeTests.swiftFiles() {
      // The samples of the rules' own tests cite what there is not.
      if path.hasPrefix("Tests/TidyTests/") { continue }
      let lines = try Self.text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      count += Citation.all(in: lines, articles: Set(sections.keys)).count
      breaches += DocumentationRules.citations(path, lines, sections)
    }
    for article in articles { breaches += DocumentationRules.citations(article.path, article.prose, sections) }
    // A rule that finds no citations would pass.
    #expect(count > 80)
    #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
  }

  @Test func everyTargetIsDescribed() throws {
    let swift = try Self.targets().filter { target in
      Self.paths.contains { $0.hasPrefix("Sources/\(target)/") && $0.hasSuffix(".swift") }
    }
    #expect(swift.count > 10)
    var breaches = DocumentationRules.landingPages(swift, Self.paths)
    let articles = try Self.articles()
    breaches += articles.flatMap(DocumentationRules.landingPage)
    let map = try #require(articles.first { $0.path == "Sources/zkcli/zkcli.docc/Architecture.md" })
    breaches += DocumentationRules.map(map, try Self.targets())
    #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
  }

  @Test func articlesNameOnlyWhatThereIs() throws {
    var breaches: [Breach] = []
    var types: [String: Set<String>] = [:]
    for article in try Self.articles() {
      breaches += DocumentationRules.places(article, Self.paths)
      guard let target = article.target else { continue }
      let known = try types[target] ?? Self.types(of: target)
      types[target] = known
      breaches += DocumentationRules.symbols(article, known)
    }
    #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
  }

  /// The names of the types that a target declares: the names that follow `struct` and the like. Text of comments
  /// among them do no harm, and looking for them takes a tenth of the time that following all brackets would.
  private static func types(of target: String) throws -> Set<String> {
    let keywords: Set<Substring> = ["struct", "class", "enum", "actor", "protocol"]
    var names: Set<String> = []
    for path in paths where path.hasPrefix("Sources/\(target)/") && path.hasSuffix(".swift") {
      let words = try text(path).split { $0.isWhitespace }
      for (keyword, name) in zip(words, words.dropFirst()) where keywords.contains(keyword) {
        names.insert(String(name.prefix { $0.isLetter || $0.isNumber || $0 == "_" }))
      }
    }
    return names
  }
}
