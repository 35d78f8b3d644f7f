import TransportSecurity
import ZooKeeperProtocol

/// The keys about the metrics, and about HTTPS for those who operate the server.
///
/// *Source*: `JettyAdminServer`, `PrometheusMetricsProvider` of Apache 3.9 and later.
extension ConfigurationFile {
  /// The keys about metrics that have been read. They are interpreted together.
  struct MetricsLines {
    /// Whether there are any.
    var areProvided = false
    var address = "127.0.0.1"
    var port: PropertiesText.Entry?
    var securePort: PropertiesText.Entry?
    var needsCertificate = true
    var wantsCertificate = true
    var properties = JavaTLSProperties()
    /// The first key about TLS.
    var tls: PropertiesText.Entry?
  }

  // MARK: Metrics

  /// Takes a key about the metrics.
  ///
  /// - Returns: whether it is one.
  mutating func takeMetrics(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "metricsProvider.className":
      switch entry.value {
      case let name where name.hasSuffix(".PrometheusMetricsProvider"): seen.metrics.areProvided = true
      case let name where name.hasSuffix(".DefaultMetricsProvider") || name.hasSuffix(".NullMetricsProvider"): break
      default: fail(entry, "the metrics provider \(entry.value) is not known; PrometheusMetricsProvider is")
      }
    case "metricsProvider.httpPort": seen.metrics.port = entry
    case "metricsProvider.httpHost":
      guard let address = ServerAddress.host(entry.value) else {
        fail(entry, "metricsProvider.httpHost must be a host's name or address, not \"\(entry.value)\"")
        return true
      }
      seen.metrics.address = address
    default: return false
    }
    return true
  }

  /// A port of the metrics; nil for -1, which means none.
  private mutating func metricsPort(_ entry: PropertiesText.Entry) -> Int? {
    guard let port = JavaNumber.int(entry.value) else {
      fail(entry, "\(entry.key) must be a port, not \"\(entry.value)\"")
      return nil
    }
    if port == -1 { return nil }
    checkPort(entry, port)
    return port
  }

  /// Checks the keys about metrics together.
  mutating func checkMetrics() {
    let lines = seen.metrics
    var metrics = ServerConfiguration.Metrics(address: lines.address)
    // The default port is not opened in the clear in addition to an encrypted one.
    if let entry = lines.port {
      metrics.port = metricsPort(entry)
    } else if lines.securePort != nil {
      metrics.port = nil
    }
    if let entry = lines.securePort { metrics.securePort = metricsPort(entry) }
    guard metrics.securePort != nil else {
      if let entry = lines.tls {
        fail(entry, "\(entry.key) has no effect without metricsProvider.httpsPort: the metrics would not be encrypted")
      } else if let entry = lines.port, metrics.port == nil, entry.value == "-1" {
        fail(entry, "with metricsProvider.httpPort=-1, metricsProvider.httpsPort must be configured")
      }
      configuration.metrics = lines.areProvided ? metrics : nil
      return
    }
    metrics.tls.properties = lines.properties
    metrics.tls.acceptsBoth = metrics.port == metrics.securePort && metrics.port != 0
    metrics.tls.reloadsFiles = true
    let authentication: TLSSettings.ClientAuthentication =
      lines.needsCertificate ? .need : lines.wantsCertificate ? .want : .none
    metrics.tls.properties.ask(forCertificates: authentication)
    let settings = metrics.tls.properties.settings
    if settings.identity == nil {
      missing("metricsProvider.httpsPort needs metricsProvider.ssl.keyStore.location")
    } else if authentication != .none, settings.trust == .system {
      missing(
        "metricsProvider.httpsPort needs metricsProvider.ssl.trustStore.location for the certificates of those who"
          + " connect, or metricsProvider.ssl.need.client.auth=false and metricsProvider.ssl.want.client.auth=false")
    }
    configuration.metrics = lines.areProvided ? metrics : nil
  }

  // MARK: HTTPS

  /// Takes a key about HTTPS.
  ///
  /// - Returns: whether it is one.
  mutating func takeOperatorTLS(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    // Of these, Apache's server takes any other text for false.
    case "admin.portUnification": boolean(entry) { $0.admin.acceptsEncrypted = $1 }
    case "admin.forceHttps": boolean(entry) { $0.admin.requiresEncryption = $1 }
    case "admin.needClientAuth":
      boolean(entry) { $0.admin.needsCertificate = $1 }
      seen.adminCertificates = configuration.admin.needsCertificate ? entry : nil
    case "metricsProvider.httpsPort": seen.metrics.securePort = entry
    case "metricsProvider.ssl.need.client.auth": flag(entry) { $0.needsCertificate = $1 }
    case "metricsProvider.ssl.want.client.auth": flag(entry) { $0.wantsCertificate = $1 }
    case let key where key.hasPrefix("metricsProvider.ssl."):
      let verdict = seen.metrics.properties.take(String(key.dropFirst("metricsProvider.ssl.".count)), entry.value)
      judge(entry, verdict)
      // A refused key needs no further check.
      if verdict == .taken { seen.metrics.tls = seen.metrics.tls ?? entry }
    default: return false
    }
    return true
  }

  private mutating func flag(_ entry: PropertiesText.Entry, _ set: (inout MetricsLines, Bool) -> Void) {
    seen.metrics.tls = seen.metrics.tls ?? entry
    boolean(entry) { _, _ in }
    set(&seen.metrics, entry.value.lowercased() != "false")
  }

  /// Checks the keys about HTTPS for the AdminServer together.
  mutating func checkAdminTLS() {
    let admin = configuration.admin
    guard admin.usesTLS else {
      if let entry = seen.adminCertificates {
        fail(entry, "admin.needClientAuth has no effect without admin.forceHttps=true or admin.portUnification=true")
      }
      return
    }
    guard admin.isEnabled else { return }
    let settings = configuration.adminTLS.properties.settings
    if settings.identity == nil {
      missing("admin.forceHttps, and admin.portUnification, need ssl.quorum.keyStore.location")
    }
    if let entry = seen.adminCertificates, settings.trust == .system {
      // Otherwise any client with a certificate of a public authority would be admitted.
      fail(entry, "admin.needClientAuth needs ssl.quorum.trustStore.location, whose certificates are trusted")
    }
    if let entry = seen.adminCertificates, !admin.requiresEncryption {
      warn(entry, "admin.needClientAuth has no effect on connections in the clear, which admin.portUnification allows")
    }
  }
}
