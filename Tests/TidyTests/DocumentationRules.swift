/// Rules about the documentation: that what is cited exists, that every target is described, and that the descriptions
/// name only what there is.
enum DocumentationRules {
  /// Every citation names an article and sections that it has.
  static func citations(_ path: String, _ lines: [String], _ articles: [String: Set<String>]) -> [Breach] {
    Citation.all(in: lines, articles: Set(articles.keys)).flatMap { citation -> [Breach] in
      let breach = { (message: String) in Breach(path: path, line: citation.line, message: message) }
      guard let known = articles[citation.article] else {
        return [breach("\(citation.article) is not an article with numbered sections")]
      }
      guard !citation.sections.isEmpty else { return [breach("\(citation.article) is cited without a section")] }
      return citation.sections.filter { !known.contains($0) }.map {
        breach("\(citation.article) has no section \($0)")
      }
    }
  }

  /// Every target with Swift sources has a catalogue `<Target>.docc` with a landing page `<Target>.md`.
  static func landingPages(_ targets: [String], _ paths: Set<String>) -> [Breach] {
    targets.map { "Sources/\($0)/\($0).docc/\($0).md" }.filter { !paths.contains($0) }.map {
      Breach(path: $0, line: 0, message: "the target has no landing page")
    }
  }

  /// A landing page says which modules its target may import, as the table has it, and where to begin to read.
  static func landingPage(_ page: Article) -> [Breach] {
    guard let target = page.target, target == page.name else { return [] }
    let breach = { (message: String) in Breach(path: page.path, line: 0, message: message) }
    var breaches: [Breach] = []
    if page.lines.first != "# ``\(target)``" { breaches.append(breach("the title is not the module's symbol")) }
    if page.body(under: "Where to begin") == nil { breaches.append(breach("\"Where to begin\" is missing")) }
    guard let imports = page.body(under: "Imports") else { return breaches + [breach("\"Imports\" is missing")] }
    let named = Set(imports.flatMap { codeSpans(in: $0) })
    let allowed = ImportTable.allowed[target] ?? []
    for module in allowed.subtracting(named).subtracting(["Darwin", "Musl"]).sorted() {
      breaches.append(breach("\"Imports\" does not name \(module)"))
    }
    for module in named.intersection(ImportTable.modules).subtracting(allowed).sorted() {
      breaches.append(breach("\"Imports\" names \(module), which the table does not allow"))
    }
    return breaches
  }

  /// The map of all targets names each of them.
  static func map(_ map: Article, _ targets: [String]) -> [Breach] {
    let named = Set(map.prose.flatMap { codeSpans(in: $0) })
    return targets.filter { !named.contains($0) }.map {
      Breach(path: map.path, line: 0, message: "the target \($0) is missing")
    }
  }

  /// The symbols that an article links to, ``` ``Type`` ``` or ``` ``Type/member`` ```, are types of its module.
  static func symbols(_ article: Article, _ types: Set<String>) -> [Breach] {
    article.prose.enumerated().flatMap { index, line in
      symbolLinks(in: line).filter { $0 != article.target && !types.contains($0) }.map {
        Breach(path: article.path, line: index + 1, message: "\(article.target ?? "") has no type \($0)")
      }
    }
  }

  /// The files that an article names exist: `Sources/…` and `Tests/…` in backticks, and targets of relative links; and
  /// so do the articles of its catalogue that it links to.
  static func places(_ article: Article, _ paths: Set<String>) -> [Breach] {
    let folder = article.path.split(separator: "/").dropLast().joined(separator: "/")
    return article.prose.enumerated().flatMap { index, line -> [Breach] in
      let breach = { (place: String) in
        Breach(path: article.path, line: index + 1, message: "there is no \(place)")
      }
      let named = codeSpans(in: line).filter { $0.hasPrefix("Sources/") || $0.hasPrefix("Tests/") }
      let linked = linkTargets(in: line).map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
      let articles = articleLinks(in: line).filter { !paths.contains("\(folder)/\($0).md") }
      return (named + linked).filter { !exists($0, paths) }.map(breach) + articles.map(breach)
    }
  }

  /// Whether a file or a folder has that path.
  private static func exists(_ path: String, _ paths: Set<String>) -> Bool {
    let trimmed = path.last == "/" ? String(path.dropLast()) : path
    return paths.contains(trimmed) || paths.contains { $0.hasPrefix(trimmed + "/") }
  }

  /// The text between single backticks.
  private static func codeSpans(in line: String) -> [String] {
    let pieces = line.replacing("``", with: "").split(separator: "`", omittingEmptySubsequences: false)
    return stride(from: 1, to: pieces.count - 1, by: 2).map { String(pieces[$0]) }
  }

  /// The first components of the names between double backticks.
  private static func symbolLinks(in line: String) -> [String] {
    let pieces = line.split(separator: "``", omittingEmptySubsequences: false)
    return stride(from: 1, to: pieces.count - 1, by: 2).map { String(pieces[$0].prefix { $0 != "/" }) }
  }

  private static func linkTargets(in line: String) -> [String] {
    line.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap { piece in
      let target = piece.prefix { $0 != ")" && $0 != "#" }
      return target.isEmpty || target.contains("://") ? nil : String(target)
    }
  }

  private static func articleLinks(in line: String) -> [String] {
    line.split(separator: "<doc:", omittingEmptySubsequences: false).dropFirst().map {
      String($0.prefix { $0 != ">" && $0 != "#" })
    }
  }
}
