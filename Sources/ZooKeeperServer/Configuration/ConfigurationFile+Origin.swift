import ZooKeeperProtocol

/// What a configuration was made of, for the reports to administrators.
extension ConfigurationFile {
  /// What is shown for a value that may be secret.
  static let hidden = "***"

  /// Keeps the lines of the file, and the system properties that they amount to.
  ///
  /// Comments are left out, because a line that was disabled may have a password. For the same reason, the values of
  /// keys that no server knows are hidden.
  ///
  /// *Source*: `QuorumPeerConfig.parseProperties`: what Apache's server does not read from the file itself becomes a
  /// system property with the prefix `zookeeper.`, and takes precedence over one from the command line.
  mutating func keepOrigin(_ entries: [PropertiesText.Entry], properties: [String: String]) {
    var origin = ServerConfiguration.Origin()
    for (key, value) in properties where key.hasPrefix("zookeeper.") || KeyTable.isUnprefixed(key) {
      let name = key.hasPrefix("zookeeper.") ? String(key.dropFirst("zookeeper.".count)) : key
      origin.properties[key] = seen.unknown.contains(name) || Self.isSecret(key) ? Self.hidden : value
    }
    var text = ""
    for entry in entries {
      let value = seen.unknown.contains(entry.key) || Self.isSecret(entry.key) ? Self.hidden : entry.value
      text += "\(entry.key)=\(Self.escaped(value))\n"
      if !Self.isReadFromFile(entry.key) { origin.properties["zookeeper.\(entry.key)"] = value }
    }
    origin.text = text
    configuration.origin = origin
  }

  /// Whether the value of a key gives access to something. The path of a file with a secret does not.
  static func isSecret(_ key: String) -> Bool {
    let key = key.lowercased()
    if key.hasSuffix("path") { return false }
    return ["password", "passwd", "secret", "superdigest", "ensembleauthname"].contains { key.contains($0) }
  }

  /// Whether Apache's server reads a key from its file itself, so that it does not become a system property.
  private static func isReadFromFile(_ key: String) -> Bool {
    let names: Set = [
      "portUnification", "secureClientPort", "secureClientPortAddress", "sslQuorum", "sslQuorumReloadCertFiles",
    ]
    let prefixes = ["server.", "group.", "weight.", "quorum.", "metricsProvider.", "multiAddress.", "jvm.pause."]
    return KeyTable.isFileOnly(key) || names.contains(key) || prefixes.contains { key.hasPrefix($0) }
  }

  /// A value on one line, as a properties file has it.
  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
