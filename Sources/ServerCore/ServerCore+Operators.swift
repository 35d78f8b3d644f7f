internal import ZnodeTree
import ZooKeeperProtocol

/// What an operator who asks for the whole tree has shown of himself.
package struct OperatorCredentials: Sendable {
  /// The content of the header `Authorization`: a scheme, and what proves the identity after a space.
  package var authorization: String?
  /// The numeric address of the other side.
  package var address: String
  /// The identity that follows from the certificate of the other side; nil if it has shown none.
  package var certificateSubject: String?

  package init(authorization: String?, address: String, certificateSubject: String?) {
    self.authorization = authorization
    self.address = address
    self.certificateSubject = certificateSubject
  }
}

/// Whether an operator may have the whole tree.
package enum OperatorVerdict: Hashable, Sendable {
  case allowed
  /// The root's ACL lets everybody do everything, so that who asks has proved nothing.
  case allowedToEverybody
  case lacksCredentials
  case notAuthenticated
  case notAuthorized
}

extension ServerCore {
  /// Whether someone may do everything to the root, and so may have the whole tree.
  ///
  /// *Source*: `org.apache.zookeeper.server.admin.Commands.handleAuthorization`, `AuthRequest`.
  package func authorizeOperator(_ credentials: OperatorCredentials) -> OperatorVerdict {
    guard let text = credentials.authorization else { return .lacksCredentials }
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard let scheme = parts.first else { return .notAuthenticated }
    guard let identities = identities(String(scheme), parts.dropFirst().first.map { [UInt8]($0.utf8) }, credentials),
      !identities.isEmpty
    else {
      counters.authFailures += 1
      return .notAuthenticated
    }
    if mayDoEverything([]) { return .allowedToEverybody }
    return mayDoEverything(identities) ? .allowed : .notAuthorized
  }

  private func mayDoEverything(_ identities: [Identity]) -> Bool {
    let slot = tree.aclSlot(of: DataTree.root)
    return [Permissions.read, .write, .create, .delete, .admin].allSatisfy {
      access.allows($0, slot, of: tree, identities)
    }
  }

  private func identities(
    _ scheme: String, _ proof: [UInt8]?, _ credentials: OperatorCredentials
  ) -> [Identity]? {
    switch scheme {
    case "digest" where settings.digestSchemeEnabled: proof.map { access.digestIdentities($0) }
    case "ip": [Identity(scheme: "ip", id: credentials.address)]
    case "x509" where settings.x509SchemeEnabled:
      credentials.certificateSubject.map { access.x509Identities($0) }
    default: nil
    }
  }
}
