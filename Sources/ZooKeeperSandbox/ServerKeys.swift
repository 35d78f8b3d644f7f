import ZooKeeperServer

/// The keys of `zoo.cfg`, for help texts.
package enum ServerKeys {
  /// The keys by subject, with the meaning of each.
  package static let subjects: [(title: String, keys: [(name: String, meaning: String)])] =
    KeyTable.subjects.map { subject in
      (subject.title, subject.keys.map { ($0.name, meaning(of: $0)) })
    }

  private static func meaning(of key: ConfigurationKey) -> String {
    switch key.treatment {
    case .honoured: key.text
    case .needless: "nothing to do: \(key.text)"
    case .ineffective: "no effect: \(key.text)"
    case .refused: "refused: \(key.text)"
    }
  }
}
