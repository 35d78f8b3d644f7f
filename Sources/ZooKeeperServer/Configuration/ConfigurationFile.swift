import ZooKeeperProtocol

/// A value of a configuration file that cannot be used, or a key that has no effect.
public struct ConfigurationProblem: Error, Hashable, Sendable {
  /// The file, as it was named.
  public var file: String
  /// The line, from 1; nil when the fault is that something is missing.
  public var line: Int?
  /// What is wrong.
  public var message: String

  /// `FILE:LINE: message`.
  public var text: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(message)" }
}

/// Why a configuration file cannot be used: all its faults at once.
public struct ConfigurationError: Error, Hashable, Sendable {
  /// At least one.
  public var problems: [ConfigurationProblem]
}

/// Reads a `zoo.cfg`.
///
/// *Source*: `QuorumPeerConfig.parseProperties`; `storage-format` E.1. Unlike Apache, an unknown key is warned about,
/// and all bad values are named at once, with their lines.
public struct ConfigurationFile: Sendable {
  public private(set) var configuration: ServerConfiguration
  /// Keys without effect, and values that Apache would have corrected.
  public private(set) var warnings: [ConfigurationProblem] = []
  private let file: String
  private var problems: [ConfigurationProblem] = []
  private var hasDataDirectory = false
  private var hasLogDirectory = false
  private var hasClientAddress = false
  private var hasClientPort = false
  private var quorum = QuorumLines()

  /// The lines about an ensemble, which mean something together only.
  private struct QuorumLines {
    var members: [PropertiesText.Entry] = []
    var dynamicFile: PropertiesText.Entry?
    var hasInitLimit = false
    var hasSyncLimit = false
  }

  private let readFile: @Sendable (String) -> String?

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - file: the name for messages.
  ///   - readFile: the text of another file that this one names, `dynamicConfigFile`; nil if it cannot be read.
  ///   - properties: Java system properties (`-Dzookeeper.x=y`) as a map; the file's keys win.
  /// - Throws: every fault of the file.
  public init(
    parsing text: String, file: String, readFile: @escaping @Sendable (String) -> String? = { _ in nil },
    properties: [String: String] = [:]
  ) throws(ConfigurationError) {
    self.file = file
    self.readFile = readFile
    configuration = ServerConfiguration(dataDirectory: "")
    configuration.file = file
    for (key, value) in properties.sorted(by: { $0.key < $1.key }) {
      let name = key.hasPrefix("zookeeper.") ? String(key.dropFirst("zookeeper.".count)) : key
      take(PropertiesText.Entry(key: name, value: value, line: 0))
    }
    for entry in PropertiesText(parsing: text).entries { take(entry) }
    checkWhole()
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
  }

  private mutating func take(_ entry: PropertiesText.Entry) {
    if takeBasic(entry) || takeStorage(entry) || takeOperation(entry) || takeFeature(entry) || takeQuorum(entry) {
      return
    }
    if !Self.quorumKeys.contains(entry.key), !Self.ignoredKeys.contains(entry.key) {
      warnings.append(
        ConfigurationProblem(file: file, line: entry.line, message: "the key \(entry.key) has no effect here"))
    }
  }

