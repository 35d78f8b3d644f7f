internal import Digests

/// The server's side of DIGEST-MD5.
///
/// ```
/// start ─empty message→ challenge sent ─response→ complete, with rspauth
/// ```
///
/// A client that has authenticated before could begin with a response, but ZooKeeper's servers remember no one.
///
/// *Source*: RFC 2831, section 2; `com.sun.security.sasl.digest.DigestMD5Server`.
package struct DigestMD5Server: Sendable {
  private enum State {
    case start
    case challenged
    case ended
  }

  private let realm: [UInt8]
  private let digestURI: String
  private let nonce: String
  private var state = State.start
  /// The user that has proved to know the password; nil before the end of the exchange.
  package private(set) var user: String?
  /// The user that the client asks to act as; nil before the end.
  package private(set) var authorizationID: String?

  /// A server before its client's first message.
  ///
  /// - Parameters:
  ///   - serverName: the name of the server within the service, which is the realm too.
  ///   - nonce: at least 128 random bits as text that needs no quoting; never the same again.
  package init(
    service: String = DigestMD5.clientService, serverName: String = DigestMD5.clientServerName, nonce: String
  ) {
    realm = Array(serverName.utf8)
    digestURI = service + "/" + serverName
    self.nonce = nonce
  }

  /// Handles a message of the client.
  ///
  /// - Parameter password: the password of a user; nil if there is no such user.
  /// - Throws: `malformed` if it breaks the rules, `unsupported` if the client chooses what was not offered,
  ///   `notAuthentic` if user and password do not match, `outOfOrder` after the end.
  package mutating func step(
    _ message: [UInt8], password: (_ user: String) -> String?
  ) throws(SASLError) -> SASLStep {
    switch state {
    case .start:
      state = .ended
      guard message.isEmpty else {
        throw SASLError(.malformed, "DIGEST-MD5 begins with an empty message, and the client's is not")
      }
      state = .challenged
      return .reply(challenge)
    case .challenged:
      state = .ended
      return .complete(try evaluate(message, password: password))
    case .ended: throw SASLError(.outOfOrder, "the client sent a message after the end of the exchange")
    }
  }

  private var challenge: [UInt8] {
    var message: [UInt8] = []
    DigestDirectives.appendQuoted("realm", realm, to: &message)
    DigestDirectives.appendQuoted("nonce", nonce.utf8, to: &message)
    DigestDirectives.appendQuoted("qop", "auth".utf8, to: &message)
    DigestDirectives.append("charset", "utf-8", to: &message)
    DigestDirectives.append("algorithm", "md5-sess", to: &message)
    return message
  }

  private mutating func evaluate(
    _ message: [UInt8], password: (_ user: String) -> String?
  ) throws(SASLError) -> [UInt8] {
    let directives = try DigestDirectives(parsing: message, limitBytes: DigestMD5.responseLimitBytes)
    let isUTF8 = directives["charset"] != nil
    if let charset = directives["charset"], charset != Array("utf-8".utf8) {
      throw SASLError(.unsupported, "the client uses another character set than utf-8")
    }
    let user = try DigestMD5.decoded(try directives.required("username"), isUTF8: isUTF8)
    guard directives.realms.count <= 1 else { throw SASLError(.malformed, "the directive realm occurs twice") }
    guard directives.realms.first == realm else {
      throw SASLError(.notAuthentic, "the client names another realm than the server's")
    }
    guard MessageDigest.areEqual(try directives.required("nonce"), Array(nonce.utf8)) else {
      throw SASLError(.notAuthentic, "the client answers another challenge than the server's")
    }
    guard try directives.required("nc") == Array("00000001".utf8) else {
      throw SASLError(.malformed, "the client says that it has used the challenge before")
    }
    let clientNonce = try directives.required("cnonce")
    guard !clientNonce.isEmpty else { throw SASLError(.malformed, "the client's nonce is empty") }
    guard directives["qop"].map({ $0 == Array("auth".utf8) }) ?? true else {
      throw SASLError(.unsupported, "the client asks for sealed messages, which ZooKeeper never has")
    }
    let uri = try directives.required("digest-uri")
    guard String(decoding: uri, as: UTF8.self).lowercased() == digestURI.lowercased() else {
      throw SASLError(.notAuthentic, "the client means another service: its digest-uri is not \(digestURI)")
    }
    let known = password(user)
    // For an unknown user the same is computed, so that the time does not tell which users exist.
    let inputs = DigestMD5.Inputs(
      secret: DigestMD5.secret(user: user, realm: realm, password: known ?? "", isUTF8: isUTF8),
      nonce: Array(nonce.utf8), clientNonce: clientNonce, authorizationID: directives["authzid"], digestURI: uri)
    let matches = MessageDigest.areEqual(
      try directives.required("response"), DigestMD5.answer(inputs, ofServer: false))
    guard matches, known != nil else { throw SASLError(.notAuthentic, "user and password do not match") }
    if let asked = directives["authzid"] {
      authorizationID = try DigestMD5.decoded(asked, isUTF8: true)
    } else {
      authorizationID = user
    }
    self.user = user
    return Array("rspauth=".utf8) + DigestMD5.answer(inputs, ofServer: true)
  }
}
