import Testing

@testable import ZooKeeperShell

/// Files with commands and the times at which they run.
@Suite struct ReplayFileTests {
  private func read(_ text: String) throws(ReplayFile.Mistake) -> ReplayFile {
    try ReplayFile([UInt8](text.utf8), name: "f") { line throws(ShellError) in try NativeDialect().split(line) }
  }

  @Test func linesHaveTimesAndCommands() throws {
    let file = try read(
      """
      # a comment

      +0s create /a 'two
      # lines'
      \t+1.25s  set /a b\r
      +1.250000001s get /a | cat
        # another
      +1000000s ls /
      """)
    #expect(file.entries.map(\.number) == [3, 5, 6, 8])
    #expect(
      file.entries.map(\.time) == [
        .zero, .milliseconds(1250), .milliseconds(1250) + .nanoseconds(1), .seconds(1_000_000),
      ])
    #expect(file.entries[0].arguments.map(\.text) == ["create", "/a", "two\n# lines"])
    #expect(file.entries[1].arguments.map(\.text) == ["set", "/a", "b"])
    #expect(file.entries[2].arguments.map(\.text) == ["get", "/a"])
    #expect(try read("").entries.isEmpty)
  }

  @Test(arguments: [
    ("get /a", 1), ("+1 get /a", 1), ("1s get /a", 1), ("+s get /a", 1), ("+.5s get /a", 1), ("+1.s get /a", 1),
    ("+1.2.3s get /a", 1), ("+-1s get /a", 1), ("+1e3s get /a", 1), ("+0x1s get /a", 1), ("+1.1234567890s get /a", 1),
    ("+1000001s get /a", 1), ("+99999999999999999999999s get /a", 1), ("+١s get /a", 1), ("+nans get /a", 1),
    ("+1s", 1), ("#\n+1s  ", 2), ("+2s get /a\n\n+1.9s get /a", 3), ("+1s get /a\n+2s get 'x\nz\nz", 2),
  ])
  func mistakesHaveTheirLine(text: String, line: Int) {
    #expect(#expect(throws: ReplayFile.Mistake.self) { try read(text) }?.line == line)
  }
}
