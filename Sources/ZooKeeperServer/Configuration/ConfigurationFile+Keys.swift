import ServerCore
import TxnLog
import ZooKeeperProtocol

/// The keys about one server.
///
/// A key that Apache's server reads from the file itself must have a valid value. The others are Java system properties
/// there, which accept any text and fall back to a default. They do so here too, with a warning that says which value
/// is used.
extension ConfigurationFile {
  /// Takes a key about times, ports and limits.
  ///
  /// - Returns: whether it is one.
  mutating func takeBasic(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "dataDir":
      configuration.dataDirectory = entry.value
      seen.dataDirectory = !entry.value.isEmpty
    case "dataLogDir":
      configuration.logDirectory = entry.value
      seen.logDirectory = !entry.value.isEmpty
    case "tickTime": integer(entry, 1...Int(Int32.max)) { $0.tickTimeMilliseconds = $1 }
    case "clientPort":
      seen.clientPort = true
      configuration.isClientPortGiven = true
      integer(entry, 0...65535) { $0.clientPort = $1 }
    case "clientPortAddress":
      seen.clientAddress = true
      host(entry) { $0.clientAddress = $1 }
    case "clientPortListenBacklog": integer(entry) { $0.listenBacklog = $1 > 0 ? $1 : nil }
    // 0 and less switch it off.
    case "maxClientCnxns": integer(entry) { $0.maximumConnectionsPerAddress = max(0, $1) }
    case "maxCnxns": systemInteger(entry, default: 0) { $0.maximumConnections = max(0, $1) }
    case "minSessionTimeout":
      // Only -1 is the default. A client takes a timeout of 0 to mean that its session has expired.
      integer(entry) { $0.minimumSessionTimeoutMilliseconds = $1 == -1 ? nil : max(1, $1) }
    case "maxSessionTimeout": integer(entry) { $0.maximumSessionTimeoutMilliseconds = $1 == -1 ? nil : $1 }
    case "jute.maxbuffer":
      systemInteger(entry, default: 0xfffff) { $0.maximumFrameBytes = $1 }
      if configuration.maximumFrameBytes < 1 { fail(entry, "jute.maxbuffer must be above 0, not \"\(entry.value)\"") }
    case "globalOutstandingLimit": systemInteger(entry, default: 1000) { $0.outstandingLimit = max(0, $1) }
    default: return false
    }
    return true
  }

  /// Takes a key about files.
  ///
  /// - Returns: whether it is one.
  mutating func takeStorage(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "forceSync": word(entry, ["no", "yes"], else: "yes") { $0.logging.forcesSync = $1 != "no" }
    case "preAllocSize":
      // 4 GiB is more than any log holds before a snapshot; 0 and less preallocate nothing.
      systemLong(entry, default: 64 << 10) { $0.logging.preallocationBytes = min(max(0, $1), 1 << 22) << 10 }
    case "snapCount":
      configuration.logging.snapshotsFollowTreeSize = false
      systemInteger(entry, default: 100_000) { $0.logging.snapshotCount = max(2, $1) }
    case "snapSizeLimitInKb":
      systemLong(entry, default: 4 << 20) { $0.logging.snapshotSizeBytes = min(max(0, $1), 1 << 40) << 10 }
    case "txnLogSizeLimitInKb":
      // 0 and less set no limit.
      systemLong(entry, default: -1) { $0.logging.segmentLimitBytes = $1 > 0 ? min($1, 1 << 40) << 10 : .max }
    case "serializeLastProcessedZxid.enabled": systemBoolean(entry) { $0.logging.serializesLastZxid = $1 }
    case "snapshot.compression.method":
      let method = entry.value.lowercased()
      configuration.logging.snapshotCompression = SnapshotCompression(rawValue: method)
      if configuration.logging.snapshotCompression == nil, !method.isEmpty {
        warn(entry, "\(entry.key) must be gz or snappy; with \"\(entry.value)\" snapshots are not compressed")
      }
    case "fsync.warningthresholdms":
      systemLong(entry, default: 1000) { $0.logging.syncWarningMilliseconds = min(max(0, $1), Int(Int32.max)) }
    case "autopurge.snapRetainCount":
      integer(entry) { $0.retention.snapshotCount = max(3, $1) }
      if let count = JavaNumber.int(entry.value), count < 3 { warn(entry, "at least 3 snapshots are kept") }
    case "autopurge.purgeInterval":
      guard let interval = JavaNumber.milliseconds(entry.value, bareUnit: 3_600_000) else {
        fail(
          entry,
          "autopurge.purgeInterval must be a number of hours, or a number followed by ms, s, m, h or d, "
            + "not \"\(entry.value)\"")
        return true
      }
      // About thirty years, which avoids overflows.
      configuration.retention.purgeIntervalMilliseconds = min(max(0, interval), 1_000_000_000_000)
    case "snapshot.trust.empty": systemBoolean(entry) { $0.logging.trustsMissingSnapshot = $1 }
    case "digest.enabled": systemBoolean(entry) { $0.features.hasDigest = $1 }
    case "db.autocreate": systemBoolean(entry) { $0.logging.trustsEmptyDirectory = $1 }
    case "datadir.autocreate": systemBoolean(entry) { $0.logging.createsDirectories = $1 }
    default: return false
    }
    return true
  }

  /// Takes a key about administrators' ports.
  ///
  /// - Returns: whether it is one.
  mutating func takeOperation(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "4lw.commands.whitelist":
      let words = entry.value.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
      configuration.fourLetterWords = FourLetterWordPolicy(allowed: Set(words))
    case "admin.enableServer": word(entry, ["true", "false"], else: "true") { $0.admin.isEnabled = $1 != "false" }
    case "admin.serverAddress": host(entry) { $0.admin.address = $1 }
    case "admin.serverPort":
      systemInteger(entry, default: 8080) { $0.admin.port = $1 }
      checkPort(entry, configuration.admin.port)
    case "admin.snapshot.enabled": systemBoolean(entry) { $0.admin.takesSnapshots = $1 }
    case "admin.restore.enabled": systemBoolean(entry) { $0.admin.restoresSnapshots = $1 }
    case "admin.rateLimiterIntervalInMS":
      systemInteger(entry, default: 300_000) { $0.admin.snapshotIntervalMilliseconds = max(0, $1) }
    case "admin.commandURL": configuration.admin.commandPath = entry.value
    case "admin.idleTimeout":
      // Jetty treats 0 and less as no limit. Connections could then stay indefinitely, so the default is kept here.
      systemInteger(entry, default: 30_000) { $0.admin.idleTimeoutMilliseconds = $1 > 0 ? $1 : 30_000 }
    case let key where key.hasPrefix("metricsProvider."): return takeMetrics(entry)
    default: return false
    }
    return true
  }

  /// Takes a key that turns something on or off.
  ///
  /// - Returns: whether it is one.
  mutating func takeFeature(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "extendedTypesEnabled": systemBoolean(entry) { $0.features.hasExtendedTypes = $1 }
    case "enforceQuota": systemBoolean(entry) { $0.features.enforcesQuota = $1 }
    case "skipACL": word(entry, ["yes", "no"], else: "no") { $0.features.skipsACL = $1 == "yes" }
    case "reconfigEnabled": boolean(entry) { $0.features.allowsReconfig = $1 }
    case "localSessionsEnabled": boolean(entry) { $0.features.hasLocalSessions = $1 }
    case "localSessionsUpgradingEnabled": boolean(entry) { $0.features.upgradesLocalSessions = $1 }
    case "readonlymode.enabled": systemBoolean(entry) { $0.features.allowsReadOnly = $1 }
    case "znode.container.checkIntervalMs":
      systemInteger(entry, default: 60_000) { $0.features.containerCheckMilliseconds = $1 }
      atLeastOne(entry, configuration.features.containerCheckMilliseconds)
    case "znode.container.maxPerMinute":
      systemInteger(entry, default: 10_000) { $0.features.containersPerMinute = $1 }
      atLeastOne(entry, configuration.features.containersPerMinute)
    case "znode.container.maxNeverUsedIntervalMs":
      systemLong(entry, default: 0) { $0.features.neverUsedContainerMilliseconds = max(0, $1) }
    default: return false
    }
    return true
  }

  /// Takes a key about identities and the audit log.
  ///
  /// - Returns: whether it is one.
  mutating func takeProtection(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "DigestAuthenticationProvider.superDigest":
      configuration.features.superDigest = entry.value.isEmpty ? nil : entry.value
    case "DigestAuthenticationProvider.superDigestPath": seen.superDigestPath = entry
    case "DigestAuthenticationProvider.enabled": systemBoolean(entry) { $0.features.hasDigestScheme = $1 }
    case "DigestAuthenticationProvider.digestAlg": takeDigestAlgorithm(entry)
    case "ensembleAuthName": seen.ensembleNames = entry
    // Refused where Apache's server takes any other text for false: a misspelt value must not leave the log out.
    case "audit.enable": boolean(entry) { $0.audit = $1 ? ServerConfiguration.Audit() : nil }
    case "audit.impl.class":
      let name = entry.value.split(separator: ".").last ?? ""
      if !["Slf4jAuditLogger", "Log4jAuditLogger"].contains(name) {
        fail(entry, "audit.impl.class must be org.apache.zookeeper.audit.Slf4jAuditLogger, not \"\(entry.value)\"")
      }
    case "auditlog.dir": seen.auditDirectory = entry.value.isEmpty ? nil : entry.value
    case "log.dir": seen.logsDirectory = entry.value.isEmpty ? nil : entry.value
    case "auditlog.file":
      if entry.value.isEmpty || entry.value.utf8.contains(UInt8(ascii: "/")) {
        fail(entry, "auditlog.file must be the name of a file; auditlog.dir has the directory")
      }
      seen.auditFile = entry.value
    case let key where key == "authProvider" || key.hasPrefix("authProvider."):
      // Other classes were refused before.
      if entry.value.split(separator: ".").last == "EnsembleAuthenticationProvider" { seen.hasEnsembleProvider = true }
    default: return false
    }
    return true
  }

  private mutating func takeDigestAlgorithm(_ entry: PropertiesText.Entry) {
    var settings = ServerSettings()
    guard settings.setDigestAlgorithm(javaName: entry.value) else {
      return fail(
        entry,
        "\(entry.key) must be MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, not \"\(entry.value)\"")
    }
    configuration.features.digestAlgorithm = entry.value
  }

  // MARK: Values

  /// A number of 32 bits. Like Apache's server, this one refuses any other text.
  mutating func integer(
    _ entry: PropertiesText.Entry, _ range: ClosedRange<Int>? = nil, _ set: (inout ServerConfiguration, Int) -> Void
  ) {
    guard let number = JavaNumber.int(entry.value), range?.contains(number) ?? true else {
      let bounds = range.map { " from \($0.lowerBound) to \($0.upperBound)" } ?? " of 32 bits"
      return fail(entry, "\(entry.key) must be a whole number\(bounds), not \"\(entry.value)\"")
    }
    set(&configuration, number)
  }

  /// A number of 32 bits. Like Apache's server, this one uses the default for any other text.
  mutating func systemInteger(
    _ entry: PropertiesText.Entry, default fallback: Int, _ set: (inout ServerConfiguration, Int) -> Void
  ) {
    set(&configuration, number(JavaNumber.decodedInt(entry.value), entry, fallback))
  }

  /// A number of 64 bits. Like Apache's server, this one uses the default for any other text.
  mutating func systemLong(
    _ entry: PropertiesText.Entry, default fallback: Int, _ set: (inout ServerConfiguration, Int) -> Void
  ) {
    set(&configuration, number(JavaNumber.decodedLong(entry.value), entry, fallback))
  }

  private mutating func number(_ number: Int?, _ entry: PropertiesText.Entry, _ fallback: Int) -> Int {
    guard let number else {
      warn(entry, "\(entry.key) is not a whole number: \"\(entry.value)\"; the default of \(fallback) is used")
      return fallback
    }
    return number
  }

  /// `true` or `false`. Like Apache's server, this one refuses any other text.
  mutating func boolean(_ entry: PropertiesText.Entry, _ set: (inout ServerConfiguration, Bool) -> Void) {
    let value = entry.value.lowercased()
    guard value == "true" || value == "false" else {
      return fail(entry, "\(entry.key) must be true or false, not \"\(entry.value)\"")
    }
    set(&configuration, value == "true")
  }

  /// `true`; any other text means false, as in Java.
  mutating func systemBoolean(_ entry: PropertiesText.Entry, _ set: (inout ServerConfiguration, Bool) -> Void) {
    let value = entry.value.lowercased()
    if value != "true", value != "false" {
      warn(entry, "\(entry.key) must be true or false; \"\(entry.value)\" counts as false")
    }
    set(&configuration, value == "true")
  }

  /// One of some values, in lower case; any other text counts as `fallback`.
  mutating func word(
    _ entry: PropertiesText.Entry, _ words: [String], else fallback: String,
    _ set: (inout ServerConfiguration, String) -> Void
  ) {
    guard words.contains(entry.value) else {
      warn(entry, "\(entry.key) must be \(words.joined(separator: " or ")); \"\(entry.value)\" counts as \(fallback)")
      return set(&configuration, fallback)
    }
    set(&configuration, entry.value)
  }

  /// A name or a numeric address of a host, without the brackets around an IPv6 address.
  mutating func host(_ entry: PropertiesText.Entry, _ set: (inout ServerConfiguration, String) -> Void) {
    guard let host = ServerAddress.host(entry.value) else {
      return fail(entry, "\(entry.key) must be a host's name or address, not \"\(entry.value)\"")
    }
    set(&configuration, host)
  }

  /// Refuses a number that is no port.
  mutating func checkPort(_ entry: PropertiesText.Entry, _ port: Int) {
    if !(0...65535).contains(port) { fail(entry, "\(entry.key) must be from 0 to 65535, not \"\(entry.value)\"") }
  }

  private mutating func atLeastOne(_ entry: PropertiesText.Entry, _ number: Int) {
    if number < 1 { fail(entry, "\(entry.key) must be above 0, not \"\(entry.value)\"") }
  }
}
