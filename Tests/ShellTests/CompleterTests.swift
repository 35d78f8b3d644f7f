import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct CompleterTests {
  private static let tree: [String: [String]] = [
    "/": ["a", "a b", "alpha", "it's", "узел", "zookeeper"], "/alpha": ["one"],
  ]

  /// The pairs of `Completions.txt`.
  static let cases: [(line: String, candidates: String)] = {
    guard let text = try? Repository.text("Tests/ShellTests/Completions.txt") else { return [] }
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("# ") }
    return stride(from: 0, to: lines.count - 1, by: 2).map { (String(lines[$0].dropLast()), String(lines[$0 + 1])) }
  }()

  @Test func theCasesAreThere() { #expect(Self.cases.count > 30) }

  @Test(arguments: cases)
  func completes(line: String, candidates: String) {
    let isInDirectory = line.hasPrefix("cd: ")
    let typed = isInDirectory ? String(line.dropFirst(4)) : line
    let plan = Completer.plan(line: typed, cwd: isInDirectory ? "/alpha" : "/")
    let children = plan.parent.map { Self.tree[$0] ?? [] } ?? []
    let texts = plan.candidates(children: children).map(\.text).joined(separator: " ")
    #expect((texts.isEmpty ? "-" : texts) == candidates)
  }

  @Test func aCandidateReadsBackAsItsPath() {
    for name in Self.tree["/"]! {
      let plan = Completer.plan(line: "ls /")
      let candidate = plan.candidates(children: [name])[0]
      #expect(plan.startOffset == 3)
      #expect(words("ls " + candidate.text) == ["ls", Word("/" + name)])
    }
  }

  @Test(
    arguments: [
      (["l"], "latency listquota local lock log ls", nil),
      (["get", "/a"], "/a /a b /alpha", "/"),
      (["-s", "h:1", "get", "/alpha/"], "/alpha/one", "/alpha"),
      (["--server", ""], "", nil),
      (["--outp"], "--output", nil),
      (["-o", "js"], "json jsonl", nil),
      (["--output=js"], "--output=json --output=jsonl", nil),
      (["get", "/a", "--serve"], "--server", nil),
      (["--compat", "ge"], "get getAcl getAllChildrenNumber getEphemerals", nil),
    ] as [([String], String, String?)])
  func completesWordsOfOtherShells(typed: [String], candidates: String, parent: String?) {
    let plan = Completer.plan(words: typed.map { Word($0) })
    #expect(plan.parent == parent)
    let children = plan.parent.map { Self.tree[$0] ?? [] } ?? []
    #expect(plan.candidates(children: children).map(\.text).joined(separator: " ") == candidates)
  }

  @Test func noLineTraps() {
    var random = SeededGenerator.announced("CompleterTests.noLineTraps")
    let pieces = [
      "ls", "get", "multi", ",", "/", "a", " ", " ", "'", "\"", "\\", "-", "--", "=", "-m", "set", "#", "é",
    ]
    for _ in 0..<3000 {
      let line = (0..<Int.random(in: 0...10, using: &random)).map { _ in pieces.randomElement(using: &random)! }
        .joined()
      let plan = Completer.plan(line: line, cwd: "/a")
      _ = plan.candidates(children: ["x", "it's"])
      #expect(plan.startOffset <= line.utf8.count)
    }
  }
}
