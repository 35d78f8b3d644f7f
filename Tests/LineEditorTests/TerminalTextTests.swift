import LineEditor
import Testing

/// What may reach a terminal.
@Suite(.timeLimit(.minutes(10))) struct TerminalTextTests {
  private func sanitized(_ text: String, emphasis: Bool = false) -> String {
    String(
      decoding: TerminalText.sanitized([UInt8](text.utf8), mayBeginEmphasized: emphasis), as: UTF8.self)
  }

  @Test(arguments: [
    "", "plain\n", "a\tb\nc\n", "é узел €\n", #"C:\\dir \x1b"#, "\n\n",
  ])
  func harmlessTextStays(text: String) { #expect(sanitized(text) == text) }

  @Test(arguments: [
    ("u\u{1b}]0;title\u{7}\n", #"u\x1b]0;title\x07"# + "\n"), ("a\rb", #"a\x0db"#), ("a\u{9b}31m", #"a\xc2\x9b31m"#),
    ("a\u{7f}\u{0}", #"a\x7f\x00"#),
    // Only in the line that has an escape is a backslash one.
    ("a\\b\n\u{8}\\x\nc\\d\n", "a\\b\n\\x08\\\\x\nc\\d\n"),
  ])
  func controlCharactersAreEscaped(text: String, shown: String) { #expect(sanitized(text) == shown) }

  @Test func bytesThatAreNoTextAreEscaped() {
    #expect(TerminalText.sanitized([0x41, 0xff, 0xc3, 0x28]) == [UInt8](#"A\xff\xc3("#.utf8))
  }

  @Test func theShellsOwnEmphasisStays() {
    let on = "\u{1b}[1;31m"
    let off = "\u{1b}[0m"
    #expect(sanitized("\(on)zkcli:\(off) no\n", emphasis: true) == "\(on)zkcli:\(off) no\n")
    #expect(sanitized("\(on)a\u{1b}b\(off) \(on)\n", emphasis: true) == "\(on)a\\x1bb\(off) \\x1b[1;31m\n")
    #expect(sanitized("\(on)zkcli", emphasis: true) == "\\x1b[1;31mzkcli")
    #expect(sanitized("\(on)a\(off)") == "\\x1b[1;31ma\\x1b[0m")
    #expect(sanitized("x\(on)a\(off)", emphasis: true) == "x\\x1b[1;31ma\\x1b[0m")
  }

  /// No two texts are shown alike.
  @Test func whatIsShownCanBeReadBack() {
    let pieces = ["\\", "x", "1", "b", "\u{1b}", "\\x1b", "\\\\", "é"]
    var shown: [String: String] = [:]
    for first in pieces {
      for second in pieces {
        for third in pieces {
          let text = first + second + third
          let result = TerminalText([UInt8](text.utf8)).text
          #expect(shown[result] == nil || shown[result] == text, "\(text.debugDescription)")
          shown[result] = text
        }
      }
    }
  }
}
