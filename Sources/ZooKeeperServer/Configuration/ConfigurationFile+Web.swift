import TransportSecurity
import ZooKeeperProtocol

/// The keys about the page for browsers, which only this server knows.
extension ConfigurationFile {
  /// The keys about the page that have been read. They are interpreted together.
  struct WebLines {
    /// `web.enable`.
    var enabling: PropertiesText.Entry?
    var address: PropertiesText.Entry?
    /// The first key that protects the page.
    var protection: PropertiesText.Entry?
    /// The first key about TLS.
    var tls: PropertiesText.Entry?
    var trustStore: PropertiesText.Entry?
    /// Whether `web.ssl.clientAuth` says which clients need a certificate.
    var choosesCertificates = false
  }

  /// Takes a key about the page.
  ///
  /// - Returns: whether it is one.
  mutating func takeWeb(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "web.enable":
      seen.web.enabling = entry
      boolean(entry) { $0.web.isEnabled = $1 }
    case "web.serverAddress":
      seen.web.address = entry
      host(entry) { $0.web.address = $1 }
    case "web.serverPort": integer(entry, 0...65535) { $0.web.port = $1 }
    case "web.hostNames":
      configuration.web.names = entry.value.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        .filter { !$0.isEmpty }
    case "web.readOnly":
      boolean(entry) { $0.web.isReadOnly = $1 }
      protects(entry)
    case "web.insecureListen": boolean(entry) { $0.web.isInsecureAllowed = $1 }
    case "web.tokenFile":
      configuration.web.tokenFile = entry.value.isEmpty ? nil : entry.value
      protects(entry)
    case "web.passwordFile":
      configuration.web.passwordFile = entry.value.isEmpty ? nil : entry.value
      protects(entry)
    case let key where key.hasPrefix("web.ssl."): takeWebTLS(entry, String(key.dropFirst("web.ssl.".count)))
    default: return false
    }
    return true
  }

  private mutating func takeWebTLS(_ entry: PropertiesText.Entry, _ key: String) {
    let verdict = configuration.web.tls.properties.take(key, entry.value)
    judge(entry, verdict)
    guard verdict == .taken else { return }
    if key == "clientAuth" { seen.web.choosesCertificates = true }
    if key == "trustStore.location" { seen.web.trustStore = entry }
    seen.web.tls = seen.web.tls ?? entry
    protects(entry)
  }

  private mutating func protects(_ entry: PropertiesText.Entry) {
    seen.web.protection = seen.web.protection ?? entry
  }

  /// Checks the keys about the page together.
  mutating func checkWeb() {
    let lines = seen.web
    guard configuration.web.isEnabled, let enabling = lines.enabling else {
      if let entry = lines.protection { warn(entry, "\(entry.key) has no effect without web.enable=true") }
      return
    }
    askForCertificates(lines)
    let web = configuration.web
    checkAddress(web, at: lines.address ?? enabling)
    if web.tls.properties.settings.identity == nil, let entry = lines.tls {
      fail(entry, "\(entry.key) has no effect without web.ssl.keyStore.location: the page would not be encrypted")
    }
    secretFiles += [web.tokenFile, web.passwordFile].compactMap(\.self)
    if !configuration.opensClientPort, configuration.clientTLS.properties.settings.clientAuthentication == .need {
      // With the server's own, every user of the page would have its identity.
      fail(
        enabling,
        "web.enable needs a port for clients without a certificate, because the page has none: clientPort, or "
          + "ssl.clientAuth=want")
    }
  }

  /// Sets the default of whether clients need a certificate: if there is another way to log in, a certificate is
  /// optional.
  private mutating func askForCertificates(_ lines: WebLines) {
    let web = configuration.web
    if lines.choosesCertificates {
      if web.acceptsCertificates, lines.trustStore == nil, let entry = lines.tls {
        // Otherwise any client with a certificate of a public authority would be admitted.
        fail(entry, "web.ssl.clientAuth needs web.ssl.trustStore.location, whose certificates are trusted")
      }
      return
    }
    let hasOther = web.tokenFile != nil || web.passwordFile != nil
    configuration.web.tls.properties.ask(
      forCertificates: lines.trustStore == nil ? .none : hasOther ? .want : .need)
  }

  private mutating func checkAddress(_ web: ServerConfiguration.Web, at entry: PropertiesText.Entry) {
    guard !ServerAddress(host: web.address, port: 0).isLoopback else { return }
    if web.tls.properties.settings.identity == nil, !web.isInsecureAllowed {
      fail(
        entry,
        "the page would be sent in the clear to other machines, because \(web.address) is not a loopback address: set "
          + "web.ssl.keyStore.location, or web.insecureListen=true if no one else can listen in")
    }
    if !web.hasLogin {
      fail(
        entry,
        "the page would need no login on other machines, because \(web.address) is not a loopback address: set "
          + "web.tokenFile, web.passwordFile or web.ssl.trustStore.location")
    }
  }
}
