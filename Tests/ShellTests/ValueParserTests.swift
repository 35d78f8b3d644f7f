import Testing
import ZooKeeperProtocol

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct ValueParserTests {
  @Test(
    arguments: [
      ("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000), ("0s", 0),
    ] as [(String, Int64)])
  func durationsHaveUnits(text: String, milliseconds: Int64) throws {
    #expect(try ValueParser.duration(Word(text), of: "--timeout") == .milliseconds(milliseconds))
    #expect(try ValueParser.milliseconds(Word(text), of: "-t") == milliseconds)
  }

  @Test(arguments: [
    ("5", "--timeout 5 has no unit; give a unit, e.g. 5s or 5ms"),
    ("5x", "--timeout 5x is not a duration; write it as 500ms, 10s, 2m or 1h"),
    ("-5s", "--timeout -5s is not a duration; write it as 500ms, 10s, 2m or 1h"),
    ("", "--timeout '' is not a duration; write it as 500ms, 10s, 2m or 1h"),
    ("s", "--timeout s is not a duration; write it as 500ms, 10s, 2m or 1h"),
    ("9223372036854775807h", "--timeout 9223372036854775807h is not a duration; write it as 500ms, 10s, 2m or 1h"),
  ])
  func otherDurationsAreRefused(text: String, message: String) {
    let error = #expect(throws: ShellError.self) { try ValueParser.duration(Word(text), of: "--timeout") }
    #expect(error?.text == message)
  }

  @Test(arguments: [
    ("65536", 65536), ("64K", 65536), ("64k", 65536), ("16M", 16 << 20), ("1G", 1 << 30), ("2147483647", 2_147_483_647),
  ])
  func sizesAreBytes(text: String, bytes: Int) throws {
    #expect(try ValueParser.sizeBytes(Word(text), of: "--max-buffer") == bytes)
  }

  @Test(arguments: ["", "K", "-1", "2G", "1T", "1.5M", "99999999999999999999"])
  func otherSizesAreRefused(text: String) {
    #expect(throws: ShellError.self) { try ValueParser.sizeBytes(Word(text), of: "--max-buffer") }
  }

  @Test func versionsAreNumbersOfTheWire() throws {
    #expect(try ValueParser.version("-1", of: "-v") == -1)
    #expect(try ValueParser.version("2147483647", of: "-v") == .max)
    for text in ["-2", "2147483648", "abc", "", "1.0"] {
      #expect(throws: ShellError.self) { try ValueParser.version(Word(text), of: "-v") }
    }
    #expect(try ValueParser.hexVersion("100000003", of: "-v") == 0x1_0000_0003)
    #expect(try ValueParser.hexVersion("0x10", of: "-v") == 16)
    #expect(throws: ShellError.self) { try ValueParser.hexVersion("xyz", of: "-v") }
  }

  @Test func choicesMatchInAnyCase() throws {
    let modes = ["PERSISTENT", "PERSISTENT_RECURSIVE"]
    #expect(try ValueParser.choice("persistent", of: "--mode", among: modes) == "PERSISTENT")
    let error = #expect(throws: ShellError.self) { try ValueParser.choice("persistant", of: "--mode", among: modes) }
    #expect(
      error?.text
        == "--mode cannot be persistant; did you mean PERSISTENT?; choose from PERSISTENT, PERSISTENT_RECURSIVE")
  }

  @Test(arguments: [
    #"{"path":"/x","acl":[{"scheme":"ip","id":"::1","permissions":"cr"},"#
      + #"{"scheme":"x509","id":"CN=a,O=\"b\\","permissions":"r"}]}"#,
    #" [ {"permissions":"cr", "id":"\u003a:1","scheme":"ip"} ,"#
      + #"{"scheme":"x509","id":"CN=a,O=\"b\\","permissions":"r","x":[1.5,{}]}]"#,
    "ip:::1:cr,x509:CN=a,O=\"b\\\\:r", "ip:::1:cr\nx509:CN=a\\,O=\"b\\\\:r\n",
  ])
  func whatGetAclPrintsIsTaken(text: String) throws {
    let acl = try ValueParser.acl(Word(text))
    #expect(acl.map(\.scheme) == ["ip", "x509"])
    #expect(acl.map(\.id) == ["::1", #"CN=a,O="b\"#])
    #expect(acl.map(\.permissions.text) == ["cr", "r"])
    for context in [RenderContext(), RenderContext(format: .json), RenderContext(format: .jsonl)] {
      var renderer = Renderer(context)
      let printed = renderer.emit(.acl(path: "/x", acl, stat: nil)).stdout
      #expect(try ValueParser.acl(Word(bytes: printed)) == acl)
    }
  }

  @Test(arguments: [
    ("{", "not valid JSON"), ("[1", "not valid JSON"), ("[]", "the ACL is empty"), ("{}", "contains no ACL"),
    (#"{"acl":{}}"#, "contains no ACL"), (#"[{"scheme":"ip","id":"x"}]"#, "has no scheme, id or permissions"),
    (#"[{"scheme":"ip","id":"x","permissions":"rz"}]"#, "unknown permission z"), ("[5]", "has no scheme"),
    (String(repeating: "[", count: 100_000), "not valid JSON"), (#"["\ud800"]"#, "not valid JSON"),
    ("[\"a\nb\"]", "not valid JSON"), ("[1 2]", "not valid JSON"), ("[tru]", "not valid JSON"),
  ])
  func malformedJSONIsNamed(text: String, message: String) {
    let error = #expect(throws: ShellError.self) { try ValueParser.acl(Word(text)) }
    #expect(error?.message.contains(message) == true)
  }

  @Test func malformedACLsAreNamed() throws {
    #expect(try ValueParser.acl("world:anyone:r").map(\.text) == ["world:anyone:r"])
    let error = #expect(throws: ShellError.self) { try ValueParser.acl("world:anyone:rz") }
    #expect(error?.message == "ACL entry world:anyone:rz has an unknown permission z")
    #expect(throws: ShellError.self) { try ValueParser.acl("") }
  }
}

@Suite(.timeLimit(.minutes(10))) struct MultiParserTests {
  @Test func aLoneCommaSeparatesOperations() throws {
    let commands = try MultiParser.parse(
      words("create -st 500 /a v , set /b 'w , x' -v 3 , rm /c , check /d 3"))
    let kind = MultiCommand.CreateKind(isSequential: true, ttlMilliseconds: 500)
    #expect(
      commands == [
        .create(path: "/a", data: "v", acl: nil, kind: kind), .set(path: "/b", data: "w , x", version: 3),
        .delete(path: "/c", version: -1), .check(path: "/d", version: 3),
      ])
  }

  @Test func linesAreOperationsToo() throws {
    let text = "# first\ncheck /a 1\n\nset /b 'two\nlines'\nset /c ,\n"
    #expect(
      try MultiParser.parse(text: [UInt8](text.utf8)) == [
        .check(path: "/a", version: 1), .set(path: "/b", data: "two\nlines", version: -1),
        .set(path: "/c", data: ",", version: -1),
      ])
  }

  @Test(arguments: [
    ("create /a ,", "operation 2 of the multi is empty; separate operations by a comma with blanks around it"),
    ("check /a", "operation 1: missing argument: version; usage: check path version"),
    (
      "check /a 1 , get /b",
      "operation 2: unknown operation get in a multi; the operations are create, set, delete and check"
    ),
    (
      "check /a x",
      "operation 1: version x is not a version; a version is a number from 0, or -1 for any; stat shows it"
    ),
  ])
  func mistakesAreNamedByPlace(line: String, message: String) {
    #expect(#expect(throws: ShellError.self) { try MultiParser.parse(words(line)) }?.text == message)
  }

  @Test func anOpenQuoteInAFileIsAnError() {
    #expect(throws: ShellError.self) { try MultiParser.parse(text: [UInt8]("set /a 'open".utf8)) }
    #expect(throws: ShellError.self) { try MultiParser.parse(text: [UInt8]("# nothing\n".utf8)) }
  }
}
