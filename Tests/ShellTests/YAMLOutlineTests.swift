import TestKit
import Testing

@testable import ZooKeeperShell

/// The structure of YAML texts. What is right and wrong here is what PyYAML says.
@Suite(.timeLimit(.minutes(10))) struct YAMLOutlineTests {
  static let right: [(text: String, kind: YAMLOutline.Kind?)] = [
    ("", nil), ("# only a comment\n", nil), ("text\n", .scalar), ("two\n  lines\n", .scalar), ("a=b\nc=d\n", .scalar),
    ("a: 1\n", .mapping), ("\u{feff}a: 1\r\nb:\r\n  c: 2\r\n", .mapping), ("- a\n- b\n", .sequence),
    ("a:\n- x\n- y\nb: z\n", .mapping), ("a:\n  - x\n  -\n    y: 1\n    z: 2\n", .mapping),
    ("- - a\n  - b\n- c: 1\n  d: 2\n", .sequence), ("a: &x !!map\n  b: 1\nc: *x\n", .mapping),
    ("a: |\n  any: thing: here\n   - [\n\n  'x\nb: >-\n    text\n", .mapping), ("a: |2\n    x\n  y\nb: 1\n", .mapping),
    ("a: 'it''s: # so'\nb: \"two\n  lines \\\" : \"\n", .mapping), ("\"k: 1\" : v\n'q': w\n", .mapping),
    ("a: [1, {b: c},\n  'd]', e'f, # no ]\n  g]\nb: {}\n", .mapping), ("[a, b]\n", .sequence),
    ("{a: 1, \"b\":2}\n", .mapping), ("a: b\n  c\n  d e\n", .mapping), ("a: http://x:1/y#z\n", .mapping),
    ("---\na: 1\n...\n---\n- b\n", .mapping), ("--- |\n a: b: c\n", .scalar), ("a: # nothing\n  b: 1\n", .mapping),
    ("a:\n# comment\n    b: 1\n  # another\n    c: 2\n", .mapping), ("a:\n\n  b\n", .mapping),
  ]

  @Test(arguments: right) func isRead(text: String, kind: YAMLOutline.Kind?) throws {
    let outline = try YAMLOutline([UInt8](text.utf8))
    #expect(outline.kind == kind && outline.isComplete)
  }

  @Test(arguments: [
    ("a: b: c\n", 1), ("a: 1\n  b: 2\n", 2), ("a:\n    b: 1\n  c: 2\n", 3), ("a:\n\tb: 1\n", 2), ("a: 1\nb\n", 2),
    ("a: 1\n- b\n", 2), ("- a\nb: 1\n", 2), ("a: [1, 2\nb: 3\n", 1), ("a: [1}\n", 1), ("a: 'x\nb: 1\n", 1),
    ("a: \"x\" y\n", 1), ("a: 'x'\n  b\n", 2), ("a: @x\n", 1), ("a: - b\n", 1), ("text\na: 1\n", 2),
    ("[a]\nb\n", 2), ("a: x # comment\n  y\n", 2), ("a: ]\n", 1),
  ])
  func mistakesAreFound(text: String, line: Int) {
    let mistake = #expect(throws: YAMLMistake.self) { try YAMLOutline([UInt8](text.utf8)) }
    #expect(mistake?.line == line, "\(mistake?.text ?? "")")
  }

  @Test(arguments: ["? a\n: b\n", "%YAML 1.2\n---\n\ta: b: c\n", "a: >x\n"])
  func whatIsNotFollowedIsLeftAlone(text: String) throws {
    #expect(try YAMLOutline([UInt8](text.utf8)).isComplete == false)
    #expect(YAMLOutline.collectionKind([UInt8](text.utf8)) == nil)
  }

  @Test func noTextTraps() {
    var random = SeededGenerator.announced("YAMLOutlineTests.noTextTraps")
    let pieces = [
      "a", ": ", "- ", "\n", "\n  ", "\t", "'", "\"", "[", "]", "{", "}", "|", ">", "#", " #", "&a ", "---",
      "\\", "\r",
    ]
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<12, using: &random)
      let text = (0..<count).map { _ in pieces.randomElement(using: &random)! }.joined()
      _ = try? YAMLOutline([UInt8](text.utf8))
    }
  }
}
