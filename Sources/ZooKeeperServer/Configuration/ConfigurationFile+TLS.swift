import TransportSecurity
import ZooKeeperProtocol

/// The keys about TLS.
///
/// *Source*: `QuorumPeerConfig.parseProperties`, `X509Util`, `QuorumX509Util`, `ClientX509Util`.
extension ConfigurationFile {
  /// Takes a key about TLS or about certificates as identities.
  ///
  /// - Returns: whether it is one.
  mutating func takeTLS(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "secureClientPort": integer(entry, 0...65535) { $0.secureClientPort = $1 }
    case "secureClientPortAddress":
      guard let host = ServerAddress.host(entry.value) else {
        fail(entry, "secureClientPortAddress must be a host's name or address, not \"\(entry.value)\"")
        return true
      }
      configuration.secureClientAddress = host
      seen.secureClientAddress = true
    // Of these, Apache's server takes any other text for false, and leaves connections in the clear.
    case "client.portUnification": boolean(entry) { $0.clientTLS.acceptsBoth = $1 }
    case "client.certReload": boolean(entry) { $0.clientTLS.reloadsFiles = $1 }
    case "sslQuorum": boolean(entry) { $0.encryptsQuorum = $1 }
    case "portUnification": boolean(entry) { $0.quorumTLS.acceptsBoth = $1 }
    case "sslQuorumReloadCertFiles": boolean(entry) { $0.quorumTLS.reloadsFiles = $1 }
    case "netty.server.outstandingHandshake.limit":
      // What is no limit for Apache's server, is the usual one here.
      systemInteger(entry, default: 1000) { $0.clientTLS.handshakeLimit = $1 > 0 ? $1 : 1000 }
    case "X509AuthenticationProvider.superUser":
      configuration.features.x509SuperUser = entry.value.isEmpty ? nil : entry.value
    case "ssl.authProvider":
      if entry.value != "x509" { fail(entry, "ssl.authProvider must be x509, not \"\(entry.value)\"") }
    case let key where key.hasPrefix("ssl.x509."): takeIdentity(entry, String(key.dropFirst("ssl.x509.".count)))
    case let key where key.hasPrefix("ssl.quorum."):
      judge(entry, configuration.quorumTLS.properties.take(String(key.dropFirst("ssl.quorum.".count)), entry.value))
      seen.quorumTLS = seen.quorumTLS ?? entry
    case let key where key.hasPrefix("ssl."):
      judge(entry, configuration.clientTLS.properties.take(String(key.dropFirst("ssl.".count)), entry.value))
      seen.clientTLS = seen.clientTLS ?? entry
    default: return false
    }
    return true
  }

  /// Refuses a key about TLS, unless it was taken.
  mutating func judge(_ entry: PropertiesText.Entry, _ verdict: JavaTLSProperties.Verdict) {
    switch verdict {
    case .taken: break
    case .fault(let reason): fail(entry, "\(entry.key) \(reason)")
    case .unknown:
      let suggestion = KeyTable.nearest(to: entry.key).map { "; did you mean \($0.name)?" } ?? ""
      // A misspelled key about protection must not leave the server unprotected.
      fail(entry, "the key \(entry.key) is not known\(suggestion)")
    }
  }

  private mutating func takeIdentity(_ entry: PropertiesText.Entry, _ key: String) {
    let isClear = entry.value.isEmpty
    switch key {
    case "clientCertIdType":
      guard ["", "SAN", "SUBJECT"].contains(entry.value.uppercased()) else {
        return fail(entry, "\(entry.key) must be SAN or empty, not \"\(entry.value)\"")
      }
      configuration.features.x509Identity.usesAlternativeName = entry.value.uppercased() == "SAN"
      seen.identityType = entry
    case "clientCertIdSanMatchType":
      guard let kind = JavaNumber.int(entry.value) else { return fail(entry, "\(entry.key) must be a number") }
      configuration.features.x509Identity.matchKind = kind
    case "clientCertIdSanMatchRegex":
      configuration.features.x509Identity.matchPattern = isClear ? ".*" : entry.value
    case "clientCertIdSanExtractRegex":
      configuration.features.x509Identity.extractPattern = isClear ? ".*" : entry.value
    case "clientCertIdSanExtractMatcherGroupIndex":
      guard let group = JavaNumber.int(entry.value), group >= 0 else {
        return fail(entry, "\(entry.key) must be a number from 0 on")
      }
      configuration.features.x509Identity.extractGroup = group
    default: judge(entry, .unknown)
    }
  }

  /// Checks the keys about TLS as a whole.
  mutating func checkTLS() {
    if seen.secureClientAddress, configuration.secureClientPort == nil {
      missing("secureClientPortAddress is set but secureClientPort is not set")
    }
    if let entry = seen.identityType, let fault = configuration.features.x509Identity.fault { fail(entry, fault) }
    if let port = configuration.secureClientPort, port != 0, port == configuration.clientPort, seen.clientPort,
      configuration.secureClientAddress == configuration.clientAddress
    {
      missing("secureClientPort and clientPort must differ; client.portUnification=true has both on one port")
    }
    if configuration.usesClientTLS {
      if configuration.clientTLS.properties.settings.identity == nil {
        missing("a secureClientPort, or client.portUnification, needs ssl.keyStore.location")
      }
    } else if let entry = seen.clientTLS {
      warn(entry, "\(entry.key) has no effect without secureClientPort: clients' connections are not encrypted")
    }
    if configuration.usesQuorumTLS {
      if configuration.quorumTLS.properties.settings.identity == nil {
        missing("sslQuorum, and portUnification, need ssl.quorum.keyStore.location")
      }
    } else if let entry = seen.quorumTLS, !configuration.admin.usesTLS {
      warn(entry, "\(entry.key) has no effect without sslQuorum=true: the servers' connections are not encrypted")
    }
  }
}
