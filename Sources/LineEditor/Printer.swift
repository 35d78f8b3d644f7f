import CLibEdit
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Prints on the terminal from any thread without spoiling the line that is being edited.
///
/// Texts are passed to the reading thread, which shows them above the prompt while it edits, at the cursor while it
/// waits, and otherwise when it next does either. So only the reading thread can block on the terminal. A text that the
/// reading thread prints itself, outside an edit, is shown at once.
///
/// *Thread*: any.
package final class Printer: Sendable {
  /// The maximum number of texts that wait for the reading thread; older ones are dropped and counted.
  static let waitingTextsLimit = 10_000

  /// Texts and a prompt for the reading thread.
  struct Waiting: Sendable {
    /// All texts, each ending with a newline; empty if there is none.
    var text = ""
    /// The prompt that replaces the one on the screen.
    var prompt: Prompt?
  }

  private struct State {
    var texts: [String] = []
    var droppedTexts = 0
    var prompt: Prompt?
    var isEditing = false
  }

  private let state = Mutex(State())
  private let readingThread = pthread_self()

  /// Must be called on the reading thread.
  init() {}

  /// Prints a text on separate rows, ending the last row if the text does not; control characters are escaped.
  package func print(_ text: String) {
    let text = String(decoding: TerminalText.sanitized([UInt8](text.utf8)), as: UTF8.self)
    let isEditing = state.withLock { state in
      if state.texts.count == Self.waitingTextsLimit {
        state.texts.removeFirst()
        state.droppedTexts += 1
      }
      state.texts.append(text)
      return state.isEditing
    }
    if !isEditing, pthread_equal(pthread_self(), readingThread) != 0 {
      flush()
    } else {
      WakeDescriptor.shared.signal()
    }
  }

  /// Changes the prompt of the line that is being edited, if there is one.
  package func setPrompt(_ prompt: Prompt) {
    let isEditing = state.withLock { state in
      if state.isEditing { state.prompt = prompt }
      return state.isEditing
    }
    if isEditing { WakeDescriptor.shared.signal() }
  }

  /// Begins an edit, during which other threads can set the prompt.
  func beginEditing() {
    state.withLock { state in state.isEditing = true }
  }

  /// Ends an edit.
  func endEditing() {
    state.withLock { state in
      state.isEditing = false
      state.prompt = nil
    }
  }

  /// Takes the waiting texts and the prompt.
  func takeWaiting() -> Waiting {
    let taken = state.withLock { state in
      let taken = state
      state.texts.removeAll()
      state.droppedTexts = 0
      state.prompt = nil
      return taken
    }
    var waiting = Waiting(prompt: taken.prompt)
    if taken.droppedTexts > 0 { waiting.text += "(earlier messages not shown: \(taken.droppedTexts))\n" }
    for text in taken.texts {
      waiting.text += text
      if !text.hasSuffix("\n") { waiting.text += "\n" }
    }
    return waiting
  }

  /// Shows the waiting texts at the cursor; for the reading thread, outside an edit.
  func flush() {
    let text = takeWaiting().text
    if !text.isEmpty { writeToTerminal(text) }
  }
}

/// Writes a text to standard output at once, through stdio as libedit does, so that the order is kept.
func writeToTerminal(_ text: String) {
  var text = text
  text.withUTF8 { bytes in _ = fwrite(bytes.baseAddress, 1, bytes.count, shim_stdout()) }
  fflush(shim_stdout())
}
