import Testing

@testable import LineEditor

/// TAB.
@Suite(.serialized) struct CompletionTests {
  @Test(.timeLimit(.minutes(10))) func onlyCandidateIsInsertedWithItsSuffix() throws {
    let session = try TmuxSession()
    try session.type("ban")
    try session.press("Tab")
    try session.enter("x")
    try session.waitFor("line: <banana x>")
  }

  @Test(.timeLimit(.minutes(10))) func commonBeginningIsInsertedThenCandidatesAreListed() throws {
    let session = try TmuxSession()
    try session.type("\"t")
    try session.press("Tab")
    try session.waitForEnd("probe> \"two wo")
    try session.press("Tab")
    try session.waitForEnd("two words   two wolves", "probe> \"two wo")
    try session.type("r")
    try session.press("Tab", "Enter")
    try session.waitFor("line: <\"two words\" >")
  }

  @Test(.timeLimit(.minutes(10))) func listAppearsBelowALineOfSeveralRows() throws {
    let session = try TmuxSession()
    let rest = String(repeating: "w", count: 90)
    try session.type("ap " + rest)
    try session.press("C-a", "Right", "Right", "Tab")
    try session.waitForEnd(
      String(repeating: "w", count: 20), "app      apple    apricot",
      "probe> ap " + String(repeating: "w", count: 70), String(repeating: "w", count: 20))
  }

  @Test(.timeLimit(.minutes(10))) func namesBeyondASCIIAreCompleted() throws {
    let session = try TmuxSession()
    try session.type("日")
    try session.press("Tab")
    try session.waitForEnd("probe> 日本")
    #expect(try session.cursorColumn() == 7 + 4)
    try session.press("Tab")
    try session.waitForEnd("日本語  日本酒", "probe> 日本")
    try session.enter("酒")
    try session.waitFor("line: <日本酒>")
    try session.type("größ")
    try session.press("Tab", "Enter")
    try session.waitFor("line: <größe >")
  }

  @Test(.timeLimit(.minutes(10))) func nothingIsInsertedWhereNothingFits() throws {
    let session = try TmuxSession()
    try session.type("zzz")
    try session.press("Tab")
    try session.enter("z")
    try session.waitFor("line: <zzzz>")
  }

  @Test func commonPrefixNeverEndsWithinAGrapheme() {
    #expect(prefix("cafe\u{301}", "cafes") == "caf")
    #expect(prefix("caf\u{E9}", "cafe\u{301}") == "caf")
    #expect(prefix("👩‍👩‍👧", "👩‍👩‍👦") == "")
    #expect(prefix("日本語", "日本酒") == "日本")
    #expect(prefix("a", "b") == "")
    #expect(prefix("same", "same") == "same")
    #expect(Completion.none.commonPrefix == "")
  }

  @Test func listRunsDownTheColumns() {
    let list = CandidateList(["a", "bb", "c", "d", "e"], columns: 10, rowLimit: 20)
    #expect(list.rows == ["a   d", "bb  e", "c"])
  }

  @Test func listIsClippedToTheScreen() {
    let names = (0..<100).map { number in "n\(number)" }
    let list = CandidateList(names, columns: 10, rowLimit: 5)
    #expect(list.rows == ["n0   n4", "n1   n5", "n2   n6", "n3   n7", "... and 92 more"])
    #expect(CandidateList(["\u{1B}[2J"], columns: 80, rowLimit: 5).rows == ["?[2J"])
  }

  private func prefix(_ texts: String...) -> String {
    Completion(replacing: 0, candidates: texts.map { text in .init(text: text) }).commonPrefix
  }
}
