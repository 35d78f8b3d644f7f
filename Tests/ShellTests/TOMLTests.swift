import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct TOMLTests {
  /// A document as text that shows what was read: `a = 1` as `a=1`, tables in braces.
  private func shown(_ table: TOMLTable) -> String {
    "{" + table.entries.map { "\($0.key)=\(shown($0.value))" }.joined(separator: " ") + "}"
  }

  private func shown(_ value: TOMLValue) -> String {
    switch value.content {
    case .string(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .float(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    case .date(let text): "<\(text)>"
    case .array(let items): "[" + items.map(shown).joined(separator: " ") + "]"
    case .table(let table): shown(table)
    case .tables(let tables): "[[" + tables.map(shown).joined(separator: " ") + "]]"
    }
  }

  @Test(arguments: [
    ("", "{}"), ("# only a comment\r\n", "{}"), ("a = 1 # one\nb=\"x\"", "{a=1 b='x'}"),
    ("a.b.c = true\na.d = false", "{a={b={c=true} d=false}}"), ("[a]\nb = 1\n[a.c]\nd = 2", "{a={b=1 c={d=2}}}"),
    ("[a.b]\nc = 1\n[a]\nd = 2", "{a={b={c=1} d=2}}"), ("[[a]]\nb = 1\n[[a]]\nb = 2", "{a=[[{b=1} {b=2}]]}"),
    ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", "{a=[[{b={c=1}} {b={c=2}}]]}"),
    ("a = [1, 'x', [true], # c\n 2,\n]", "{a=[1 'x' [true] 2]}"),
    ("a = { b = 1, c.d = 'x', \"e f\" = {} }", "{a={b=1 c={d='x'} e f={}}}"),
    (#"a = "q\"\\\t\u00e9\U0001F600""#, "{a='q\"\\\té😀'}"), (#"a = 'C:\no'"#, #"{a='C:\no'}"#),
    ("a = \"\"\"\nx\ny \\\n   z\"\"\"\"", "{a='x\ny z\"'}"), ("a = '''\n'x'\n'''", "{a=''x'\n'}"),
    ("a = +1_000\nb = -0\nc = 0xdead_beef\nd = 0o17\ne = 0b101", "{a=1000 b=0 c=3735928559 d=15 e=5}"),
    ("a = 1.5\nb = -2e3\nc = 6.02E+2\nd = inf", "{a=1.5 b=-2000.0 c=602.0 d=inf}"),
    (
      "a = 2026-11-23\nb = 06:23:00.5\nc = 2026-11-23 06:23:00Z\nd = 2026-11-23T06:23:00+01:00",
      "{a=<2026-11-23> b=<06:23:00.5> c=<2026-11-23 06:23:00Z> d=<2026-11-23T06:23:00+01:00>}"
    ),
    ("\"\" = 1\n'a.b' = 2\n-_9 = 3", "{=1 a.b=2 -_9=3}"),
    ("[a.b]\nx.y = 1\n[a.b.x.z]\nw = 2", "{a={b={x={y=1 z={w=2}}}}}"),
  ])
  func documentsAreRead(text: String, expected: String) throws {
    #expect(shown(try TOMLReader.read(Array(text.utf8))) == expected)
  }

  @Test(arguments: [
    ("a = 1\na = 2", 2, "a is already defined in line 1"), ("[a]\n[b]\n[a]", 3, "a is already defined in line 1"),
    ("a = 1\n[a.b]", 2, "a.b is inside a value that is complete"), ("a = {b = 1}\n[a.c]", 2, "complete"),
    ("a = {b = 1}\na.c = 2", 2, "cannot be added to"), ("[a.b]\nc = 1\n[a]\nb.d = 2", 4, "cannot be added to"),
    ("a.b = 1\n[a]", 2, "already defined"), ("a = [1]\n[[a]]", 2, "already defined"),
    ("\n\na", 3, "= is missing after the key a"), ("a =", 1, "expected a value, not the end of the file"),
    ("a = prod", 1, "prod is not a value; put text in quotes"), ("a = 01", 1, "01 is not a value"),
    ("a = 1__0", 1, "not a value"), ("a = 9223372036854775808", 1, "does not fit in 64 bits"),
    ("a = \"x\nb = 1", 1, "the string does not end in this line"), ("a = \"\\q\"", 1, "use single quotes"),
    ("a = \"\\ud800\"", 1, "4 hexadecimal digits of a character"), ("a = '''x", 1, "the string does not end"),
    ("a = [1 2]", 1, "expected , or ]"), ("a = {b = 1,}", 1, "expected a key"), ("[a", 1, "must end with ]"),
    ("[[a]\n", 1, "must end with ]]"), ("a = 1 b = 2", 1, "unexpected b"), ("a = 2026-13-01", 1, "not a value"),
    ("a = 2026-02-29", 1, "not a value"), ("# \u{1}", 1, "control character"), ("a = \"\u{7f}\"", 1, "control"),
    ("= 1", 1, "expected a key"), ("a. = 1", 1, "expected a key"),
  ])
  func mistakesAreNamedWithTheirLines(text: String, line: Int, reason: String) {
    let error = #expect(throws: TOMLError.self) { try TOMLReader.read(Array(text.utf8)) }
    #expect(error?.line == line && error?.reason.contains(reason) == true, "\(error as Any)")
  }

  @Test func nestingHasALimit() throws {
    let limit = TOMLReader.depthLimit
    func nested(_ depth: Int) -> [UInt8] {
      Array("a = \(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))".utf8)
    }
    _ = try TOMLReader.read(nested(limit))
    #expect(throws: TOMLError.self) { try TOMLReader.read(nested(limit + 1)) }
    #expect(throws: TOMLError.self) { try TOMLReader.read(nested(1_000_000)) }
  }

  @Test func bytesThatAreNotUTF8AreRefusedWithTheirLine() {
    let error = #expect(throws: TOMLError.self) { try TOMLReader.read(Array("a = 1\n# ".utf8) + [0xff]) }
    #expect(error == TOMLError(line: 2, reason: "not valid UTF-8"))
  }

  @Test func everyBeginningOfADocumentEndsInAnAnswer() {
    let text = "[a.b]\nc = [1, {d = \"\\u00e9\"}]\n[[e]]\nf = '''x'''\ng = 2026-11-23 06:23:00.1+01:00\nh = -1e5\n"
    for end in text.utf8.indices {
      do throws(TOMLError) { _ = try TOMLReader.read(Array(text.utf8[..<end])) } catch { #expect(error.line > 0) }
    }
  }
}
