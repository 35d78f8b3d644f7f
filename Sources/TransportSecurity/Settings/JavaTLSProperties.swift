/// The properties by which Apache's programs are told about TLS: those of clients, of the clients' ports and of the
/// ports between servers, which differ in their prefix only.
///
/// *Source*: `X509Util`, `ClientX509Util`, `QuorumX509Util`; the section "Encryption, Authentication, Authorization
/// Options" of Apache's administrator's guide.
package struct JavaTLSProperties: Hashable, Sendable {
  /// What became of a property.
  package enum Verdict: Hashable, Sendable {
    /// It is used, or asks for the default.
    case taken
    /// It is unknown.
    case unknown
    /// It cannot be used; a clause that follows the key.
    case fault(String)
  }

  /// A store and its password, as they are put together from several properties.
  private struct Store: Hashable {
    var location = ""
    var password = ""
    var passwordPath = ""

    var value: TLSStore? {
      guard !location.isEmpty else { return nil }
      // As in Apache's, the file takes precedence.
      let secret: TLSStore.Password =
        !passwordPath.isEmpty ? .file(passwordPath) : password.isEmpty ? .none : .known(Array(password.utf8))
      return TLSStore(file: location, password: secret)
    }
  }

  private var keyStore = Store()
  private var trustStore = Store()
  private var verifiesName = true
  private var clientAuthentication = TLSSettings.ClientAuthentication.need
  private var protocolVersion: TLSSettings.Version?
  private var enabledVersions: ClosedRange<TLSSettings.Version>?
  private var cipherSuites: [String] = []
  /// Whether clients' certificates must be for the addresses that they connect from.
  package private(set) var verifiesClientName = true
  /// Whether that was configured.
  package private(set) var isClientNameConfigured = false
  /// Whether the name that an address has in the DNS counts as the peer's; nil if that is not configured.
  package private(set) var allowsReverseLookup: Bool?
  /// How long a connection may take to show whether it is encrypted, in milliseconds.
  package private(set) var detectionMilliseconds = 5000

  package init() {}

  /// The settings that the properties ask for.
  package var settings: TLSSettings {
    var settings = TLSSettings()
    settings.identity = keyStore.value.map { .store($0) }
    if let store = trustStore.value { settings.trust = .store(store) }
    settings.verifiesName = verifiesName
    settings.clientAuthentication = clientAuthentication
    settings.cipherSuites = cipherSuites
    if let enabledVersions {
      settings.versions = enabledVersions
    } else if let protocolVersion {
      settings.versions = .tls12...protocolVersion
    }
    return settings
  }

  /// Sets whether clients are asked for certificates, which need not be for the addresses that they connect from.
  package mutating func ask(forCertificates authentication: TLSSettings.ClientAuthentication) {
    clientAuthentication = authentication
    verifiesClientName = false
    isClientNameConfigured = true
  }

  /// Applies a property.
  ///
  /// - Parameter key: without its prefix, such as `keyStore.location`.
  package mutating func take(_ key: String, _ value: String) -> Verdict {
    switch key {
    case "keyStore.location": keyStore.location = value
    case "keyStore.password": keyStore.password = value
    case "keyStore.passwordPath": keyStore.passwordPath = value
    case "trustStore.location": trustStore.location = value
    case "trustStore.password": trustStore.password = value
    case "trustStore.passwordPath": trustStore.passwordPath = value
    case "keyStore.type", "trustStore.type":
      // Which of the readable types a store has is seen from its contents.
      guard ["", "JKS", "PEM", "PKCS12"].contains(value.uppercased()) else {
        return .fault("asks for a store of the type \(value); JKS, PEM and PKCS12 can be read")
      }
    case "hostnameVerification": verifiesName = value.lowercased() != "false"
    case "clientHostnameVerification":
      verifiesClientName = value.lowercased() == "true"
      isClientNameConfigured = true
    // Only servers look names up; a client knows the one that it connects to.
    case "allowReverseDnsLookup": allowsReverseLookup = value.lowercased() == "true"
    case "clientAuth":
      guard let wanted = TLSSettings.ClientAuthentication(rawValue: value.lowercased()) else {
        return .fault("must be need, want or none, not \"\(value)\"")
      }
      clientAuthentication = wanted
    case "handshakeDetectionTimeoutMillis":
      guard let limit = Int(value), limit > 0 else { return .fault("must be a number above 0, not \"\(value)\"") }
      detectionMilliseconds = min(limit, Int(Int32.max))
    case "protocol": return takeProtocol(value)
    case "enabledProtocols": return takeEnabledProtocols(value)
    case "ciphersuites": return takeCipherSuites(value)
    default: return takeUnsupported(key, value)
    }
    return .taken
  }

  /// Takes what cannot be done here, which is refused if it is asked for.
  private func takeUnsupported(_ key: String, _ value: String) -> Verdict {
    let isOn = value.lowercased() == "true"
    switch key {
    case "crl": return isOn ? .fault("asks for revocation lists, which this build does not check") : .taken
    case "ocsp", "tcnative.ocsp": return isOn ? .fault("asks for OCSP, which this build does not check") : .taken
    case "context.supplier.class": return value.isEmpty ? .taken : .fault("names a Java class, which cannot be loaded")
    // Which of Java's implementations is used.
    case "sslProvider": return .taken
    default: return .unknown
    }
  }

  private mutating func takeProtocol(_ value: String) -> Verdict {
    switch value {
    // "TLS" is Java's name for whatever it has.
    case "TLS", "TLSv1.3": protocolVersion = .tls13
    case "TLSv1.2": protocolVersion = .tls12
    default: return .fault("asks for \(value); TLSv1.2 and TLSv1.3 are supported")
    }
    return .taken
  }

  private mutating func takeEnabledProtocols(_ value: String) -> Verdict {
    var versions: [TLSSettings.Version] = []
    for name in Self.list(value) {
      switch name {
      case "TLSv1.3": versions.append(.tls13)
      case "TLSv1.2": versions.append(.tls12)
      default: return .fault("asks for \(name); TLSv1.2 and TLSv1.3 are supported")
      }
    }
    guard let lowest = versions.min(), let highest = versions.max() else { return .fault("names no protocol") }
    enabledVersions = lowest...highest
    return .taken
  }

  private mutating func takeCipherSuites(_ value: String) -> Verdict {
    let names = Self.list(value)
    let (suites, hasTLS13, unknown) = CipherSuites.parse(names)
    guard !suites.isEmpty || hasTLS13 else {
      return .fault("names no cipher suite that this build has: \(unknown.joined(separator: ", "))")
    }
    cipherSuites = names
    return .taken
  }

  private static func list(_ value: String) -> [String] {
    value.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
  }
}
