internal import Digests

/// What client and server of DIGEST-MD5 compute alike.
///
/// Only authentication is supported: ZooKeeper never protects the messages that follow.
///
/// *Source*: RFC 2831, section 2.1.2.1; `com.sun.security.sasl.digest.DigestMD5Base`.
package enum DigestMD5 {
  /// The name of the mechanism.
  package static let name = "DIGEST-MD5"
  /// The service for which clients of ZooKeeper authenticate.
  package static let clientService = "zookeeper"
  /// The realm, and the name that every ZooKeeper server has in this mechanism, whatever its host.
  package static let clientServerName = "zk-sasl-md5"
  /// The service for which servers authenticate to each other.
  package static let quorumService = "zookeeper-quorum"
  /// The realm, and the name that every server has for other servers.
  package static let quorumServerName = "zk-quorum-sasl-md5"
  /// The most bytes that a challenge may have.
  package static let challengeLimitBytes = 2048
  /// The most bytes that a response may have.
  package static let responseLimitBytes = 4096

  /// All that an answer is computed from.
  struct Inputs {
    /// The hash of user, realm and password; see `secret`.
    var secret: [UInt8]
    var nonce: [UInt8]
    var clientNonce: [UInt8]
    var authorizationID: [UInt8]?
    var digestURI: [UInt8]
  }

  /// The hash that takes the place of the password.
  static func secret(user: String, realm: [UInt8], password: String, isUTF8: Bool) -> [UInt8] {
    let colon = [UInt8(ascii: ":")]
    let realm = isUTF8 ? encoded(String(decoding: realm, as: UTF8.self), isUTF8: true) : realm
    return MessageDigest.md5.hash(
      encoded(user, isUTF8: isUTF8) + colon + realm + colon + encoded(password, isUTF8: isUTF8))
  }

  /// The value of `response`, or of `rspauth`, by which the server proves in turn that it knows the secret.
  static func answer(_ inputs: Inputs, ofServer: Bool) -> [UInt8] {
    let colon = [UInt8(ascii: ":")]
    var first = inputs.secret + colon + inputs.nonce + colon + inputs.clientNonce
    if let authorizationID = inputs.authorizationID { first += colon + authorizationID }
    let second = Array((ofServer ? ":" : "AUTHENTICATE:").utf8) + inputs.digestURI
    let key = hex(MessageDigest.md5.hash(first)) + colon
    let message = inputs.nonce + colon + Array("00000001:".utf8) + inputs.clientNonce + Array(":auth:".utf8)
    return hex(MessageDigest.md5.hash(key + message + hex(MessageDigest.md5.hash(second))))
  }

  /// The bytes of a text for the secret. In UTF-8, a text that ISO 8859-1 can express is hashed in ISO 8859-1.
  private static func encoded(_ text: String, isUTF8: Bool) -> [UInt8] {
    if text.unicodeScalars.allSatisfy({ $0.value <= 0xff }) { return text.unicodeScalars.map { UInt8($0.value) } }
    // Java writes a question mark for what ISO 8859-1 lacks.
    return isUTF8 ? Array(text.utf8) : text.unicodeScalars.map { $0.value <= 0xff ? UInt8($0.value) : 0x3f }
  }

  /// The text of a value from the wire.
  ///
  /// - Throws: `malformed` if it is said to be UTF-8 and is not.
  static func decoded(_ bytes: [UInt8], isUTF8: Bool) throws(SASLError) -> String {
    guard isUTF8 else {
      var text = String.UnicodeScalarView()
      for byte in bytes { text.append(Unicode.Scalar(byte)) }
      return String(text)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SASLError(.malformed, "a name is not valid UTF-8")
    }
    return text
  }

  private static func hex(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }
}
