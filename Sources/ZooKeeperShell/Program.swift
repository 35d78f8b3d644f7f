import Sandbox

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The program: from the words of the command line to the exit code.
package enum Program {
  /// Runs the program on the process's own argv and exits.
  ///
  /// argv is taken byte for byte: `CommandLine.arguments` would repair what is not UTF-8, and so store something else
  /// than was given.
  package static func main(
    _ count: Int32, _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) -> Never {
    let arguments = (0..<Int(count)).compactMap { index in
      values[index].map { [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
    exit(run(arguments))
  }

  /// Runs the program, blocking the calling thread, which must be the process's first.
  ///
  /// - Parameters:
  ///   - arguments: argv as bytes, the program's name included.
  /// - Returns: what to exit with.
  static func run(_ arguments: [[UInt8]]) -> Int32 {
    if arguments.count > 1, arguments[1] == [UInt8](ChildGate.word.utf8) {
      return ChildGate.become([[UInt8]](arguments.dropFirst(2)))
    }
    openStandardDescriptors()
    InheritedDescriptors.remember()
    // A reader that goes away is an error of `write`, which ends the command in order.
    signal(SIGPIPE, SIG_IGN)
    let words = arguments.map(Word.init(bytes:))
    let environment = ShellEnvironment.ofProcess(programPath: words.first?.text ?? "zkcli")
    let output = Output()
    var code: ExitCode
    do throws(ShellError) {
      code = try run([Word](words.dropFirst()), environment, output)
      try output.flush()
    } catch {
      let isCompatible = environment.asksForCompatibility || words.prefix { $0 != "--" }.contains("--compat")
      let format = formatForErrors([Word](words.dropFirst()), environment)
      code = report(error, output, format)
      if isCompatible { code = error.apacheExitCode }
    }
    return code.rawValue
  }

  private static func run(
    _ words: [Word], _ environment: ShellEnvironment, _ output: Output
  ) throws(ShellError) -> ExitCode {
    if words.first?.text == GuardProcess.word { return ExitCode(rawValue: GuardProcess.run()) }
    if words.first == "__complete" { return CompletionQuery.answer([Word](words.dropFirst()), environment, output) }
    if let text = try HelpRequest.answer(words, environment) {
      try output.write(.out(text))
      return .success
    }
    if environment.isServerProgram { return try ServerCommand.runAsScript(words, environment, output) }
    let isCompatible = environment.asksForCompatibility
    let invocation = try isCompatible ? ProgramOptions.parseCompat(words) : ProgramOptions.parse(words)
    if let text = try offlineAnswer(invocation, environment) {
      try output.write(.out(text))
      return .success
    }
    var options = invocation.globals
    if !isCompatible, let command = invocation.command, options[.compat] == nil {
      // Options of the program may stand behind the command too.
      let spec = try CommandTable.lookUp(command)
      let bound = try ArgumentBinder.bind(invocation.words, to: spec)
      if bound.flag(.help) {
        try output.write(.out(Help.command(spec, width: environment.helpWidth)))
        return .success
      }
      options.merge(bound.globals) { $0 + $1 }
    }
    let settings = try ShellSettings(options, environment: environment)
    let notes = settings.remarks.map(CommandResult.remark) + settings.warnings.map(CommandResult.warning)
    var renderer = Renderer(
      RenderContext(format: settings.format, isVerbose: settings.isVerbose, isQuiet: settings.isQuiet))
    for note in notes { try output.write(renderer.emit(note)) }
    if options[.local] != nil {
      return try SandboxRun.run(options, child: invocation.child, output) { sandbox throws(ShellError) in
        try run(invocation, settings.adapted(to: sandbox), environment, output, sandbox)
      }
    }
    return try run(invocation, settings, environment, output, nil)
  }

  /// Runs a command, a script or the interactive shell, as the command line asks.
  private static func run(
    _ invocation: ProgramInvocation, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) throws(ShellError) -> ExitCode {
    if let command = invocation.command {
      if !settings.isCompatible, try CommandTable.lookUp(command).id == .server {
        return try ServerCommand.run(
          try ArgumentBinder.bind(invocation.words, to: CommandTable.spec(of: .server)), environment, output,
          RenderContext(format: settings.format, isVerbose: settings.isVerbose, isQuiet: settings.isQuiet))
      }
      guard settings.script == nil else { throw .usage("--script and a command exclude each other") }
      return runCommand(command, invocation.words, settings, environment, output, sandbox)
    }
    if let script = settings.script { return try runScript(script, settings, environment, output, sandbox) }
    if environment.stdinIsTerminal { return try REPL.run(settings, environment, output, sandbox) }
    return try runScript("-", settings, environment, output, sandbox)
  }

  /// What needs neither a server nor settings.
  private static func offlineAnswer(
    _ invocation: ProgramInvocation, _ environment: ShellEnvironment
  ) throws(ShellError) -> String? {
    // As `-h`, or cut short; written out it has been answered before.
    if invocation.flag(.help) { return try HelpRequest.text(for: invocation.command, environment) }
    guard !environment.asksForCompatibility, !invocation.flag(.compat) else { return nil }
    return invocation.flag(.programVersion) ? Version.text + "\n" : nil
  }

  private static func runCommand(
    _ command: Word, _ words: [Word], _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) -> ExitCode {
    let isWatched = environment.stdinIsTerminal && environment.stderrIsTerminal && !settings.isCompatible
    let values = ValueSource(offersStdin: true, asksBeforeDestroying: isWatched)
    let session = ShellSession(
      settings: settings, mode: .oneShot, environment: environment, output: output, values: values, sandbox: sandbox)
    return runInterruptibly(session) {
      await session.run(command: command, words: words).exitCode
    }
  }

  private static func runScript(
    _ path: String, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) throws(ShellError) -> ExitCode {
    let isStdin = path == "-"
    let descriptor = isStdin ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.failure("cannot open \(path)", errno) }
    let values = ValueSource(offersStdin: !isStdin, asksBeforeDestroying: false)
    let session = ShellSession(
      settings: settings, mode: .script, environment: environment, output: output, values: values, sandbox: sandbox,
      scriptExposure: isStdin ? nil : Files.exposure(of: descriptor, name: path))
    let name = isStdin ? "stdin" : path
    let runner = ScriptRunner(
      session: session, name: name, keepsGoing: settings.keepsGoing, isCompatible: settings.isCompatible,
      isPipelined: settings.pipelineCount > 1)
    return runInterruptibly(session) {
      var reader = LineReader(descriptor, name: name)
      do throws(ShellError) {
        return try await runner.run(&reader)
      } catch {
        return await session.report(error)
      }
    }
  }

  /// Runs work that a signal cancels, closes the session in any case, and waits for both.
  private static func runInterruptibly(
    _ session: ShellSession, _ work: @escaping @Sendable () async -> ExitCode
  ) -> ExitCode {
    let interruption = Interruption.start(forwarder: session.forwarder)
    session.output.startFlushing()
    let gate = BlockingGate<ExitCode>()
    let task = Task {
      let code = await work()
      // A stdout that cannot be written has been reported, or needs no report, by now.
      var final = code
      do throws(ShellError) {
        try await session.flushOutput()
      } catch {
        if code == .success { final = await session.report(error) }
      }
      await session.close()
      gate.open(interruption.signal.map(ExitCode.signal) ?? final)
    }
    interruption.whenSignalled { task.cancel() }
    return gate.wait()
  }

  private static func report(_ error: ShellError, _ output: Output, _ format: OutputFormat) -> ExitCode {
    if !error.message.isEmpty { try? output.write(Renderer(RenderContext(format: format)).error(error)) }
    return error.exitCode
  }

  /// The format for an error in the command line itself, which may keep the settings from being read: what the words
  /// ask for, as far as they make sense.
  private static func formatForErrors(_ words: [Word], _ environment: ShellEnvironment) -> OutputFormat {
    var asked = environment.value("ZKCLI_OUTPUT") ?? ""
    var rest = words.prefix { $0 != "--" }.map(\.text)[...]
    while let word = rest.popFirst() {
      if word == "--json" { asked = "json" }
      if word == "-o" || word == "--output" { asked = rest.first ?? asked }
      for prefix in ["-o", "--output="] where word.hasPrefix(prefix) && word != prefix {
        asked = String(word.dropFirst(prefix.count))
      }
    }
    return OutputFormat(rawValue: asked.lowercased()) ?? .text
  }

  /// Opens whatever of 0, 1 and 2 the caller left closed on `/dev/null`, so that no socket becomes stdout.
  private static func openStandardDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }
}
