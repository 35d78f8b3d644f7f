import TestKit
import Testing
import ZooKeeperTrees

/// The comparison of texts: against an oracle, and the look of the result.
@Suite struct TextDiffTests {
  private func unified(_ old: String, _ new: String, context: Int = 3) -> String {
    let diff = TextDiff(old: [UInt8](old.utf8), new: [UInt8](new.utf8))
    return String(decoding: diff.unified(oldName: "a", newName: "b", context: context), as: UTF8.self)
  }

  @Test func equalTextsHaveNoDifference() {
    #expect(unified("", "") == "")
    #expect(unified("one\ntwo\n", "one\ntwo\n") == "")
    #expect(TextDiff(old: [1, 10, 2], new: [1, 10, 2]).isEmpty)
  }

  @Test func changedLineIsShownBetweenItsNeighbours() {
    let old = (1...9).map { "\($0)\n" }.joined()
    #expect(
      unified(old, old.replacing("5", with: "five"))
        == "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n")
  }

  @Test func missingLineEndIsTold() {
    #expect(
      unified("x\n", "x") == "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+x\n\\ No newline at end of file\n")
  }

  @Test func emptyTextHasLineZero() {
    #expect(unified("", "x\ny\n") == "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n")
    #expect(unified("x\n", "") == "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n")
  }

  @Test(arguments: [(6, 1), (7, 2)]) func changesShareAHunkIfTheirSurroundingsMeet(distance: Int, hunks: Int) {
    let old = (0...20).map { "\($0)\n" }
    var new = old
    new[5] = "x\n"
    new[5 + distance + 1] = "y\n"
    let diff = TextDiff(old: [UInt8](old.joined().utf8), new: [UInt8](new.joined().utf8))
    #expect(diff.hunks().count == hunks)
  }

  /// Texts of few different lines, which have many equally good differences.
  @Test func differenceIsShortestAndRebuildsBothTexts() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let (old, new) = (randomText(&generator), randomText(&generator))
      let diff = TextDiff(old: old, new: new)
      check(diff, old, new)
      let kept = diff.lines.count { if case .kept = $0 { true } else { false } }
      #expect(kept == longestCommonSubsequence(lines(old), lines(new)), "\(old) \(new)")
      for context in [0, 1, 3] { checkHunks(diff.hunks(context: context), diff, context) }
    }
  }

  @Test(.timeLimit(.minutes(1))) func textsWithoutCommonLinesAreComparedInTime() {
    let old = [UInt8]((0..<20_000).map { "\($0)\n" }.joined().utf8)
    let new = [UInt8]((0..<20_000).map { "\($0 &* 7919 % 20_000)\n" }.joined().utf8)
    check(TextDiff(old: old, new: new), old, new)
  }

  private func randomText(_ generator: inout SeededGenerator) -> [UInt8] {
    let text = (0..<Int.random(in: 0...24, using: &generator)).flatMap { _ in
      [UInt8.random(in: 97...100, using: &generator), 10]
    }
    return Bool.random(using: &generator) ? text : text.dropLast()
  }

  private func lines(_ text: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = [[]]
    for byte in text {
      lines[lines.count - 1].append(byte)
      if byte == 10 { lines.append([]) }
    }
    return lines.last!.isEmpty ? lines.dropLast() : lines
  }

  private func check(_ diff: TextDiff, _ old: [UInt8], _ new: [UInt8]) {
    var (oldAgain, newAgain): ([UInt8], [UInt8]) = ([], [])
    for line in diff.lines {
      switch line {
      case .kept(let bytes):
        oldAgain += bytes
        newAgain += bytes
      case .removed(let bytes): oldAgain += bytes
      case .added(let bytes): newAgain += bytes
      }
    }
    #expect(oldAgain == old)
    #expect(newAgain == new)
  }

  /// Hunks have every change, in order, and the context around it.
  private func checkHunks(_ hunks: [TextDiff.Hunk], _ diff: TextDiff, _ context: Int) {
    func changes(_ lines: [TextDiff.Line]) -> [TextDiff.Line] {
      lines.filter { if case .kept = $0 { false } else { true } }
    }
    #expect(changes(hunks.flatMap(\.lines)) == changes(diff.lines))
    var nextOld = 0
    for hunk in hunks {
      #expect(hunk.firstOldLine >= nextOld)
      nextOld = hunk.firstOldLine + hunk.oldCount
      #expect(hunk.oldCount == hunk.lines.count { if case .added = $0 { false } else { true } })
      #expect(hunk.newCount == hunk.lines.count { if case .removed = $0 { false } else { true } })
      let before = hunk.lines.prefix { if case .kept = $0 { true } else { false } }.count
      #expect(before == min(context, hunk.firstOldLine + before))
    }
  }

  private func longestCommonSubsequence(_ old: [[UInt8]], _ new: [[UInt8]]) -> Int {
    var row = Array(repeating: 0, count: new.count + 1)
    for line in old {
      var diagonal = 0
      for (index, other) in new.enumerated() {
        let above = row[index + 1]
        row[index + 1] = line == other ? diagonal + 1 : max(above, row[index])
        diagonal = above
      }
    }
    return row[new.count]
  }
}
