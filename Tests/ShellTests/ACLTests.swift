import Testing
import ZooKeeperProtocol

@testable import ZnodeFormats
@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct ACLTests {
  private func acl(_ text: String) throws -> [ACL] { try ValueParser.acl(Word(text)) }

  @Test func theHashIsThatOfApache() {
    // From Apache's documentation: DigestAuthenticationProvider.generateDigest("super:admin").
    #expect(ACL.digestID(user: "super", password: Array("admin".utf8)) == "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=")
    #expect(ACL.digestID(user: "bob", password: Array("secret".utf8)) == "bob:fyVmFCwVbTJYrznoSu1koqYEYF0=")
  }

  @Test(arguments: [
    ("world:anyone:r", "+ip:10.0.0.0/8:rw", "world:anyone:r,ip:10.0.0.0/8:rw"),
    ("world:anyone:r", "+world:anyone:w", "world:anyone:rw"), ("world:anyone:r", "+world:anyone:r", nil),
    ("world:anyone:rwa,ip:1.2.3.4:r", "-world:anyone:wa", "world:anyone:r,ip:1.2.3.4:r"),
    ("world:anyone:rwa,ip:1.2.3.4:r", "-world:anyone", "ip:1.2.3.4:r"), ("world:anyone:r", "-ip:1.2.3.4", nil),
    ("digest:b:xQ=:r,world:anyone:r", "-digest:b:xQ=", "world:anyone:r"), ("world:anyone:r", "-world:anyone:r", ""),
  ])
  func entriesAreAddedAndTakenAway(before: String, change: String, after: String?) throws {
    let word = Word(String(change.dropFirst()))
    let change = change.first == "+" ? ACLChange(adding: try ValueParser.acl(word)) : try ACLChange(removing: word)
    #expect(change.applied(to: try acl(before))?.map(\.text).joined(separator: ",") == after)
  }

  @Test(arguments: [
    (ACLQuestion.Operation.get, "digest:bob", "digest:bob:xQ=:r", true),
    (.set, "digest:bob", "digest:bob:xQ=:r", false),
    (.get, "digest:bo", "digest:bob:xQ=:r", false), (.get, "digest:bob:xQ=", "digest:bob:xQ=:r", true),
    (.get, "digest:bob:other", "digest:bob:xQ=:r", false), (.get, "digest:bob:xQ=", "digest:bob:x:r", true),
    (.delete, "ip:10.1.2.3", "ip:10.0.0.0/8:d", true), (.delete, "ip:11.1.2.3", "ip:10.0.0.0/8:d", false),
    (.ls, "ip:::1", "ip:::1:r", true), (.ls, "ip:2001:db8::5", "ip:2001:db8::/32:r", true),
    (.ls, "ip:2001:db9::5", "ip:2001:db8::/32:r", false), (.ls, "sasl:kim", "sasl:kim:r", true),
    (.ls, "sasl:kim", "world:anyone:r", true), (.getAcl, "sasl:kim", "sasl:kim:a", true),
    (.setAcl, "sasl:kim", "sasl:kim:cdrw", false),
  ])
  func questionsAreAnsweredAsByAServer(
    operation: ACLQuestion.Operation, identity: String, list: String, isAllowed: Bool
  ) throws {
    let parts = identity.split(separator: ":", maxSplits: 1)
    let client = ClientInfo(scheme: String(parts[0]), user: String(parts[1]))
    let question = ACLQuestion(operation: operation, identities: [client])
    #expect((question.grantor(in: try acl(list)) != nil) == isAllowed)
  }

  @Test(arguments: [
    "10.0.0.0/33", "10.0.0", "1.2.3.4.5", "10.0.0.-1", ":::", "1:2:3", "1:2:3:4:5:6:7:8:9", "", "::/129",
  ])
  func addressesThatAreNoneMatchNothing(text: String) { #expect(IPNetwork(parsing: text) == nil) }

  @Test(arguments: [
    ("world:anyone:r,auth::a", []), ("world:anyone:cdrwa", ["world-writable"]), ("world:anyone:r", ["no-admin"]),
    ("digest::a", ["empty-digest"]), ("digest:bob::a", ["empty-digest"]), ("host:example.com:a", ["unknown-scheme"]),
    ("world:anyone:w,foo:x:r", ["world-writable", "unknown-scheme", "no-admin"]),
  ])
  func mistakesAreFound(list: String, kinds: [String]) throws {
    #expect(ACLFinding.findings(in: try acl(list)).map(\.kind.rawValue) == kinds)
  }

  @Test func theHashOfAnEmptyPasswordIsFound() {
    let entry = ACL(permissions: .all, scheme: "digest", id: ACL.digestID(user: "bob", password: []))
    #expect(ACLFinding.findings(in: [entry]).map(\.kind) == [.emptyDigest])
  }
}
