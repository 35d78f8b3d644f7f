import Foundation
import TestKit
import Testing

@testable import ZooKeeperShell

/// Expressions: what they match, against Foundation's for random ones, and that no text takes long.
@Suite(.timeLimit(.minutes(5))) struct PatternTests {
  private func matches(_ expression: String, _ text: String, ignoresCase: Bool = false) throws -> Bool {
    var pattern = try Pattern(expression: expression, ignoresCase: ignoresCase)
    return pattern.matches(text)
  }

  @Test(arguments: [
    ("", "", true), ("a", "", false), ("a", "xax", true), ("^a", "xa", false), ("^a", "ax", true), ("a$", "ax", false),
    ("a$", "xa", true), ("^$", "", true), ("^$", "a", false), ("a|b", "xb", true), ("^(ab)+$", "abab", true),
    ("^(ab)+$", "aba", false), ("a{2,3}b", "ab", false), ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false),
    ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true), ("[0-9]+ms", "took 35ms", true), ("[^0-9]", "123", false),
    ("^[]a]$", "]", true), ("^[a-]$", "-", true), (#"\d\s\w"#, "1 _", true), (#"^\D$"#, "1", false),
    ("^.$", "é", true), ("^.$", "\u{1F600}", true), ("^..$", "é", false), ("[à-ü]", "é", true),
    ("[[:upper:]][[:digit:]]", "aB7", true), (#"\."#, "a", false), (#"\x41"#, "A", true),
    ("{\"a\": ?1}", "{\"a\":1}", true),
    ("(?:ab|cd)e", "xcde", true), ("a+?b", "aab", true), ("(a*)*b", "aac", false), ("x*", "", true), ("()", "", true),
    ("(^a|b)c", "bc", true), ("(^a|b)c", "xac", false), ("a^b", "a^b", false), ("(a$|b)c?", "xa", true),
  ])
  func expressionsMatch(expression: String, text: String, isMatch: Bool) throws {
    #expect(try matches(expression, text) == isMatch, "\(expression) on \(text)")
  }

  @Test func caseIsIgnoredOnDemand() throws {
    #expect(try matches("straße É", "STRAßE é", ignoresCase: true))
    #expect(try matches("[a-c]+$", "xABC", ignoresCase: true))
    #expect(try !matches("^[^a]$", "A", ignoresCase: true))
    #expect(try !matches("abc", "ABC"))
    var text = try Pattern(text: "a.b*", ignoresCase: true)
    let (found, other) = (text.matches("xA.B*y"), text.matches("axb"))
    #expect(found && !other)
  }

  @Test(arguments: [
    "(", ")", "a)", "[", "[a", "[z-a]", "*a", "a|*", "a{3,2}", "a{1,9999}", #"\"#, #"\b"#, #"\1"#, "(?=a)",
    "[[:nope:]]",
    #"\xg0"#, "((((a{99}){99}){99}){99})",
  ])
  func whatCannotBeUsedIsRefused(expression: String) {
    #expect(throws: PatternError.self) { try Pattern(expression: expression) }
    #expect(throws: PatternError.self) {
      try Pattern(expression: String(repeating: "(", count: 200) + String(repeating: ")", count: 200))
    }
  }

  @Test func bytesThatAreNotTextMatchByte() throws {
    var pattern = try Pattern(expression: "ab$")
    let found = [0xff, 0xfe, 0x61, 0x62].withUnsafeBufferPointer { pattern.matches($0) }
    #expect(found)
    var any = try Pattern(expression: "^.$")
    let isCharacter = [0xff].withUnsafeBufferPointer { any.matches($0) }
    #expect(!isCharacter)
  }

  @Test func randomExpressionsMatchAsFoundations() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<1500 {
      let expression = Self.expression(&generator, depth: 3)
      let other = try NSRegularExpression(pattern: expression)
      var pattern = try Pattern(expression: expression)
      for _ in 0..<8 {
        let text = String(
          (0..<Int.random(in: 0...8, using: &generator)).map { _ in "abé".randomElement(using: &generator)! })
        let expected = other.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
        let isMatch = pattern.matches(text)
        #expect(isMatch == expected, "\(expression) on \(text)")
      }
    }
  }

  private static func expression(_ generator: inout SeededGenerator, depth: Int) -> String {
    let part = { (generator: inout SeededGenerator) in expression(&generator, depth: depth - 1) }
    switch Int.random(in: depth > 0 ? 0...9 : 6...9, using: &generator) {
    case 0: return "(\(part(&generator))|\(part(&generator)))"
    case 1: return "(\(part(&generator)))*"
    case 2: return "(\(part(&generator)))" + ["+", "?", "{2}", "{1,2}", "{2,}"].randomElement(using: &generator)!
    case 3, 4, 5: return part(&generator) + part(&generator)
    case 6: return ["^", "$", ".", "[^a]", "[aé]"].randomElement(using: &generator)!
    default: return ["a", "b", "é"].randomElement(using: &generator)!
    }
  }

  /// What takes engines that try all ways exponential time.
  @Test func hostileExpressionsTakeLinearTime() throws {
    let text = String(repeating: "a", count: 200_000) + "b"
    for expression in ["(a+)+$", "(a|aa)*c", "(a?){30}a{30}c", "a*a*a*a*a*c", "(.*a){20}c"] {
      #expect(try !matches(expression, text), "\(expression)")
    }
  }

  /// More states than are kept, which must be forgotten without an effect on the result.
  @Test func manyStatesAreForgottenAndMadeAgain() throws {
    var generator = SeededGenerator(seed: 5)
    var pattern = try Pattern(expression: "a.{14}b$")
    for _ in 0..<100 {
      let text = String((0..<2000).map { _ in "ab".randomElement(using: &generator)! })
      let letters = Array(text)
      let isMatch = pattern.matches(text)
      #expect(isMatch == (letters[letters.count - 16] == "a" && letters.last == "b"))
    }
  }

  @Test(arguments: [
    (#"a\(b\|c\)d"#, "acd", true), ("a(b)", "a(b)", true), ("a+", "a+", true), ("a+", "aa", false),
    (#"^a\+$"#, "aaa", true), (#"^a\{2,3\}$"#, "aaa", true), ("a{2}", "a{2}", true), ("*a", "*a", true),
    (#"\(*a\)"#, "*a", true), ("^*a", "*a", true), ("a^b$c", "a^b$c", true), ("^a$", "a", true),
    (#"\(^a$\)"#, "a", true), ("[(+]", "+", true), ("[]*]x", "*x", true), ("[[:alpha:](]", "(", true),
    ("x|y", "x", false), (#"a\.b"#, "axb", false),
  ])
  func basicExpressionsMatch(expression: String, text: String, isMatch: Bool) throws {
    var pattern = try Pattern(expression: expression, isBasic: true)
    let found = pattern.matches(text)
    #expect(found == isMatch, "\(expression) on \(text)")
  }

  @Test func malformedBasicExpressionsAreRefused() {
    for expression in [#"\(a"#, "[a", #"a\"#, #"\1"#, #"a\{2,1\}"#] {
      #expect(throws: PatternError.self) { try Pattern(expression: expression, isBasic: true) }
    }
  }
}
