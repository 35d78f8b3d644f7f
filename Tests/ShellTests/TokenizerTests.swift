import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct TokenizerTests {
  private static let lines: [(line: String, words: [String])] = [
    ("", []),
    ("   \t ", []),
    ("ls /", ["ls", "/"]),
    ("  ls   /  ", ["ls", "/"]),
    // Quotes, and what zkCli.sh gets wrong with them.
    (#"set /q "x!!y""#, ["set", "/q", "x!!y"]),
    (#"set /q x!!y"#, ["set", "/q", "x!!y"]),
    (#"set /q a\b"#, ["set", "/q", "ab"]),
    (#"set /q 'a\b'"#, ["set", "/q", #"a\b"#]),
    (#"set /q "a\b""#, ["set", "/q", #"a\b"#]),
    (#"set /q '{"k": "v"}'"#, ["set", "/q", #"{"k": "v"}"#]),
    (#"set /q "{\"k\": \"v\"}""#, ["set", "/q", #"{"k": "v"}"#]),
    ("'it''s'", ["its"]),
    (#"pre"fix"'ed'"#, ["prefixed"]),
    (#""it's" 'say "hi"'"#, ["it's", #"say "hi""#]),
    ("set /q \"\"", ["set", "/q", ""]),
    ("''", [""]),
    (#"ls /sp\ ace"#, ["ls", "/sp ace"]),
    (#""\d+ \$HOME \` \\""#, [#"\d+ $HOME ` \"#]),
    ("$HOME ~ * a|b", ["$HOME", "~", "*", "a|b"]),
    (#""\u{43d}\u{1F600}""#, ["н😀"]),
    ("\"\\u{} \\u{110000} \\u{zz} \\x4\"", ["\\u{} \\u{110000} \\u{zz} \\x4"]),
    ("новый 'узел 1'", ["новый", "узел 1"]),
    // Comments.
    ("# all of it", []),
    ("ls / # a comment 'with a quote", ["ls", "/"]),
    ("ls /a#b", ["ls", "/a#b"]),
    ("ls \\#a '#b'", ["ls", "#a", "#b"]),
    ("ls # one\n/a", ["ls", "/a"]),
    // Line joining.
    ("ls \\\n/a", ["ls", "/a"]),
    ("\"a\\\nb\"", ["ab"]),
    ("'a\nb'", ["a\nb"]),
  ]

  @Test(arguments: lines)
  func splitsLikeAShell(line: String, words: [String]) {
    #expect(Tokenizer.tokenize(line) == .words(words.map { Word($0) }), "\(line)")
  }

  @Test(
    arguments: [
      (#""\n\t\r\0\x00\xff""#, [0x0a, 0x09, 0x0d, 0x00, 0x00, 0xff]),
      (#"\xff\xFe"#, [0xff, 0xfe]),
      (#"a\x41b"#, [0x61, 0x41, 0x62]),
      (#"\xg1"#, [0x78, 0x67, 0x31]),
    ] as [(String, [UInt8])])
  func escapesMakeBytes(line: String, bytes: [UInt8]) {
    #expect(Tokenizer.tokenize(line) == .words([Word(bytes: bytes)]))
  }

  @Test(arguments: ["set /a 'open", "set /a \"open", "set /a \"open\\", "ls \\", "'", "a'b"])
  func openEndsAskForAnotherLine(line: String) {
    #expect(Tokenizer.tokenize(line) == .incomplete)
  }

  @Test(arguments: [
    ("", 0, 0, "", Tokenizer.Quoting.bare),
    ("l", 0, 0, "l", .bare),
    ("ls ", 3, 1, "", .bare),
    ("ls /a", 3, 1, "/a", .bare),
    ("ls '/a b", 3, 1, "/a b", .single),
    ("ls '/a b'", 3, 1, "/a b", .bare),
    ("ls '/a b'/c", 3, 1, "/a b/c", .bare),
    (#"ls "/a\"b"#, 3, 1, #"/a"b"#, .double),
    (#"ls /a\ b"#, 3, 1, "/a b", .bare),
    (#"ls /a\"#, 3, 1, "/a", .bare),
    ("ls /é/", 3, 1, "/é/", .bare),
  ])
  func tellsTheWordAtTheCursor(
    line: String, start: Int, index: Int, word: String, quoting: Tokenizer.Quoting
  ) {
    let cursor = Tokenizer.scan([UInt8](line.utf8)).cursor
    #expect(cursor.startOffset == start)
    #expect(cursor.index == index)
    #expect(cursor.word == Word(word))
    #expect(cursor.quoting == quoting)
    #expect(!cursor.isComment)
  }

  @Test func nothingIsCompletedInAComment() {
    #expect(Tokenizer.scan([UInt8]("ls # /a".utf8)).cursor.isComment)
  }

  @Test(arguments: [
    ("/a", "/a"), ("", "''"), ("a b", "'a b'"), ("it's", #""it's""#), ("#a", "'#a'"), ("a#b", "a#b"),
    (#"a\b"#, #"'a\b'"#), (#"it's \"#, #""it's \\""#), ("a\nb", #""a\nb""#), ("\u{1}", #""\x01""#),
    ("узел", "узел"), ("a\u{200b}b", #""a\u{200b}b""#), ("a\u{a0}b", #""a\u{a0}b""#), ("$HOME", "'$HOME'"),
    ("world:anyone:r,auth::cdrwa", "world:anyone:r,auth::cdrwa"),
  ])
  func quotesInThePlainestForm(text: String, quoted: String) {
    #expect(Tokenizer.quote(text) == quoted)
  }

  @Test func openQuotesAreKept() {
    #expect(Tokenizer.quote("/a", in: .single) == "'/a'")
    #expect(Tokenizer.quote("/a b", in: .double) == "\"/a b\"")
    #expect(Tokenizer.quote("it's", in: .single) == "\"it's\"")
  }

  @Test func quotingIsTheInverseOfSplitting() {
    var random = SeededGenerator.announced("TokenizerTests.quoting")
    // Bytes that mean something to the tokenizer come more often than others.
    let special = [UInt8]("'\"\\ #\n\t\0x41u{}$`,é".utf8) + [0xff, 0x80, 0xc3]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        Bool.random(using: &random)
          ? special.randomElement(using: &random)! : UInt8.random(in: 0...255, using: &random)
      }
      let word = Word(bytes: bytes)
      for quoting in [Tokenizer.Quoting.bare, .single, .double] {
        let quoted = Tokenizer.quote(word, in: quoting)
        #expect(Tokenizer.tokenize("a \(quoted) b") == .words(["a", word, "b"]), "\(bytes) as \(quoted)")
      }
    }
  }

  @Test func noInputTrapsOrLosesBytes() {
    var random = SeededGenerator.announced("TokenizerTests.noInputTraps")
    let alphabet = [UInt8]("'\"\\ #\nxu{}f0a".utf8) + [0xff]
    for _ in 0..<5000 {
      let line = (0..<Int.random(in: 0...16, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      let scanned = Tokenizer.scan(line)
      #expect(scanned.words.map(\.bytes.count).reduce(0, +) <= line.count)
      #expect(scanned.cursor.startOffset <= line.count)
    }
  }
}

/// A generator whose seed is printed, and taken back from `ZKCLI_SEED`.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A new seed for each run, printed so that a failure can be repeated.
  static func announced(_ test: String) -> SeededGenerator {
    let seed = Environment["ZKCLI_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): ZKCLI_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }

  // Steele, Lea, Flood: SplitMix64 (2014).
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
