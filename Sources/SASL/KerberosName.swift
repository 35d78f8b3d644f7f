/// The name of a Kerberos principal with at most two components, taken apart.
///
/// *Shape*: `service/host@REALM`; host and realm may be missing.
///
/// *Source*: `org.apache.zookeeper.server.auth.KerberosName`.
package struct KerberosName: Hashable, Sendable {
  package var service: String
  package var host: String?
  package var realm: String?

  /// Parses a name; nil if it has a realm and is not of the form above. Without a realm, everything is the service.
  package init?(parsing text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count > 1 else {
      service = text
      return
    }
    let components = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, components.count <= 2, !parts[1].contains("/") else { return nil }
    service = String(components[0])
    host = components.count == 2 ? String(components[1]) : nil
    realm = String(parts[1])
  }

  /// The name put together again.
  package var text: String { service + (host.map { "/" + $0 } ?? "") + (realm.map { "@" + $0 } ?? "") }
}

/// Which identity of scheme `sasl` an authenticated name has.
///
/// *Source*: `org.apache.zookeeper.server.auth.SaslServerCallbackHandler`.
package struct KerberosNameRules: Hashable, Sendable {
  /// `kerberos.removeHostFromPrincipal`.
  package var removesHost = false
  /// `kerberos.removeRealmFromPrincipal`.
  package var removesRealm = false
  /// `security.auth_to_local`, which makes the first component of the identity.
  package var shortNames = AuthToLocalRules()
  /// The realm of this side, whose names `DEFAULT` shortens; nil if none is known.
  package var defaultRealm: String?

  package init() {}

  /// The identity for a name that was authenticated; nil if there is none.
  ///
  /// As in Apache's servers, host and realm follow the short name unless they are removed. A name to which no rule
  /// applies remains whole. There, Apache's server takes the identity that the client asks for, which nothing has
  /// proved.
  package func identity(of name: String) -> String? {
    guard let parts = KerberosName(parsing: name) else { return nil }
    guard let realm = parts.realm else { return parts.service }
    let parameters = [realm, parts.service] + (parts.host.map { [$0] } ?? [])
    guard let shortName = shortNames.shortName(parameters, defaultRealm: defaultRealm) else { return name }
    var identity = parts
    identity.service = shortName
    if removesHost { identity.host = nil }
    if removesRealm { identity.realm = nil }
    return identity.text
  }
}
