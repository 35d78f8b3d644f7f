import LineEditor
import ZooKeeperProtocol

/// The behaviour of zkCli.sh of ZooKeeper 3.9.5, byte for byte on stdout.
///
/// *Source*: `org.apache.zookeeper.ZooKeeperMain` and the classes of `org.apache.zookeeper.cli`.
struct ZkCliDialect: Dialect {
  /// Unknown options are skipped, as by zkCli.sh.
  func splitProgram(_ words: [Word]) -> ProgramInvocation { ProgramOptions.parseCompat(words) }

  /// A line is never incomplete: an open quote is dropped.
  func split(_ line: [UInt8]) -> SplitLine { .words(ZkCliTokenizer.split(String(decoding: line, as: UTF8.self))) }

  /// Exact names and zkCli.sh's own options only; the program's options cannot follow a command.
  func bind(_ command: Word, _ words: [Word], globals: [OptionSpec]) -> Binding {
    do throws(ShellError) {
      return Binding(invocation: try ZkCliBinder.bind(words, command: command))
    } catch {
      return Binding(mistake: error)
    }
  }

  /// Absolute paths only.
  ///
  /// *Source*: `org.apache.zookeeper.common.PathUtils`.
  func path(_ word: Word, in directory: String, isSequential: Bool) throws(ShellError) -> String {
    let path = word.text
    do throws(ZnodePathError) {
      try ZnodePath.validate(path, isSequential: isSequential)
    } catch {
      throw ShellError.usage("path \(Tokenizer.quote(word)) is not valid").because(.badPath(error))
    }
    return path
  }

  /// The argument as it is.
  func data(_ word: Word, from values: DataArgumentReader) -> [UInt8] { word.bytes }

  /// Entries that cannot be read are left out.
  func acl(_ word: Word) throws(ShellError) -> (entries: [ACL], complaints: [String]) { ZkCliACL.parse(word.text) }

  /// Anything except `on` is off.
  func isOn(_ word: Word) -> Bool { word.text == "on" }

  /// Lists in brackets, data as Java's strings.
  func render(_ result: CommandResult, _ context: RenderContext, isFirst: Bool) -> Rendered {
    ZkCliRenderer(context).render(result)
  }

  /// Apache's text, without the line of the script.
  func render(_ error: ShellError, _ context: RenderContext, at place: SourceLine?) -> Rendered {
    Self.answersOnStdout(error) ? .line(Self.text(of: error)) : .err(Self.text(of: error) + "\n")
  }

  /// The answer of a command does not affect zkCli.sh's exit code.
  func exitCode(ofAnswer code: ExitCode) -> ExitCode { .success }

  var versionText: String { "ZooKeeper CLI version: \(Version.compatText)" }

  /// The line that zkCli.sh prints first, on a terminal or not.
  func greeting(onTerminal: Bool) -> String? { "Welcome to ZooKeeper!" }

  /// The servers as they were given, and the number of the command.
  func prompt(_ place: PromptState.Place, commandCount: Int) -> Prompt {
    Prompt([.init("[zk: \(place.servers)(\(place.state.word)) \(commandCount)] ")])
  }

  /// The last eleven lines, and an empty one before the first command.
  func listed(_ history: [HistoryEntry]) -> [HistoryEntry] {
    history.isEmpty ? [HistoryEntry(number: 0, line: "null")] : [HistoryEntry](history.suffix(11))
  }

  var checksOptionsFirst: Bool { true }
  var stopsAtFailure: Bool { false }
  var pipelinesWrites: Bool { false }
  var awaitsEvents: Bool { false }
  var asksBeforeDestroying: Bool { false }
  var mindsSecrets: Bool { false }
  var mindsChroot: Bool { false }
  var recordsLines: Bool { true }
  var showsRepeatedLine: Bool { false }
  var showsProgress: Bool { false }
  var expandsPatterns: Bool { false }
  var reportsFirstConnection: Bool { true }
  var hasExtras: Bool { false }
  var readsJavaEnvironment: Bool { true }
}
