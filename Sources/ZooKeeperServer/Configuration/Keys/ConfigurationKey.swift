import ZooKeeperProtocol

/// A key of `zoo.cfg` that Apache's server or this one knows, and what becomes of it here.
package struct ConfigurationKey: Sendable {
  /// What becomes of a key.
  package enum Treatment: Sendable {
    /// It means what it means to Apache's server.
    case honoured
    /// It is accepted silently, because there is nothing here for it to do.
    case needless
    /// It is accepted with a warning: the server lacks what it is about.
    case ineffective
    /// It is a fault, unless its value says that the protection is not wanted: the server lacks what it asks for.
    case refused
  }

  /// Where a key can be given, and how it is spelt.
  package struct Traits: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// Apache's server reads it from the file only, not from system properties.
    static let fileOnly = Traits(rawValue: 1)
    /// The system property has no prefix `zookeeper.`.
    static let unprefixed = Traits(rawValue: 2)
    /// It asks for protection, so that no misspelling of it may be passed over.
    static let protects = Traits(rawValue: 4)
    /// Apache's server does not know it.
    static let own = Traits(rawValue: 8)
  }

  /// As in the file: without the prefix `zookeeper.` that most system properties have. `N` stands for a number.
  package let name: String
  package let treatment: Treatment
  /// What it means, or why it has no effect here.
  package let text: String
  let traits: Traits

  /// A key that means what it means to Apache's server.
  static func honoured(_ name: String, _ text: String, _ traits: Traits = []) -> ConfigurationKey {
    ConfigurationKey(name: name, treatment: .honoured, text: text, traits: traits)
  }

  /// A key for which there is nothing to do, and why.
  static func needless(_ name: String, _ text: String, _ traits: Traits = []) -> ConfigurationKey {
    ConfigurationKey(name: name, treatment: .needless, text: text, traits: traits)
  }

  /// A key that has no effect, and why: a clause without a capital and a point.
  static func ineffective(_ name: String, _ text: String, _ traits: Traits = []) -> ConfigurationKey {
    ConfigurationKey(name: name, treatment: .ineffective, text: text, traits: traits)
  }

  /// A key that asks for protection which the server does not have.
  static func refused(_ name: String, _ text: String) -> ConfigurationKey {
    ConfigurationKey(name: name, treatment: .refused, text: text, traits: .protects)
  }
}

/// All keys that Apache's server or this one knows.
///
/// What reads a configuration looks here for the keys that it does nothing for, and for the names to suggest for
/// unknown ones; `help zoo.cfg`, the manual page and the documentation page `Configuration` list them.
///
/// *Source*: `QuorumPeerConfig.parseProperties`, the system properties that Apache's 3.8 and 3.9 read, and its
/// administrator's guide.
package enum KeyTable {
  /// The keys by subject, in the order of the documentation.
  package static let subjects: [(title: String, keys: [ConfigurationKey])] = [
    ("Files", files), ("Clients", clients), ("Features", features), ("Operators", operators), ("Ensembles", ensembles),
    ("Identities", identities), ("Encryption", encryption), ("Between servers", quorumAuthentication),
    ("Overload", overload), ("Caches and batches", batches), ("Java", java),
  ]

  private static let byName: [String: ConfigurationKey] = Dictionary(
    uniqueKeysWithValues: subjects.flatMap(\.keys).map { ($0.name, $0) })

  /// The key of a name, without the prefix `zookeeper.`; nil if no server knows it.
  static func key(_ name: String) -> ConfigurationKey? { byName[name] }

  /// Whether Apache's server reads a key from its file only; as a system property it has no effect.
  static func isFileOnly(_ name: String) -> Bool { byName[name]?.traits.contains(.fileOnly) == true }

  /// Whether a system property has the name of the key without the prefix `zookeeper.`.
  static func isUnprefixed(_ name: String) -> Bool { byName[name]?.traits.contains(.unprefixed) == true }

  /// Whether a key asks for protection, so that another spelling of it must not be passed over.
  static func protects(_ key: ConfigurationKey) -> Bool {
    key.traits.contains(.protects) || ProtectionKey.contains(server: key.name)
  }

  /// The key that an unknown one was probably meant to be; nil if none is near.
  ///
  /// *Complexity*: some hundred comparisons of short texts; a long text is near to none.
  static func nearest(to name: String) -> ConfigurationKey? {
    guard name.utf8.count <= 60 else { return nil }
    let lower = Array(name.lowercased().utf8)
    let limit = lower.count < 6 ? 1 : 2
    var best: (name: String, distance: Int)?
    for candidate in byName.keys.sorted() {
      let distance = distance(lower, Array(candidate.lowercased().utf8), limit: limit)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best.flatMap { byName[$0.name] }
  }

  /// How many letters must be added, removed, changed or swapped with their neighbours. Distances above `limit` are not
  /// distinguished.
  private static func distance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int {
    guard abs(left.count - right.count) <= limit else { return limit + 1 }
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other { cost = min(cost, rows[i - 1][j - 1] + 1) }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
