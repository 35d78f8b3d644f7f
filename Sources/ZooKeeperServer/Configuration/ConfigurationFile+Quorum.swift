import ZooKeeperProtocol

/// The keys about an ensemble.
extension ConfigurationFile {
  /// Whether a key describes a member, a group or a weight.
  func isMember(_ key: String) -> Bool { ["server.", "group.", "weight."].contains { key.hasPrefix($0) } }

  /// Takes `snapshotSizeFactor`. Like Apache's server, this one uses the default instead of a number above 1, and
  /// instead of any other text.
  private mutating func takeSizeFactor(_ entry: PropertiesText.Entry) {
    guard let factor = Double(entry.value), factor <= 1 else {
      return warn(entry, "snapshotSizeFactor must be a number up to 1; \"\(entry.value)\" counts as 0.33")
    }
    configuration.quorumTimes.snapshotSizeFactor = factor
  }

  /// Takes a key that is about an ensemble.
  ///
  /// - Returns: whether it is one.
  mutating func takeQuorum(_ entry: PropertiesText.Entry) -> Bool {
    if isMember(entry.key) {
      configuration.members.append("\(entry.key)=\(entry.value)")
      quorum.members.append(entry)
      return true
    }
    switch entry.key {
    case "initLimit":
      // 0 counts as not set, as with Apache.
      quorum.hasInitLimit = JavaNumber.int(entry.value) != 0
      integer(entry, 0...Int(Int32.max)) { $0.quorumTimes.initLimitTicks = $1 }
    case "syncLimit":
      quorum.hasSyncLimit = JavaNumber.int(entry.value) != 0
      integer(entry, 0...Int(Int32.max)) { $0.quorumTimes.syncLimitTicks = $1 }
    case "cnxTimeout":
      // 0 means the system's own limit.
      integer(entry, 0...Int(Int32.max)) { $0.quorumTimes.connectTimeoutMilliseconds = $1 > 0 ? $1 : Int(Int32.max) }
    case "electionPortBindRetry":
      systemInteger(entry, default: 3) { $0.quorumTimes.listenRetries = $1 >= 0 ? $1 : 3 }
    case "commitLogCount": systemInteger(entry, default: 500) { $0.quorumTimes.historyCount = max(500, $1) }
    case "snapshotSizeFactor": takeSizeFactor(entry)
    case "forceSnapshotSync": systemBoolean(entry) { $0.quorumTimes.alwaysSendsTree = $1 }
    case "observerMasterPort":
      // Like Apache's server, this one takes 0 and less for no port.
      integer(entry, Int(Int32.min)...65_535) { $0.quorumTimes.observerMasterPort = $1 > 0 ? $1 : nil }
    case "observerMaster.sizeLimit":
      systemInteger(entry, default: 32 << 20) { $0.quorumTimes.historyBytes = max(0, $1) }
    case "observer.election.DelayMs":
      systemInteger(entry, default: 200) { $0.quorumTimes.observerElectionMilliseconds = max(0, $1) }
    case "observer.reconnectDelayMs":
      systemInteger(entry, default: 0) { $0.quorumTimes.observerReconnectMilliseconds = max(0, $1) }
    case "leaderServes": word(entry, ["yes", "no"], else: "yes") { $0.quorumTimes.leaderServesClients = $1 != "no" }
    case "quorumListenOnAllIPs": boolean(entry) { $0.quorumTimes.listensEverywhere = $1 }
    case "standaloneEnabled": boolean(entry) { $0.quorumTimes.isStandaloneAllowed = $1 }
    case "peerType":
      switch entry.value.lowercased() {
      case "participant": configuration.declaresObserver = false
      case "observer": configuration.declaresObserver = true
      default: fail(entry, "Unrecognised peertype: \(entry.value)")
      }
    case "electionAlg":
      integer(entry) { _, _ in }
      if let number = JavaNumber.int(entry.value), number != 3 {
        fail(entry, "Invalid electionAlg value. Only 3 is supported.")
      }
    case "dynamicConfigFile": quorum.dynamicFile = entry
    default: return false
    }
    return true
  }

  /// Creates the ensemble from its lines.
  ///
  /// *Source*: `QuorumPeerConfig.parseDynamicConfig`; `StorageFormat` E.2.
  mutating func checkQuorum() {
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
        configuration.loneMember = parsed.members.first
        return
      }
      if let last = parsed.members.last, last.id.rawValue > 254, configuration.features.hasExtendedTypes {
        missing("extendedTypesEnabled is true but Server ID is too large. Cannot be larger than 254")
      }
      if parsed.voters.count.isMultiple(of: 2) {
        warnings.append(
          ConfigurationProblem(
            file: file, line: nil, message: "an even number of voters tolerates no more failures than one fewer"))
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
  /// *Source*: `QuorumPeerConfig.parse`; `StorageFormat` E.1, E.2.
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
    for line in counting(PropertiesText(parsing: text), in: entry.value) {
      if isMember(line.key) {
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
}
