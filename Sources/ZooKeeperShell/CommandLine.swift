/// Reads the command line, once.
///
/// The options that decide how the rest is read come first (`ReadingMode`), then the program's options, then the
/// command, which is looked up and bound together with all options after it. The settings follow from all options.
enum CommandLine {
  /// Parses a command line into a plan.
  ///
  /// - Parameter words: argv without the program's name.
  /// - Throws: the first mistake, with the output format that the command line asks for, even if that follows the
  ///   mistake.
  static func parse(_ words: [Word], _ environment: ShellEnvironment) throws(CommandLineError) -> Plan {
    if words.first?.text == WatchdogProcess.word { return .watchdogProcess }
    if words.first?.text == CompletionQuery.word { return .completion([Word](words.dropFirst())) }
    let mode = ReadingMode(of: words)
    let reading = Reading(mode, environment)
    do throws(ShellError) {
      if mode.asksForHelp { return .text(try HelpRequest.answer(reading.parsed, environment)) }
      if environment.isServerProgram { return .serverScript(words) }
      return try reading.plan()
    } catch {
      throw reading.failure(error)
    }
  }

  /// The settings of a command line that is still being typed, as far as it can be understood.
  static func settings(ofUnfinished words: [Word], _ environment: ShellEnvironment) -> ShellSettings? {
    let parsed = ProgramOptions.parse(words)
    var options = parsed.mistake == nil ? parsed.globals : [:]
    if parsed.mistake == nil, let command = parsed.command, let spec = CommandTable.find(command.text) {
      // The missing argument is the one that is being typed.
      let (bound, mistake) = ArgumentBinder.read(parsed.words + ["/"], to: spec)
      if mistake == nil { options.merge(bound.globals) { $0 + $1 } }
    }
    return try? ShellSettings(options, environment: environment)
  }
}

/// A command line that cannot be carried out.
struct CommandLineError: Error {
  let error: ShellError
  /// How to render the error.
  let context: RenderContext
  let exitCode: ExitCode
}

/// The state of reading one command line.
private struct Reading {
  let parsed: ProgramInvocation
  private let environment: ShellEnvironment
  private let dialect: any Dialect
  private let command: Binding?
  /// All options of the program, before the command and after it.
  private let options: [OptionName: [Word]]

  init(_ mode: ReadingMode, _ environment: ShellEnvironment) {
    self.environment = environment
    let usesZkClis = environment.isZkCli || mode.asksForCompatibility
    let dialect: any Dialect = if usesZkClis { ZkCliDialect() } else { NativeDialect() }
    self.dialect = dialect
    var parsed = dialect.splitProgram(mode.words)
    let aliasMistake = Self.expandAlias(&parsed, environment, dialect)
    self.parsed = parsed
    command = parsed.command.map { command in
      if let aliasMistake { return Binding(mistake: aliasMistake) }
      return dialect.bind(command, parsed.words, globals: ProgramOptions.behindCommand)
    }
    options = parsed.globals.merging(command?.globals ?? [:]) { $0 + $1 }
  }

  /// Expands a command that is an alias of the configuration file.
  ///
  /// - Returns: the error if the file is not valid.
  private static func expandAlias(
    _ parsed: inout ProgramInvocation, _ environment: ShellEnvironment, _ dialect: any Dialect
  ) -> ShellError? {
    guard dialect.hasExtras, parsed.mistake == nil, let command = parsed.command?.exactText,
      CommandTable.find(command) == nil
    else { return nil }
    do throws(ShellError) {
      let location = try ClusterFile.Location(parsed.value(.config), environment)
      guard let expansion = try ClusterFile.open(location, environment)?.expansion(of: command),
        case .words(let words) = Tokenizer.tokenize(expansion), let first = words.first
      else { return nil }
      parsed.command = first
      parsed.words = words.dropFirst() + parsed.words
      return nil
    } catch {
      return error
    }
  }

  func plan() throws(ShellError) -> Plan {
    if let mistake = parsed.mistake { throw mistake }
    // `-h` or a shortened form; `--help` has been handled before.
    if parsed.flag(.help) { return .text(try HelpRequest.text(for: parsed.command, environment)) }
    if parsed.flag(.programVersion) { return .text(Version.text + "\n") }
    if !dialect.checksOptionsFirst { _ = try command?.get() }
    if let invocation = command?.invocation, invocation.flag(.help) {
      return .text(Help.command(invocation.spec, width: environment.helpWidth))
    }
    let settings = try ShellSettings(options, environment: environment, dialect: dialect)
    let invocation = try command?.get()
    guard options[.local] != nil else {
      try SandboxRun.refuseOptions(options)
      return try plan(invocation, settings)
    }
    let servers = try SandboxRun.settings(options)
    if servers.page != nil, let spec = invocation?.spec, spec.id == .web || spec.id == .server {
      throw .usage("--web cannot be combined with the command \(spec.name)")
    }
    if let word = options[.replay]?.last {
      guard parsed.child == nil, invocation == nil, settings.script == nil else {
        throw .usage("--replay cannot be combined with a command or --script")
      }
      return .sandbox(servers, around: .replay(try ValueParser.text(word, of: "--replay"), settings))
    }
    guard let child = parsed.child else { return .sandbox(servers, around: try plan(invocation, settings)) }
    guard !child.isEmpty else {
      throw .usage("no command given after --", hint: "for example: zkcli --local -- make test")
    }
    return .child(child, on: servers, settings)
  }

  private func plan(_ invocation: Invocation?, _ settings: ShellSettings) throws(ShellError) -> Plan {
    if let invocation {
      if invocation.spec.id == .server { return .server(invocation, settings) }
      if invocation.spec.id == .web { return .web(invocation, settings) }
      guard settings.script == nil else { throw .usage("--script cannot be combined with a command") }
      return .oneShot(invocation, settings)
    }
    if let script = settings.script { return .script(script, settings) }
    return environment.stdinIsTerminal ? .interactive(settings) : .script("-", settings)
  }

  func failure(_ error: ShellError) -> CommandLineError {
    let asked = options[.output]?.last?.text ?? environment.value("ZKCLI_OUTPUT") ?? ""
    let format = OutputFormat(rawValue: asked.lowercased()) ?? .text
    // Mistakes in a command have zkCli.sh's texts in its dialect; those in the program's own options do not.
    let isOfCommand = parsed.mistake == nil && command?.mistake == error
    let context = isOfCommand ? RenderContext(format: format, dialect: dialect) : RenderContext(format: format)
    return CommandLineError(error: error, context: context, exitCode: dialect.exitCode(of: error))
  }
}
