import Testing
import ZooKeeperProtocol

/// What names an ensemble, and what does not.
@Suite(.timeLimit(.minutes(10)))
struct ConnectStringTests {
  static let good: [(text: String, servers: [(String, Int)], chroot: String?)] = [
    ("a", [("a", 2181)], nil), ("a:1", [("a", 1)], nil), ("a:65535", [("a", 65535)], nil),
    ("a,b:22,c", [("a", 2181), ("b", 22), ("c", 2181)], nil), ("a/", [("a", 2181)], nil),
    ("a/app", [("a", 2181)], "/app"), ("a:1,b:2/x/y", [("a", 1), ("b", 2)], "/x/y"),
    (" a , b\t,c ", [("a", 2181), ("b", 2181), ("c", 2181)], nil), (",a,,b,", [("a", 2181), ("b", 2181)], nil),
    ("zk://a:7/app", [("a", 7)], "/app"), ("127.0.0.1:2182", [("127.0.0.1", 2182)], nil),
    ("[::1]", [("::1", 2181)], nil), ("[::1]:22", [("::1", 22)], nil),
    ("[fe80::1%eth0]:3,b", [("fe80::1%eth0", 3), ("b", 2181)], nil), ("::1", [("::1", 2181)], nil),
    ("2001:db8::1/app", [("2001:db8::1", 2181)], "/app"),
  ]

  @Test(arguments: good) func textNamesServers(text: String, servers: [(String, Int)], chroot: String?) throws {
    let parsed = try ConnectString(parsing: text)
    #expect(parsed.servers == servers.map { ServerAddress(host: $0, port: $1) })
    #expect(parsed.chroot == chroot)
    // What is shown means the same.
    #expect(try ConnectString(parsing: parsed.description) == parsed)
  }

  @Test(arguments: [
    "", " ", ",", "/app", ",/app", "a:", "a:0", "a:65536", "a:-1", "a:x", "a:1x", ":2181", "[]", "[]:1", "[::1",
    "[::1]x",
    "[::1]:", "[::1]:0", "a/app/", "a//b", "a/./b", "a/../b", "a/b\u{1}", "a,b:bad", "zk://", "zk:///app",
  ])
  func textThatNamesNoneIsRefused(text: String) {
    let error = #expect(throws: ConnectStringError.self) { try ConnectString(parsing: text) }
    #expect(error?.text == text)
    #expect(error?.reason.isEmpty == false)
  }

  @Test func addressesAreShownAsTheyAreWritten() {
    #expect(ServerAddress(host: "a", port: 1).description == "a:1")
    #expect(ServerAddress(host: "::1", port: 2).description == "[::1]:2")
    let whole = ConnectString(servers: [.init(host: "a", port: 1), .init(host: "::1", port: 2)], chroot: "/x")
    #expect(whole.description == "a:1,[::1]:2/x")
  }
}
