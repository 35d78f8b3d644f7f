import Testing
import ZooKeeperProtocol

/// Swift takes a slash and a combining mark behind it for one character, and two spellings of é for one string;
/// servers take neither.
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
    // An accent behind the name is another name, not a child.
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
