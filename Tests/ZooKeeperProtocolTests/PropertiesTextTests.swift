import Testing
import ZooKeeperProtocol

/// Java's properties, from files of every system.
@Suite struct PropertiesTextTests {
  private static func pairs(_ text: String) -> [String] {
    PropertiesText(parsing: text).entries.map { "\($0.line) \($0.key)=\($0.value)" }
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func everyLineEndIsOne(lineEnd: String) {
    let lines = [
      "# a comment \\", "tickTime = 2000", "", "dataDir=/a\\", "   /b", "! another", "clientPort:\t2181  ", "x\\=y z",
    ]
    let expected = ["2 tickTime=2000", "4 dataDir=/a/b", "7 clientPort=2181", "8 x=y=z"]
    #expect(Self.pairs(lines.joined(separator: lineEnd)) == expected)
    #expect(Self.pairs(lines.joined(separator: lineEnd) + lineEnd) == expected)
    #expect(Self.pairs("\u{feff}" + lines.joined(separator: lineEnd)) == expected)
  }

  @Test(arguments: [
    ("a=b\\\n", ["1 a=b"]), ("a=\\u00e9\\ud83d\\ude00\\n.", ["1 a=é😀\n."]), ("a=\\ud83d", ["1 a=ud83d"]),
    ("a\\\n\\\n#b=c", ["1 a#b=c"]), ("a\\\n\nb", ["1 a=", "3 b="]), ("  \\t=1", ["1 \t=1"]), ("\\", []),
    ("e\u{301}=1\u{301}\n", ["1 e\u{301}=1\u{301}"]), ("a=\u{301}b", ["1 a=\u{301}b"]), ("\r\n\r\r\na", ["4 a="]),
  ])
  func escapesAndContinuations(text: String, expected: [String]) { #expect(Self.pairs(text) == expected) }

  @Test func theLastOfAKeyCounts() {
    let (entries, duplicates) = PropertiesText(parsing: "a=1\nb=2\na=3\na=4").counting()
    #expect(entries.map(\.value) == ["2", "4"])
    #expect(duplicates.map { [$0.overridden.line, $0.counting.line] } == [[1, 4], [3, 4]])
  }

  @Test func bytesOfEveryEncodingAreText() {
    #expect(PropertiesText.text(of: [0xef, 0xbb, 0xbf] + Array("a=é".utf8)) == "a=é")
    #expect(PropertiesText.text(of: [0x61, 0x3d, 0xe9]) == "a=é")
    #expect(PropertiesText.text(of: [0xff, 0xfe, 0x61, 0, 0x3d, 0, 0xe9, 0]) == "a=é")
    #expect(PropertiesText.text(of: [0xfe, 0xff, 0, 0x61, 0, 0x3d, 0, 0xe9, 0]) == "a=é")
    #expect(PropertiesText.text(of: [0xff]) == "ÿ" && PropertiesText.text(of: [0xff, 0xfe]) == "")
  }

  @Test(arguments: [
    ("::1", true), ("::", true), ("1:2:3:4:5:6:7:8", true), ("fe80::1%eth0", true), ("::ffff:10.0.0.1", true),
    ("1::", true), ("1:2:3:4:5:6:7::", true), ("a;b", false), ("", false), (":", false), (":::", false),
    ("1:2:3:4:5:6:7", false), ("1:2:3:4:5:6:7:8:9", false), ("::1::", false), ("g::", false), ("12345::", false),
    ("fe80::1%", false), ("fe80::1%a/b", false), ("::10.0.0", false), ("10.0.0.1", false), ("1:2:3:4:5:6:7::8", false),
    ("::+1", false),
  ])
  func literalsOfIPv6(text: String, isOne: Bool) {
    #expect((IPv6Literal(parsing: text) != nil) == isOne)
    #expect((ServerAddress(parsing: "[\(text)]:1") != nil) == isOne)
  }

  @Test func mappedAddressesAreThoseOfIPv4() {
    #expect(IPv6Literal(parsing: "::ffff:10.1.2.3")?.mappedIPv4 == "10.1.2.3")
    #expect(IPv6Literal(parsing: "::ffff:a01:203")?.mappedIPv4 == "10.1.2.3")
    #expect(IPv6Literal(parsing: "::1")?.mappedIPv4 == nil)
  }

  @Test(arguments: [
    ("a", "a"), ("[::1]", "::1"), ("::1", "::1"), ("10.0.0.1", "10.0.0.1"), ("[a]", nil), ("[a;b]", nil), ("a;b", nil),
    ("", nil), ("a b", nil), ("a:b", nil), ("[::1", nil),
  ])
  func hostsAlone(text: String, host: String?) { #expect(ServerAddress.host(text) == host) }
}
