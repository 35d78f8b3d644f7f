import Testing

@testable import SASL

/// DIGEST-MD5 against the examples of RFC 2831, section 4, and against messages that break its rules.
@Suite struct DigestMD5Tests {
  /// The two exchanges of the RFC: service, nonce, the client's nonce, answer and the server's answer.
  static let examples = [
    (
      "imap", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk",
      "d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd"
    ),
    (
      "acap", "OA9BSXrbuRhWay", "OA9BSuZWMSpW8m",
      "6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"
    ),
  ]

  private static let host = "elwood.innosoft.com"

  private func challenge(_ nonce: String) -> [UInt8] {
    Array("realm=\"\(Self.host)\",nonce=\"\(nonce)\",qop=\"auth\",algorithm=md5-sess,charset=utf-8".utf8)
  }

  private func response(_ service: String, _ nonce: String, _ cnonce: String, _ response: String) -> [UInt8] {
    Array(
      ("charset=utf-8,username=\"chris\",realm=\"\(Self.host)\",nonce=\"\(nonce)\",nc=00000001,cnonce=\"\(cnonce)\","
        + "digest-uri=\"\(service)/\(Self.host)\",response=\(response),qop=auth").utf8)
  }

  @Test(arguments: examples)
  func clientAnswersAsInTheExample(
    _ service: String, _ nonce: String, _ cnonce: String, _ answer: String, _ proof: String
  ) throws {
    var client = DigestMD5Client(
      user: "chris", password: "secret", service: service, serverName: Self.host, clientNonce: cnonce,
      sendsAuthorizationID: false)
    #expect(try client.step(challenge(nonce)) == .reply(response(service, nonce, cnonce, answer)))
    #expect(try client.step(Array("rspauth=\(proof)".utf8)) == .complete(nil))
  }

  @Test(arguments: examples)
  func serverAcceptsTheExample(
    _ service: String, _ nonce: String, _ cnonce: String, _ answer: String, _ proof: String
  ) throws {
    var server = DigestMD5Server(service: service, serverName: Self.host, nonce: nonce)
    _ = try server.step([]) { _ in nil }
    let step = try server.step(response(service, nonce, cnonce, answer)) { $0 == "chris" ? "secret" : nil }
    #expect(step == .complete(Array("rspauth=\(proof)".utf8)))
    #expect(server.user == "chris")
  }

  @Test(arguments: ["bob", "with \"quotes\" and \\", "jürgen", "日本", "a,b=c", ""], [true, false])
  func bothSidesAgree(_ name: String, _ sendsAuthorizationID: Bool) throws {
    var client = DigestMD5Client(
      user: name, password: "pass \(name)", clientNonce: "c", sendsAuthorizationID: sendsAuthorizationID)
    var server = DigestMD5Server(nonce: "n")
    guard case .reply(let challenge) = try server.step([], password: { _ in nil }),
      case .reply(let response) = try client.step(challenge),
      case .complete(let proof?) = try server.step(response, password: { "pass \($0)" })
    else {
      Issue.record("the exchange has other steps")
      return
    }
    #expect(try client.step(proof) == .complete(nil))
    #expect(server.user == name)
  }

