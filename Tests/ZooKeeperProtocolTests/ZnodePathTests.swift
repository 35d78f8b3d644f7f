import Testing
import ZooKeeperProtocol

/// The rules of paths, and the arithmetic on them.
@Suite(.timeLimit(.minutes(10)))
struct ZnodePathTests {
  static let good = [
    "/", "/a", "/a/b", "/...", "/.x", "/x.", "/a..b", "/ ", "/a b", "/zookeeper/config", "/é", "/e\u{301}", "/日本",
    "/\u{20}", "/\u{7e}", "/\u{a0}", "/\u{2028}", "/\u{d7ff}", "/\u{f900}", "/\u{ffef}",
  ]

  @Test(arguments: good) func legalPathIsAccepted(path: String) throws {
    try ZnodePath.validate(path)
    if path != "/" { try ZnodePath.validate(path, isSequential: true) }
  }

  static let bad: [(String, ZnodePathError.Reason)] = [
    ("", .empty), ("a", .notAbsolute), ("a/b", .notAbsolute), ("./a", .notAbsolute), (" /a", .notAbsolute),
    ("/a/", .trailingSlash), ("//", .trailingSlash), ("//a", .emptyComponent(offset: 1)),
    ("/a//b", .emptyComponent(offset: 3)), ("/.", .relativeComponent(offset: 1)),
    ("/..", .relativeComponent(offset: 1)), ("/a/./b", .relativeComponent(offset: 3)),
    ("/a/../b", .relativeComponent(offset: 3)), ("/a/..", .relativeComponent(offset: 3)),
  ]

  @Test(arguments: bad) func brokenRuleIsNamed(path: String, reason: ZnodePathError.Reason) {
    let error = #expect(throws: ZnodePathError.self) { try ZnodePath.validate(path) }
    #expect(error?.reason == reason)
    #expect(error?.path == path)
  }

  /// The ends of each range of characters that servers refuse, and their neighbours.
  static let characters: [(UInt32, isLegal: Bool)] = [
    (0x00, false), (0x01, false), (0x1f, false), (0x20, true), (0x7e, true), (0x7f, false), (0x80, false),
    (0x9f, false), (0xa0, true), (0xd7ff, true), (0xe000, false), (0xf8ff, false), (0xf900, true), (0xffef, true),
    (0xfff0, false), (0xfffd, false), (0xffff, false), (0x1_0000, false), (0x1_f600, false), (0x10_ffff, false),
  ]

  @Test(arguments: characters) func forbiddenRangesEndWhereServersEndThem(value: UInt32, isLegal: Bool) throws {
    let scalar = try #require(Unicode.Scalar(value))
    let path = "/a" + String(Character(scalar)) + "/b"
    if isLegal {
      try ZnodePath.validate(path)
    } else {
      let error = #expect(throws: ZnodePathError.self) { try ZnodePath.validate(path) }
      #expect(error?.reason == .forbiddenCharacter(scalar: scalar, offset: 2))
    }
  }

  /// Most paths are checked eight bytes at a time. Short and long ones, with what is special to the rules at every
  /// offset, are judged as by a check of one name after another.
  @Test func rulesHoldAtEveryOffset() {
    let pieces: [Character] = ["/", "/", ".", "a", "a", "a", "~", " ", "-", "0", "\u{1f}", "\u{7f}", "\u{80}", "é"]
    var random = SplitMix64(seed: 1)
    for round in 0..<200_000 {
      var path = "/"
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        // Long stretches without anything special, too.
        path.append(
          round % 3 == 0 ? pieces.randomElement(using: &random) ?? "a" : Bool.random(using: &random) ? "a" : "/")
      }
      let names = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      let isLegal =
        path == "/"
        || names.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
          && path.unicodeScalars.allSatisfy { $0.value > 0x1f && !(0x7f...0x9f).contains($0.value) }
      let isAccepted = (try? ZnodePath.validate(path)) != nil
      #expect(isAccepted == isLegal, "\(path.debugDescription)")
    }
  }

  @Test func sequentialNameMayBeEmpty() throws {
    try ZnodePath.validate("/queue/", isSequential: true)
    try ZnodePath.validate("/", isSequential: true)
    // With a sequence number after the dots, they are a valid name.
    try ZnodePath.validate("/a/..", isSequential: true)
    #expect(throws: ZnodePathError.self) { try ZnodePath.validate("/queue/", isSequential: false) }
    #expect(throws: ZnodePathError.self) { try ZnodePath.validate("/a//", isSequential: true) }
    #expect(throws: ZnodePathError.self) { try ZnodePath.validate("", isSequential: true) }
  }

  @Test(
    arguments: [
      ("/", nil, ""), ("/a", "/", "a"), ("/a/b", "/a", "b"), ("/a/b/c", "/a/b", "c"),
    ] as [(String, String?, String)])
  func pathIsParentAndName(path: String, parent: String?, name: String) {
    #expect(ZnodePath.parent(of: path) == parent)
    #expect(ZnodePath.name(of: path) == name)
    if let parent { #expect(ZnodePath.child(name, of: parent) == path) }
  }

  static let resolutions: [(typed: String, directory: String, path: String)] = [
    ("", "/", "/"), ("", "/a", "/a"), (".", "/a", "/a"), ("..", "/a", "/"), ("..", "/", "/"), ("../..", "/a/b", "/"),
    ("../../..", "/a/b", "/"), ("x", "/", "/x"), ("x", "/a", "/a/x"), ("x/y", "/a", "/a/x/y"), ("./x", "/a", "/a/x"),
    ("../x", "/a", "/x"), ("x/../y", "/a", "/a/y"), ("/x", "/a", "/x"), ("/", "/a", "/"), ("//x//y//", "/a", "/x/y"),
    ("x/", "/a", "/a/x"), ("...", "/a", "/a/..."), (".x", "/a", "/a/.x"), ("a b", "/", "/a b"), ("é", "/", "/é"),
  ]

  @Test(arguments: resolutions) func typedPathIsResolved(typed: String, directory: String, path: String) {
    #expect(ZnodePath.resolve(typed, in: directory) == path)
  }

  @Test func trailingSlashIsKeptOnRequest() {
    #expect(ZnodePath.resolve("x/", in: "/a", keepingTrailingSlash: true) == "/a/x/")
    #expect(ZnodePath.resolve("x//", in: "/a", keepingTrailingSlash: true) == "/a/x/")
    #expect(ZnodePath.resolve("x", in: "/a", keepingTrailingSlash: true) == "/a/x")
    #expect(ZnodePath.resolve("/", in: "/a", keepingTrailingSlash: true) == "/")
    #expect(ZnodePath.resolve("../", in: "/a", keepingTrailingSlash: true) == "/")
  }

  @Test(arguments: [("/", true), ("", false), ("a", false), ("//", false), ("/a", false), ("/\u{301}", false)])
  func onlyASlashIsTheRoot(path: String, isRoot: Bool) {
    #expect(ZnodePath.isRoot(path) == isRoot)
  }

  @Test func pathIsWithinItselfAndItsAncestors() {
    #expect(ZnodePath.isWithin("/a", "/a"))
    #expect(ZnodePath.isWithin("/a/b", "/a"))
    #expect(ZnodePath.isWithin("/a", "/"))
    #expect(ZnodePath.isWithin("/", "/"))
    #expect(!ZnodePath.isWithin("/ab", "/a"))
    #expect(!ZnodePath.isWithin("/a", "/a/b"))
    #expect(!ZnodePath.isWithin("/", "/a"))
  }
}
