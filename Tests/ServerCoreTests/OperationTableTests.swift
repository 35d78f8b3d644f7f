import Jute
import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// What each operation is answered, as tables: by access rules, by the change under way, by the state of the session.
@Suite struct OperationTableTests {
  /// An operation on `/p/c`, the znode whose access rules it asks for, and the permissions of which one suffices.
  private struct AccessRule {
    let name: String
    let request: ClientRequest
    let guardian: String
    let suffices: Permissions
  }

  /// *Source*: `PrepRequestProcessor.pRequest2Txn`, `FinalRequestProcessor.processRequest`.
  private static let accessRules: [AccessRule] = {
    let read = PathWatchRequest(path: "/p/c")
    let check = MultiRequest(operations: [.check(PathVersionRequest(path: "/p/c", version: -1))])
    let acl = SetACLRequest(path: "/p/c", acl: ACL.openUnsafe, version: -1)
    return [
      AccessRule(name: "create", request: .create(Bench.create("/p/n")), guardian: "/p", suffices: .create),
      AccessRule(name: "create2", request: .create2(Bench.create("/p/n")), guardian: "/p", suffices: .create),
      AccessRule(name: "delete", request: Bench.delete("/p/c"), guardian: "/p", suffices: .delete),
      AccessRule(name: "setData", request: Bench.set("/p/c", "new"), guardian: "/p/c", suffices: .write),
      AccessRule(name: "setACL", request: .setACL(acl), guardian: "/p/c", suffices: .admin),
      AccessRule(name: "multi check", request: .multi(check), guardian: "/p/c", suffices: .read),
      AccessRule(name: "getData", request: .getData(read), guardian: "/p/c", suffices: .read),
      AccessRule(name: "getChildren", request: .getChildren(read), guardian: "/p/c", suffices: .read),
      AccessRule(name: "getChildren2", request: .getChildren2(read), guardian: "/p/c", suffices: .read),
      AccessRule(
        name: "getACL", request: .getACL(PathRequest(path: "/p/c")), guardian: "/p/c", suffices: [.read, .admin]),
      AccessRule(name: "exists", request: .exists(read), guardian: "/p/c", suffices: .read),
    ]
  }()

  /// How a request ended; the reply to a failed multi says so in its body alone.
  private func outcome(_ reply: Received) -> KeeperError? {
    if case .multi(let response)? = reply.body, let error = response.firstError { return error }
    return reply.error
  }

  /// All 32 sets of permissions, in the tree and as a change under way.
  @Test(arguments: [false, true])
  func accessIsDecidedByTheRightZnode(isUnderWay: Bool) {
    for rule in Self.accessRules {
      for bits: Int32 in 0..<32 {
        let bench = Bench()
        let client = bench.connect()
        for path in ["/p", "/p/c"] { client.create(path) }
        let granted = Permissions(rawValue: bits)
        let acl = [ACL(permissions: granted, scheme: "world", id: "anyone")]
        bench.holdsCommits = isUnderWay
        client.submit(.setACL(SetACLRequest(path: rule.guardian, acl: acl, version: -1)))
        client.submit(rule.request)
        bench.commit()
        let isAllowed = !granted.isDisjoint(with: rule.suffices)
        let answer = client.received().last.flatMap(outcome)
        #expect(answer == (isAllowed ? .ok : .noAuth), "\(rule.name) with \(bits)")
        #expect(bench.core.counters.digestMismatches == 0)
      }
    }
  }

  // MARK: Changes under way

  /// What was asked for before, and is not committed yet: `/x` exists, and belongs to another session as an ephemeral
  /// where that session ends.
  private static let pending: [String: [ClientRequest]] = [
    "nothing": [],
    "deleted": [Bench.delete("/x")],
    "changed": [Bench.set("/x", "2")],
    "read-only": [
      .setACL(
        SetACLRequest(
          path: "/x", acl: [ACL(permissions: .read, scheme: "world", id: "anyone")], version: -1))
    ],
    "parent": [.create(Bench.create("/x/c"))],
    "replaced": [Bench.delete("/x"), .create(Bench.create("/x"))],
    "undone": [
      .multi(
        MultiRequest(operations: [
          .setData(SetDataRequest(path: "/x", data: [2], version: -1)),
          .check(PathVersionRequest(path: "/none", version: -1)),
        ]))
    ],
    "owner-ends": [],
  ]

  private static let next: [String: ClientRequest] = [
    "create": .create(Bench.create("/x")),
    "child": .create(Bench.create("/x/c")),
    "set@0": Bench.set("/x", "3", 0),
    "set@1": Bench.set("/x", "3", 1),
    "delete": Bench.delete("/x"),
    "delete@1": Bench.delete("/x", 1),
    "acl@0": .setACL(SetACLRequest(path: "/x", acl: ACL.openUnsafe, version: 0)),
    "acl@1": .setACL(SetACLRequest(path: "/x", acl: ACL.openUnsafe, version: 1)),
  ]

  private static let answers: [String: KeeperError] = [
    "ok": .ok, "exists": .nodeExists, "no-node": .noNode, "version": .badVersion, "no-auth": .noAuth,
    "not-empty": .notEmpty,
  ]

