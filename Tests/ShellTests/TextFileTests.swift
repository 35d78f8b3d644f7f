import Foundation
import Testing

@testable import ZooKeeperShell

/// Files of lines, whatever wrote them.
@Suite(.timeLimit(.minutes(10))) struct TextFileTests {
  /// A descriptor from which the pieces come one by one.
  private func pipe(_ pieces: [[UInt8]]) -> Int32 {
    let pipe = Pipe()
    Thread.detachNewThread {
      for piece in pieces { try? pipe.fileHandleForWriting.write(contentsOf: piece) }
      try? pipe.fileHandleForWriting.close()
    }
    return dup(pipe.fileHandleForReading.fileDescriptor)
  }

  static let texts: [(text: String, lines: [String], ends: [String])] = [
    ("", [], []), ("a", ["a"], [""]), ("a\nb\n", ["a", "b"], ["\n", "\n"]),
    ("a\r\nb\r\n", ["a", "b"], ["\r\n", "\r\n"]), ("a\rb\rc", ["a", "b", "c"], ["\r", "\r", ""]),
    ("\n\r\n\r\r\n", ["", "", "", ""], ["\n", "\r\n", "\r", "\r\n"]), ("\u{feff}a\nb", ["a", "b"], ["\n", ""]),
    ("\u{feff}", [], []), ("x\u{feff}\n", ["x\u{feff}"], ["\n"]), ("é\r\nй", ["é", "й"], ["\r\n", ""]),
  ]

  @Test(arguments: texts) func linesOfAWholeText(text: String, lines: [String], ends: [String]) throws {
    let found = try TextLines.splitKeepingEnds([UInt8](text.utf8), name: "f")
    #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == lines)
    #expect(found.map { String(decoding: $0.end, as: UTF8.self) } == ends)
  }

  /// In one piece, and byte by byte.
  @Test(arguments: texts) func linesAsTheyCome(text: String, lines: [String], ends: [String]) throws {
    for pieces in [[[UInt8](text.utf8)], text.utf8.map { [$0] }] {
      let descriptor = pipe(pieces)
      defer { close(descriptor) }
      var reader = LineReader(descriptor, name: "f")
      var found: [TextLines.Line] = []
      while let line = try reader.next() { found.append(line) }
      #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == lines)
      #expect(found.map { String(decoding: $0.end, as: UTF8.self) } == ends)
      #expect(reader.hasLine)
    }
  }

  @Test func sixteenBitsAreRefusedInWords() throws {
    for mark in [[0xff, 0xfe, 0x61, 0x00], [0xfe, 0xff, 0x00, 0x61]] as [[UInt8]] {
      let error = #expect(throws: ShellError.self) { try TextLines.split(mark, name: "script.zk") }
      #expect(error?.text == "File: script.zk is UTF-16; save it as UTF-8")
      let descriptor = pipe([mark])
      defer { close(descriptor) }
      var reader = LineReader(descriptor, name: "script.zk")
      #expect(throws: ShellError.self) { try reader.next() }
    }
  }

  @Test func aBackslashTakesAnyLineEndAway() {
    for end in ["\n", "\r\n", "\r"] {
      #expect(words("set /x a\\\(end)b") == ["set", "/x", "ab"])
      #expect(words("set /x \"a\\\(end)b\"") == ["set", "/x", "ab"])
      #expect(words("set /x 'a\(end)b'") == ["set", "/x", Word("a\(end)b")])
      #expect(words("# set\(end)get /x") == ["get", "/x"])
    }
  }

  @Test func operationsOfAMultiHaveLinesOfAnyKind() throws {
    for end in ["\n", "\r\n", "\r"] {
      let text = ["\u{feff}check /a 1", "# no", "", "delete /b", ""].joined(separator: end)
      #expect(
        try MultiParser.parse(text: [UInt8](text.utf8))
          == [.check(path: "/a", version: 1), .delete(path: "/b", version: -1)])
      let error = #expect(throws: ShellError.self) {
        try MultiParser.parse(text: [UInt8]("delete /a\(end)frob /b".utf8))
      }
      #expect(error?.message.hasPrefix("line 2: ") == true)
    }
  }

  @Test(arguments: ["set /x <<EOF", "set /x <<-EOF", "set /x <<'EOF'", "set /x << EOF", "create /x <<<word"])
  func hereDocumentsAreNoticed(line: String) {
    let scanned = Tokenizer.scan([UInt8](line.utf8))
    #expect(scanned.hereDocument == line.split(separator: " ")[2].description)
    let error = ShellError.hereDocument("<<EOF")
    #expect(error.exitCode == .usage && error.message.contains("here-document"))
    #expect(throws: ShellError.self) { try MultiParser.parse(text: [UInt8]("\(line)\n".utf8)) }
  }

  @Test(arguments: ["set /x '<<EOF'", #"set /x "<<EOF""#, #"set /x \<<EOF"#, "set /x a<<EOF", "set /x <a>"])
  func dataIsNoHereDocument(line: String) {
    #expect(Tokenizer.scan([UInt8](line.utf8)).hereDocument == nil)
  }

  @Test func secretsOfAFileThatOthersCanReadAreWarnedOf() throws {
    let path = NSTemporaryDirectory() + "secrets-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data("\u{feff}# mine\r\ndigest:bob:secret\r\n\r\nip:x\r\n".utf8).write(to: URL(filePath: path))
    for (mode, who) in [(0o644, "everyone"), (0o640, "its group"), (0o604, "everyone"), (0o600, nil), (0o400, nil)]
      as [(mode_t, String?)]
    {
      chmod(path, mode)
      let settings = try ShellSettings([.authFile: [Word(path)]], environment: ShellEnvironment())
      #expect(settings.warnings.count == (who == nil ? 0 : 1))
      if let who { #expect(settings.warnings.first?.contains("accessible to \(who)") == true) }
      // What Windows put at the end of the line is no part of the secret.
      #expect(settings.identities.map(\.secret) == [[UInt8]("bob:secret".utf8), [UInt8]("x".utf8)])
    }
  }
}
