/// The keys of configurations and client properties by which an administrator asks for protection.
///
/// A key that this build cannot honour must not be ignored: what was meant to be protected would be open, and nothing
/// would show it. Such a key is refused unless its value says that the protection is not wanted.
///
/// *Source*: the section "Encryption, Authentication, Authorization Options" of Apache's administrator's guide;
/// `X509Util`, `QuorumAuth`, `ProviderRegistry`, `ZKAuditProvider`, `ZKClientConfig`.
public enum ProtectionKey {
  /// The protection that a key of a server's configuration asks for and this build does not have; nil if there is none.
  ///
  /// - Parameter key: without the prefix `zookeeper.` of Java's system properties.
  /// - Returns: a noun phrase.
  public static func unsupported(server key: String, value: String) -> String? {
    if key == "authProvider" || key.hasPrefix("authProvider.") { return provider(value) }
    if isOff(value) { return nil }
    return whole[key] ?? prefixes.first { key.hasPrefix($0.prefix) }?.protection
  }

  /// The protection that a key of a client's properties asks for and this build does not have; nil if there is none.
  ///
  /// - Parameter key: as in the file or after `-D`.
  /// - Returns: a noun phrase.
  public static func unsupported(client key: String, value: String) -> String? {
    if key == "zookeeper.clientCnxnSocket" { return nil }
    // Without a login configuration, which is checked below, Apache's client does not use SASL whatever this says.
    if key == "zookeeper.sasl.client" { return nil }
    if isOff(value) { return nil }
    if key == "java.security.auth.login.config" { return sasl }
    guard key.hasPrefix("zookeeper.") else { return nil }
    let name = String(key.dropFirst("zookeeper.".count))
    return whole[name] ?? prefixes.first { name.hasPrefix($0.prefix) }?.protection
  }

  /// Whether a key is one of those that ask for protection, whatever its value.
  public static func contains(server key: String) -> Bool { unsupported(server: key, value: "?") != nil }

  private static let sasl = "SASL"
  private static let authentication = "authentication that this build does not have"
  private static let quorumSASL = "SASL between the servers"

  private static let whole: [String: String] = [
    "fips-mode": "FIPS mode",
    "superUser": sasl,
    "SASLAuthenticationProvider.superPassword": sasl, "letAnySaslUserDoX": sasl, "jaasLoginRenew": sasl,
    "requireClientAuthScheme": sasl, "sessionRequireClientSASLAuth": sasl, "requireKerberosConfig": sasl,
    "security.auth_to_local": sasl, "java.security.auth.login.config": sasl, "kinit": sasl,
  ]

  /// Unknown keys with one of these prefixes are refused too: a misspelt option protects nothing.
  private static let prefixes: [(prefix: String, protection: String)] = [
    ("ssl.", "a property of TLS that is not known"), ("admin.ssl.", "HTTPS for the AdminServer"),
    ("quorum.auth.", quorumSASL), ("kerberos.", sasl), ("sasl.", sasl),
    ("enforce.auth.", authentication),
    ("X509AuthenticationProvider.", "certificates as identities"),
    ("SASLAuthenticationProvider.", sasl), ("KeyAuthenticationProvider.", authentication),
  ]

  /// Whether a value says that something is not wanted.
  private static func isOff(_ value: String) -> Bool {
    ["", "false", "no", "none", "off"].contains(value.lowercased())
  }

  /// What the class of an authentication provider asks for; nil for those that this build has.
  private static func provider(_ className: String) -> String? {
    let name = className.split(separator: ".").last.map(String.init) ?? ""
    let known = [
      "", "DigestAuthenticationProvider", "IPAuthenticationProvider", "EnsembleAuthenticationProvider",
      "X509AuthenticationProvider",
    ]
    if known.contains(name) { return nil }
    return "the authentication provider \(className)"
  }
}
