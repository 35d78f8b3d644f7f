import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The outcome of one command.
struct Outcome: Hashable, Sendable {
  var exitCode: ExitCode
  /// Whether the shell ends (`quit`).
  var leaves = false
  /// Whether the user has given the exit code (`quit 3`).
  var isCodeChosen = false
}

/// A run of the shell: the session with the servers, the working directory, and the commands that use them.
///
/// One-shot, script and interactive use differ only in the source of the lines.
actor ShellSession {
  let mode: RunMode
  let environment: ShellEnvironment
  let output: Output
  let events = EventRelay()
  let values: DataArgumentReader
  /// Forwards signals while an external command runs.
  let forwarder: SignalForwarder
  /// The servers of `--local` in this process.
  let sandbox: LocalEnsemble?
  var settings: ShellSettings
  var client: ZooKeeperClient?
  /// How the present session's connections are encrypted; nil for connections in the clear.
  var tls: TLSContext?
  /// Whether the present session may hold something on the servers, because a command has written.
  var mayHold = false
  /// Whether the chroot is known to exist.
  var hasSeenChroot = false
  /// The number of sessions that have been opened, which is the number of the latest.
  var openCount = 0
  var directory = "/"
  var previousDirectory = "/"
  /// Sessions with other ensembles, which last as long as a command.
  let others = OtherSessions()
  /// The exit code of the last command, with which `quit` ends the shell.
  var lastExitCode = ExitCode.success
  /// The events of the watches of a single command, buffered from the moment they are set.
  private let waiting = AsyncStream<WatchEvent>.makeStream(bufferingPolicy: .bufferingOldest(WatchEvents.limit))
  /// The warning to print if the script contains a secret that others can read; nil after it was printed.
  var scriptExposure: String?
  /// The lines that `history` lists and `redo` runs, by number. They come from the history file, or in zkCli.sh's
  /// dialect from this run.
  var history: [HistoryEntry] = []
  /// The messages between the servers of the sandbox, while `local trace` is on.
  var trace: ConsensusTrace?
  /// The recording of commands, while `local record` is on.
  var recording: CommandRecording?
  /// The additional sessions by their labels.
  var labelled: [String: ShellSession] = [:]
  /// Whether this is such an additional session.
  let isLabelled: Bool

  init(
    settings: ShellSettings, mode: RunMode, environment: ShellEnvironment, output: Output, values: DataArgumentReader,
    sandbox: LocalEnsemble? = nil, scriptExposure: String? = nil, forwarder: SignalForwarder = SignalForwarder(),
    isLabelled: Bool = false
  ) {
    self.forwarder = forwarder
    self.isLabelled = isLabelled
    self.settings = settings
    self.scriptExposure = scriptExposure
    self.sandbox = sandbox
    self.mode = mode
    self.environment = environment
    self.output = output
    self.values = values
    switch mode {
    case .oneShot: events.setHandler { [waiting] in waiting.continuation.yield($0) }
    case .script:
      let context = RenderContext(format: settings.format, dialect: settings.dialect)
      events.setHandler { [output] notice in
        // In a script, only events of watches are printed; failures of the connection show in its commands.
        guard notice.path != nil else { return }
        var renderer = Renderer(context)
        try? output.write(renderer.emit(.event(notice)))
      }
    // The driver prints them above its prompt.
    case .interactive: break
    }
  }

  /// Runs a typed line.
  ///
  /// - Returns: nil if the line has an open quote, so that another line must follow.
  func run(line: [UInt8], at place: SourceLine? = nil) async -> Outcome? {
    do throws(ShellError) {
      if settings.dialect.recordsLines, !line.isEmpty {
        history.append(HistoryEntry(number: history.count, line: String(decoding: line, as: UTF8.self)))
      }
      switch try settings.dialect.split(line) {
      case .incomplete: return nil
      case .words(let words):
        return await recording(line, words) { await run(words, at: place) }
      case .redirected(let words, let redirection):
        return await recording(line, words) { await run(words, into: redirection, at: place) }
      }
    } catch {
      lastExitCode = report(error, at: place)
      return Outcome(exitCode: lastExitCode)
    }
  }

  /// Runs a split line.
  func run(_ words: [Word], at place: SourceLine? = nil) async -> Outcome {
    if let outcome = await runLabelled(words, at: place) {
      lastExitCode = outcome.exitCode
      return outcome
    }
    let outcome: Outcome
    do throws(ShellError) {
      if let entry = try recalled(words) {
        // Shown before it runs, so that it comes as no surprise.
        try output.write(.err("\(entry.line)\n"))
        return await run(line: [UInt8](entry.line.utf8)) ?? Outcome(exitCode: .usage)
      }
      let words = try expandingAlias(words)
      guard let command = words.first else { return Outcome(exitCode: .success) }
      let rest = [Word](words.dropFirst())
      let invocation = try settings.dialect.bind(command, rest, globals: ProgramOptions.ofOneLine).get()
      outcome = await execute(invocation, try settings.applying(invocation), at: place)
    } catch {
      outcome = Outcome(exitCode: report(error, at: place))
    }
    lastExitCode = outcome.exitCode
    return outcome
  }

  /// Runs the command of the command line and prints its answer or its error.
  func run(_ invocation: Invocation) async -> Outcome {
    let outcome = await execute(invocation, settings, at: nil)
    lastExitCode = outcome.exitCode
    return outcome
  }

  private func execute(_ invocation: Invocation, _ settings: ShellSettings, at place: SourceLine?) async -> Outcome {
    do {
      for warning in invocation.warnings { try write(.warning(warning), settings) }
      return try await paging(invocation, settings) { try await perform(invocation, settings) }
    } catch {
      return Outcome(exitCode: report(await explained(error, settings), settings, at: place))
    }
  }

  /// Ends the session with the servers, if there is one.
  func close() async {
    await closeLabelled()
    await client?.close()
    client = nil
  }

  private func perform(_ invocation: Invocation, _ settings: ShellSettings) async throws -> Outcome {
    if invocation.flag(.help) {
      try write(.text(Help.command(invocation.spec, width: environment.helpWidth)), settings)
      return Outcome(exitCode: .success)
    }
    if let cluster = settings.cluster { try cluster.requireReading(by: invocation) }
    return switch invocation.spec.id {
    case .shell(let command): try await perform(command, invocation, settings)
    case .client(let command):
      try await perform(invocation, settings) { context, client in try await context.run(command, client) }
    case .recipe(let command):
      try await perform(invocation, settings) { context, client in try await context.run(command, client) }
    case .monitor(let command): try await perform(command, invocation, settings)
    case .offline(let command): try await performWithoutSession(invocation, settings) { try await $0.run(command) }
    case .web:
      throw ShellError.usage(
        "web cannot be run inside the shell", hint: "run it from the system's shell: zkcli web")
    case .server:
      throw ShellError.usage(
        "server cannot be run inside the shell", hint: "run it from the system's shell: zkcli server ...")
    }
  }

  /// Runs a command on a session, and prints its answer.
  func perform(
    _ invocation: Invocation, _ settings: ShellSettings,
    _ body: (CommandContext, ZooKeeperClient) async throws -> ExitCode
  ) async throws -> Outcome {
    let awaitsEvent = mode == .oneShot && settings.dialect.awaitsEvents && invocation.flag(.watch)
    let answer = AnswerWriter(
      Renderer(renderContext(settings)), output, isListing: invocation.streamsList, awaitsEvent: awaitsEvent)
    let context = context(invocation, settings) { result throws(ShellError) in try answer.emit(result) }
    // Earlier answers must not be held back while this command runs, or be lost with the process.
    if !invocation.spec.id.isShort || !isConnected { try output.flush() }
    let client = try await connectedClient().withTimeLimit(settings.timeLimit)
    try await warnOfMissingChroot(before: invocation, settings)
    // Set again afterwards: the command may have continued with a new session.
    if invocation.spec.writes { mayHold = true }
    defer { if invocation.spec.writes { mayHold = true } }
    let code: ExitCode
    do {
      code = try await body(context, client)
      if awaitsEvent { try await printEvents(until: 1, settings, answer) }
    } catch {
      await others.close()
      context.progress.end()
      try answer.abandon()
      throw context.progress.explained(error)
    }
    await others.close()
    context.progress.end()
    try answer.finish()
    if code == .no, !invocation.onlyLooks { try await warnOfMissingChroot(settings) }
    if context.awaitsEvents, invocation.spec.id == .client(.addWatch) {
      try await printEvents(until: nil, settings, answer)
    }
    return Outcome(exitCode: settings.dialect.exitCode(ofAnswer: code))
  }

  /// Runs a command that needs no session, and prints its answer.
  func performWithoutSession(
    _ invocation: Invocation, _ settings: ShellSettings, _ body: (CommandContext) async throws -> ExitCode
  ) async throws -> Outcome {
    let answer = AnswerWriter(Renderer(renderContext(settings)), output, isListing: invocation.streamsList)
    let context = context(invocation, settings) { result throws(ShellError) in try answer.emit(result) }
    try output.flush()
    let code: ExitCode
    do {
      code = try await body(context)
    } catch {
      await others.close()
      context.progress.end()
      try answer.abandon()
      throw context.progress.explained(error)
    }
    await others.close()
    context.progress.end()
    try answer.finish()
    return Outcome(exitCode: settings.dialect.exitCode(ofAnswer: code))
  }

  /// The environment of a command.
  func context(
    _ invocation: Invocation, _ settings: ShellSettings,
    emit: @escaping @Sendable (CommandResult) throws(ShellError) -> Void
  ) -> CommandContext {
    CommandContext(
      invocation: invocation, directory: directory, mode: mode, dialect: settings.dialect,
      maximumFrameBytes: settings.maximumFrameBytes, servers: self.settings.connectString.servers, tls: tls,
      secureContext: { [tls, choice = self.settings.tls] () throws(ShellError) in
        if let tls { tls } else { try choice.secureContext() }
      },
      credentials: { try await self.credentials() },
      chroot: self.settings.connectString.chroot, cluster: self.settings.cluster, values: values,
      waitLimit: settings.limitsWaiting ? settings.timeLimit : nil, forwarder: forwarder,
      sessionHoldsNothing: !mayHold, emit: emit,
      flush: { [output] () throws(ShellError) in try output.flush() },
      editor: environment.value("VISUAL") ?? environment.value("EDITOR") ?? "vi",
      openOther: { [others] ensemble in try await others.open(ensemble, settings, mode: self.mode) },
      openCluster: { name in try await self.openCluster(name) },
      openMember: { server, limit in try await self.openMember(server, limit, settings) },
      showsScreen: environment.stdinIsTerminal && environment.stdoutIsTerminal && !output.isRedirected
        && mode != .script && settings.format == .text,
      progress: progress(of: invocation, settings), reopen: { try await self.reopened(settings) })
  }

  /// The progress line of a command, unless its rows already show the progress.
  private func progress(of invocation: Invocation, _ settings: ShellSettings) -> Progress {
    let isShown =
      environment.stderrIsTerminal && !settings.isQuiet && settings.dialect.showsProgress
      && !(invocation.streamsList && environment.stdoutIsTerminal)
    guard isShown else { return Progress(nil) }
    return Progress { [output] text in output.showProgress(text) }
  }

  private var isConnected: Bool {
    client != nil && [.syncConnected, .connectedReadOnly].contains(events.connection)
  }

  /// Prints one result.
  func write(_ result: CommandResult, _ settings: ShellSettings? = nil) throws(ShellError) {
    var renderer = Renderer(renderContext(settings ?? self.settings))
    renderer.begin()
    try output.write(renderer.emit(result))
    try output.write(renderer.finish())
  }

  /// Prints an error, unless its message is empty.
  ///
  /// - Returns: its exit code, or after a signal that of the signal, which ends the process.
  func report(_ error: ShellError, _ settings: ShellSettings? = nil, at place: SourceLine? = nil) -> ExitCode {
    var error = error
    if let signal = forwarder.endingSignal {
      error.exitCode = .signal(signal)
      error.reason = .signal
    }
    let renderer = Renderer(renderContext(settings ?? self.settings))
    // If stderr fails as well, only the exit code reports the error.
    if !error.message.isEmpty { try? output.write(renderer.error(error, at: place)) }
    return renderer.exitCode(of: error)
  }

  /// The context for rendering answers with these settings.
  func renderContext(_ settings: ShellSettings) -> RenderContext {
    RenderContext(
      format: settings.format, dialect: settings.dialect,
      stdoutIsTerminal: environment.stdoutIsTerminal && !output.isRedirected,
      endsDataWithNewline: mode != .oneShot && !output.isRedirected, isVerbose: settings.isVerbose,
      isQuiet: settings.isQuiet,
      usesColor: environment.usesColor(settings.colorWhen, isTerminal: environment.stderrIsTerminal))
  }

  /// Prints the events of watches that a single command has set, as its answer.
  ///
  /// - Parameter count: the number of events; nil to continue until the session or the process ends.
  private func printEvents(until count: Int?, _ settings: ShellSettings, _ answer: AnswerWriter) async throws {
    try output.flush()
    let limit = settings.limitsWaiting ? settings.timeLimit : nil
    let timer = limit.map { [waiting] limit in
      Task {
        try await Task.sleep(for: limit)
        waiting.continuation.finish()
      }
    }
    defer { timer?.cancel() }
    var seen = 0
    var isConnected = true
    for await notice in waiting.stream {
      if notice.state == .expired { throw ZooKeeperError(.sessionExpired) }
      if notice.type == .none {
        // The first connection is not reported.
        let wasConnected = isConnected
        isConnected = notice.state != .disconnected
        if isConnected == wasConnected { continue }
      }
      guard notice.type != .none else {
        try answer.emit(.event(notice))
        try output.flush()
        continue
      }
      try answer.emitAwaited(notice)
      seen += 1
      if seen == count { return }
    }
    try Task.checkCancellation()
    throw ShellError.timeIsUp()
  }

}
