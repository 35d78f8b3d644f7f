import LineEditor
import ZooKeeperProtocol

/// The program's own ways.
struct NativeDialect: Dialect {
  /// Options by the rules of GNU's `getopt_long`; the first argument is the command.
  func splitProgram(_ words: [Word]) -> ProgramInvocation { ProgramOptions.parse(words) }

  /// As a POSIX shell does, without expansions; here-documents, which would be taken for data, are refused.
  func split(_ line: [UInt8]) throws(ShellError) -> SplitLine {
    let scanned = Tokenizer.scan(line)
    if scanned.isIncomplete { return .incomplete }
    if let word = scanned.hereDocument { throw .hereDocument(word) }
    if let (words, redirection) = try scanned.redirected(line) { return .redirected(words, redirection) }
    return .words(scanned.words)
  }

  /// By the table of commands, in any case of letters.
  func bind(_ command: Word, _ words: [Word], globals: [OptionSpec]) -> Binding {
    do throws(ShellError) {
      let spec = try CommandTable.lookUp(command)
      let (invocation, mistake) = ArgumentBinder.read(words, to: spec, globals: globals)
      return Binding(invocation: invocation, globals: invocation.globals, mistake: mistake)
    } catch {
      // Unknown as it is, its error is to look as the rest of the line asks.
      return Binding(globals: OptionParser(options: globals).read(words).options, mistake: error)
    }
  }

  /// Relative paths start in the working directory.
  func path(_ word: Word, in directory: String, isSequential: Bool) throws(ShellError) -> String {
    try ValueParser.path(word, in: directory, isSequential: isSequential)
  }

  /// The word itself, stdin for `-`, a file for `@name`.
  func data(_ word: Word, from values: DataArgumentReader) async throws(ShellError) -> [UInt8] {
    try await values.bytes(of: word)
  }

  /// All entries, or none: a mistake in one is an error.
  func acl(_ word: Word) throws(ShellError) -> (entries: [ACL], complaints: [String]) {
    (try ValueParser.acl(word), [])
  }

  /// on or off, in any case of letters.
  func isOn(_ word: Word) throws(ShellError) -> Bool {
    try ValueParser.choice(word, of: "printwatches", among: ["on", "off"]) == "on"
  }

  /// Values as they are, and lists with one item a line.
  func render(_ result: CommandResult, _ context: RenderContext, isFirst: Bool) -> Rendered {
    TextRenderer(context).render(result, isFirst: isFirst)
  }

  /// One line, with what to do about it.
  func render(_ error: ShellError, _ context: RenderContext, at place: SourceLine?) -> Rendered {
    TextRenderer(context).error(error, at: place)
  }

  /// The code of the table in `help exit-codes`.
  func exitCode(of error: ShellError) -> ExitCode { error.exitCode }

  /// A false predicate shows in the exit code.
  func exitCode(ofAnswer code: ExitCode) -> ExitCode { code }

  var versionText: String { Version.text }

  /// What a person can type.
  func greeting(onTerminal: Bool) -> String? {
    onTerminal ? "zkcli \(Version.number): type help for the commands, quit to leave; TAB completes" : nil
  }

  /// `[zk: host:port(CONNECTED) /dir] `, as zkCli.sh's with the directory in place of the count of commands.
  func prompt(_ place: PromptState.Place, commandCount: Int) -> Prompt {
    let cluster = place.cluster.map { cluster in
      [Prompt.Piece(cluster.name, style: cluster.color ?? (cluster.isProtected ? .red : .bold)), Prompt.Piece(" ")]
    }
    return Prompt(
      [Prompt.Piece("[zk: ")] + (cluster ?? []) + [
        .init("\(place.server ?? place.servers)("), .init(place.state.word, style: place.state.style), .init(") "),
        .init(place.directory, style: .bold), .init("] "),
      ])
  }

  /// The last hundred.
  func listed(_ history: [HistoryEntry]) -> [HistoryEntry] { [HistoryEntry](history.suffix(100)) }

  var checksOptionsFirst: Bool { false }
  var stopsAtFailure: Bool { true }
  var pipelinesWrites: Bool { true }
  var awaitsEvents: Bool { true }
  var asksBeforeDestroying: Bool { true }
  var mindsSecrets: Bool { true }
  var mindsChroot: Bool { true }
  var recordsLines: Bool { false }
  var showsRepeatedLine: Bool { true }
  var showsProgress: Bool { true }
  var expandsPatterns: Bool { true }
  var reportsFirstConnection: Bool { false }
  var hasExtras: Bool { true }
  var readsJavaEnvironment: Bool { false }
}