  @Test func wrongPasswordAndUnknownUserAreRefusedAlike() throws {
    for password in ["wrong", nil] {
      var client = DigestMD5Client(user: "bob", password: "secret", clientNonce: "c")
      var server = DigestMD5Server(nonce: "n")
      guard case .reply(let challenge) = try server.step([], password: { _ in nil }),
        case .reply(let response) = try client.step(challenge)
      else {
        Issue.record("the exchange has other steps")
        return
      }
      #expect(throws: SASLError(.notAuthentic, "user and password do not match")) {
        try server.step(response) { _ in password }
      }
      #expect(server.user == nil)
      #expect(throws: SASLError.self) { try server.step(response) { _ in "secret" } }
    }
  }

  /// An unknown user whose password is empty must not get in.
  @Test func emptyPasswordDoesNotStandForAnUnknownUser() throws {
    var client = DigestMD5Client(user: "nobody", password: "", clientNonce: "c")
    var server = DigestMD5Server(nonce: "n")
    guard case .reply(let challenge) = try server.step([], password: { _ in nil }),
      case .reply(let response) = try client.step(challenge)
    else {
      Issue.record("the exchange has other steps")
      return
    }
    #expect(throws: SASLError.self) { try server.step(response) { _ in nil } }
  }

  private static let base = [
    "charset": "utf-8", "username": "\"bob\"", "realm": "\"zk-sasl-md5\"", "nonce": "\"n\"", "nc": "00000001",
    "cnonce": "\"c\"", "digest-uri": "\"zookeeper/zk-sasl-md5\"", "qop": "auth",
  ]

  /// A response of a client that knows the password, with some directives replaced.
  private static func response(_ changes: [String: String?]) -> [UInt8] {
    let inputs = DigestMD5.Inputs(
      secret: DigestMD5.secret(user: "bob", realm: Array("zk-sasl-md5".utf8), password: "secret", isUTF8: true),
      nonce: Array("n".utf8), clientNonce: Array("c".utf8), authorizationID: nil,
      digestURI: Array("zookeeper/zk-sasl-md5".utf8))
    var directives: [String: String?] = base
    directives["response"] = String(decoding: DigestMD5.answer(inputs, ofServer: false), as: UTF8.self)
    directives.merge(changes) { $1 }
    let texts = directives.compactMap { key, value in value.map { "\(key)=\($0)" } }
    return Array(texts.sorted().joined(separator: ",").utf8)
  }

  private static func evaluate(_ message: [UInt8]) throws -> SASLStep {
    var server = DigestMD5Server(nonce: "n")
    _ = try server.step([]) { _ in nil }
    return try server.step(message) { $0 == "bob" ? "secret" : nil }
  }

  @Test func unchangedResponseIsAccepted() throws {
    #expect(throws: Never.self) { try Self.evaluate(Self.response([:])) }
    // What may be left out, or written in another way.
    #expect(throws: Never.self) { try Self.evaluate(Self.response(["qop": nil])) }
    #expect(throws: Never.self) { try Self.evaluate(Array(" , ,".utf8) + Self.response(["qop": "\"auth\""])) }
    #expect(throws: Never.self) { try Self.evaluate(Self.response(["charset": "\"utf-8\"", "maxbuf": "65536"])) }
  }

  @Test(
    arguments: [
      ["username": "\"eve\""], ["username": nil], ["realm": "\"other\""], ["realm": nil], ["nonce": "\"x\""],
      ["nonce": nil], ["nc": "00000002"], ["nc": "1"], ["nc": nil], ["cnonce": "\"\""], ["cnonce": "\"d\""],
      ["cnonce": nil], ["digest-uri": "\"zookeeper/other\""], ["digest-uri": "\"imap/zk-sasl-md5\""],
      ["digest-uri": nil], ["qop": "auth-conf"], ["qop": "auth-int"], ["charset": "latin1"], ["response": nil],
      ["response": "00000000000000000000000000000000"], ["response": "\"\""], ["authzid": "\"root\""],
    ] as [[String: String?]])
  func changedResponseIsRefused(_ changes: [String: String?]) {
    #expect(throws: SASLError.self) { try Self.evaluate(Self.response(changes)) }
  }

  @Test(arguments: [
    "", "=", "a", "a=", "a=\"", "a=\"\\", "a=\"b\" c", "a=b,a=b", "a b=c", "a==b", "realm=\"a\",realm=\"b\"",
    "username=\"\\", "\u{0}=a", "username", "a=(b)",
  ])
  func malformedResponseIsRefused(_ text: String) {
    #expect(throws: SASLError.self) { try Self.evaluate(Array(text.utf8)) }
    #expect(throws: SASLError.self) {
      try Self.evaluate(Self.response([:]) + Array(",".utf8) + Array(text.utf8) + [0x01])
    }
  }

  @Test func messagesAreLimited() throws {
    let padding = DigestMD5.responseLimitBytes - Self.response([:]).count
    #expect(throws: Never.self) {
      try Self.evaluate(Self.response([:]) + [UInt8](repeating: UInt8(ascii: ","), count: padding))
    }
    #expect(throws: SASLError.self) {
      try Self.evaluate(Self.response([:]) + [UInt8](repeating: UInt8(ascii: ","), count: padding + 1))
    }
    var client = DigestMD5Client(user: "bob", password: "p", clientNonce: "c")
    #expect(throws: SASLError.self) { try client.step([UInt8](repeating: 0x2c, count: 16 << 20)) }
  }

  @Test(arguments: [
    "nonce=\"n\"", "algorithm=md5-sess", "nonce=\"n\",algorithm=md5",
    "nonce=\"n\",algorithm=md5-sess,qop=\"auth-conf\"",
    "nonce=\"n\",nonce=\"m\",algorithm=md5-sess", "",
  ])
  func clientRefusesChallenge(_ text: String) {
    var client = DigestMD5Client(user: "bob", password: "p", clientNonce: "c")
    #expect(throws: SASLError.self) { try client.step(Array(text.utf8)) }
    #expect(throws: SASLError.self) { try client.step(Array("nonce=\"n\",algorithm=md5-sess".utf8)) }
  }

  @Test func clientRefusesAServerThatDoesNotKnowThePassword() throws {
    for answer in ["rspauth=00000000000000000000000000000000", "rspauth=\"\"", "x=y", ""] {
      var client = DigestMD5Client(user: "bob", password: "p", clientNonce: "c")
      _ = try client.step(Array("nonce=\"n\",algorithm=md5-sess".utf8))
      #expect(throws: SASLError.self) { try client.step(Array(answer.utf8)) }
    }
  }

  @Test func serverBeginsWithAnEmptyMessageOnly() {
    var server = DigestMD5Server(nonce: "n")
    #expect(throws: SASLError.self) { try server.step([1]) { _ in nil } }
  }
}
