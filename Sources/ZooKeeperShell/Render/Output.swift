import LineEditor
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The process's stdout and stderr.
///
/// Answers are buffered, so that there are few writes. Stdout is flushed before a write to stderr, so that a terminal
/// shows both in order. Control characters are escaped here for all output to a terminal; see `TerminalText`. *Thread*:
/// any.
package final class Output: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var failure: ShellError?
    /// Whether a failure happened in the background and has not been reported yet.
    var isUnreported = false
    var flusher: OutputFlusher?
    /// Whether the last line of the terminal shows a command's progress.
    var showsProgress = false
    /// The present target of the answer instead of stdout.
    var target: Target?
    /// The settings of a pager that has not been started yet.
    var paging: Paging?
  }

  /// A descriptor that replaces stdout.
  private struct Target {
    var descriptor: Int32
    var failure: ShellError?
    /// The pager that reads it, if there is one.
    var pager: OutputReader?
  }

  /// An answer that may be long.
  private struct Paging {
    var rows: Int
    var lineCount = 0
    var command: String
    var forwarder: SignalForwarder
  }

  /// The size at which the buffer is written.
  private static let bufferBytes = 64 * 1024

  private let state = Mutex(State())
  private let standardOutput: Int32
  private let standardError: Int32
  private let outputIsTerminal: Bool
  private let errorIsTerminal: Bool

  /// Writes to the given descriptors, by default the process's own.
  package init(standardOutput: Int32 = 1, standardError: Int32 = 2) {
    self.standardOutput = standardOutput
    self.standardError = standardError
    outputIsTerminal = isatty(standardOutput) != 0
    errorIsTerminal = isatty(standardError) != 0
  }

  /// From now on, buffered output is written after a short delay even without a `flush`.
  ///
  /// Must be called after the signals that end the process have been blocked.
  func startFlushing() {
    state.withLock { state in
      guard state.flusher == nil else { return }
      state.flusher = OutputFlusher { [self] in flushUnasked() }
    }
  }

  /// Writes rendered output.
  ///
  /// - Parameter isRaw: whether the bytes for stdout are written unchanged even to a terminal.
  /// - Throws: exit code 12 if stdout cannot be written; 141 without a message if its reader has closed it. The output
  ///   for stderr is written nevertheless, because it may report that failure.
  package func write(_ rendered: Rendered, isRaw: Bool = false) throws(ShellError) {
    try state.withLock { state throws(ShellError) in
      if let failure = state.target.map(\.failure) ?? state.failure, !rendered.stdout.isEmpty {
        state.isUnreported = false
        throw failure
      }
      removeProgress(&state)
      if state.pending.isEmpty, !rendered.stdout.isEmpty { state.flusher?.ring() }
      state.pending += showsOnTerminal(state) && !isRaw ? TerminalText.sanitized(rendered.stdout) : rendered.stdout
      try startPagerIfLong(&state, rendered.stdout)
      // A failure to write stderr is ignored.
      defer { if !rendered.stderr.isEmpty { _ = FileIO.writeAll(shown(onError: rendered.stderr), to: standardError) } }
      if state.pending.count >= Self.bufferBytes || !rendered.stderr.isEmpty { try flush(&state) }
    }
  }

  /// Whether the answer is redirected.
  var isRedirected: Bool { state.withLock { $0.target != nil } }

  private func showsOnTerminal(_ state: borrowing State) -> Bool {
    outputIsTerminal && (state.target == nil || state.target?.pager != nil)
  }

  /// Redirects stdout to another descriptor until `endRedirection`.
  func redirect(to descriptor: Int32) throws(ShellError) {
    try state.withLock { state throws(ShellError) in
      try flush(&state)
      state.target = Target(descriptor: descriptor)
    }
  }

  /// Ends the redirection.
  ///
  /// - Returns: the error if not everything could be written to the other descriptor.
  func endRedirection() -> ShellError? {
    state.withLock { state in
      do throws(ShellError) { try flush(&state) } catch {}
      defer { state.target = nil }
      return state.target?.failure
    }
  }

  /// Buffers an answer until it is known whether it fits on the screen; a longer one is sent to a pager.
  ///
  /// - Parameter forwarder: ends the pager with this process.
  func beginPaging(rows: Int, command: String, forwarder: SignalForwarder) throws(ShellError) {
    try state.withLock { state throws(ShellError) in
      try flush(&state)
      state.paging = Paging(rows: rows, command: command, forwarder: forwarder)
    }
  }

  /// Writes the buffered answer, or waits until the user has left the pager.
  ///
  /// - Returns: the error if not everything could be written; nil also if the user has left the pager early.
  func endPaging() async -> ShellError? {
    let (failure, pager) = state.withLock { state -> (ShellError?, OutputReader?) in
      var failure: ShellError?
      do throws(ShellError) { try flush(&state) } catch { failure = error }
      defer {
        state.target = nil
        state.paging = nil
      }
      return (failure, state.target?.pager)
    }
    guard let pager else { return failure }
    _ = await pager.finish()
    return failure?.exitCode == .signal(SIGPIPE) ? nil : failure
  }

  private func startPagerIfLong(_ state: inout State, _ bytes: [UInt8]) throws(ShellError) {
    guard var paging = state.paging else { return }
    paging.lineCount += bytes.count { $0 == UInt8(ascii: "\n") }
    state.paging = paging
    guard paging.lineCount >= paging.rows else { return }
    state.paging = nil
    let pager = try OutputReader(paging.command, endedBy: paging.forwarder)
    state.target = Target(descriptor: pager.descriptor, pager: pager)
  }

  /// Shows a command's progress in the last line of the terminal; nil removes it.
  ///
  /// Any other output replaces the line.
  func showProgress(_ text: String?) {
    state.withLock { state in
      guard errorIsTerminal else { return }
      guard let text else { return removeProgress(&state) }
      // A longer line would wrap, and its first part could not be removed.
      let shown = TerminalText.sanitized([UInt8](text.utf8.prefix(Self.progressBytes)))
      _ = FileIO.writeAll(Self.lineStart + shown, to: standardError)
      state.showsProgress = true
    }
  }

  private func removeProgress(_ state: inout State) {
    guard state.showsProgress else { return }
    _ = FileIO.writeAll(Self.lineStart, to: standardError)
    state.showsProgress = false
  }

  /// Moves to the start of the line and clears it.
  private static let lineStart = [UInt8]("\r\u{1b}[K".utf8)
  private static let progressBytes = 79

  private func shown(onError bytes: [UInt8]) -> [UInt8] {
    errorIsTerminal ? TerminalText.sanitized(bytes, mayBeginEmphasized: true) : bytes
  }

  /// Writes the buffered output.
  package func flush() throws(ShellError) {
    try state.withLock { state throws(ShellError) in try flush(&state) }
  }

  private func flushUnasked() {
    state.withLock { state in
      if state.paging != nil { return }
      do throws(ShellError) { try flush(&state) } catch { state.isUnreported = true }
    }
  }

  private func flush(_ state: inout State) throws(ShellError) {
    if state.isUnreported, let failure = state.failure {
      state.isUnreported = false
      throw failure
    }
    guard !state.pending.isEmpty else { return }
    defer { state.pending.removeAll(keepingCapacity: true) }
    guard let errorNumber = FileIO.writeAll(state.pending, to: state.target?.descriptor ?? standardOutput) else {
      return
    }
    // The reader of a pipe has closed it: end silently, as filters do that SIGPIPE ends.
    let failure =
      errorNumber == EPIPE
      ? ShellError(.signal(SIGPIPE), "Pipe", "")
      : FileIO.failure(state.target == nil ? "cannot write to stdout" : "cannot write the answer", errorNumber)
    if state.target == nil { state.failure = failure } else { state.target?.failure = failure }
    throw failure
  }
}
