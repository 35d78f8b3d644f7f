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

  private func suspendWhileWaiting() {
    if isEditing { shim_el_set_int(editLine, EL_PREP_TERM, 0) }
    SignalQueue.stopProcess()
    guard isEditing else { return }
    shim_el_set_int(editLine, EL_PREP_TERM, 1)
    el_resize(editLine)
    shim_el_refresh(editLine)
  }
}
