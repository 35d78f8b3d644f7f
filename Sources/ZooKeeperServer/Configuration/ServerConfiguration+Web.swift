package import TransportSecurity

extension ServerConfiguration {
  /// The page for browsers, which the program serves beside the server.
  package struct Web: Hashable, Sendable {
    package var isEnabled = false
    package var address = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 9090
    /// Further host names that browsers may use.
    package var names: [String] = []
    package var isReadOnly = false
    /// Whether other machines may be served in the clear.
    package var isInsecureAllowed = false
    /// A file whose first line is a token that admits every client that has it; nil for none.
    package var tokenFile: String?
    /// A file of users and hashes of their passwords; nil for none.
    package var passwordFile: String?
    package var tls = PortTLS(verifiesPeerByDefault: false)

    /// Whether a certificate is enough to log in.
    package var acceptsCertificates: Bool {
      let settings = tls.properties.settings
      return settings.identity != nil && settings.clientAuthentication != .none
    }

    /// Whether a login is required.
    package var hasLogin: Bool { tokenFile != nil || passwordFile != nil || acceptsCertificates }

    /// How connections are encrypted; nil for connections in the clear.
    package var encryption: TLSSettings? {
      let settings = tls.properties.settings
      return settings.identity == nil ? nil : settings
    }
  }
}
