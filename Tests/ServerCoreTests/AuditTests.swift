import Jute
import ServerCore
import Testing
import ZooKeeperProtocol

/// What a server reports to its audit log.
@Suite struct AuditTests {
  /// The lines of a bench's core.
  private final class Lines {
    var events: [AuditEvent] = []
    var texts: [String] { events.map { $0.text(serverUser: "zoo").replacing("\t", with: " ") } }

    init(_ bench: Bench) { bench.core.onAudit = { [unowned self] in events.append($0) } }

    func take() -> [String] {
      defer { events = [] }
      return texts
    }
  }

  private func create(_ path: String, flags: Int32 = 0) -> CreateRequest {
    CreateRequest(path: path, data: nil, acl: ACL.openUnsafe, flags: flags)
  }

  @Test func changesAreReportedWithTheirOutcome() {
    let bench = Bench()
    let lines = Lines(bench)
    let client = bench.connect()
    let who = "session=\(client.connection.sessionID) user=127.0.0.1 ip=127.0.0.1"
    client.call(.create2(create("/a")))
    client.call(.create(create("/a/s-", flags: 2)))
    client.call(.create2(create("/a")))
    client.call(.createContainer(create("/c", flags: 4)))
    client.call(.getData(PathWatchRequest(path: "/a", watch: false)))
    client.call(.setData(SetDataRequest(path: "/a", data: nil, version: -1)))
    client.call(.setData(SetDataRequest(path: "/none", data: nil, version: -1)))
    client.call(.delete(PathVersionRequest(path: "/a", version: -1)))
    #expect(
      lines.take() == [
        "\(who) operation=create znode=/a znode_type=persistent result=success",
        "\(who) operation=create znode=/a/s-0000000000 znode_type=persistent_sequential result=success",
        "\(who) operation=create znode=/a znode_type=persistent result=failure",
        "\(who) operation=create znode=/c znode_type=container result=success",
        "\(who) operation=setData znode=/a result=success", "\(who) operation=setData znode=/none result=failure",
        "\(who) operation=delete znode=/a result=failure",
      ])
    client.call(.auth(AuthPacket(scheme: "digest", auth: Array("bob:secret".utf8))))
    let bob = "session=\(client.connection.sessionID) user=bob,127.0.0.1 ip=127.0.0.1"
    client.call(.setACL(SetACLRequest(path: "/a", acl: ACL.creatorAll + ACL.readUnsafe, version: -1)))
    client.call(
      .reconfig(ReconfigRequest(joiningServers: "x", leavingServers: nil, newMembers: nil, configVersion: -1)))
    #expect(
      lines.take() == [
        "\(bob) operation=setAcl znode=/a acl=auth::cdrwaworld:anyone:r result=success",
        "\(bob) operation=reconfig result=failure",
      ])
  }

  @Test func multiIsReportedByItsParts() {
    let bench = Bench()
    let lines = Lines(bench)
    let client = bench.connect()
    client.call(
      .multi(
        MultiRequest(operations: [
          .create2(create("/m", flags: 1)), .create(create("/s-", flags: 3)),
          .setData(SetDataRequest(path: "/m", data: nil, version: -1)),
          .check(PathVersionRequest(path: "/m", version: -1)), .delete(PathVersionRequest(path: "/m", version: -1)),
        ])))
    client.call(
      .multi(MultiRequest(operations: [.create2(create("/n")), .delete(PathVersionRequest(path: "/x", version: -1))])))
    let words = lines.take().map { $0.split(separator: " ").dropFirst(3).joined(separator: " ") }
    #expect(
      words == [
        "operation=create znode=/m znode_type=ephemeral result=success",
        "operation=create znode=/s-0000000001 result=success",
        "operation=setData znode=/m result=success", "operation=delete znode=/m result=success",
        "operation=multiOperation result=failure",
      ])
  }

  /// A client that does not wait for the answer has made its change nevertheless.
  @Test func changeOfAClientThatHasGoneIsReported() {
    let bench = Bench()
    let lines = Lines(bench)
    let client = bench.connect()
    bench.holdsCommits = true
    client.submit(.create2(create("/a")))
    bench.core.disconnected(client.connection)
    #expect(lines.take() == [])
    bench.commit()
    #expect(lines.take().map { $0.contains("znode=/a ") } == [true])
  }

  @Test func ephemeralsThatEndAreTheServersDeed() {
    let bench = Bench()
    let lines = Lines(bench)
    let client = bench.connect()
    for path in ["/e1", "/e2"] { client.call(.create2(create(path, flags: 1))) }
    _ = lines.take()
    let head = "session=\(client.connection.sessionID) user=zoo operation=ephemeralZNodeDeletionOnSessionCloseOrExpire"
    client.call(.closeSession)
    #expect(lines.take() == ["\(head) znode=/e1 result=success", "\(head) znode=/e2 result=success"])
  }

  @Test func namesCannotForgeLines() {
    let bench = Bench()
    let lines = Lines(bench)
    let client = bench.connect()
    client.call(.auth(AuthPacket(scheme: "digest", auth: Array("a\nresult=success\tx\u{85}:p".utf8))))
    client.call(.delete(PathVersionRequest(path: "/x\ty\u{2028}", version: -1)))
    let text = lines.events.map { $0.text(serverUser: "zoo") }.joined()
    #expect(text.contains("user=a\\x0aresult=success\\x09x\\xc2\\x85,127.0.0.1\t"))
    #expect(text.contains("znode=/x\\x09y\\xe2\\x80\\xa8\t"))
  }

  @Test func serverSaysWhenItStartsAndStops() {
    let texts = [AuditEvent(.serverStart, .success), AuditEvent(.serverStop, .invoked)].map { $0.text(serverUser: "z") }
    #expect(texts == ["user=z\toperation=serverStart\tresult=success", "user=z\toperation=serverStop\tresult=invoked"])
  }
}
