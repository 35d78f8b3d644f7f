import LineEditor
import ZooKeeperProtocol

/// The ways of a shell: how it reads a line, how it writes what a command has found, and what it does by habit.
///
/// There are two, the program's own and zkCli.sh's. Commands and sessions ask the dialect that they run in, and never
/// which one that is.
protocol Dialect: Sendable {
  // MARK: Reading

  /// Splits the program's arguments at the name of the command.
  func splitProgram(_ words: [Word]) -> ProgramInvocation

  /// Splits a line of a script or of the interactive shell.
  ///
  /// - Throws: a usage error for a line that cannot mean what it seems to.
  func split(_ line: [UInt8]) throws(ShellError) -> SplitLine

  /// Looks a command up and binds its arguments, as far as they are right.
  ///
  /// - Parameter globals: the program's options that may be among the words.
  func bind(_ command: Word, _ words: [Word], globals: [OptionSpec]) -> Binding

  /// The path of a znode.
  ///
  /// - Throws: a usage error for a path that no server takes.
  func path(_ word: Word, in directory: String, isSequential: Bool) throws(ShellError) -> String

  /// The bytes that a data argument denotes.
  ///
  /// - Throws: when they are to come from a file or from stdin, and cannot be read.
  func data(_ word: Word, from values: DataArgumentReader) async throws(ShellError) -> [UInt8]

  /// The entries of an ACL, and complaints about those that are left out.
  ///
  /// - Throws: when nothing can be made of the ACL.
  func acl(_ word: Word) throws(ShellError) -> (entries: [ACL], complaints: [String])

  /// Whether the argument of `printwatches` says on.
  ///
  /// - Throws: when it says neither on nor off, and that matters.
  func isOn(_ word: Word) throws(ShellError) -> Bool

  // MARK: Writing

  /// Renders one result as text.
  func render(_ result: CommandResult, _ context: RenderContext, isFirst: Bool) -> Rendered

  /// Renders an error as text.
  func render(_ error: ShellError, _ context: RenderContext, at place: SourceLine?) -> Rendered

  /// The exit code for an error.
  func exitCode(of error: ShellError) -> ExitCode

  /// The exit code for the answer of a command that has not failed, such as a predicate that is false.
  func exitCode(ofAnswer code: ExitCode) -> ExitCode

  /// What the command `version` prints.
  var versionText: String { get }

  /// What the interactive shell begins with.
  func greeting(onTerminal: Bool) -> String?

  /// The prompt of the interactive shell.
  ///
  /// - Parameter commandCount: how many lines have been typed.
  func prompt(_ place: PromptState.Place, commandCount: Int) -> Prompt

  /// The lines that the command `history` lists, of all that are known.
  func listed(_ history: [HistoryEntry]) -> [HistoryEntry]

  // MARK: Habits

  /// Whether a mistake in the program's options is reported before one in the command.
  var checksOptionsFirst: Bool { get }

  /// Whether a script ends with the first command that fails.
  var stopsAtFailure: Bool { get }

  /// Whether writes of a script may travel together.
  var pipelinesWrites: Bool { get }

  /// Whether a single command that sets a watch waits for its event.
  var awaitsEvents: Bool { get }

  /// Whether a person is asked before many znodes are deleted.
  var asksBeforeDestroying: Bool { get }

  /// Whether a person is asked for a secret that is missing, and warned of one that others can see.
  var mindsSecrets: Bool { get }

  /// Whether the chroot of the connect string is looked at where it makes a command do nothing, or not what it says.
  var mindsChroot: Bool { get }

  /// Whether `history` knows the lines of this run alone, numbered from 0, rather than those of the history file.
  var recordsLines: Bool { get }

  /// Whether `*`, `?` and `[` in a path are wildcards.
  var expandsPatterns: Bool { get }

  /// Whether a long command shows how far it has got.
  var showsProgress: Bool { get }

  /// Whether `redo` shows the line that it runs.
  var showsRepeatedLine: Bool { get }

  /// Whether the interactive shell reports its first connection as an event.
  var reportsFirstConnection: Bool { get }

  /// Whether the shell has what zkCli.sh lacks and a person may not expect there: the default cluster and the aliases
  /// of the configuration file, hints, a pager.
  var hasExtras: Bool { get }

  /// Whether variables with flags for Java, which are meant for Apache's scripts, count.
  var readsJavaEnvironment: Bool { get }
}

/// What a line splits into.
enum SplitLine: Hashable, Sendable {
  case words([Word])
  /// A command whose answer goes elsewhere.
  case redirected([Word], Redirection)
  /// A quote is open: the next line belongs to this one.
  case incomplete
}

/// A command bound as far as its words are right.
struct Binding: Sendable {
  /// nil for an unknown command.
  var invocation: Invocation?
  /// Options of the program among the words.
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
