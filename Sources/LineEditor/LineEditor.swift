import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

/// Reads lines from a terminal, with editing, history, completion, and texts of other threads printed in between.
///
/// It uses libedit's own interface (`histedit.h`), not on its imitation of readline, which counts offsets in
/// different units here and there and cannot be waited on together with other descriptors. Keys are emacs' or vi's as
/// `~/.editrc` says. Where standard input or output is no terminal, lines are read plainly.
///
/// *Thread*: the one that made it, which ``readLine(prompt:)`` and ``wait(for:)`` block. Other threads use ``printer``
/// and ``WakeUp``. Make one in a process, after ``blockSignals()``.
package final class LineEditor {
  /// Called on TAB with the text of the line and the number of Unicode scalars before the cursor.
  ///
  /// It may block in ``wait(for:)``, so that ^C ends a completion that takes too long.
  package var completer: ((_ line: String, _ cursor: Int) -> Completion)?

  /// Called before each key with the text of the line, if the cursor is at its end; what it returns is shown dimly
  /// after the cursor.
  package var hinter: ((_ line: String) -> String?)?

  /// Whether a hint is on the screen.
  var showsHint = false

  /// Prints from any thread, above the line that is being edited.
  package let printer = Printer()

  /// The lines of this session and of earlier ones, oldest first.
  package private(set) var history: [String] = []

  /// Why lines are not kept for the next session; `nil` as long as they are, or need not be.
  package private(set) var historyWarning: String?

  /// libedit's object, from `el_init` until `deinit`.
  let editLine: OpaquePointer

  /// Whether lines can be edited: standard input and output are terminals.
  let isInteractive: Bool

  /// Whether a person sees what is printed and types what is read.
  package var isTerminal: Bool { isInteractive }

  let signals: SignalQueue
  var decoder = ScalarDecoder()

  /// Why the line that is being read ended, when that was not for a key.
  var interruption: Input?

  /// Whether ``readLine(prompt:)`` is at work, so that the cursor is within a line that libedit drew.
  private(set) var isEditing = false

  private let configuration: Configuration
  /// Whether the terminal takes colour.
  var usesColor: Bool { configuration.usesColor && hasCursorMotion }

  private let historyFile: HistoryFile?
  private let events: OpaquePointer
  private(set) var prompt: Prompt = ""
  /// What libedit reads ``prompt`` from.
  private(set) var encodedPrompt: UnsafeMutablePointer<CChar>

  /// How a line editor is to be.
  package struct Configuration: Sendable {
    /// The name by which `~/.editrc` can limit a setting to this program.
    package var programName: String
    /// Where lines are kept for the next session; `nil` to keep none.
    package var historyFile: String?
    /// The most lines kept, in memory and, from the start of the next session, in the file.
    package var historyLimit: Int
    /// Whether prompts may have colour, if the terminal has it.
    package var usesColor: Bool

    /// The usual settings: ten thousand lines of history, in colour.
    package init(
      programName: String, historyFile: String? = nil, historyLimit: Int = 10_000, usesColor: Bool = true
    ) {
      self.programName = programName
      self.historyFile = historyFile
      self.historyLimit = historyLimit
      self.usesColor = usesColor
    }
  }

  /// What ended a read.
  package enum Input: Equatable, Sendable {
    /// The return key, or the end of input after a last line without newline; the newline is not part of the text.
    case line(String)
    /// ^C: the line is dropped.
    case interrupted
    /// ^D on an empty line, the end of a file, or a terminal that went away.
    case endOfInput
    /// SIGTERM or SIGHUP; the program is to leave in order.
    case terminated(signal: Int32)
    /// Standard input cannot be read.
    case failed(errno: Int32)
  }

  /// Sets libedit up and reads the history file; failing to read that only sets ``historyWarning``.
  ///
  /// - Throws: when the process has no descriptor or memory left.
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
    // This gives the terminal back as it was found.
    el_end(editLine)
    history_end(events)
    free(encodedPrompt)
  }

  /// Reads a line, blocking the calling thread.
  ///
  /// The prompt is made when texts and prompts of other threads already count: a change of what it shows that comes too
  /// late for it comes in time for ``Printer/setPrompt(_:)``.
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
    var count: Int32 = 0
    let bytes = el_gets(editLine, &count)
    if let interruption, interruption != .endOfInput || bytes == nil {
      // At the end of a search libedit goes to a new row by itself, and then reports a count of 0.
      if isInteractive, interruption != .endOfInput, count != 0 { writeToTerminal("\r\n") }
      return interruption
    }
    // Without a line and a reason the terminal refused its mode: it went away. ^D comes here as well.
    guard let bytes else { return .endOfInput }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(count))
    let line = buffer.last == UInt8(ascii: "\n") ? UnsafeRawBufferPointer(rebasing: buffer.dropLast()) : buffer
    return .line(String(decoding: line, as: UTF8.self))
  }

  /// Adds a line to the history, and to the file at once, unless it is blank or the same as the one before.
  ///
  /// Lines that no person typed, because the input is no terminal, are not written to the file.
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

  /// Takes a prompt for the line that is read; libedit asks for it whenever it draws.
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

  /// Makes libedit and `wcwidth` work in UTF-8, the user's own if there is one.
  private static func chooseUTF8() {
    if setlocale(LC_CTYPE, "") == nil || shim_is_utf8() == 0 { setlocale(LC_CTYPE, "C.UTF-8") }
  }
}
