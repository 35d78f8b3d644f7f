import ZooKeeperSandbox

extension HelpTopic {
  /// The explanation of `zoo.cfg`.
  static let configurationText: [Part] =
    [
      .paragraph(
        "A server reads the zoo.cfg of Apache's server, with the same meaning of the keys. A key that asks for"
          + " protection that the server does not have is a fault, with which it does not start. server check reports"
          + " the faults of a file, and settings that its author may not have intended.")
    ]
    + ServerKeys.subjects.flatMap { subject in
      [Part.paragraph("\(subject.title):"), .definitions(subject.keys.map { ($0.name, $0.meaning) })]
    }
}
