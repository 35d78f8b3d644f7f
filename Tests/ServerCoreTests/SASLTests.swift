import Jute
import Testing
import ZooKeeperProtocol

@testable import ServerCore

/// SASL in the core: tokens to the driver, answers to the client, and what the identity is worth.
@Suite struct SASLTests {
  private func bench(_ configure: (inout ServerSettings) -> Void = { _ in }) -> Bench {
    Bench { settings in
      settings.sasl = SASLSettings()
      configure(&settings)
    }
  }

  private func send(_ client: Client, _ token: [UInt8]) { client.submit(.sasl(SASLToken(token: token))) }

  /// The driver answers the only token that it has.
  private func answer(_ bench: Bench, _ answer: SASLAnswer) {
    let requests = bench.core.takeSASLRequests()
    #expect(requests.count == 1)
    for request in requests { bench.core.answerSASL(request.connection, answer, bench.time) }
    bench.settle()
  }

  private func logIn(_ client: Client, _ id: String) {
    send(client, [])
    answer(client.bench, .complete(nil, id: id))
    _ = client.received()
  }

  private static let acl = [ACL(permissions: .all, scheme: "sasl", id: "bob")]

  @Test func tokensAreTheDriversAndRepliesTheClients() {
    let bench = bench()
    let client = bench.connect()
    send(client, [1, 2])
    #expect(client.received().isEmpty)
    let requests = bench.core.takeSASLRequests()
    #expect(requests.map(\.token) == [[1, 2]])
    bench.core.answerSASL(client.connection, .reply([3]), bench.time)
    #expect(client.received().first?.body == .token(SASLToken(token: [3])))
    send(client, [4])
    answer(bench, .complete([5], id: "bob"))
    #expect(client.received().first?.body == .token(SASLToken(token: [5])))
    #expect(client.connection.identities.last == Identity(scheme: "sasl", id: "bob"))
    #expect(bench.core.counters.outstandingRequests == 0)
  }

  @Test func serverWithoutSASLAnswersWithNothing() {
    let client = Bench().connect()
    #expect(client.body(.sasl(SASLToken(token: [1]))) == .token(SASLToken(token: nil)))
    #expect(client.create("/a", acl: Self.acl) == .invalidACL)
  }

  @Test func identityOpensWhatTheACLNames() {
    let bench = bench { $0.sasl?.superUsers = ["root"] }
    let (bob, eve, root) = (bench.connect(), bench.connect(), bench.connect())
    logIn(bob, "bob")
    logIn(eve, "eve")
    logIn(root, "root")
    #expect(bob.create("/a", acl: Self.acl) == .ok)
    #expect(bob.create("/auth", acl: [ACL(permissions: .all, scheme: "auth", id: "")]) == .ok)
    for path in ["/a", "/auth"] {
      let read = ClientRequest.getData(PathWatchRequest(path: path))
      #expect(bob.call(read) == .ok)
      #expect(eve.call(read) == .noAuth)
      #expect(root.call(read) == .ok)
    }
    #expect(bob.create("/bad", acl: [ACL(permissions: .all, scheme: "sasl", id: "a@b@c")]) == .invalidACL)
  }

  @Test func idOfEveryoneIsForAllWhoHaveLoggedIn() {
    let bench = bench { $0.sasl?.idOfEveryone = "anyone" }
    let (bob, stranger) = (bench.connect(), bench.connect())
    logIn(bob, "bob")
    #expect(bob.create("/a", acl: [ACL(permissions: .all, scheme: "sasl", id: "anyone")]) == .ok)
    #expect(bob.call(.getData(PathWatchRequest(path: "/a"))) == .ok)
    #expect(stranger.call(.getData(PathWatchRequest(path: "/a"))) == .noAuth)
  }

  @Test func requestsWaitForTheAnswer() {
    let bench = bench { $0.requiredSchemes = ["sasl"] }
    let client = bench.connect()
    send(client, [])
    client.submit(.create(Bench.create("/a", "")))
    client.submit(.exists(PathWatchRequest(path: "/a")))
    #expect(client.received().isEmpty)
    #expect(bench.core.counters.outstandingRequests == 3)
    answer(bench, .complete(nil, id: "bob"))
    #expect(client.received().map(\.error) == [.ok, .ok, .ok])
    #expect(bench.core.counters.outstandingRequests == 0)
  }

  @Test func waitingRequestsAreLimited() {
    let bench = bench()
    let client = bench.connect()
    send(client, [])
    for _ in 0..<ClientConnection.heldLimitCount { client.submit(.ping) }
    #expect(!client.isClosed)
    client.submit(.ping)
    #expect(client.isClosed)
    let other = bench.connect()
    send(other, [])
    let data = String(repeating: "x", count: ClientConnection.heldLimitBytes)
    other.submit(.create(Bench.create("/a", data)))
    #expect(other.isClosed)
    bench.core.disconnected(client.connection)
    bench.core.disconnected(other.connection)
    #expect(bench.core.counters.outstandingRequests == 0)
  }

  @Test func refusalClosesTheConnection() {
    for (schemes, error) in [([], KeeperError.authFailed), (["sasl"], .sessionClosedRequireSaslAuth)] {
      let bench = bench { $0.requiredSchemes = schemes }
      let client = bench.connect()
      send(client, [1])
      answer(bench, .refused)
      #expect(client.received().map(\.error) == [error])
      #expect(client.isClosed)
      #expect(bench.core.counters.authFailures == 1)
    }
  }

  @Test func clientsThatFailMayBeKept() {
    let bench = bench { $0.sasl?.keepsFailedClients = true }
    let client = bench.connect()
    send(client, [1])
    answer(bench, .refused)
    #expect(client.received().first?.body == .token(SASLToken(token: nil)))
    #expect(!client.isClosed)
    #expect(client.connection.identities.count == 1)
    // Not where a login is required.
    let strict = self.bench {
      $0.sasl?.keepsFailedClients = true
      $0.requiredSchemes = ["sasl"]
    }
    let other = strict.connect()
    send(other, [1])
    answer(strict, .refused)
    #expect(other.isClosed)
  }

  @Test func requestsBeforeALoginAreRefusedWhereItIsRequired() {
    let bench = bench { $0.requiredSchemes = ["sasl"] }
    let client = bench.connect()
    client.submit(.exists(PathWatchRequest(path: "/")))
    #expect(client.received().map(\.error) == [.sessionClosedRequireSaslAuth])
    #expect(client.isClosed)
  }

  @Test func answersThatComeTooLateAreIgnored() {
    let bench = bench()
    let client = bench.connect()
    send(client, [1])
    let requests = bench.core.takeSASLRequests()
    bench.core.disconnected(client.connection)
    for request in requests { bench.core.answerSASL(request.connection, .complete(nil, id: "bob"), bench.time) }
    #expect(client.received().isEmpty)
    #expect(client.connection.identities.count == 1)
    // A token of a connection that has ended is not the driver's any more.
    let other = bench.connect()
    send(other, [1])
    bench.core.disconnected(other.connection)
    #expect(bench.core.takeSASLRequests().isEmpty)
  }

  @Test func malformedRequestClosesTheConnection() {
    let bench = bench()
    let client = bench.connect()
    client.submitRaw(type: 102, body: [0, 0])
    #expect(client.isClosed)
    #expect(bench.core.takeSASLRequests().isEmpty)
  }
}
