import ZooKeeperSandbox

extension HelpTopic {
  /// The explanation of `zoo.cfg`.
  static let configurationText: [Part] =
    [
      .paragraph(
        "A server takes the zoo.cfg of Apache's server, where a key means what it means there. A key that asks for"
          + " protection which the server does not have is a fault, with which it does not start. server check says"
          + " what is wrong with a file, and what its author may not have meant.")
    ]
    + ServerKeys.subjects.flatMap { subject in
      [Part.paragraph("\(subject.title):"), .definitions(subject.keys.map { ($0.name, $0.meaning) })]
    }
}
