/// The two options that decide how every other argument is read, and so are looked for before any other: `--help`,
/// which explains and does nothing else, and `--compat`, which selects zkCli.sh's rules.
///
/// Both count anywhere before a lone `--`.
package struct ReadingMode: Sendable {
  package let asksForHelp: Bool
  package let asksForCompatibility: Bool
  /// The arguments without the two options.
  package let words: [Word]

  package init(of words: [Word]) {
    let own = words.prefix { $0 != "--" }
    asksForHelp = own.contains(Self.help)
    let compatibility = own.filter(Self.isCompatibility)
    asksForCompatibility = !compatibility.isEmpty
    guard asksForHelp || asksForCompatibility else {
      self.words = words
      return
    }
    self.words = own.filter { $0 != Self.help && !Self.isCompatibility($0) } + words.dropFirst(own.count)
  }

  /// Whether words ask for help: on one line of a script or of the interactive shell.
  static func asksForHelp(_ words: [Word]) -> Bool { words.prefix { $0 != "--" }.contains(help) }

  private static let help: Word = "--help"

  /// Long options may be shortened while they stay unique; `--com` is no other option.
  private static func isCompatibility(_ word: Word) -> Bool {
    word.bytes.count >= 5 && "--compat".utf8.starts(with: word.bytes)
  }
}
