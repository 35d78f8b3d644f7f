import Platform
import ZooKeeperSandbox

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The program: from the command line to the exit code.
package enum Program {
  /// Runs the program on the process's own argv and exits.
  ///
  /// argv is read byte for byte, because `CommandLine.arguments` would repair invalid UTF-8, so that something else
  /// would be stored than was given.
  package static func main(
    _ count: Int32, _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) -> Never {
    ProgramMemory.populate()
    silenceDispatch()
    let arguments = (0..<Int(count)).compactMap { index in
      values[index].map { [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
    exit(run(arguments))
  }

  /// Runs the program, blocking the calling thread, which must be the process's first.
  ///
  /// - Parameters:
  ///   - arguments: argv as bytes, including the program's name.
  /// - Returns: the exit code.
  static func run(_ arguments: [[UInt8]]) -> Int32 {
    // On Linux, Swift's runtime reads argv from /proc.
    guard !arguments.isEmpty else {
      let error = ShellError(
        .localInputOutput, "Arguments", "the command line cannot be read", hint: "mount /proc in this root directory")
      report(error, Output(), RenderContext(format: .text))
      return error.exitCode.rawValue
    }
    if arguments.count > 1, arguments[1] == [UInt8](ChildStarter.subcommand.utf8) {
      return ChildStarter.exec([[UInt8]](arguments.dropFirst(2)))
    }
    openStandardDescriptors()
    InheritedDescriptors.remember()
    // If the reader of a pipe goes away, `write` fails, and the command ends in an orderly way.
    signal(SIGPIPE, SIG_IGN)
    let words = arguments.map(Word.init(bytes:))
    let environment = ShellEnvironment.ofProcess(programPath: words.first?.text ?? "zkcli")
    let output = Output()
    let plan: Plan
    do throws(CommandLineError) {
      plan = try CommandLine.parse([Word](words.dropFirst()), environment)
    } catch {
      report(error.error, output, error.context)
      return error.exitCode.rawValue
    }
    do throws(ShellError) {
      if let settings = plan.settings { try output.write(settings.notes) }
      let code = try run(plan, environment, output, nil)
      try output.flush()
      return code.rawValue
    } catch {
      report(error, output, RenderContext(format: plan.settings?.format ?? .text))
      return (plan.settings?.dialect.exitCode(of: error) ?? error.exitCode).rawValue
    }
  }

  /// Carries out a plan.
  ///
  /// - Parameter sandbox: the servers that were started for it, if any.
  private static func run(
    _ plan: Plan, _ environment: ShellEnvironment, _ output: Output, _ sandbox: LocalEnsemble?
  ) throws(ShellError) -> ExitCode {
    switch plan {
    case .text(let text):
      try output.write(.out(text))
      return .success
    case .completion(let words): return CompletionQuery.answer(words, environment, output)
    case .watchdogProcess: return ExitCode(rawValue: WatchdogProcess.run())
    case .serverScript(let words): return try ServerScript.run(words, environment, output)
    case .server(let invocation, let settings):
      return try ServerCommand.run(invocation, environment, output, settings.renderContext)
    case .web(let invocation, let settings):
      return try WebCommand.run(invocation, settings, environment, output, sandbox)
    case .oneShot(let invocation, let settings): return runCommand(invocation, settings, environment, output, sandbox)
    case .script(let path, let settings): return try runScript(path, settings, environment, output, sandbox)
    case .replay(let path, let settings): return runReplay(path, settings, environment, output, sandbox)
    case .interactive(let settings): return try REPL.run(settings, environment, output, sandbox)
    case .child(let words, let servers, let settings):
      return try SandboxRun.run(servers, settings, environment, output) { sandbox throws(ShellError) in
        try SandboxRun.runChild(words, on: sandbox)
      }
    case .sandbox(let servers, let plan):
      // A plan without settings does not run in a sandbox.
      guard let settings = plan.settings else { return try run(plan, environment, output, nil) }
      return try SandboxRun.run(servers, settings, environment, output) { sandbox throws(ShellError) in
        try run(plan.adapted(to: sandbox), environment, output, sandbox)
      }
    }
  }

  private static func runCommand(
    _ invocation: Invocation, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) -> ExitCode {
    let isWatched = environment.stdinIsTerminal && environment.stderrIsTerminal && settings.dialect.asksBeforeDestroying
    let values = DataArgumentReader(offersStdin: true, asksBeforeDestroying: isWatched)
    let session = ShellSession(
      settings: settings, mode: .oneShot, environment: environment, output: output, values: values, sandbox: sandbox)
    return runInterruptibly(session) {
      await session.run(invocation).exitCode
    }
  }

  private static func runScript(
    _ path: String, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) throws(ShellError) -> ExitCode {
    let isStdin = path == "-"
    let descriptor = isStdin ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileIO.failure("cannot open \(path)", errno) }
    let values = DataArgumentReader(offersStdin: !isStdin, asksBeforeDestroying: false)
    let session = ShellSession(
      settings: settings, mode: .script, environment: environment, output: output, values: values, sandbox: sandbox,
      scriptExposure: isStdin ? nil : FileIO.exposure(of: descriptor, name: path))
    let name = isStdin ? "stdin" : path
    let runner = ScriptRunner(
      session: session, name: name, keepsGoing: settings.keepsGoing, dialect: settings.dialect,
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

  private static func runReplay(
    _ path: String, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) -> ExitCode {
    let values = DataArgumentReader(offersStdin: true, asksBeforeDestroying: false)
    let session = ShellSession(
      settings: settings, mode: .script, environment: environment, output: output, values: values, sandbox: sandbox)
    let runner = ReplayRunner(session: session, name: path, keepsGoing: settings.keepsGoing)
    return runInterruptibly(session) { await runner.run() }
  }

  /// Runs work that signals cancel, closes the session in any case, and waits for both.
  private static func runInterruptibly(
    _ session: ShellSession, _ work: @escaping @Sendable () async -> ExitCode
  ) -> ExitCode {
    let interruption = SignalCancellation.start(forwarder: session.forwarder)
    session.output.startFlushing()
    let gate = Gate<ExitCode>()
    let task = Task {
      let code = await work()
      // A failure to write stdout has been reported by now, if it needs a report.
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

  /// Prevents Dispatch, on whose threads tasks run, from writing to syslog.
  ///
  /// Its threads ask for a nice value below 0, which ordinary users may not have on Linux, and Dispatch writes a line
  /// for each refusal: three for every command. A value that is set already is kept.
  private static func silenceDispatch() {
    setenv("LIBDISPATCH_LOG", "NO", 0)
  }

  private static func report(_ error: ShellError, _ output: Output, _ context: RenderContext) {
    if !error.message.isEmpty { try? output.write(Renderer(context).error(error)) }
  }

  /// Opens those of the descriptors 0, 1 and 2 that the caller left closed on `/dev/null`, so that no socket becomes
  /// stdout.
  private static func openStandardDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }
}
