import Foundation
import Testing

/// The ban list can fail, in both directions, and finds what it must in comments and strings only.
@Suite struct BannedWordTests {
  private func uses(_ text: String) -> [String] {
    BannedWords.uses(in: SwiftText(text)).map { "\($0.line) \($0.phrase)" }
  }

  @Test func phrasesAreFoundInCommentsAndStrings() {
    #expect(uses("/// Whoever waits, waits for ever.") == ["1 whoever", "1 for ever"])
    #expect(uses("let a = 1  // What comes: nobody.") == ["1 what comes", "1 nobody"])
    #expect(uses("/* It has to\n   stand\n   behind */") == ["1 has to", "3 behind"])
    #expect(uses(#"let text = "it tells \(words) why""#) == ["1 tells"])
    #expect(uses("let text = \"\"\"\n  lacks its word\n  \"\"\"") == ["2 lacks its", "2 word"])
  }

  @Test func phrasesGoAcrossLinesOfOneComment() {
    #expect(uses("  /// It waits for\n  /// ever.\n") == ["1 for ever"])
    #expect(uses("// It waits for\nlet ever = 1\n// ever.\n") == [])
    #expect(uses("// It waits for\n\n// ever.\n") == [])
    #expect(uses("// For a time, for. Ever.\n") == [])
  }

  @Test func codeIsNotProse() {
    #expect(uses("let words = behind.word + nobody(\"\\(whoever)\")") == [])
    #expect(uses("/// `words` and ``Word`` are types; a password is not.") == [])
    #expect(uses("/// A `word` behind another.") == ["1 behind"])
  }

  @Test func usualEnglishIsAllowed() {
    #expect(uses("/// It stands for no more than four-letter words.\n/// - word: the question.\n") == [])
    #expect(uses("/// - Parameter words: no more failures than one.") == [])
    #expect(uses("let command = (\"word\", \"word srvr\", \"${words[1]}\")") == [])
    #expect(uses("/// It stands, no more: a word.") == ["1 stands", "1 no more", "1 word"])
    #expect(uses("let text = \"a word\"") == ["1 word"])
  }

  @Test func everyPhraseCanBeFound() {
    for phrase in BannedWords.phrases {
      #expect(uses("// A \(phrase.uppercased()), so.") == ["1 \(phrase)"])
    }
  }

  @Test func countsCanOnlyGoDown() {
    let use = (path: "Sources/Jute/A.swift", use: BannedWords.Use(phrase: "behind", line: 3))
    #expect(BannedWords.breaches(["Jute": [use]], allowed: ["Jute": 1]) == [])
    #expect(BannedWords.breaches([:], allowed: [:]) == [])
    let tooMany = BannedWords.breaches(["Jute": [use, use]], allowed: ["Jute": 1])
    #expect(tooMany.map(\.line) == [0, 3, 3])
    #expect(tooMany[0].message.hasPrefix("Jute has 2 banned words, and may have 1;"))
    #expect(BannedWords.breaches(["Jute": [use]], allowed: [:]).map(\.message).last == "behind")
    let tooFew = BannedWords.breaches(["Jute": [use]], allowed: ["Jute": 2])
    #expect(tooFew.count == 1 && tooFew[0].message.contains("lower its number"))
    #expect(BannedWords.breaches([:], allowed: ["Gone": 2]).count == 1)
  }

  @Test func tableIsReadAsItIsWritten() {
    let counts = ["Zab": 3, "Jute": 12]
    #expect(BannedWordTable.parse(BannedWordTable.text(counts)) == counts)
    #expect(BannedWordTable.text(["Jute": 0]).hasSuffix("anew.\n"))
    #expect(BannedWordTable.parse("Jute\n") == nil && BannedWordTable.parse("Jute some\n") == nil)
  }

  @Test func treeKeepsTheTable() async throws {
    var uses: [String: [(path: String, use: BannedWords.Use)]] = [:]
    for (path, text) in try await TreeTests.sources() where path.hasPrefix("Sources/") {
      await Task.yield()
      let target = String(path.split(separator: "/")[1])
      uses[target, default: []] += BannedWords.uses(in: text).map { (path, $0) }
    }
    // A rule that reads nothing would find nothing.
    #expect(uses.count > 10)
    let file = TreeTests.root.appending(path: BannedWordTable.path)
    if ProcessInfo.processInfo.environment["ZK_REWRITE"] == "1" {
      try BannedWordTable.text(uses.mapValues(\.count)).write(to: file, atomically: true, encoding: .utf8)
      Issue.record("\(BannedWordTable.path) was rewritten")
      return
    }
    let allowed = try #require(BannedWordTable.parse(try String(contentsOf: file, encoding: .utf8)))
    let breaches = BannedWords.breaches(uses, allowed: allowed)
    #expect(breaches.isEmpty, "\n\(breaches.map(\.description).joined(separator: "\n"))")
  }
}
