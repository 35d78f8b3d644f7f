internal import SASL

/// How clients log in by SASL.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer#processSasl`, `AuthenticationHelper`,
/// `SASLAuthenticationProvider`; names in comments are system properties.
package struct SASLSettings: Hashable, Sendable {
  /// `superUser`, and all keys that begin with `superUser.`: the names that may do anything.
  package var superUsers: Set<String> = []
  /// `letAnySaslUserDoX`: the id in an ACL that every client has that has logged in.
  package var idOfEveryone: String?
  /// `allowSaslFailedClients`: a client that fails to log in stays connected, without an identity.
  package var keepsFailedClients = false

  package init() {}

  /// Whether an id can be that of an entry in an ACL.
  static func isValid(id: String) -> Bool { KerberosName(parsing: id) != nil }
}

/// A token of a client, for the mechanism of which the driver has the secrets.
package struct SASLRequest {
  package let connection: ClientConnection
  package let token: [UInt8]
}

/// What the mechanism has made of a token.
package enum SASLAnswer: Hashable, Sendable {
  /// The exchange goes on with a token of the server.
  case reply([UInt8])
  /// The client has proved to be `id`; there may be a last token.
  case complete([UInt8]?, id: String)
  /// The exchange has failed.
  case refused
}
