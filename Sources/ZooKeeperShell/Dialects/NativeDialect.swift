import LineEditor
import ZooKeeperProtocol

/// The program's own dialect.
struct NativeDialect: Dialect {
  /// Options by the rules of GNU's `getopt_long`; the first argument is the command.
  func splitProgram(_ words: [Word]) -> ProgramInvocation { ProgramOptions.parse(words) }

  /// Splits as a POSIX shell does, without expansions. Here-documents are refused, because they would be read as data.
  func split(_ line: [UInt8]) throws(ShellError) -> SplitLine {
    let scanned = Tokenizer.scan(line)
    if scanned.isIncomplete { return .incomplete }
    if let word = scanned.hereDocument { throw .hereDocument(word) }
    if let (words, redirection) = try scanned.redirected(line) { return .redirected(words, redirection) }
    return .words(scanned.words)
  }

  /// Looks up the command in the table of commands, ignoring case.
  func bind(_ command: Word, _ words: [Word], globals: [OptionSpec]) -> Binding {
    do throws(ShellError) {
      let spec = try CommandTable.lookUp(command)
      let (invocation, mistake) = ArgumentBinder.read(words, to: spec, globals: globals)
      return Binding(invocation: invocation, globals: invocation.globals, mistake: mistake)
    } catch {
      // The error of an unknown command is printed in the format that the rest of the line asks for.
      return Binding(globals: OptionParser(options: globals).read(words).options, mistake: error)
    }
  }

  /// Relative paths start in the working directory.
  func path(_ word: Word, in directory: String, isSequential: Bool) throws(ShellError) -> String {
    try ValueParser.path(word, in: directory, isSequential: isSequential)
  }

  /// The argument itself, stdin for `-`, a file for `@name`.
  func data(_ word: Word, from values: DataArgumentReader) async throws(ShellError) -> [UInt8] {
    try await values.bytes(of: word)
  }

  /// A mistake in one entry is an error.
  func acl(_ word: Word) throws(ShellError) -> (entries: [ACL], complaints: [String]) {
    (try ValueParser.acl(word), [])
  }

  /// `on` or `off`, ignoring case.
  func isOn(_ word: Word) throws(ShellError) -> Bool {
    try ValueParser.choice(word, of: "printwatches", among: ["on", "off"]) == "on"
  }

  /// Values as they are, and lists with one item on each line.
  func render(_ result: CommandResult, _ context: RenderContext, isFirst: Bool) -> Rendered {
    TextRenderer(context).render(result, isFirst: isFirst)
  }

  /// One line, with a hint.
  func render(_ error: ShellError, _ context: RenderContext, at place: SourceLine?) -> Rendered {
    TextRenderer(context).error(error, at: place)
  }

  /// The code of the table in `help exit-codes`.
  func exitCode(of error: ShellError) -> ExitCode { error.exitCode }

  /// The exit code shows a false predicate.
  func exitCode(ofAnswer code: ExitCode) -> ExitCode { code }

  var versionText: String { Version.text }

  /// The version, and the most important commands.
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