  private static let table = """
    pending     create   child    set@0    set@1    delete     delete@1  acl@0    acl@1
    nothing     exists   ok       ok       version  ok         version   ok       version
    deleted     ok       no-node  no-node  no-node  no-node    no-node   no-node  no-node
    changed     exists   ok       version  ok       ok         ok        ok       version
    read-only   exists   no-auth  no-auth  no-auth  ok         version   no-auth  no-auth
    parent      exists   exists   ok       version  not-empty  version   ok       version
    replaced    exists   ok       ok       version  ok         version   ok       version
    undone      exists   ok       ok       version  ok         version   ok       version
    owner-ends  ok       no-node  no-node  no-node  no-node    no-node   no-node  no-node
    """

  private func answer(pending: String, next: ClientRequest, commitsBetween: Bool) -> KeeperError? {
    let bench = Bench()
    let client = bench.connect()
    let owner = bench.connect()
    if pending == "owner-ends" { owner.create("/x", flags: 1) } else { client.create("/x") }
    bench.holdsCommits = true
    for request in Self.pending[pending] ?? [] { client.submit(request) }
    if pending == "owner-ends" { owner.submit(.closeSession) }
    if commitsBetween { bench.commit() }
    client.submit(next)
    bench.commit()
    #expect(bench.core.counters.digestMismatches == 0)
    return client.received().last?.error
  }

  /// A write is checked against what will be there once all before it is applied: the answer is the same whether the
  /// change before it is committed or under way.
  @Test(arguments: [false, true])
  func writesSeeChangesUnderWay(commitsBetween: Bool) throws {
    let lines = Self.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let columns = try #require(lines.first).dropFirst()
    #expect(Set(columns) == Set(Self.next.keys) && Set(lines.dropFirst().map { $0[0] }) == Set(Self.pending.keys))
    for line in lines.dropFirst() {
      for (column, expected) in zip(columns, line.dropFirst()) {
        let found = answer(
          pending: line[0], next: try #require(Self.next[column]), commitsBetween: commitsBetween)
        #expect(found == Self.answers[expected], "\(column) after \(line[0])")
      }
    }
  }

  // MARK: Sessions

  private static let writes: [ClientRequest] = [
    .create(Bench.create("/n")), .create2(Bench.create("/n")), .createContainer(Bench.create("/n", flags: 4)),
    .createTTL(CreateTTLRequest(create: Bench.create("/n", flags: 5), ttlMilliseconds: 1000)),
    Bench.delete("/x"), Bench.set("/x", "1"), .setACL(SetACLRequest(path: "/x", acl: ACL.openUnsafe, version: -1)),
    .multi(MultiRequest(operations: [.setData(SetDataRequest(path: "/x", data: [1], version: -1))])),
  ]

  /// Sends a write through a learner, and returns how the transaction ends that it becomes.
  private func forward(_ request: ClientRequest, _ session: SessionID, server: Int64, _ bench: Bench) -> KeeperError? {
    var writer = JuteWriter()
    request.encodeFrame(xid: Xid(rawValue: 1), into: &writer)
    // After length, xid and type.
    let forwarded = ForwardedRequest(
      sessionID: session, xid: Xid(rawValue: 1), type: request.opCode.rawValue, body: Array(writer.bytes.dropFirst(12)))
    bench.core.receive(forwarded, identities: [], from: ServerID(rawValue: server), bench.time)
    bench.settle()
    guard let last = bench.proposals.last, let entry = try? TxnEntry(decoding: last.bytes) else { return nil }
    switch entry.txn {
    case .error(let error): return error
    case .multi(let parts):
      if case .error(let error)? = parts.first { return error }
      return .ok
    default: return .ok
    }
  }

  @Test(arguments: ["living", "moved", "closing", "expired", "unknown"])
  func writesAreForLivingSessionsOfTheirServer(state: String) {
    let expected: [String: KeeperError] = [
      "living": .ok, "moved": .sessionMoved, "closing": .sessionExpired, "expired": .sessionExpired,
      "unknown": .sessionExpired,
    ]
    for request in Self.writes {
      let bench = Bench()
      bench.connect().create("/x")
      let session = SessionID(rawValue: 0x2_0000_0000_0001)
      if state != "unknown" {
        bench.core.receive(
          ForwardedRequest(
            sessionID: session, xid: Xid(rawValue: 0), type: OpCode.createSession.rawValue, body: [0, 0, 0x27, 0x10]),
          identities: [], from: ServerID(rawValue: 2), bench.time)
        bench.settle()
      }
      switch state {
      case "closing":
        bench.holdsCommits = true
        bench.core.receive(
          ForwardedRequest(sessionID: session, xid: Xid(rawValue: 1), type: OpCode.closeSession.rawValue, body: []),
          identities: [], from: ServerID(rawValue: 2), bench.time)
      case "expired":
        bench.now += 60_000
        bench.core.expireSessions(bench.time)
        bench.settle()
      default: break
      }
      let answer = forward(request, session, server: state == "moved" ? 3 : 2, bench)
      #expect(answer == expected[state], "\(request.opCode) of a session that is \(state)")
    }
  }
}
