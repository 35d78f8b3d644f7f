/// Reads the command line, once.
///
/// The options that decide how the rest is read come first (`ReadingMode`), then the program's options, then the
/// command, which is looked up and bound with all options behind it, and from all options together the settings.
enum CommandLine {
  /// The plan that a command line makes.
  ///
  /// - Parameter words: argv without the program's name.
  /// - Throws: the first mistake, with the look that the command line asks for, even if it says so after the mistake.
  static func parse(_ words: [Word], _ environment: ShellEnvironment) throws(CommandLineError) -> Plan {
    if words.first?.text == GuardProcess.word { return .guardProcess }
    if words.first?.text == CompletionQuery.word { return .completion([Word](words.dropFirst())) }
    let mode = ReadingMode(of: words)
    let isCompatible = environment.asksForCompatibility || mode.asksForCompatibility
    let parsed = split(mode, isCompatible: isCompatible)
    var reading = Reading(parsed, environment, isCompatible: isCompatible)
    do throws(ShellError) {
      if mode.asksForHelp { return .text(try HelpRequest.answer(parsed, environment)) }
      if environment.isServerProgram { return .serverScript(words) }
      return try reading.plan()
    } catch {
      throw reading.failure(error)
    }
  }

  /// Splits arguments at the name of the command, by the rules of the program or of zkCli.sh.
  static func split(_ mode: ReadingMode, isCompatible: Bool) -> ProgramInvocation {
    isCompatible ? ProgramOptions.parseCompat(mode.words) : ProgramOptions.parse(mode.words)
  }

  /// The settings of a command line that is still being typed, as far as it can be understood.
  static func settings(ofUnfinished words: [Word], _ environment: ShellEnvironment) -> ShellSettings? {
    let parsed = ProgramOptions.parse(words)
    var options = parsed.mistake == nil ? parsed.globals : [:]
    if parsed.mistake == nil, let command = parsed.command, let spec = CommandTable.find(command.text) {
      // Its argument is what is being typed.
      let (bound, mistake) = ArgumentBinder.read(parsed.words + ["/"], to: spec)
      if mistake == nil { options.merge(bound.globals) { $0 + $1 } }
    }
    return try? ShellSettings(options, environment: environment)
  }
}

/// A command line that cannot be carried out.
struct CommandLineError: Error {
  let error: ShellError
  /// How the error is to look.
  let context: RenderContext
  let exitCode: ExitCode
  /// What the settings have to say before the error.
  let notes: Rendered
}

/// The state of reading one command line.
private struct Reading {
  private let parsed: ProgramInvocation
  private let environment: ShellEnvironment
  private let isCompatible: Bool
  /// All options of the program that have been found, before the command and behind it.
  private var options: [OptionName: [Word]]
  private var settings: ShellSettings?
  /// Whether the mistake is one that zkCli.sh itself refuses, in its own words; our options have our words.
  private var isRefusedByZkCli = false

  init(_ parsed: ProgramInvocation, _ environment: ShellEnvironment, isCompatible: Bool) {
    self.parsed = parsed
    self.environment = environment
    self.isCompatible = isCompatible
    options = parsed.globals
  }

  mutating func plan() throws(ShellError) -> Plan {
    let (bound, mistake) = bindToTable()
    if let error = parsed.mistake { throw error }
    // As `-h`, or shortened; written in full it has been answered before.
    if parsed.flag(.help) { return .text(try HelpRequest.text(for: parsed.command, environment)) }
    if !isCompatible, parsed.flag(.programVersion) { return .text(Version.text + "\n") }
    if let mistake { throw mistake }
    if let bound, bound.flag(.help) { return .text(Help.command(bound.spec, width: environment.helpWidth)) }
    let settings = try ShellSettings(options, environment: environment)
    self.settings = settings
    let invocation = if isCompatible { try bindToZkCli() } else { bound }
    guard options[.local] != nil else { return try plan(invocation, settings) }
    let servers = try SandboxRun.settings(options)
    guard let child = parsed.child else { return .sandbox(servers, around: try plan(invocation, settings)) }
    guard !child.isEmpty else { throw .usage("nothing stands behind --", hint: "zkcli --local -- make test") }
    return .child(child, on: servers, settings)
  }

  private func plan(_ invocation: Invocation?, _ settings: ShellSettings) throws(ShellError) -> Plan {
    if let invocation {
      if invocation.spec.id == .server { return .server(invocation, settings) }
      guard settings.script == nil else { throw .usage("--script and a command exclude each other") }
      return .oneShot(invocation, settings)
    }
    if let script = settings.script { return .script(script, settings) }
    return environment.stdinIsTerminal ? .interactive(settings) : .script("-", settings)
  }

  /// Looks the command up and binds it; options of the program that stand behind it join the others.
  private mutating func bindToTable() -> (invocation: Invocation?, mistake: ShellError?) {
    guard !isCompatible, let command = parsed.command else { return (nil, nil) }
    do throws(ShellError) {
      let (bound, mistake) = ArgumentBinder.read(parsed.words, to: try CommandTable.lookUp(command))
      options.merge(bound.globals) { $0 + $1 }
      return (bound, mistake)
    } catch {
      // Unknown as it is, its error is to look as the rest of the line asks.
      let rest = OptionParser(options: ProgramOptions.behindCommand).read(parsed.words)
      options.merge(rest.options) { $0 + $1 }
      return (nil, error)
    }
  }

  private mutating func bindToZkCli() throws(ShellError) -> Invocation? {
    guard let command = parsed.command else { return nil }
    do throws(ShellError) {
      return try ArgumentBinder.bindCompat(parsed.words, command: command)
    } catch {
      isRefusedByZkCli = true
      throw error
    }
  }

  func failure(_ error: ShellError) -> CommandLineError {
    let asked = options[.output]?.last?.text ?? environment.value("ZKCLI_OUTPUT") ?? ""
    let context = RenderContext(
      format: OutputFormat(rawValue: asked.lowercased()) ?? .text, isCompat: isRefusedByZkCli)
    return CommandLineError(
      error: error, context: context, exitCode: isCompatible ? error.apacheExitCode : error.exitCode,
      notes: settings?.notes ?? Rendered())
  }
}
