import Testing
import ZooKeeperProtocol

/// To Swift, a slash with a combining mark after it is one character, and two spellings of é are equal; to servers,
/// both are different.
@Suite(.timeLimit(.minutes(10)))
struct CombiningPathTests {
  /// A component that begins with an acute accent.
  static let accent = "\u{301}x"

  @Test func markBehindASlashDoesNotHideTheSlash() {
    #expect(ZnodePath.parent(of: "/a/" + Self.accent) == "/a")
    #expect(ZnodePath.parent(of: "/" + Self.accent) == "/")
    #expect(ZnodePath.parent(of: "/" + Self.accent + "/b")?.utf8.elementsEqual(("/" + Self.accent).utf8) == true)
    #expect(ZnodePath.name(of: "/a/" + Self.accent).utf8.elementsEqual(Self.accent.utf8))
    #expect(ZnodePath.isWithin("/a/" + Self.accent, "/a"))
  }

  @Test func markBehindASlashDoesNotDisturbResolving() {
    let inside = "/a/" + Self.accent
    #expect(ZnodePath.resolve("..", in: inside) == "/a")
    #expect(ZnodePath.resolve("/" + Self.accent, in: "/a").utf8.elementsEqual(("/" + Self.accent).utf8))
    #expect(ZnodePath.resolve(Self.accent, in: "/a").utf8.elementsEqual(inside.utf8))
    #expect(ZnodePath.resolve("../" + Self.accent, in: "/a/b").utf8.elementsEqual(inside.utf8))
  }

  @Test func spellingsOfOneTextAreTwoPaths() {
    #expect(!ZnodePath.isWithin("/\u{e9}", "/e\u{301}"))
    #expect(!ZnodePath.isWithin("/\u{e9}/a", "/e\u{301}"))
    #expect(ZnodePath.isWithin("/e\u{301}/a", "/e\u{301}"))
    // A name with an accent after it is another name, not a child.
    #expect(!ZnodePath.isWithin("/e\u{301}", "/e"))
  }

  @Test func chrootMayBeginWithAMark() throws {
    let chroot = "/" + Self.accent
    let parsed = try ConnectString(parsing: "host" + chroot)
    #expect(parsed.servers == [ServerAddress(host: "host", port: 2181)])
    #expect(parsed.chroot?.utf8.elementsEqual(chroot.utf8) == true)
  }

  @Test func identityMayBeginWithAMark() throws {
    let entries = try ACL.parse("digest:\u{301}bob:hash=:r")
    #expect(entries.count == 1)
    #expect(entries.first?.scheme == "digest")
    #expect(entries.first?.id.utf8.elementsEqual("\u{301}bob:hash=".utf8) == true)
  }
}
