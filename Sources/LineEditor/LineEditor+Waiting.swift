import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

extension LineEditor {
  /// What ended a wait.
  package enum WaitResult: Equatable, Sendable {
    /// The flag was raised.
    case done
    /// ^C.
    case interrupted
    /// SIGTERM or SIGHUP; the program is to leave in order.
    case terminated(signal: Int32)
  }

  /// Waits until another thread raises the flag, showing what other threads print in the meantime.
  ///
  /// Between two lines the terminal echoes and edits by itself, as its user set it, and what is typed ahead becomes the
  /// next line. Within a completer the line stays as it is; a termination then also ends ``readLine(prompt:)``.
  package func wait(for done: WakeUp) -> WaitResult {
    while true {
      showWaitingTexts()
      if done.consume() { return .done }
      switch nextEvent(watchingInput: false) {
      case .doorbell:
        continue
      case .signal(SIGINT):
        return .interrupted
      case .signal(SIGTSTP):
        suspendWhileWaiting()
      case .signal(SIGWINCH):
        // The next line asks for the size by itself; one that is being edited must be drawn anew.
        if isEditing { el_resize(editLine) }
        redraw()
      case .signal(let signal):
        if isEditing { interruption = .terminated(signal: signal) }
        return .terminated(signal: signal)
      case .input, .failed:
        // Not input, which is not watched; and poll fails only for want of kernel memory. Try again, slowly.
        usleep(10_000)
      }
    }
  }

  /// Reads a line that is not shown, such as a password.
  ///
  /// Where the input is no terminal, the line is read plainly, and the prompt is not written. Texts of other threads
  /// appear afterwards.
  package func readSecret(prompt: String) -> Input {
    let terminal = EchoSwitch()
    if terminal != nil { writeToTerminal(prompt) }
    terminal?.turnOff()
    defer {
      terminal?.restore()
      if terminal != nil { writeToTerminal("\r\n") }
    }
    var bytes: [UInt8] = []
    while true {
      switch nextEvent(watchingInput: true) {
      case .signal(SIGINT):
        return .interrupted
      case .signal(SIGTSTP):
        terminal?.restore()
        SignalQueue.stopProcess()
        if terminal != nil { writeToTerminal(prompt) }
        terminal?.turnOff()
      case .signal(SIGWINCH), .doorbell:
        continue
      case .signal(let signal):
        return .terminated(signal: signal)
      case .failed(let errno):
        return .failed(errno: errno)
      case .input:
        switch readByte() {
        case .byte(UInt8(ascii: "\n")): return .line(String(decoding: bytes, as: UTF8.self))
        case .byte(let byte): bytes.append(byte)
        case .nothingYet: continue
        case .end: return bytes.isEmpty ? .endOfInput : .line(String(decoding: bytes, as: UTF8.self))
        case .failed(let errno): return .failed(errno: errno)
        }
      }
    }
  }

  private func suspendWhileWaiting() {
    if isEditing { shim_el_set_int(editLine, EL_PREP_TERM, 0) }
    SignalQueue.stopProcess()
    guard isEditing else { return }
    shim_el_set_int(editLine, EL_PREP_TERM, 1)
    el_resize(editLine)
    shim_el_refresh(editLine)
  }
}

/// Whether the terminal shows what is typed.
private struct EchoSwitch {
  private let original: termios

  /// Notes how the terminal is set now; `nil` if standard input is none.
  init?() {
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    original = settings
  }

  /// Stops the echo; what was typed before stays in the queue.
  func turnOff() {
    var settings = original
    settings.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK | ECHONL)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
  }

  /// Sets the terminal as it was found.
  func restore() {
    var settings = original
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
  }
}
