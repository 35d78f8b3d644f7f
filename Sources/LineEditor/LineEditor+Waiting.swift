import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

extension LineEditor {
  /// The result of a wait.
  package enum WaitResult: Equatable, Sendable {
    /// The flag was raised.
    case done
    /// ^C.
    case interrupted
    /// SIGTERM or SIGHUP, which ask the program to exit in an orderly way.
    case terminated(signal: Int32)
  }

  /// Waits until another thread raises the flag, and shows texts that other threads print meanwhile.
  ///
  /// Between two lines the terminal echoes and edits with its own settings, and text that is typed ahead becomes the
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
        // The next line reads the size itself; a line that is being edited must be drawn again.
        if isEditing { el_resize(editLine) }
        redraw()
      case .signal(let signal):
        if isEditing { interruption = .terminated(signal: signal) }
        return .terminated(signal: signal)
      case .input, .failed:
        // Input is not watched here, and poll fails only if the kernel has no memory. Try again after a pause.
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
