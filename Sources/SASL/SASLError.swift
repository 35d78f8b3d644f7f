/// Why an exchange of a SASL mechanism has failed.
package struct SASLError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  package enum Code: Hashable, Sendable {
    /// A message of the peer breaks the rules of the mechanism.
    case malformed
    /// The offer or the choice of the peer is not supported.
    case unsupported
    /// The peer has not proved that it knows the secret, or names an unknown user.
    case notAuthentic
    /// The local side lacks credentials, a key, a library, or a service that issues tickets.
    case unavailable
    /// A message came after the end of the exchange, or before its beginning.
    case outOfOrder
  }

  /// The kind of failure.
  package var code: Code
  /// A description of the error, without secrets.
  package var reason: String

  package init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

extension SASLError: CustomStringConvertible {
  package var description: String { reason }
}

/// What one side of an exchange does after a message of the other.
package enum SASLStep: Hashable, Sendable {
  /// Send the message, and expect another.
  case reply([UInt8])
  /// The exchange has succeeded. A message may be left to send.
  case complete([UInt8]?)
}
