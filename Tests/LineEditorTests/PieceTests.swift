import Foundation
import Testing

@testable import LineEditor

/// The parts that need no terminal.
@Suite struct PieceTests {
  init() {
    // `wcwidth` knows ASCII alone in the locale that a process starts with; a line editor chooses UTF-8.
    setlocale(LC_CTYPE, "C.UTF-8")
  }

  @Test func layoutFollowsTheTerminal() {
    // prompt, line, cursor, and then the cursor's row and column and the end's, on ten columns
    let table: [(String, String, Int, Int, Int, Int, Int)] = [
      ("> ", "", 0, 0, 2, 0, 2),
      ("> ", "abc", 1, 0, 3, 0, 5),
      ("> ", "12345678", 8, 1, 0, 1, 0),
      ("> ", "1234567日", 7, 1, 0, 1, 2),
      ("> ", "日本", 1, 0, 4, 0, 6),
      ("> ", "e\u{301}x", 3, 0, 4, 0, 4),
      ("> ", "a\tb", 2, 0, 8, 0, 9),
      ("> ", "\u{3}b", 1, 0, 4, 0, 5),
      ("> ", "abc\nbck:x", 1, 0, 3, 1, 5),
    ]
    for (prompt, line, offset, row, column, endRow, endColumn) in table {
      let layout = ScreenLayout(
        prompt: Array(prompt.unicodeScalars), line: Array(line.unicodeScalars), cursor: offset, columns: 10)
      #expect(layout.cursor == .init(row: row, column: column), "\(line.debugDescription)")
      #expect(layout.end == .init(row: endRow, column: endColumn), "\(line.debugDescription)")
    }
  }

  @Test func decoderTakesTextByTheByte() {
    #expect(decode(Array("aü日👩\n".utf8)) == "aü日👩\n")
    #expect(decode([0xFF, 0x61]) == "\u{FFFD}a")
    #expect(decode([0xE6, 0x97, 0x61]) == "a", "a sequence that breaks off")
    #expect(decode([0xED, 0xA0, 0x80]) == "\u{FFFD}", "a surrogate")
    #expect(decode([0xE0, 0x80, 0x80]) == "\u{FFFD}", "an overlong form")
    #expect(decode([0xF4, 0x90, 0x80, 0x80]) == "\u{FFFD}", "past the last scalar")
  }

  @Test func promptEndsPlainAndShowsNoControlCharacters() {
    let prompt = Prompt([.init("zk", style: .red), .init(":/a\u{1B}b"), .init("> ", style: .bold)])
    #expect(prompt.encoded(inColor: false) == "zk:/a?b> ")
    #expect(
      prompt.encoded(inColor: true)
        == "\u{1}\u{1B}[31m\u{1}zk\u{1}\u{1B}[0m\u{1}:/a?b\u{1}\u{1B}[1m\u{1}>\u{1}\u{1B}[0m\u{1} ")
    #expect(Prompt([]).encoded(inColor: true) == "")
  }

  @Test func printerDropsTheOldestPastItsLimit() {
    let printer = Printer()
    printer.beginEditing()
    for number in 0...Printer.waitingTextsLimit { printer.print("\(number)") }
    let text = printer.takeWaiting().text
    #expect(text.hasPrefix("(earlier messages not shown: 1)\n1\n2\n"))
    #expect(text.hasSuffix("\n\(Printer.waitingTextsLimit)\n"))
    #expect(printer.takeWaiting().text.isEmpty)
  }

  @Test func printerTakesAPromptOnlyWhileALineIsEdited() {
    let printer = Printer()
    printer.setPrompt("early> ")
    printer.beginEditing()
    #expect(printer.takeWaiting().prompt == nil)
    printer.setPrompt("now> ")
    #expect(printer.takeWaiting().prompt == "now> ")
    printer.setPrompt("late> ")
    printer.endEditing()
    #expect(printer.takeWaiting().prompt == nil)
  }

  private func decode(_ bytes: [UInt8]) -> String {
    var decoder = ScalarDecoder()
    return String(String.UnicodeScalarView(bytes.compactMap { byte in decoder.push(byte) }))
  }
}
