internal import Digests

/// The client's side of DIGEST-MD5.
///
/// ```
/// start ─challenge→ response sent ─rspauth→ complete
/// ```
///
/// The client begins with an empty message, which the server answers with the challenge.
///
/// *Source*: RFC 2831, section 2; `com.sun.security.sasl.digest.DigestMD5Client`.
package struct DigestMD5Client: Sendable {
  private enum State {
    case start
    case responded(proof: [UInt8])
    case ended
  }

  private let user: String
  private let password: String
  private let digestURI: String
  private let clientNonce: String
  private let sendsAuthorizationID: Bool
  private var state = State.start

  /// A client before its first message.
  ///
  /// - Parameters:
  ///   - service: the protocol that is authenticated for.
  ///   - serverName: the name of the server within the service.
  ///   - clientNonce: at least 64 random bits as text that needs no quoting; never the same again.
  ///   - sendsAuthorizationID: whether the user is also named as the one to act as, as by Java's client.
  package init(
    user: String, password: String, service: String = DigestMD5.clientService,
    serverName: String = DigestMD5.clientServerName, clientNonce: String, sendsAuthorizationID: Bool = true
  ) {
    self.user = user
    self.password = password
    digestURI = service + "/" + serverName
    self.clientNonce = clientNonce
    self.sendsAuthorizationID = sendsAuthorizationID
  }

  /// Handles a message of the server.
  ///
  /// - Throws: `malformed` if it breaks the rules, `unsupported` if the server does not offer what the client can do,
  ///   `notAuthentic` if the server does not know the password, `outOfOrder` after the end.
  package mutating func step(_ message: [UInt8]) throws(SASLError) -> SASLStep {
    switch state {
    case .start:
      state = .ended
      let (response, proof) = try response(to: message)
      state = .responded(proof: proof)
      return .reply(response)
    case .responded(let proof):
      state = .ended
      let directives = try DigestDirectives(parsing: message, limitBytes: DigestMD5.challengeLimitBytes)
      guard MessageDigest.areEqual(try directives.required("rspauth"), proof) else {
        throw SASLError(.notAuthentic, "the server has not proved that it knows the password")
      }
      return .complete(nil)
    case .ended: throw SASLError(.outOfOrder, "the server sent a message after the end of the exchange")
    }
  }

  private func response(to challenge: [UInt8]) throws(SASLError) -> (response: [UInt8], proof: [UInt8]) {
    let directives = try DigestDirectives(parsing: challenge, limitBytes: DigestMD5.challengeLimitBytes)
    let nonce = try directives.required("nonce")
    guard try directives.required("algorithm") == Array("md5-sess".utf8) else {
      throw SASLError(.unsupported, "the server asks for another algorithm than md5-sess")
    }
    if let offered = directives["qop"] {
      let names = String(decoding: offered, as: UTF8.self).split { $0 == "," || $0 == " " }
      guard names.contains("auth") else {
        throw SASLError(.unsupported, "the server demands that messages are sealed, which ZooKeeper never does")
      }
    }
    let isUTF8 = directives["charset"].map { $0 == Array("utf-8".utf8) } ?? false
    // With several realms, Java's client takes the first too.
    let realm = directives.realms.first ?? []
    let authorizationID = sendsAuthorizationID ? Array(user.utf8) : nil
    let inputs = DigestMD5.Inputs(
      secret: DigestMD5.secret(user: user, realm: realm, password: password, isUTF8: isUTF8), nonce: nonce,
      clientNonce: Array(clientNonce.utf8), authorizationID: authorizationID, digestURI: Array(digestURI.utf8))
    var response: [UInt8] = []
    if isUTF8 { DigestDirectives.append("charset", "utf-8", to: &response) }
    DigestDirectives.appendQuoted("username", isUTF8 ? Array(user.utf8) : try latin1(user), to: &response)
    DigestDirectives.appendQuoted("realm", realm, to: &response)
    DigestDirectives.appendQuoted("nonce", nonce, to: &response)
    DigestDirectives.append("nc", "00000001", to: &response)
    DigestDirectives.appendQuoted("cnonce", clientNonce.utf8, to: &response)
    DigestDirectives.appendQuoted("digest-uri", digestURI.utf8, to: &response)
    let answer = DigestMD5.answer(inputs, ofServer: false)
    DigestDirectives.append("response", String(decoding: answer, as: UTF8.self), to: &response)
    DigestDirectives.append("qop", "auth", to: &response)
    if let authorizationID { DigestDirectives.appendQuoted("authzid", authorizationID, to: &response) }
    guard response.count <= DigestMD5.responseLimitBytes else {
      throw SASLError(.unsupported, "user and realm are too long for DIGEST-MD5")
    }
    return (response, DigestMD5.answer(inputs, ofServer: true))
  }

  private func latin1(_ text: String) throws(SASLError) -> [UInt8] {
    guard text.unicodeScalars.allSatisfy({ $0.value <= 0xff }) else {
      throw SASLError(.unsupported, "the server takes names in ISO 8859-1 only, which the user's name is not")
    }
    return text.unicodeScalars.map { UInt8($0.value) }
  }
}
