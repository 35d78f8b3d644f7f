import LineEditor
import Synchronization
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The interactive shell, which reads lines from the user, runs them, and shows events in between.
///
/// The main thread belongs to the line editor; commands run as tasks. ^C discards the line or cancels the command, and
/// never ends the shell.
///
/// *Thread*: the process's first.
struct REPL {
  private let session: ShellSession
  private let editor: LineEditor
  private let prompt: PromptState
  private let settings: ShellSettings
  private let output: Output
  private var commandCount = 0

  /// Runs until the user leaves.
  ///
  /// - Throws: exit code 12 if the terminal cannot be used.
  static func run(
    _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output, _ sandbox: LocalEnsemble? = nil
  ) throws(ShellError) -> ExitCode {
    LineEditor.blockSignals()
    // With local servers, the signals have been blocked since these were started.
    SignalCancellation.releaseAllButLineEditors()
    output.startFlushing()
    let editor: LineEditor
    do throws(LineEditorError) {
      editor = try LineEditor(
        .init(
          programName: "zkcli", historyFile: settings.keepsHistory ? environment.historyFile : nil,
          usesColor: environment.usesColor(settings.colorWhen, isTerminal: environment.stdoutIsTerminal)))
    } catch {
      throw ShellError(.localInputOutput, "Terminal", "the terminal cannot be used: \(error)")
    }
    let values = DataArgumentReader(offersStdin: false, asksBeforeDestroying: settings.dialect.asksBeforeDestroying)
    let session = ShellSession(
      settings: settings, mode: .interactive, environment: environment, output: output, values: values,
      sandbox: sandbox)
    var shell = REPL(session: session, editor: editor, settings: settings, output: output)
    return shell.loop()
  }

  private init(session: ShellSession, editor: LineEditor, settings: ShellSettings, output: Output) {
    self.session = session
    self.editor = editor
    self.settings = settings
    self.output = output
    prompt = PromptState(dialect: settings.dialect)
    let location = settings.origin.location
    let environment = session.environment
    let completer = REPLCompleter(session: session, editor: editor) {
      // A mistake in the file is reported when the command runs.
      (try? ClusterFile.open(location, environment))?.names ?? []
    }
    editor.completer = { [prompt] line, cursor in completer.complete(line, cursor, in: prompt.directory) }
    // Without colour, a hint would look like typed text.
    if settings.dialect.hasExtras, environment.usesColor(settings.colorWhen, isTerminal: editor.isTerminal) {
      editor.hinter = Hints.text
    }
    let (printer, events, prompt) = (editor.printer, session.events, prompt)
    let context = RenderContext(format: settings.format, dialect: settings.dialect)
    events.setHandler { event in
      // The prompt shows the first connection; only a reconnection is reported.
      let isFirst = event.path == nil && prompt.takeOver(events.connection)
      if !isFirst || context.dialect.reportsFirstConnection {
        var renderer = Renderer(context)
        let rendered = renderer.emit(.event(event))
        let text = rendered.stdout + rendered.stderr
        if !text.isEmpty { printer.print(String(decoding: text, as: UTF8.self)) }
      }
      printer.setPrompt(prompt.current)
    }
  }

  private mutating func loop() -> ExitCode {
    greet()
    var pending = ""
    var last = ExitCode.success
    while true {
      switch editor.readLine(prompt: pending.isEmpty ? prompt.current : "> ") {
      case .line(let line):
        pending += line
        guard isComplete(pending) else {
          pending += "\n"
          continue
        }
        remember(pending)
        let outcome = run(pending)
        pending = ""
        last = outcome.exitCode
        if outcome.leaves { return leave(with: last) }
      case .interrupted: pending = ""
      case .endOfInput: return leave(with: last)
      case .terminated(let signal): return leave(with: .signal(signal))
      case .failed(let errno):
        editor.printer.print("zkcli: \(FileIO.failure("cannot read the terminal", errno).message)")
        return leave(with: .localInputOutput)
      }
    }
  }

  /// Connects before the first prompt, so that it shows the server; a failure is reported, and the shell continues.
  private func greet() {
    let isForPerson = editor.isTerminal && !settings.isQuiet
    if let greeting = settings.dialect.greeting(onTerminal: isForPerson) { editor.printer.print(greeting) }
    if let warning = editor.historyWarning, !settings.isQuiet {
      editor.printer.print("zkcli: warning: the history is not saved: \(warning)")
    }
    _ = wait { [session, prompt] in
      let code = await session.connectAtStart()
      prompt.update(await session.place)
      return Outcome(exitCode: code)
    }
  }

  private func isComplete(_ text: String) -> Bool {
    do throws(ShellError) {
      return try settings.dialect.split([UInt8](text.utf8)) != .incomplete
    } catch {
      // A mistake in the line is reported when it runs.
      return true
    }
  }

  /// Adds the line to the history, unless it contains a secret or begins with a blank.
  private mutating func remember(_ line: String) {
    commandCount += 1
    prompt.commandCount = commandCount
    if !HistoryRules.isSecret(line) { editor.remember(line) }
  }

  private func run(_ line: String) -> Outcome {
    let history = editor.history.enumerated().map { HistoryEntry(number: $0.offset + 1, line: $0.element) }
    return wait { [session, prompt] in
      await session.setHistory(history)
      let outcome = await session.run(line: [UInt8](line.utf8)) ?? Outcome(exitCode: .usage)
      try? await session.flushOutput()
      prompt.update(await session.place)
      return outcome
    }
  }

  /// Runs work as a task that ^C cancels, showing events meanwhile.
  private func wait(_ work: @escaping @Sendable () async -> Outcome) -> Outcome {
    let done = WakeUp()
    let result = OutcomeBox()
    let task = Task {
      result.outcome = await work()
      done.signal()
    }
    while true {
      switch editor.wait(for: done) {
      case .done: return result.outcome
      case .interrupted: task.cancel()
      case .terminated(let signal):
        session.forwarder.note(signal)
        task.cancel()
        return Outcome(exitCode: .signal(signal), leaves: true)
      }
    }
  }

  private func leave(with code: ExitCode) -> ExitCode {
    session.events.setHandler(nil)
    _ = wait { [session] in
      await session.close()
      return Outcome(exitCode: code)
    }
    return code
  }
}

/// Passes a task's outcome to the thread that waits for it.
private final class OutcomeBox: Sendable {
  private let value = Mutex(Outcome(exitCode: .success))

  var outcome: Outcome {
    get { value.withLock(\.self) }
    set { value.withLock { $0 = newValue } }
  }
}

/// The rules for lines that are not written to the history.
enum HistoryRules {
  /// Whether a line contains a secret, or begins with a blank, by which users mark one.
  static func isSecret(_ line: String) -> Bool {
    if line.first == " " || line.first == "\t" { return true }
    let words = line.lowercased().split { $0 == " " || $0 == "\t" }
    return words.contains { $0.contains("addauth") || $0.hasPrefix("--auth") }
  }
}
