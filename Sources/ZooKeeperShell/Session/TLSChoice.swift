import TransportSecurity
import ZooKeeperClient

/// The encryption of connections, as given by options, the environment and Java's properties.
struct TLSChoice: Sendable {
  /// Whether connections are encrypted.
  var isWanted = false
  private var settings = TLSSettings()
  private var properties: JavaTLSProperties?
  /// The given options and variables that have no effect without TLS.
  private var given: [String] = []

  /// Reads the options of the program, and the environment for those that are not given.
  ///
  /// - Throws: a usage error for options that contradict each other.
  mutating func read(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, _ cluster: [OptionName: ClusterFile.Setting] = [:]
  ) throws(ShellError) {
    let cluster = Self.applicable(cluster, options, environment)
    func value(_ name: OptionName, _ variable: String) throws(ShellError) -> (text: String, source: String)? {
      if let word = options[name]?.last {
        return (try ValueParser.text(word, of: "--\(name.rawValue)"), "--\(name.rawValue)")
      }
      if let value = environment.value(variable) { return (value, "$\(variable)") }
      return cluster[name].map { ($0.text, $0.source) }
    }
    if options[.tls] != nil || cluster[.tls]?.text == "true" { isWanted = true }
    if let switched = environment.value("ZKCLI_TLS") {
      guard ["0", "1"].contains(switched) else { throw .usage("$ZKCLI_TLS must be 0 or 1, not \(switched)") }
      if switched == "1" { isWanted = true }
      if switched == "0", options[.tls] == nil, isWanted {
        throw .usage("$ZKCLI_TLS is 0, but the configuration file asks for TLS", hint: "unset ZKCLI_TLS")
      }
    }
    if let (file, source) = try value(.cacert, "ZKCLI_CACERT") {
      settings.trust = .store(TLSStore(file: file))
      given.append(source)
    }
    try readIdentity(
      try value(.cert, "ZKCLI_CERT"), try value(.key, "ZKCLI_KEY"),
      try value(.keyPasswordFile, "ZKCLI_KEY_PASSWORD_FILE"))
    if let (name, source) = try value(.tlsServerName, "ZKCLI_TLS_SERVER_NAME") {
      settings.serverName = name
      given.append(source)
    }
    guard options[.insecure] != nil || cluster[.insecure]?.text == "true" else { return }
    if options[.cacert] != nil { throw .usage("--insecure and --cacert contradict each other") }
    settings.trust = .anybody
    given.append("--insecure")
  }

  /// The settings of a cluster without those that an option or a variable replaces. Settings that belong together, such
  /// as a certificate and its key, come from the same source.
  private static func applicable(
    _ cluster: [OptionName: ClusterFile.Setting], _ options: [OptionName: [Word]], _ environment: ShellEnvironment
  ) -> [OptionName: ClusterFile.Setting] {
    let groups: [[(OptionName, String)]] = [
      [(.cert, "ZKCLI_CERT"), (.key, "ZKCLI_KEY"), (.keyPasswordFile, "ZKCLI_KEY_PASSWORD_FILE")],
      [(.cacert, "ZKCLI_CACERT"), (.insecure, "")],
    ]
    var result = cluster
    for group in groups where group.contains(where: { options[$0.0] != nil || environment.value($0.1) != nil }) {
      for (name, _) in group { result[name] = nil }
    }
    return result
  }

  private mutating func readIdentity(
    _ certificate: (text: String, source: String)?, _ key: (text: String, source: String)?,
    _ password: (text: String, source: String)?
  ) throws(ShellError) {
    let secret = password.map { TLSStore.Password.file($0.text) } ?? .none
    given += [certificate, key, password].compactMap { $0?.source }
    switch (certificate, key) {
    case (let certificate?, let key?):
      settings.identity = .pair(certificate: certificate.text, key: TLSStore(file: key.text, password: secret))
    case (let certificate?, nil): settings.identity = .store(TLSStore(file: certificate.text, password: secret))
    case (nil, let key?):
      throw .usage("\(key.source) names a key without its certificate", hint: "add --cert FILE")
    case (nil, nil):
      if let password { throw .usage("\(password.source) has no effect without --cert") }
    }
  }

  /// Applies one of Java's properties.
  ///
  /// - Returns: whether it concerns TLS and is supported; otherwise the reason.
  mutating func take(_ key: String, _ value: String) -> JavaTLSProperties.Verdict {
    if key == "zookeeper.client.secure" {
      isWanted = value.lowercased() == "true"
      return .taken
    }
    guard key.hasPrefix("zookeeper.ssl.") else { return .unknown }
    var all = properties ?? JavaTLSProperties()
    let verdict = all.take(String(key.dropFirst("zookeeper.ssl.".count)), value)
    properties = all
    return verdict
  }

  /// The settings, where options take precedence over Java's properties.
  private var effective: TLSSettings {
    guard let java = properties?.settings else { return settings }
    var merged = java
    if settings.trust != .system { merged.trust = settings.trust }
    if let identity = settings.identity { merged.identity = identity }
    if let name = settings.serverName { merged.serverName = name }
    return merged
  }

  /// Warnings to print before the first connection.
  var warnings: [String] {
    guard isWanted else {
      return given.isEmpty ? [] : ["\(given[0]) has no effect without --tls or zks://: the connection is not encrypted"]
    }
    var warnings: [String] = []
    if effective.trust == .anybody {
      warnings.append("--insecure: the server's certificate is not verified, so anybody could be the server")
    }
    return warnings
      + effective.exposedKeyFiles.map { "\($0) has a private key that every user can read; use chmod 600" }
  }

  /// Reads keys and certificates.
  ///
  /// - Returns: nil for connections in the clear.
  /// - Throws: a usage error with exit code 12 for a file that cannot be used.
  func context() throws(ShellError) -> TLSContext? {
    isWanted ? try secureContext() : nil
  }

  /// As `context`, for a connection that is encrypted in any case.
  func secureContext() throws(ShellError) -> TLSContext {
    do throws(TLSStoreError) {
      return try TLSContext(client: effective)
    } catch {
      throw ShellError(.localInputOutput, "BadKeyStore", "\(error)", hint: error.hint)
    }
  }
}
