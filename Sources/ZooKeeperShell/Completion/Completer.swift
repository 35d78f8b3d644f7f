import ZooKeeperProtocol

/// A possible completion.
package struct Candidate: Hashable, Sendable {
  /// The text that replaces the raw token at the cursor, quoted as needed.
  package var text: String
  /// How a list of candidates shows it.
  package var display: String
  /// A short description; empty if none is needed.
  package var note: String

  package init(text: String, display: String, note: String = "") {
    self.text = text
    self.display = display
    self.note = note
  }

  /// Whether more can follow in the same argument: a value, or a file in a directory.
  var mayContinue: Bool { text.hasSuffix("=") || display.hasSuffix("/") }
}

/// Finds the possible completions of a line, without I/O.
///
/// A plan either has its candidates, or says which znode's children it needs; the caller fetches these and calls
/// `candidates(children:)`. So the same code serves the interactive shell, other shells and the tests.
package enum Completer {
  /// Another ensemble whose znodes are needed.
  enum Elsewhere: Hashable, Sendable {
    /// That of the session with a label; see `connect --as`.
    case label(String)
    /// A cluster of the configuration file.
    case cluster(String)
  }

  /// What is needed to complete the token at the cursor.
  package struct Plan: Hashable, Sendable {
    /// The znode whose children are needed; nil if `fixed` has all candidates.
    package var parent: String?
    /// Where that znode is, if it is not on the ensemble of the session.
    var elsewhere: Elsewhere?
    /// Whether the names of the configuration file's clusters are needed.
    var wantsClusters = false
    /// Whether the names of the commands on the PATH are needed.
    var wantsPrograms = false
    /// The local directory whose files are needed; nil if none are.
    var directory: String?
    /// The offset in bytes of UTF-8 of the raw token that a candidate's text replaces.
    package var startOffset: Int
    /// Candidates that need no server.
    var fixed: [Candidate] = []
    /// The typed part of the path up to and including the last slash, as it was typed.
    var typedDirectory = ""
    /// The typed part of the child's name.
    var namePrefix = ""
    /// What precedes the path in the same token, as in `--option=path`.
    var wordPrefix = ""
    /// The quotes that are open; nil if another shell does the quoting.
    var quoting: Tokenizer.Quoting?

    /// The candidates, given the names of the children of `parent`, of the clusters, or of the files in `directory`, in
    /// the order of their names.
    package func candidates(children: [String] = []) -> [Candidate] {
      guard parent != nil || wantsClusters || wantsPrograms || directory != nil else { return fixed }
      return fixed
        + children.filter { $0.hasPrefix(namePrefix) }.sorted().map { name in
          Candidate(text: quoted(typedDirectory + name), display: name)
        }
    }

    /// The raw text of the token that a candidate completes.
    func quoted(_ value: String) -> String {
      let word = wordPrefix + value
      return quoting.map { Tokenizer.quote(word, in: $0) } ?? word
    }
  }

  /// The names that a plan needs and that need no server.
  ///
  /// - Parameters:
  ///   - path: the value of the variable `PATH`.
  ///   - clusters: the names of the clusters of the configuration file.
  static func localNames(for plan: Plan, path: String?, clusters: () -> [String]) -> [String] {
    if plan.wantsClusters { return clusters() }
    if plan.wantsPrograms {
      let directories = (path ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
      return Set(directories.flatMap { FileIO.programs(in: $0, prefix: plan.namePrefix) }).sorted()
    }
    guard let directory = plan.directory else { return [] }
    let showsHidden = plan.namePrefix.hasPrefix(".")
    return FileIO.names(in: directory).filter { showsHidden || !$0.hasPrefix(".") }
  }

  /// Plans the completion of a typed line.
  ///
  /// - Parameters:
  ///   - line: the text before the cursor.
  ///   - cwd: the working directory, which relative paths start from.
  package static func plan(line: String, cwd: String = "/") -> Plan {
    let scanned = Tokenizer.scan([UInt8](line.utf8))
    let cursor = scanned.cursor
    let nothing = Plan(parent: nil, startOffset: cursor.startOffset)
    guard !cursor.isComment, let typed = cursor.word.exactText else { return nothing }
    let place = Place(before: [Word](scanned.words.prefix(cursor.index)), typed: typed, isProgram: false)
    var plan = place.plan(cwd: cwd, quoting: cursor.quoting)
    plan.startOffset = cursor.startOffset
    return plan
  }

  /// Plans the completion of the last token of a `zkcli` command line that another shell has split. That shell quotes
  /// the candidates, so their texts are not quoted here.
  ///
  /// - Parameter words: the tokens after `zkcli`. The last one is being completed, and can be empty.
  package static func plan(words: [Word]) -> Plan {
    guard let typed = (words.last ?? Word("")).exactText else { return Plan(parent: nil, startOffset: 0) }
    return Place(before: [Word](words.dropLast()), typed: typed, isProgram: true).plan(cwd: "/", quoting: nil)
  }
}
