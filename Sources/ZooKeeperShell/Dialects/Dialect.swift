import LineEditor
import ZooKeeperProtocol

/// The behaviour of a shell: how it reads a line, how it writes results, and its defaults.
///
/// There are two dialects, the program's own and zkCli.sh's. Commands and sessions use the dialect that they run in,
/// and never check which one it is.
protocol Dialect: Sendable {
  // MARK: Reading

  /// Splits the program's arguments at the name of the command.
  func splitProgram(_ words: [Word]) -> ProgramInvocation

  /// Splits a line of a script or of the interactive shell.
  ///
  /// - Throws: a usage error for a line whose meaning would be misleading.
  func split(_ line: [UInt8]) throws(ShellError) -> SplitLine

  /// Looks up a command and binds its arguments, as far as they are valid.
  ///
  /// - Parameter globals: the program's options that are allowed among the arguments.
  func bind(_ command: Word, _ words: [Word], globals: [OptionSpec]) -> Binding

  /// The path of a znode.
  ///
  /// - Throws: a usage error for a path that servers refuse.
  func path(_ word: Word, in directory: String, isSequential: Bool) throws(ShellError) -> String

  /// The bytes that a data argument denotes.
  ///
  /// - Throws: if they come from a file or from stdin, which cannot be read.
  func data(_ word: Word, from values: DataArgumentReader) async throws(ShellError) -> [UInt8]

  /// The entries of an ACL, and warnings about those that are left out.
  ///
  /// - Throws: if the ACL cannot be parsed.
  func acl(_ word: Word) throws(ShellError) -> (entries: [ACL], complaints: [String])

  /// Whether the argument of `printwatches` is `on`.
  ///
  /// - Throws: if it is neither `on` nor `off`, in dialects that check this.
  func isOn(_ word: Word) throws(ShellError) -> Bool

  // MARK: Writing

  /// Renders one result as text.
  func render(_ result: CommandResult, _ context: RenderContext, isFirst: Bool) -> Rendered

  /// Renders an error as text.
  func render(_ error: ShellError, _ context: RenderContext, at place: SourceLine?) -> Rendered

  /// The exit code for an error.
  func exitCode(of error: ShellError) -> ExitCode

  /// The exit code of a command that has not failed, such as a predicate that is false.
  func exitCode(ofAnswer code: ExitCode) -> ExitCode

  /// The output of the command `version`.
  var versionText: String { get }

  /// The first line of the interactive shell.
  func greeting(onTerminal: Bool) -> String?

  /// The prompt of the interactive shell.
  ///
  /// - Parameter commandCount: the number of lines that have been typed.
  func prompt(_ place: PromptState.Place, commandCount: Int) -> Prompt

  /// The lines of the history that the command `history` lists.
  func listed(_ history: [HistoryEntry]) -> [HistoryEntry]

  // MARK: Habits

  /// Whether a mistake in the program's options is reported before one in the command.
  var checksOptionsFirst: Bool { get }

  /// Whether a script ends with the first command that fails.
  var stopsAtFailure: Bool { get }

  /// Whether writes of a script can be pipelined.
  var pipelinesWrites: Bool { get }

  /// Whether a single command that sets a watch waits for its event.
  var awaitsEvents: Bool { get }

  /// Whether the user must confirm the deletion of many znodes.
  var asksBeforeDestroying: Bool { get }

  /// Whether the shell asks for a missing secret, and warns of one that others can see.
  var mindsSecrets: Bool { get }

  /// Whether commands are refused that the chroot of the connect string would make useless or misleading.
  var mindsChroot: Bool { get }

  /// Whether `history` lists only the lines of this run, numbered from 0, instead of those of the history file.
  var recordsLines: Bool { get }

  /// Whether `*`, `?` and `[` in a path are wildcards.
  var expandsPatterns: Bool { get }

  /// Whether a long command shows its progress.
  var showsProgress: Bool { get }

  /// Whether `redo` prints the line that it runs.
  var showsRepeatedLine: Bool { get }

  /// Whether the interactive shell reports its first connection as an event.
  var reportsFirstConnection: Bool { get }

  /// Whether the shell has features that users of zkCli.sh do not expect: the default cluster and the aliases of the
  /// configuration file, hints, a pager.
  var hasExtras: Bool { get }

  /// Whether variables with flags for Java, which are meant for Apache's scripts, are read.
  var readsJavaEnvironment: Bool { get }
}

/// The result of splitting a line.
enum SplitLine: Hashable, Sendable {
  case words([Word])
  /// A command whose output is redirected.
  case redirected([Word], Redirection)
  /// A quote is open, so that the next line continues this one.
  case incomplete
}

/// A command bound as far as its arguments are valid.
struct Binding: Sendable {
  /// nil for an unknown command.
  var invocation: Invocation?
  /// Options of the program among the arguments.
  var globals: [OptionName: [Word]] = [:]
  /// The first mistake.
  var mistake: ShellError?

  /// The invocation.
  ///
  /// - Throws: the mistake, if there is one.
  func get() throws(ShellError) -> Invocation {
    if let mistake { throw mistake }
    guard let invocation else { preconditionFailure("a binding with neither an invocation nor a mistake") }
    return invocation
  }
}
