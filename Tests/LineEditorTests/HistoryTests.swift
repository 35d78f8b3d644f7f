import Foundation
import Testing

@testable import LineEditor

/// What is remembered from line to line and from session to session.
@Suite(.serialized) struct HistoryTests {
  private let directory: TemporaryDirectory
  private var path: String { directory.path + "/state/zk/history" }

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test(.timeLimit(.minutes(10))) func linesOutliveTheSession() throws {
    let first = try TmuxSession([path])
    for line in ["größe one", "two", "two", "   "] { try first.enter(line) }
    try first.waitForEnd("line: <   >", "probe>")
    try first.press("C-d")
    try first.waitFor("status: 0")
    #expect(try contents() == "größe one\ntwo\n")
    #expect(try permissions(path) == 0o600)
    #expect(try permissions(directory.path + "/state") == 0o700)

    let second = try TmuxSession([path])
    try second.press("Up", "Up")
    try second.waitForEnd("probe> größe one")
  }

  @Test(.timeLimit(.minutes(10))) func searchFindsAnEarlierLine() throws {
    let session = try TmuxSession()
    for line in ["get /alpha", "ls /beta", "stat /gamma"] { try session.enter(line) }
    try session.waitFor("line: <stat /gamma>")
    try session.press("C-r")
    try session.type("alp")
    try session.waitForEnd("probe> get /alpha", "bck:alp")
    try session.press("C-c")
    try session.waitForEnd("interrupted", "probe>")
    try session.press("C-r")
    try session.type("be")
    try session.waitForEnd("probe> ls /beta", "bck:be")
    try session.press("Enter")
    try session.waitForEnd("probe> ls /beta", "line: <ls /beta>", "probe>")
  }

  @Test(.timeLimit(.minutes(10))) func unwritableFileIsReportedAndStopsNothing() throws {
    let session = try TmuxSession(["/proc/nowhere/history"])
    try session.waitFor("warning: /proc/nowhere/history: No such file or directory")
    try session.enter("one")
    try session.waitFor("line: <one>")
    try session.press("Up")
    try session.waitForEnd("probe> one")
  }

  @Test(.timeLimit(.minutes(10))) func fileIsCutToTheNewestAtTheStart() throws {
    try write((1...10).map { number in "line \(number)\n" }.joined())
    let session = try TmuxSession([path, "3"])
    try session.enter("history")
    try session.waitForEnd("1: line 9", "2: line 10", "3: history", "probe>")
    #expect(try contents() == "line 8\nline 9\nline 10\nhistory\n")
  }

  @Test func limitKeepsTheNewest() throws {
    for limit in [0, 1, 2, 3] {
      try write("a\nb\nlast")
      let entries = try HistoryFile(path: path, entryLimit: limit).load()
      #expect(entries == ["a", "b", "last"].suffix(limit))
      if limit < 3 { #expect(try contents() == entries.map { $0 + "\n" }.joined()) }
    }
  }

  @Test func twoShellsShareAFile() throws {
    let one = HistoryFile(path: path, entryLimit: 10)
    let other = HistoryFile(path: path, entryLimit: 10)
    #expect(try one.load().isEmpty && other.load().isEmpty)
    try one.append("from one")
    try other.append("from other")
    try one.append("again")
    #expect(try other.load() == ["from one", "from other", "again"])
  }

  @Test func anyEntryTakesOneLine() throws {
    let entries = ["a\nb", "back\\slash", "\\n", "ends with \\", "\\\\n\n", "tab\tend"]
    for entry in entries {
      #expect(!HistoryFile.encode(entry).contains("\n"))
      #expect(HistoryFile.decode(HistoryFile.encode(entry)) == entry)
    }
    #expect(HistoryFile.decode("by\\ hand\\") == "by\\ hand\\")
  }

  @Test func fileThatOthersMayReadIsClosedToThem() throws {
    try write("secret\n")
    #expect(chmod(path, 0o644) == 0)
    _ = try HistoryFile(path: path, entryLimit: 10).load()
    #expect(try permissions(path) == 0o600)
  }

  private func write(_ text: String) throws {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private func contents() throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func permissions(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}
