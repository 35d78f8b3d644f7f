import Foundation
import TestKit
import Testing

@testable import ZooKeeperShell

/// JSON texts as they were written: what is one, where its values are, and that a change leaves all else alone.
@Suite(.timeLimit(.minutes(10))) struct JSONTextTests {
  private static let document = #"""
    { "b" : 1.50,
      "a": {"x": [1, 2 , {"deep": null}], "y\u0041": "q\"uote"},
      "b": 12345678901234567890.0e+10
    }
    """#

  private func value(_ path: String, in text: String = document) throws -> String? {
    let json = try JSONText([UInt8](text.utf8))
    guard case .value(let range) = json.place(try JSONPath(path)) else { return nil }
    return String(decoding: json.bytes[range], as: UTF8.self)
  }

  private func setting(_ path: String, to value: String, in text: String = document) throws -> String? {
    let value = try CommandContext.jsonValue([UInt8](value.utf8))
    return try JSONText([UInt8](text.utf8)).setting(try JSONPath(path), to: value)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [
    ("$.a.x[0]", "1"), ("/a/x/1", "2"), ("$.a.x[-1]", #"{"deep": null}"#), (".a.x[2].deep", "null"),
    ("a.x[1]", "2"), ("b", "12345678901234567890.0e+10"), ("['b']", "12345678901234567890.0e+10"), ("a.x.deep", nil),
    ("$['a']['x'][2]", #"{"deep": null}"#), ("$.a.yA", #""q\"uote""#), ("$.b", "12345678901234567890.0e+10"),
    ("/b", "12345678901234567890.0e+10"), ("$.c", nil), ("$.a.x[3]", nil), ("$.a.x.y", nil), ("/a/x/01", nil),
    ("/a/x/-", nil), ("$.b.c", nil), ("$.a.x[-4]", nil), ("$[0]", nil),
  ])
  func pathsLeadToValues(path: String, value: String?) throws {
    #expect(try self.value(path) == value)
  }

  @Test func theWholeTextHasAPath() throws {
    for path in ["$", ".", ""] { #expect(try value(path, in: " [1, 2]\n") == "[1, 2]") }
    #expect(try value("/a~1b/m~0n", in: #"{"a/b": {"m~n": 7}}"#) == "7")
    #expect(try value(#"$['it\'s']["a.b"]"#, in: #"{"it's": {"a.b": 8}}"#) == "8")
  }

  @Test(arguments: ["$a", "$.", "$..a", "$.*", "$[", "$[x]", "$['a'", "$[1", "$[+1]", "/a~2", "$['a", "a/b"])
  func otherPathsAreRefused(path: String) {
    let error = #expect(throws: ShellError.self) { try JSONPath(path) }
    #expect(error?.exitCode == .usage)
  }

  @Test func replacingAValueLeavesAllElseAlone() throws {
    #expect(try setting("$.a.x[1]", to: "20") == Self.document.replacing(" 2 ,", with: " 20 ,"))
    #expect(try setting("$.b", to: "1e5") == Self.document.replacing("12345678901234567890.0e+10", with: "1e5"))
    #expect(try setting("$", to: "[]", in: " {}\n") == " []\n")
  }

  @Test func whatIsNoJSONBecomesAString() throws {
    #expect(try setting("$.a", to: "say \"hi\"\n", in: #"{"a": 1}"#) == #"{"a": "say \"hi\"\n"}"#)
    #expect(try setting("$.a", to: " true ", in: #"{"a": 1}"#) == #"{"a": true}"#)
    #expect(try setting("$.a", to: "007", in: #"{"a": 1}"#) == #"{"a": "007"}"#)
    #expect(throws: ShellError.self) { try CommandContext.jsonValue([0xff]) }
  }

  @Test(arguments: [
    (#"{"a":1}"#, "$.b", #"{"a":1,"b":2}"#), (#"{"a": 1}"#, "/b", #"{"a": 1, "b": 2}"#),
    ("{\n  \"a\": 1\n}\n", "$.b", "{\n  \"a\": 1,\n  \"b\": 2\n}\n"), ("{}", "$.b", #"{"b":2}"#),
    ("{ }", "$.b", #"{"b":2 }"#), ("[]", "/-", "[2]"), ("[1, 5]", "$[2]", "[1, 5, 2]"),
    ("[\n  1,\n  5\n]", "/-", "[\n  1,\n  5,\n  2\n]"),
    (#"{"a": {"x": 1}}"#, "$.a['q\"']", #"{"a": {"x": 1, "q\"": 2}}"#),
  ])
  func newMembersLookAsTheirNeighbours(text: String, path: String, result: String) throws {
    #expect(try setting(path, to: "2", in: text) == result)
  }

  @Test func onlyTheLastStepCanBeNew() throws {
    #expect(try setting("$.a.b", to: "1", in: "{}") == nil)
    #expect(try setting("$[1]", to: "1", in: "[]") == nil)
    #expect(try setting("$.a", to: "1", in: "[]") == nil)
    #expect(try setting("$[0]", to: "1", in: "{}") == nil)
    #expect(try setting("$.a", to: "1", in: "5") == nil)
  }

  @Test func valuesAreCompacted() throws {
    let text = try JSONText([UInt8](Self.document.utf8))
    guard case .value(let range) = text.place(try JSONPath("$.a")) else { preconditionFailure("no value") }
    #expect(
      String(decoding: text.compacted(range), as: UTF8.self) == #"{"x":[1,2,{"deep":null}],"y\u0041":"q\"uote"}"#)
  }

  @Test(arguments: [
    ("", 1, 1, "expected a value"), ("{\"a\": 1,\n}", 2, 1, "expected a name"), ("[1 2]", 1, 4, "comma or a ]"),
    ("{\"a\" 1}", 1, 6, "colon"), ("[01]", 1, 3, "comma"), ("[1.]", 1, 4, "digit"), ("\"a\nb\"", 1, 3, "line end"),
    ("[\"a]", 1, 2, "does not end"), ("nul", 1, 1, "value"), ("1 2", 1, 3, "end of the text"),
    ("\"\\q\"", 1, 3, "escape"),
    ("\"\\u12g4\"", 1, 3, "four hex"), ("-", 1, 2, "digit"), ("[1e]", 1, 4, "digit"),
  ])
  func faultsAreTold(text: String, line: Int, column: Int, message: String) {
    let error = #expect(throws: JSONTextError.self) { try JSONText([UInt8](text.utf8)) }
    #expect(error?.line == line && error?.column == column && error?.message.contains(message) == true, "\(error!)")
  }

  @Test func depthIsLimited() throws {
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: UInt8(ascii: "["), count: depth) + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
    }
    #expect(JSONText.isJSON(nested(512)))
    #expect(!JSONText.isJSON(nested(513)))
    #expect(!JSONText.isJSON([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)))
    #expect(!JSONText.isJSON([UInt8(ascii: "\""), 0xff, UInt8(ascii: "\"")]))
  }

  /// Texts with random damage: what Foundation takes for JSON is the same, and nothing traps.
  @Test func faultsAreThoseOfFoundation() throws {
    var generator = SeededGenerator(seed: 3)
    let bytes = [UInt8](Self.document.utf8)
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let index = Int.random(in: 0..<damaged.count, using: &generator)
        switch Int.random(in: 0...2, using: &generator) {
        case 0: damaged.remove(at: index)
        case 1: damaged.insert("{}[],:\"\\01.e- ".utf8.randomElement(using: &generator)!, at: index)
        default: damaged[index] = UInt8.random(in: 0x20...0x7e, using: &generator)
        }
      }
      let object = try? JSONSerialization.jsonObject(with: Data(damaged), options: .fragmentsAllowed)
      // Foundation allows a comma at the end of a list.
      guard !String(decoding: damaged, as: UTF8.self).contains(/,\s*[}\]]/) else { continue }
      if object != nil { #expect(JSONText.isJSON(damaged), "\(String(decoding: damaged, as: UTF8.self))") }
      if let text = try? JSONText(damaged) { _ = text.setting(try JSONPath("$.a.x[0]"), to: [UInt8(ascii: "1")]) }
    }
  }
}

/// Two texts with their differences between marks.
@Suite struct TextConflictTests {
  private func merged(_ yours: String, _ theirs: String) -> String {
    let text = TextConflict.merged([UInt8](yours.utf8), [UInt8](theirs.utf8), yoursName: "you", theirsName: "version 2")
    return String(decoding: text, as: UTF8.self)
  }

  @Test func commonLinesAreThereOnce() {
    #expect(
      merged("a\nb\nc\n", "a\nx\nc\n") == "a\n<<<<<<< you\nb\n=======\nx\n>>>>>>> version 2\nc\n")
    #expect(merged("a", "b") == "<<<<<<< you\na\n=======\nb\n>>>>>>> version 2\n")
    #expect(merged("a\n", "a\nb\n") == "a\n<<<<<<< you\n=======\nb\n>>>>>>> version 2\n")
    #expect(merged("a\n", "a\n") == "a\n")
  }

  @Test func marksAreFound() {
    #expect(TextConflict.hasMarks([UInt8](merged("a", "b").utf8)))
    #expect(TextConflict.hasMarks([UInt8]("x\n>>>>>>> y".utf8)))
    #expect(!TextConflict.hasMarks([UInt8]("a <<<<<<< b\n=======\n<<<<<<<<\n".utf8)))
  }
}
