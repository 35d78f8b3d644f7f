import Foundation
import TestKit
import Testing
import ZooKeeperTrees

/// Differences of texts are those that `diff -u` finds, or others that are as short.
@Suite struct TextDiffTests {
  @Test func hunksAreThoseOfDiff() {
    let old = (1...20).map { "line \($0)\n" }.joined()
    let new =
      old.replacingOccurrences(of: "line 3\n", with: "line three\n")
      .replacingOccurrences(of: "line 18\n", with: "") + "line 21"
    #expect(
      TextDiff.unified(old, new) == [
        "@@ -1,6 +1,6 @@", " line 1", " line 2", "-line 3", "+line three", " line 4", " line 5", " line 6",
        "@@ -15,6 +15,6 @@", " line 15", " line 16", " line 17", "-line 18", " line 19", " line 20", "+line 21",
        "\\ No newline at end of file",
      ])
    #expect(TextDiff.unified(old, old).isEmpty)
    #expect(TextDiff.unified("", "a\n") == ["@@ -0,0 +1 @@", "+a"])
    #expect(TextDiff.unified("a\n", "") == ["@@ -1 +0,0 @@", "-a"])
    #expect(TextDiff.unified("a", "a\n") == ["@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"])
  }

  /// Edits applied to the old text make the new one, and they are as few as can be.
  @Test func editsAreRightAndFew() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let old = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
      let new = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
      var rebuilt: [Int] = []
      var (oldIndex, newIndex, changes) = (0, 0, 0)
      for edit in TextDiff.edits(old, new) {
        switch edit {
        case .keep(let from, let to):
          #expect(from == oldIndex && to == newIndex && old[from] == new[to])
          rebuilt.append(old[from])
          oldIndex += 1
          newIndex += 1
        case .delete(let from):
          #expect(from == oldIndex)
          oldIndex += 1
          changes += 1
        case .insert(let to):
          #expect(to == newIndex)
          rebuilt.append(new[to])
          newIndex += 1
          changes += 1
        }
      }
      #expect(rebuilt == new && oldIndex == old.count)
      #expect(changes == old.count + new.count - 2 * commonLength(old, new))
    }
  }

  @Test func aLargeDifferenceIsBounded() {
    let old = (0..<20_000).map { "a\($0)\n" }.joined()
    let new = (0..<20_000).map { "b\($0)\n" }.joined()
    let lines = TextDiff.unified(old, new)
    #expect(lines.count == 40_002)
    #expect(lines[0].contains("may not be the smallest difference"))
    // Lines that are the same at both ends do not count.
    #expect(TextDiff.unified("x\n" + old, "x\n" + old + "y\n").count == 5)
  }

  private func commonLength(_ left: [Int], _ right: [Int]) -> Int {
    var row = [Int](repeating: 0, count: right.count + 1)
    for item in left {
      var diagonal = 0
      for (index, other) in right.enumerated() {
        let above = row[index + 1]
        row[index + 1] = item == other ? diagonal + 1 : max(above, row[index])
        diagonal = above
      }
    }
    return row[right.count]
  }
}
