import ZooKeeperProtocol

/// A value in a configuration file that is not valid, or a key that has no effect.
package struct ConfigurationProblem: Error, Hashable, Sendable {
  /// The name of the file, as the caller gave it.
  package var file: String
  /// The line, from 1; nil when the fault is that something is missing.
  package var line: Int?
  /// What is wrong.
  package var message: String

  /// `FILE:LINE: message`.
  package var text: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(message)" }
}

/// Why a configuration file cannot be used: all its faults at once.
package struct ConfigurationError: Error, Hashable, Sendable {
  /// At least one.
  package var problems: [ConfigurationProblem]
}

/// Reads a `zoo.cfg`.
///
/// A configuration with which Apache's server starts means the same here, including values that it corrects. It
/// corrects them silently, while this server warns. All invalid values are reported at once, with their lines.
///
/// *Source*: `QuorumPeerConfig.parseProperties`; `StorageFormat` E.1.
package struct ConfigurationFile: Sendable {
  package internal(set) var configuration: ServerConfiguration
  /// Keys without effect, and values that Apache would have corrected.
  package internal(set) var warnings: [ConfigurationProblem] = []
  /// Keys that no server knows. A server starts nevertheless, as Apache's does, but a check fails.
  package internal(set) var unknownKeys: [ConfigurationProblem] = []
  /// Files with secrets that this one names.
  package internal(set) var secretFiles: [String] = []
  let file: String
  let readFile: @Sendable (String) -> String?
  /// The bytes of another file; nil if it cannot be read.
  let readBytes: @Sendable (String) -> [UInt8]?
  var problems: [ConfigurationProblem] = []
  var seen = Seen()
  var quorum = QuorumLines()
  var sasl = SASLLines()
  var quorumSASL = QuorumSASLLines()

  /// The keys that have been read, as far as checks of the whole file depend on them.
  struct Seen {
    var dataDirectory = false
    /// The keys that no server knows.
    var unknown: Set<String> = []
    var logDirectory = false
    var clientAddress = false
    var secureClientAddress = false
    var clientPort = false
    var metrics = MetricsLines()
    var web = WebLines()
    /// `enforce.auth.enabled` and `enforce.auth.schemes`.
    var enforcesAuthentication: PropertiesText.Entry?
    var authenticationSchemes: PropertiesText.Entry?
    /// The file that holds the digest of the superuser.
    var superDigestPath: PropertiesText.Entry?
    /// `ensembleAuthName`, and whether there is the provider that reads it.
    var ensembleNames: PropertiesText.Entry?
    var hasEnsembleProvider = false
    /// `auditlog.dir`, `log.dir` and `auditlog.file`.
    var auditDirectory: String?
    var logsDirectory: String?
    var auditFile: String?
    /// The first key about TLS of clients, and of servers.
    var clientTLS: PropertiesText.Entry?
    var quorumTLS: PropertiesText.Entry?
    /// `admin.needClientAuth`, if it is true.
    var adminCertificates: PropertiesText.Entry?
    /// `ssl.x509.clientCertIdType`.
    var identityType: PropertiesText.Entry?
  }

  /// The lines about an ensemble, which are interpreted together.
  struct QuorumLines {
    var members: [PropertiesText.Entry] = []
    var dynamicFile: PropertiesText.Entry?
    var hasInitLimit = false
    var hasSyncLimit = false
  }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - file: the name for messages.
  ///   - readFile: the text of another file that this one names, `dynamicConfigFile`; nil if it cannot be read.
  ///   - readBytes: the bytes of such a file; nil makes them of `readFile`.
  ///   - properties: Java system properties (`-Dzookeeper.x=y`) as a map; the file's keys take precedence, except for
  ///     those that Apache's server reads as system properties only.
  /// - Throws: every fault of the file.
  package init(
    parsing text: String, file: String, readFile: @escaping @Sendable (String) -> String? = { _ in nil },
    readBytes: (@Sendable (String) -> [UInt8]?)? = nil, properties: [String: String] = [:]
  ) throws(ConfigurationError) {
    self.file = file
    self.readFile = readFile
    self.readBytes = readBytes ?? { readFile($0).map { Array($0.utf8) } }
    configuration = ServerConfiguration(dataDirectory: "")
    configuration.file = file
    let sorted = properties.sorted { $0.key < $1.key }
      .map { PropertiesText.Entry(key: $0.key, value: $0.value, line: 0) }
    for property in sorted where property.key.hasPrefix("zookeeper.") { take(property: property) }
    let entries = counting(PropertiesText(parsing: text), in: file)
    for entry in entries { take(entry) }
    for property in sorted where !property.key.hasPrefix("zookeeper.") { take(property: property) }
    keepOrigin(entries, properties: properties)
    checkWhole()
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
  }

  /// Reads a configuration from the bytes of its files, in any encoding.
  ///
  /// - Throws: every fault of the file.
  package init(
    bytes: [UInt8], file: String, readFile: @escaping @Sendable (String) -> [UInt8]?, properties: [String: String] = [:]
  ) throws(ConfigurationError) {
    try self.init(
      parsing: PropertiesText.text(of: bytes), file: file, readFile: { readFile($0).map(PropertiesText.text(of:)) },
      readBytes: readFile, properties: properties)
  }

  /// The entries of a text that count, with a warning for each that does not.
  ///
  /// *Source*: `java.util.Properties`: the last one of a key counts. Of two spellings of one server's number, too.
  mutating func counting(_ text: PropertiesText, in file: String) -> [PropertiesText.Entry] {
    let (entries, duplicates) = text.counting()
    for duplicate in duplicates {
      let (first, last) = (duplicate.overridden, duplicate.counting)
      warnings.append(
        ConfigurationProblem(
          file: file, line: first.line,
          message: "\(first.key) is given again in line \(last.line), which is the one that counts"))
    }
    var lines: [String: Int] = [:]
    for entry in entries {
      guard let name = Self.canonicalMember(entry.key) else { continue }
      if let line = lines[name] {
        warnings.append(
          ConfigurationProblem(
            file: file, line: line,
            message: "\(name) is given again in line \(entry.line), which is the one that counts"))
      }
      lines[name] = entry.line
    }
    return entries
  }

  /// `server.1` for `server.01`; nil for a key that names no member, group or weight by number.
  private static func canonicalMember(_ key: String) -> String? {
    let words = key.split(separator: ".", maxSplits: 1)
    guard words.count == 2, ["server", "group", "weight"].contains(words[0]), let number = Int64(words[1]) else {
      return nil
    }
    return "\(words[0]).\(number)"
  }

  /// Handles a system property, unless Apache's server reads its key from the file only.
  private mutating func take(property: PropertiesText.Entry) {
    var entry = property
    if property.key.hasPrefix("zookeeper.") {
      entry.key.removeFirst("zookeeper.".count)
      guard !KeyTable.isFileOnly(entry.key), !isMember(entry.key) else { return }
    } else {
      guard KeyTable.isUnprefixed(property.key) else { return }
    }
    take(entry)
  }

  private mutating func take(_ entry: PropertiesText.Entry) {
    if takeTLS(entry) || takeSASL(entry) || takeQuorumSASL(entry) || takeOperatorTLS(entry) || takeWeb(entry)
      || refuseProtection(entry)
    {
      return
    }
    if takeBasic(entry) || takeStorage(entry) || takeOperation(entry) || takeFeature(entry) || takeProtection(entry)
      || takeThrottle(entry) || takeLimit(entry) || takeQuorum(entry)
    {
      return
    }
    if let key = KeyTable.key(entry.key) {
      if key.treatment == .ineffective { warn(entry, "the key \(entry.key) has no effect here: \(key.text)") }
      return
    }
    if ProtectionKey.contains(server: entry.key) { return }
    let nearest = KeyTable.nearest(to: entry.key)
    let suggestion = nearest.map { "; did you mean \($0.name)?" } ?? ""
    let known = "the key \(entry.key) has no effect here: no server knows it\(suggestion)"
    if let nearest, KeyTable.protects(nearest) {
      // A misspelled key about protection must not leave the server unprotected.
      return fail(entry, known)
    }
    seen.unknown.insert(entry.key)
    unknownKeys.append(ConfigurationProblem(file: file, line: entry.line > 0 ? entry.line : nil, message: known))
  }

  /// Refuses a key that asks for protection that this build does not support.
  ///
  /// - Returns: whether the key needs no further handling.
  private mutating func refuseProtection(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "enforce.auth.enabled": seen.enforcesAuthentication = entry
    case "enforce.auth.schemes": seen.authenticationSchemes = entry
    default:
      guard let protection = ProtectionKey.unsupported(server: entry.key, value: entry.value) else { return false }
      refuse(entry, protection)
    }
    return true
  }

  /// Records a key that asks for protection that is not supported.
  mutating func refuse(_ entry: PropertiesText.Entry, _ protection: String) {
    fail(entry, "\(entry.key) asks for \(protection), which is not supported: remove it to start unprotected")
  }

  /// Checks `enforce.auth.enabled` and `enforce.auth.schemes`, which are interpreted together.
  ///
  /// *Source*: `AuthenticationHelper`. A value that is neither true nor false is refused, while Apache's server would
  /// admit every client.
  private mutating func checkAuthentication() {
    guard let enabled = seen.enforcesAuthentication, enabled.value.lowercased() != "false" else {
      if let schemes = seen.authenticationSchemes, seen.enforcesAuthentication == nil {
        fail(schemes, "enforce.auth.schemes has no effect without enforce.auth.enabled=true: any client may write")
      }
      return
    }
    guard enabled.value.lowercased() == "true" else {
      return fail(enabled, "enforce.auth.enabled must be true or false, not \"\(enabled.value)\"")
    }
    let words = seen.authenticationSchemes.map { Self.list($0.value) } ?? []
    guard let schemes = seen.authenticationSchemes, !words.isEmpty else {
      return fail(enabled, "enforce.auth.enabled is true, so enforce.auth.schemes must be configured")
    }
    for word in words {
      let isThere = word == "ip" || word == "digest" && configuration.features.hasDigestScheme
      if word == "sasl" { sasl.needsLogin = sasl.needsLogin ?? schemes }
      if !isThere, word != "sasl" { fail(schemes, "Authentication scheme \(word) is not available; digest is") }
    }
    configuration.features.requiredSchemes = words
  }

  /// Checks the keys about identities and the audit log that are interpreted together.
  private mutating func checkProtection() {
    if let path = seen.superDigestPath { readSuperDigest(path) }
    if let names = seen.ensembleNames, !seen.hasEnsembleProvider {
      fail(
        names,
        "ensembleAuthName has no effect without the provider, so that any client may connect: set authProvider.N to "
          + "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider")
    }
    if seen.hasEnsembleProvider {
      let names = seen.ensembleNames.map { Self.list($0.value) } ?? []
      if let entry = seen.ensembleNames, names.isEmpty { fail(entry, "ensembleAuthName must have a name") }
      configuration.features.ensembleNames = Set(names)
    }
    if configuration.audit == nil { return }
    configuration.audit?.directory = seen.auditDirectory ?? seen.logsDirectory
    if let file = seen.auditFile { configuration.audit?.file = file }
  }

  /// The elements of a list with commas, without blanks around them.
  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map(trimmed).filter { !$0.isEmpty }
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// Takes the digest of the superuser from a file, which need not be as readable as a configuration.
  private mutating func readSuperDigest(_ entry: PropertiesText.Entry) {
    if configuration.features.superDigest != nil {
      return fail(entry, "give either the digest of the superuser or its file, not both")
    }
    guard let text = readFile(entry.value) else {
      return fail(entry, "the file \(entry.value) of \(entry.key) cannot be read")
    }
    let lines = text.split(whereSeparator: \.isNewline).map(Self.trimmed).filter { !$0.isEmpty }
    guard lines.count == 1, lines[0].utf8.contains(UInt8(ascii: ":")) else {
      return fail(entry, "the file \(entry.value) of \(entry.key) must have one line, super:DIGEST")
    }
    configuration.features.superDigest = lines[0]
    secretFiles.append(entry.value)
  }

  private mutating func checkWhole() {
    checkProtection()
    checkAuthentication()
    let login = readLogins()
    checkSASL(login)
    checkQuorumSASL(login)
    checkQuorum()
    checkTLS()
    checkAdminTLS()
    checkMetrics()
    checkWeb()
    if !seen.dataDirectory { missing("dataDir is not set") }
    if !seen.logDirectory { configuration.logDirectory = configuration.dataDirectory }
    limitTicks()
    if seen.clientAddress, !seen.clientPort { missing("clientPortAddress is set but clientPort is not set") }
    if let least = configuration.minimumSessionTimeoutMilliseconds,
      least > configuration.maximumSessionTimeoutMilliseconds ?? 20 * configuration.tickTimeMilliseconds
    {
      missing("minSessionTimeout must not be larger than maxSessionTimeout")
    } else if let most = configuration.maximumSessionTimeoutMilliseconds,
      configuration.minimumSessionTimeoutMilliseconds == nil, most < 2 * configuration.tickTimeMilliseconds
    {
      missing("minSessionTimeout must not be larger than maxSessionTimeout")
    }
  }

  /// Keeps products of a tick and a number of ticks within the 32 bits that Apache's server has for them.
  private mutating func limitTicks() {
    let most = Int(Int32.max) / configuration.tickTimeMilliseconds
    configuration.quorumTimes.initLimitTicks = min(configuration.quorumTimes.initLimitTicks, max(1, most))
    configuration.quorumTimes.syncLimitTicks = min(configuration.quorumTimes.syncLimitTicks, max(1, most))
  }

  // MARK: Problems

  /// The place of an entry: its line, or the system property that it came from.
  private func problem(_ entry: PropertiesText.Entry, _ message: String) -> ConfigurationProblem {
    guard entry.line == 0 else { return ConfigurationProblem(file: file, line: entry.line, message: message) }
    return ConfigurationProblem(file: file, line: nil, message: "the system property \(entry.key): \(message)")
  }

  /// Records an entry because of which the server must not start.
  mutating func fail(_ entry: PropertiesText.Entry, _ message: String) { problems.append(problem(entry, message)) }

  /// Records a warning about an entry that has no effect or was corrected.
  mutating func warn(_ entry: PropertiesText.Entry, _ message: String) { warnings.append(problem(entry, message)) }

  /// Records a fault of the file as a whole.
  mutating func missing(_ message: String) {
    problems.append(ConfigurationProblem(file: file, line: nil, message: message))
  }
}
