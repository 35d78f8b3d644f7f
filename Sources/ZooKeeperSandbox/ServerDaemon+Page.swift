package import TransportSecurity
import ZooKeeperServer

extension ServerDaemon {
  /// What a configuration says of the page for browsers.
  package struct Page: Sendable {
    package var address: String
    /// 0 takes any free port.
    package var port: Int
    /// Further names by which browsers may call it.
    package var names: [String]
    package var isReadOnly: Bool
    /// Whether only those who are known are let in.
    package var hasLogin: Bool
    /// A file whose first line lets everyone in who has it; nil for none.
    package var tokenFile: String?
    /// A file of users and hashes of their passwords; nil for none.
    package var passwordFile: String?
    /// Whether a certificate is enough to be let in.
    package var acceptsCertificates: Bool
    /// How connections of browsers are encrypted; nil for connections in the clear.
    package var encryption: TLSSettings?
    /// Whether the page must encrypt its own connection to the server.
    package var usesClientTLS: Bool
  }

  /// The page; nil for none.
  package var page: Page? {
    let web = configuration.web
    guard web.isEnabled else { return nil }
    return Page(
      address: web.address, port: web.port, names: web.names, isReadOnly: web.isReadOnly, hasLogin: web.hasLogin,
      tokenFile: web.tokenFile, passwordFile: web.passwordFile, acceptsCertificates: web.acceptsCertificates,
      encryption: web.encryption, usesClientTLS: isSecureOnly)
  }
}
