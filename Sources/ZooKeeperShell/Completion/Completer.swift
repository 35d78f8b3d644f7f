import ZooKeeperProtocol

/// One way to go on.
package struct Candidate: Hashable, Sendable {
  /// What takes the place of the raw word typed so far, quoted as it must be.
  package var text: String
  /// How a list of candidates shows it.
  package var display: String
  /// A short description; empty if none is needed.
  package var note: String

  /// Makes a candidate.
  package init(text: String, display: String, note: String = "") {
    self.text = text
    self.display = display
    self.note = note
  }

  /// Whether more may follow in the same argument: a value, or a file in a directory.
  var mayContinue: Bool { text.hasSuffix("=") || display.hasSuffix("/") }
}

/// Tells how a line can go on, without talking to anyone.
///
/// A plan either has its candidates, or says which znode's children it needs; the caller fetches them and calls
/// `candidates(children:)`. So the same code serves the interactive shell, the shells of this world, and the tests.
package enum Completer {
  /// Whose znodes are needed.
  enum Elsewhere: Hashable, Sendable {
    /// Those of the session with that label, see `connect --as`.
    case label(String)
    /// Those of that cluster of the configuration file.
    case cluster(String)
  }

  /// What completing at a place takes.
  package struct Plan: Hashable, Sendable {
    /// The znode whose children are needed; nil when `fixed` is all.
    package var parent: String?
    /// Where that znode is, if it is not on the ensemble of the session.
    var elsewhere: Elsewhere?
    /// Whether the names of the configuration file's clusters are needed.
    var wantsClusters = false
    /// Whether the names of the commands on the PATH are needed.
    var wantsPrograms = false
    /// The directory of this machine whose files are needed; nil if none are.
    var directory: String?
    /// Where the raw word begins that a candidate's text replaces: an offset in bytes of UTF-8.
    package var startOffset: Int
    /// Candidates that need no server.
    var fixed: [Candidate] = []
    /// What the person typed of the path, up to and with the last slash, kept as typed.
    var typedDirectory = ""
    /// What the person typed of the child's name.
    var namePrefix = ""
    /// In front of the path in the same word, as in `--option=path`.
    var wordPrefix = ""
    /// The quotes that are open; nil where another shell quotes.
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

    /// The raw text of a word that a candidate makes.
    func quoted(_ value: String) -> String {
      let word = wordPrefix + value
      return quoting.map { Tokenizer.quote(word, in: $0) } ?? word
    }
  }

  /// The names that a plan needs and this machine knows.
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

  /// Plans the completion of the last of the words of a `zkcli` command line, which another shell has split and
  /// will quote again: the texts of its candidates are not quoted.
  ///
  /// - Parameter words: those after `zkcli`, the last one being completed and maybe empty.
  package static func plan(words: [Word]) -> Plan {
    guard let typed = (words.last ?? Word("")).exactText else { return Plan(parent: nil, startOffset: 0) }
    return Place(before: [Word](words.dropLast()), typed: typed, isProgram: true).plan(cwd: "/", quoting: nil)
  }
}