  private mutating func takeBasic(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "dataDir":
      configuration.dataDirectory = entry.value
      hasDataDirectory = !entry.value.isEmpty
    case "dataLogDir":
      configuration.logDirectory = entry.value
      hasLogDirectory = !entry.value.isEmpty
    case "tickTime": integer(entry, 1...Int(Int32.max)) { $0.tickTimeMilliseconds = $1 }
    case "clientPort":
      hasClientPort = true
      configuration.isClientPortGiven = true
      integer(entry, 0...65535) { $0.clientPort = $1 }
    case "clientPortAddress":
      hasClientAddress = true
      configuration.clientAddress = entry.value
    case "clientPortListenBacklog": integer(entry, -1...65535) { if $1 > 0 { $0.listenBacklog = $1 } }
    case "maxClientCnxns": integer(entry, 0...Int(Int32.max)) { $0.maximumConnectionsPerAddress = $1 }
    case "maxCnxns": integer(entry, 0...Int(Int32.max)) { $0.maximumConnections = $1 }
    case "minSessionTimeout":
      integer(entry, -1...Int(Int32.max)) { $0.minimumSessionTimeoutMilliseconds = $1 > 0 ? $1 : nil }
    case "maxSessionTimeout":
      integer(entry, -1...Int(Int32.max)) { $0.maximumSessionTimeoutMilliseconds = $1 > 0 ? $1 : nil }
    case "jute.maxbuffer": integer(entry, 1024...Int(Int32.max)) { $0.maximumFrameBytes = $1 }
    case "globalOutstandingLimit": integer(entry, 1...Int(Int32.max)) { $0.outstandingLimit = $1 }
    default: return false
    }
    return true
  }

  private mutating func takeStorage(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "forceSync": choice(entry, ["yes", "no"]) { $0.logging.forcesSync = $1 == "yes" }
    case "preAllocSize": integer(entry, 1...(1 << 22)) { $0.logging.preallocationBytes = $1 << 10 }
    case "snapCount":
      configuration.logging.snapshotsFollowTreeSize = false
      integer(entry, Int.min...Int(Int32.max)) { $0.logging.snapshotCount = max(2, $1) }
    case "snapSizeLimitInKb": integer(entry, Int.min...(1 << 40)) { $0.logging.snapshotSizeBytes = $1 << 10 }
    case "fsync.warningthresholdms": integer(entry, 0...Int(Int32.max)) { $0.logging.syncWarningMilliseconds = $1 }
    case "autopurge.snapRetainCount":
      integer(entry, Int.min...Int(Int32.max)) { $0.retention.snapshotCount = max(3, $1) }
      if let count = Int(entry.value), count < 3 { warn(entry, "at least 3 snapshots are kept") }
    case "autopurge.purgeInterval": integer(entry, 0...10_000) { $0.retention.purgeIntervalHours = $1 }
    case "snapshot.trust.empty": boolean(entry) { $0.logging.trustsMissingSnapshot = $1 }
    case "digest.enabled": boolean(entry) { $0.features.hasDigest = $1 }
    default: return false
    }
    return true
  }

  private mutating func takeOperation(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "4lw.commands.whitelist":
      let words = entry.value.split(separator: ",").map { $0.filter { $0 != " " } }
      configuration.fourLetterWords = FourLetterWordPolicy(allowed: Set(words))
    case "admin.enableServer": boolean(entry) { $0.admin.isEnabled = $1 }
    case "admin.serverAddress": configuration.admin.address = entry.value
    case "admin.serverPort": integer(entry, 0...65535) { $0.admin.port = $1 }
    case "admin.commandURL": configuration.admin.commandPath = entry.value
    case "metricsProvider.className":
      if entry.value.hasSuffix("PrometheusMetricsProvider") {
        configuration.metrics = configuration.metrics ?? .init()
      } else if !entry.value.hasSuffix("DefaultMetricsProvider") {
        fail(entry, "the metrics provider \(entry.value) is not known; PrometheusMetricsProvider is")
      }
    case "metricsProvider.httpPort":
      integer(entry, 0...65535) { $0.metrics = .init(address: $0.metrics?.address ?? "127.0.0.1", port: $1) }
    case "metricsProvider.httpHost":
      configuration.metrics = .init(address: entry.value, port: configuration.metrics?.port ?? 7000)
    default: return false
    }
    return true
  }

  private mutating func takeFeature(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "extendedTypesEnabled": boolean(entry) { $0.features.hasExtendedTypes = $1 }
    case "enforceQuota": boolean(entry) { $0.features.enforcesQuota = $1 }
    case "skipACL": choice(entry, ["yes", "no"]) { $0.features.skipsACL = $1 == "yes" }
    case "reconfigEnabled": boolean(entry) { $0.features.allowsReconfig = $1 }
    case "readonlymode.enabled": boolean(entry) { $0.features.allowsReadOnly = $1 }
    case "DigestAuthenticationProvider.superDigest": configuration.features.superDigest = entry.value
    case "znode.container.checkIntervalMs":
      integer(entry, 1...Int(Int32.max)) { $0.features.containerCheckMilliseconds = $1 }
    case "znode.container.maxPerMinute": integer(entry, 1...Int(Int32.max)) { $0.features.containersPerMinute = $1 }
    case "znode.container.maxNeverUsedIntervalMs":
      integer(entry, 0...Int(Int32.max)) { $0.features.neverUsedContainerMilliseconds = $1 }
    default: return false
    }
    return true
  }

  private mutating func takeQuorum(_ entry: PropertiesText.Entry) -> Bool {
    if entry.key.hasPrefix("server.") || entry.key.hasPrefix("group.") || entry.key.hasPrefix("weight.") {
      configuration.members.append("\(entry.key)=\(entry.value)")
      quorum.members.append(entry)
      return true
    }
    switch entry.key {
    case "initLimit":
      // 0 counts as not set, as with Apache.
      quorum.hasInitLimit = Int(entry.value) != 0
      integer(entry, 0...Int(Int32.max)) { $0.quorumTimes.initLimitTicks = $1 }
    case "syncLimit":
      quorum.hasSyncLimit = Int(entry.value) != 0
      integer(entry, 0...Int(Int32.max)) { $0.quorumTimes.syncLimitTicks = $1 }
    case "cnxTimeout": integer(entry, 1...Int(Int32.max)) { $0.quorumTimes.connectTimeoutMilliseconds = $1 }
    case "quorumListenOnAllIPs": boolean(entry) { $0.quorumTimes.listensEverywhere = $1 }
    case "standaloneEnabled": choice(entry, ["true", "false"]) { $0.quorumTimes.isStandaloneAllowed = $1 == "true" }
    case "peerType":
      switch entry.value.lowercased() {
      case "participant": configuration.declaresObserver = false
      case "observer": configuration.declaresObserver = true
      default: fail(entry, "Unrecognised peertype: \(entry.value)")
      }
    case "electionAlg":
      if entry.value != "3" { fail(entry, "Invalid electionAlg value. Only 3 is supported.") }
    case "dynamicConfigFile": quorum.dynamicFile = entry
    default: return false
    }
    return true
  }

  /// Makes the ensemble of the lines that are about it.
  ///
  /// *Source*: `QuorumPeerConfig.parseDynamicConfig`; `storage-format` E.2.
  private mutating func checkQuorum() {
    readDynamicFile()
    guard !quorum.members.isEmpty else {
      if !configuration.quorumTimes.isStandaloneAllowed {
        missing("standaloneEnabled = false then number of participants should be >0")
      }
      return
    }
    do throws(QuorumConfigurationError) {
      var parsed = try QuorumConfiguration(entries: quorum.members.map { ($0.key, $0.value) })
      if let name = quorum.dynamicFile?.value { parsed.version = Self.version(ofFile: name) }
      let observers = parsed.members.count - parsed.voters.count
      guard !parsed.voters.isEmpty else {
        return missing("Observers w/o participants is an invalid configuration")
      }
      if parsed.voters.count == 1, configuration.quorumTimes.isStandaloneAllowed {
        if observers > 0 { missing("Observers w/o quorum is an invalid configuration") }
        return
      }
      if parsed.voters.count.isMultiple(of: 2) {
        warnings.append(
          ConfigurationProblem(
            file: file, line: nil, message: "an even number of voters stands no more failures than one less"))
      }
      configuration.quorum = parsed
      if !quorum.hasInitLimit { missing("initLimit is not set") }
      if !quorum.hasSyncLimit { missing("syncLimit is not set") }
    } catch {
      problems.append(
        ConfigurationProblem(
          file: quorum.dynamicFile?.value ?? file, line: quorum.members.first?.line, message: error.message))
    }
  }

  /// Takes the members from the file that `dynamicConfigFile` names.
  ///
  /// *Source*: `QuorumPeerConfig.parse`; `storage-format` E.1, E.2.
  private mutating func readDynamicFile() {
    guard let entry = quorum.dynamicFile else { return }
    for member in quorum.members {
      fail(member, "parameter: \(member.key) must be in a separate dynamic config file")
    }
    quorum.members = []
    configuration.members = []
    guard let text = readFile(entry.value) else {
      return fail(entry, "the dynamic configuration file \(entry.value) cannot be read")
    }
    for line in PropertiesText(parsing: text).entries {
      if ["server.", "group.", "weight."].contains(where: { line.key.hasPrefix($0) }) {
        _ = takeQuorum(line)
      } else {
        let message =
          line.key == "version"
          ? "dynamic file shouldn't have version inside" : "Unrecognised parameter: \(line.key)"
        problems.append(ConfigurationProblem(file: entry.value, line: line.line, message: message))
      }
    }
  }

  /// The version of the configuration in `zoo.cfg.dynamic.100000000`; 0 without one.
  private static func version(ofFile name: String) -> Int64 {
    guard let dot = name.lastIndex(of: "."), name[..<dot].hasSuffix(".dynamic") else { return 0 }
    return Int64(name[name.index(after: dot)...], radix: 16) ?? 0
  }

  private mutating func checkWhole() {
    checkQuorum()
    if !hasDataDirectory { missing("dataDir is not set") }
    if !hasLogDirectory { configuration.logDirectory = configuration.dataDirectory }
    if hasClientAddress, !hasClientPort { missing("clientPortAddress is set but clientPort is not set") }
    if let least = configuration.minimumSessionTimeoutMilliseconds,
      least > configuration.maximumSessionTimeoutMilliseconds ?? 20 * configuration.tickTimeMilliseconds
    {
      missing("minSessionTimeout must not be larger than maxSessionTimeout")
    }
  }

  // MARK: Values

  private mutating func integer(
    _ entry: PropertiesText.Entry, _ range: ClosedRange<Int>, _ set: (inout ServerConfiguration, Int) -> Void
  ) {
    guard let number = Int(entry.value), range.contains(number) else {
      let bounds = range.lowerBound == .min ? "" : " from \(range.lowerBound) to \(range.upperBound)"
      return fail(entry, "\(entry.key) must be a whole number\(bounds), not \"\(entry.value)\"")
    }
    set(&configuration, number)
  }

  private mutating func boolean(_ entry: PropertiesText.Entry, _ set: (inout ServerConfiguration, Bool) -> Void) {
    choice(entry, ["true", "false"]) { set(&$0, $1 == "true") }
  }

  private mutating func choice(
    _ entry: PropertiesText.Entry, _ choices: [String], _ set: (inout ServerConfiguration, String) -> Void
  ) {
    let value = entry.value.lowercased()
    guard choices.contains(value) else {
      return fail(entry, "\(entry.key) must be \(choices.joined(separator: " or ")), not \"\(entry.value)\"")
    }
    set(&configuration, value)
  }

  private mutating func fail(_ entry: PropertiesText.Entry, _ message: String) {
    problems.append(ConfigurationProblem(file: file, line: entry.line > 0 ? entry.line : nil, message: message))
  }

  private mutating func warn(_ entry: PropertiesText.Entry, _ message: String) {
    warnings.append(ConfigurationProblem(file: file, line: entry.line, message: message))
  }

  private mutating func missing(_ message: String) {
    problems.append(ConfigurationProblem(file: file, line: nil, message: message))
  }

  /// Keys that mean something to an ensemble only.
  private static let quorumKeys: Set<String> = [
    "electionPort", "syncEnabled", "connectToLearnerMasterLimit", "leaderServes",
  ]

  /// Keys that tune what works by itself here.
  private static let ignoredKeys: Set<String> = [
    "maxBatchSize", "flushDelay", "maxWriteQueuePollTime", "commitLogCount", "clientTcpKeepAlive", "tcpKeepAlive",
    "metricsProvider.exportJvmInfo", "audit.enable", "maxResponseCacheSize",
  ]
}
