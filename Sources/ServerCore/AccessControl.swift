internal import Digests
internal import ZnodeTree
package import ZooKeeperProtocol

/// Decides who may do what, and which ACL is stored for the one that a client sends.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer#checkACL`,
/// `PrepRequestProcessor#fixupACL`; `ClientProtocol` 4.6, 4.7, 6.1.
///
/// It is a class because every read asks it, and the settings of a struct would be copied for each call.
final class AccessControl {
  private let settings: ServerSettings

  init(settings: ServerSettings) { self.settings = settings }

  /// Whether `identities` may do any of `wanted` under the list in `slot`.
  func allows(_ wanted: Permissions, _ slot: ACLSlot, of tree: DataTree, _ identities: [Identity]) -> Bool {
    if settings.skipACL || !tree.worldPermissions(in: slot).isDisjoint(with: wanted) { return true }
    return allows(wanted, tree.acl(in: slot), identities)
  }

  /// Whether `identities` may do any of `wanted` under `acl`.
  func allows(_ wanted: Permissions, _ acl: [ACL], _ identities: [Identity]) -> Bool {
    if isUnrestricted(acl, identities) { return true }
    return acl.contains { entry in
      if entry.permissions.isDisjoint(with: wanted) { return false }
      if entry.scheme == "world", entry.id == "anyone" { return true }
      return identities.contains { $0.scheme == entry.scheme && matches($0, entry.id) }
    }
  }

  private func isUnrestricted(_ acl: [ACL], _ identities: [Identity]) -> Bool {
    settings.skipACL || acl.isEmpty || identities.contains { $0.scheme == "super" }
  }

  /// What `identities` may do under `acl`.
  func granted(by acl: [ACL], to identities: [Identity]) -> Permissions {
    if isUnrestricted(acl, identities) { return .all }
    return acl.reduce(into: []) { granted, entry in
      if !entry.permissions.isSubset(of: granted), allows(entry.permissions, [entry], identities) {
        granted.formUnion(entry.permissions)
      }
    }
  }

  /// The list to store for the one that a client sent.
  ///
  /// Every entry of scheme `auth` is replaced by one for each identity, so that a short list can become a very long
  /// one.
  ///
  /// - Parameter budget: the bytes that the list may take; they are charged with what it takes.
  /// - Throws: `invalidACL` if the list is empty, or has a scheme or id that no provider accepts; `marshallingError` if
  ///   it is over the budget.
  func fixedUp(
    _ acl: [ACL], _ identities: [Identity], budget: inout TxnBudget
  ) throws(KeeperError) -> [ACL] {
    if acl.count == 1, acl[0].scheme == "world", acl[0].id == "anyone" {
      try budget.charge(acl[0])
      return acl
    }
    var fixed: [ACL] = []
    var seen: Set<ACL> = []
    for entry in acl where seen.insert(entry).inserted {
      switch entry.scheme {
      case "world" where entry.id == "anyone":
        try budget.charge(entry)
        fixed.append(entry)
      case "auth":
        let owners = identities.filter { isProof($0.scheme) }
        guard !owners.isEmpty else { throw .invalidACL }
        for owner in owners {
          let own = ACL(permissions: entry.permissions, scheme: owner.scheme, id: owner.id)
          try budget.charge(own)
          fixed.append(own)
        }
      default:
        guard isValid(entry) else { throw .invalidACL }
        try budget.charge(entry)
        fixed.append(entry)
      }
    }
    guard !fixed.isEmpty else { throw .invalidACL }
    return fixed
  }

  /// The identities that a password in scheme `digest` proves: that of the user, and before it the superuser's if the
  /// user is the superuser.
  func digestIdentities(_ data: [UInt8]) -> [Identity] {
    let user = data.prefix { $0 != UInt8(ascii: ":") }
    let id = String(decoding: user, as: UTF8.self) + ":" + Base64.encode(settings.digestAlgorithm.hash(data))
    let identity = Identity(scheme: "digest", id: id)
    return settings.superDigest == id ? [.superuser, identity] : [identity]
  }

  /// The identities that a certificate's subject proves.
  ///
  /// An empty one proves nothing: all clients with such certificates would have each other's permissions, which they do
  /// have with Apache's server.
  func x509Identities(_ subject: String) -> [Identity] {
    if subject.isEmpty { return [] }
    let identity = Identity(scheme: "x509", id: subject)
    return settings.x509SuperUser == subject ? [.superuser, identity] : [identity]
  }

  /// The list as it is shown to clients that may not change it: without the hashes of passwords.
  static func masked(_ acl: [ACL]) -> [ACL] {
    acl.map { entry in
      guard entry.scheme == "digest", let colon = entry.id.utf8.firstIndex(of: UInt8(ascii: ":")) else { return entry }
      return ACL(permissions: entry.permissions, scheme: entry.scheme, id: entry.id[..<colon] + ":x")
    }
  }

  /// Whether an identity of the scheme was authenticated, so that `auth` includes it. An address was not.
  private func isProof(_ scheme: String) -> Bool { ["digest", "sasl", "x509"].contains(scheme) }

  private func isValid(_ entry: ACL) -> Bool {
    switch entry.scheme {
    case "digest":
      let parts = entry.id.split(separator: ":", omittingEmptySubsequences: false)
      // Java's split drops empty parts at the end, so "a:" has one.
      return settings.digestSchemeEnabled && parts.count == 2 && !parts[1].isEmpty
    case "ip": return IPNetwork(parsing: entry.id) != nil
    // A list that no client can satisfy would make the znode inaccessible.
    case "x509": return settings.x509SchemeEnabled && entry.id.contains("=")
    case "sasl": return settings.sasl != nil && SASLSettings.isValid(id: entry.id)
    default: return false
    }
  }

  private func matches(_ identity: Identity, _ aclID: String) -> Bool {
    switch identity.scheme {
    case "digest": return identity.id.utf8.elementsEqual(aclID.utf8)
    case "sasl":
      return identity.id == "super" || identity.id.utf8.elementsEqual(aclID.utf8)
        || aclID == settings.sasl?.idOfEveryone
    case "x509": return identity.id.utf8.elementsEqual(aclID.utf8) || identity.id == settings.x509SuperUser
    case "ip":
      guard let network = IPNetwork(parsing: aclID), let address = IPAddress(parsing: identity.id[...]) else {
        return false
      }
      return network.contains(address)
    default: return false
    }
  }
}

extension Identity {
  /// The identity that may do anything.
  package static let superuser = Identity(scheme: "super", id: "")

  /// The identity as `whoAmI` shows it: of a digest, the user without the hash.
  var clientInfo: ClientInfo {
    guard scheme == "digest" else { return ClientInfo(scheme: scheme, user: id) }
    return ClientInfo(scheme: scheme, user: String(id.prefix { $0 != ":" }))
  }
}
