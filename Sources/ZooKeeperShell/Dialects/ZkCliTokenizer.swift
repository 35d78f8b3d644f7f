/// Splits a line as zkCli.sh does: blanks separate, quotes count only at the start of a token, and there are no
/// escapes.
///
/// An open quote is dropped, and adjacent quoted parts are separate tokens.
///
/// *Source*: `ZooKeeperMain.MyCommandOptions.parseCommand`.
enum ZkCliTokenizer {
  /// The tokens of a line.
  static func split(_ line: String) -> [Word] {
    var words: [Word] = []
    var rest = Substring(line)
    while let first = rest.first {
      if first.isJavaBlank {
        rest.removeFirst()
      } else if first == "\"" || first == "'" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: first) else { continue }
        words.append(Word(String(rest[..<end])))
        rest = rest[rest.index(after: end)...]
      } else {
        let word = rest.prefix { !$0.isJavaBlank }
        words.append(Word(String(word)))
        rest = rest.dropFirst(word.count)
      }
    }
    return words
  }
}

extension Character {
  fileprivate var isJavaBlank: Bool { " \t\n\u{b}\u{c}\r".contains(self) }
}
