/// The two options that decide how all other arguments are read, so that they are looked for first: `--help`, which
/// only explains, and `--compat`, which selects zkCli.sh's rules.
///
/// Both are recognized anywhere before a lone `--`.
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

  /// Whether the arguments on one line of a script or of the interactive shell ask for help.
  static func asksForHelp(_ words: [Word]) -> Bool { words.prefix { $0 != "--" }.contains(help) }

  private static let help: Word = "--help"

  /// Long options can be shortened while they stay unique; no other option begins with `--com`.
  private static func isCompatibility(_ word: Word) -> Bool {
    word.bytes.count >= 5 && "--compat".utf8.starts(with: word.bytes)
  }
}
