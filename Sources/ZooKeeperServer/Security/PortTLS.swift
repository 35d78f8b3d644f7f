package import TransportSecurity

/// How the connections of one kind of port are encrypted: that of clients, or those between servers.
package struct PortTLS: Hashable, Sendable {
  /// Keys, certificates, versions and ciphers.
  package var properties = JavaTLSProperties()
  /// Whether connections in the clear are accepted on the same port, while an ensemble or its clients change over.
  package var acceptsBoth = false
  /// Whether the files are read again when they have changed.
  package var reloadsFiles = false
  /// The largest number of handshakes that are under way at a time.
  package var handshakeLimit = 1000
  /// Whether a peer's certificate must be for the address that it connects from, unless that is configured.
  private let verifiesPeerByDefault: Bool

  /// - Parameter verifiesPeerByDefault: as between Apache's servers, and not for their clients.
  package init(verifiesPeerByDefault: Bool) { self.verifiesPeerByDefault = verifiesPeerByDefault }

  /// Whether the certificate of a peer may also be for the name that its address has in the DNS.
  ///
  /// The owner of the address chooses that name, so clients are not believed unless it is configured, as by Apache's
  /// servers since 3.9.5.
  var looksUpPeer: Bool { properties.allowsReverseLookup ?? verifiesPeerByDefault }

  /// Whether the certificate of a peer must be for the address that it connects from.
  var verifiesPeer: Bool {
    guard properties.settings.verifiesName else { return false }
    return properties.isClientNameConfigured ? properties.verifiesClientName : verifiesPeerByDefault
  }
}
