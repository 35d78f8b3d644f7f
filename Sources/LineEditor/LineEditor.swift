import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

/// Reads lines from a terminal, with editing, history and completion, and prints texts of other threads in between.
///
/// It uses libedit's own interface (`histedit.h`), and not its emulation of readline, which counts offsets
/// inconsistently and cannot wait for other descriptors at the same time. Keys are emacs' or vi's, depending on
/// `~/.editrc`. If standard input or output is not a terminal, lines are read without editing.
///
/// *Thread*: the one that created it, which ``readLine(prompt:)`` and ``wait(for:)`` block. Other threads use
/// ``printer`` and ``WakeUp``. A process can have only one, created after ``blockSignals()``.
package final class LineEditor {
  /// Called on TAB with the text of the line and the number of Unicode scalars before the cursor.
  ///
  /// It can block in ``wait(for:)``, so that ^C ends a completion that takes too long.
  package var completer: ((_ line: String, _ cursor: Int) -> Completion)?

  /// Called before each key with the text of the line, if the cursor is at its end; its result is shown dimly after the
  /// cursor.
  package var hinter: ((_ line: String) -> String?)?

  /// Whether a hint is on the screen.
  var showsHint = false

  /// Prints from any thread, above the line that is being edited.
  package let printer = Printer()

  /// The lines of this session and of earlier ones, oldest first.
  package private(set) var history: [String] = []

  /// Why lines are not saved for the next session; `nil` if they are, or if there is no history file.
  package private(set) var historyWarning: String?

  /// libedit's object, from `el_init` until `deinit`.
  let editLine: OpaquePointer

  /// Whether lines can be edited, because standard input and output are terminals.
  let isInteractive: Bool

  /// Whether standard input and output are terminals.
  package var isTerminal: Bool { isInteractive }

  let signals: SignalQueue
  var decoder = ScalarDecoder()

  /// Why the line that is being read ended, if not because of a key.
  var interruption: Input?

  /// Whether ``readLine(prompt:)`` runs, so that the cursor is in a line that libedit has drawn.
  private(set) var isEditing = false

  private let configuration: Configuration
  /// Whether colour is used.
  var usesColor: Bool { configuration.usesColor && hasCursorMotion }

  private let historyFile: HistoryFile?
  private let events: OpaquePointer
  private(set) var prompt: Prompt = ""
  /// The encoded ``prompt`` for libedit.
  private(set) var encodedPrompt: UnsafeMutablePointer<CChar>

  /// The configuration of a line editor.
  package struct Configuration: Sendable {
    /// The name by which `~/.editrc` can limit a setting to this program.
    package var programName: String
    /// The file in which lines are saved for the next session; `nil` to save none.
    package var historyFile: String?
    /// The maximum number of lines in memory and, from the start of the next session, in the file.
    package var historyLimit: Int
    /// Whether prompts can have colour, if the terminal supports it.
    package var usesColor: Bool

    /// The defaults are ten thousand lines of history, and colour.
    package init(
      programName: String, historyFile: String? = nil, historyLimit: Int = 10_000, usesColor: Bool = true
    ) {
      self.programName = programName
      self.historyFile = historyFile
      self.historyLimit = historyLimit
      self.usesColor = usesColor
    }
  }

  /// The result of a read.
  package enum Input: Equatable, Sendable {
    /// The return key, or the end of input after a last line without newline; the newline is not part of the text.
    case line(String)
    /// ^C; the line is discarded.
    case interrupted
    /// ^D on an empty line, the end of a file, or the hang-up of the terminal.
    case endOfInput
    /// SIGTERM or SIGHUP; the program is to leave in order.
    case terminated(signal: Int32)
    /// Standard input cannot be read.
    case failed(errno: Int32)
  }

  /// Initializes libedit and reads the history file. A failure to read the file only sets ``historyWarning``.
  ///
  /// - Throws: if no descriptors or no memory are left.
  package init(_ configuration: Configuration) throws(LineEditorError) {
    guard WakeDescriptor.shared.descriptor >= 0 else {
      throw LineEditorError(code: .wakeUpDescriptor, errno: WakeDescriptor.shared.openErrno)
    }
    signals = try SignalQueue()
    Self.chooseUTF8()
    guard
      let editLine = el_init(configuration.programName, shim_stdin(), shim_stdout(), shim_stderr()),
      let events = history_init(), let encodedPrompt = strdup("")
    else { throw LineEditorError(code: .lineEditing, errno: ENOMEM) }
    self.configuration = configuration
    self.editLine = editLine
    self.events = events
    self.encodedPrompt = encodedPrompt
    isInteractive = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
    historyFile = configuration.historyFile.map { path in
      HistoryFile(path: path, entryLimit: configuration.historyLimit)
    }
    shim_history_set_size(events, Int32(clamping: configuration.historyLimit))
    shim_el_set_history(editLine, events)
    installCallbacks()
    bindKeys()
    loadHistory()
  }

  deinit {
    printer.flush()
    // This restores the settings of the terminal.
    el_end(editLine)
    history_end(events)
    free(encodedPrompt)
  }

  /// Reads a line, blocking the calling thread.
  ///
  /// The prompt is created after the edit has begun, so that a later change of its contents reaches the line by
  /// ``Printer/setPrompt(_:)``.
  package func readLine(prompt makePrompt: @autoclosure () -> Prompt) -> Input {
    printer.beginEditing()
    defer {
      isEditing = false
      printer.endEditing()
    }
    interruption = nil
    setPrompt(makePrompt())
    showWaitingTexts()
    isEditing = true
    // By itself libedit takes the terminal only after the prompt is written. What is typed in between would be echoed
    // by the terminal, and drawn again by libedit.
    if isInteractive { shim_el_set_int(editLine, EL_PREP_TERM, 1) }
    var count: Int32 = 0
    let bytes = el_gets(editLine, &count)
    if let interruption, interruption != .endOfInput || bytes == nil {
      // At the end of a search libedit itself moves to a new row, and then returns a count of 0.
      if isInteractive, interruption != .endOfInput, count != 0 { writeToTerminal("\r\n") }
      return interruption
    }
    // Without a line and a reason, the terminal was hung up. ^D also gets here.
    guard let bytes else { return .endOfInput }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(count))
    let line = buffer.last == UInt8(ascii: "\n") ? UnsafeRawBufferPointer(rebasing: buffer.dropLast()) : buffer
    return .line(String(decoding: line, as: UTF8.self))
  }

  /// Adds a line to the history and at once to the file, unless it is blank or the same as the previous one.
  ///
  /// If the input is not a terminal, lines are not written to the file.
  package func remember(_ line: String) {
    guard line.contains(where: { character in !character.isWhitespace }), line != history.last else { return }
    addToHistory(line)
    guard isInteractive, historyWarning == nil, let historyFile else { return }
    do {
      try historyFile.append(line)
    } catch {
      historyWarning = "\(historyFile.path): \(error.reason)"
    }
  }

  /// Sets the prompt of the line, which libedit reads whenever it draws.
  func setPrompt(_ newPrompt: Prompt) {
    prompt = newPrompt
    let encoded = newPrompt.encoded(inColor: configuration.usesColor && hasCursorMotion)
    guard let copy = strdup(encoded) else { return }
    free(encodedPrompt)
    encodedPrompt = copy
  }

  private func loadHistory() {
    guard let historyFile else { return }
    do {
      for line in try historyFile.load() where line != history.last { addToHistory(line) }
    } catch {
      historyWarning = "\(historyFile.path): \(error.reason)"
    }
  }

  private func addToHistory(_ line: String) {
    history.append(line)
    if history.count > configuration.historyLimit { history.removeFirst() }
    shim_history_enter(events, line)
  }

  /// Selects a UTF-8 locale for libedit and `wcwidth`, the user's if possible.
  private static func chooseUTF8() {
    if setlocale(LC_CTYPE, "") == nil || shim_is_utf8() == 0 { setlocale(LC_CTYPE, "C.UTF-8") }
  }
}
