import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

extension LineEditor {
  /// The events that wake the reading thread.
  enum Event: Equatable {
    case signal(Int32)
    case doorbell
    case input
    case failed(errno: Int32)
  }

  /// Waits for an event. Signals take precedence, so that ^C works during a flood of texts.
  func nextEvent(watchingInput: Bool) -> Event {
    let readable = Int16(POLLIN)
    while true {
      var descriptors = [
        pollfd(fd: signals.descriptor, events: readable, revents: 0),
        pollfd(fd: WakeDescriptor.shared.descriptor, events: readable, revents: 0),
        // `poll` ignores a negative descriptor.
        pollfd(fd: watchingInput ? STDIN_FILENO : -1, events: readable, revents: 0),
      ]
      guard poll(&descriptors, nfds_t(descriptors.count), -1) >= 0 else {
        if errno == EINTR || errno == EAGAIN { continue }
        return .failed(errno: errno)
      }
      if descriptors[0].revents != 0, let signal = signals.next() { return .signal(signal) }
      if descriptors[1].revents != 0 {
        WakeDescriptor.shared.drain()
        return .doorbell
      }
      // Also after a hang-up or an error, which the following read distinguishes.
      if descriptors[2].revents != 0 { return .input }
    }
  }

  /// A byte of standard input.
  enum InputByte: Equatable {
    case byte(UInt8)
    case nothingYet
    case end
    case failed(errno: Int32)
  }

  /// Reads exactly one byte: text that is typed ahead belongs to the next reader of the terminal, for example a child
  /// process.
  func readByte() -> InputByte {
    var byte: UInt8 = 0
    switch read(STDIN_FILENO, &byte, 1) {
    case 1: return .byte(byte)
    case 0: return .end
    default: break
    }
    switch errno {
    case EINTR, EAGAIN: return .nothingYet
    // The terminal was hung up, or belongs to another job permanently.
    case EIO: return .end
    default: return .failed(errno: errno)
    }
  }

  /// Reads a character for libedit. Returns 1 with a character, 0 at the end of the input, -1 to end the line.
  func readScalar(into result: UnsafeMutablePointer<wchar_t>) -> Int32 {
    showHint()
    defer { removeHint() }
    while true {
      switch nextEvent(watchingInput: true) {
      case .signal(let signal):
        guard let reason = handleWhileEditing(signal) else { continue }
        return stopReading(reason)
      case .doorbell:
        removeHint()
        showWaitingTexts()
        showHint()
      case .failed(let errno):
        return stopReading(.failed(errno: errno))
      case .input:
        switch readByte() {
        case .nothingYet: continue
        case .end: return stopReading(.endOfInput)
        case .failed(let errno): return stopReading(.failed(errno: errno))
        case .byte(let byte):
          guard let scalar = decoder.push(byte) else { continue }
          result.pointee = wchar_t(bitPattern: scalar.value)
          return 1
        }
      }
    }
  }

  /// Handles a signal while libedit uses the terminal.
  ///
  /// - Returns: why the line ends; `nil` if it continues.
  private func handleWhileEditing(_ signal: Int32) -> Input? {
    removeHint()
    defer { if signal == SIGWINCH { showHint() } }
    switch signal {
    case SIGINT:
      moveToEndOfLine()
      if isInteractive { writeToTerminal("^C") }
      return .interrupted
    case SIGWINCH:
      el_resize(editLine)
      redraw()
      return nil
    case SIGTSTP:
      suspendWhileEditing()
      return nil
    default:
      moveToEndOfLine()
      return .terminated(signal: signal)
    }
  }

  private func suspendWhileEditing() {
    guard isInteractive else { return SignalQueue.stopProcess() }
    moveToEndOfLine()
    writeToTerminal("\r\n")
    shim_el_set_int(editLine, EL_PREP_TERM, 0)
    SignalQueue.stopProcess()
    shim_el_set_int(editLine, EL_PREP_TERM, 1)
    el_resize(editLine)
    shim_el_refresh(editLine)
  }

  private func stopReading(_ reason: Input) -> Int32 {
    interruption = reason
    decoder = ScalarDecoder()
    if reason == .endOfInput { return 0 }
    // Without editing, libedit discards the line only for this error.
    errno = EINTR
    return -1
  }
}
