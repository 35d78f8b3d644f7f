import Synchronization
import ZooKeeperClient

/// Renders the results of one command and writes them as they arrive.
///
/// *Thread*: any.
final class AnswerWriter: Sendable {
  private struct State {
    var renderer: Renderer
    var hasEmitted = false
  }

  private let state: Mutex<State>
  private let output: Output
  private let isRaw: Bool

  /// - Parameter awaitsEvent: whether the answer ends with an event that the command waits for.
  init(_ renderer: Renderer, _ output: Output, isListing: Bool, awaitsEvent: Bool = false) {
    var renderer = renderer
    renderer.begin(isListing: isListing, awaitsEvent: awaitsEvent)
    isRaw = renderer.context.format == .raw
    state = Mutex(State(renderer: renderer))
    self.output = output
  }

  /// Writes a result.
  func emit(_ result: CommandResult) throws(ShellError) {
    try output.write(
      state.withLock { state in
        if result.isAnswer { state.hasEmitted = true }
        return state.renderer.emit(result)
      }, isRaw: isRaw)
  }

  /// Writes the event that the command waits for, at once.
  func emitAwaited(_ notice: WatchEvent) throws(ShellError) {
    try output.write(state.withLock { $0.renderer.emitAwaited(notice) })
    try output.flush()
  }

  /// Ends the answer.
  func finish() throws(ShellError) {
    try output.write(state.withLock { $0.renderer.finish() })
  }

  /// Ends the answer of a command that failed. Open brackets are closed, so that it can be parsed.
  func abandon() throws(ShellError) {
    if state.withLock(\.hasEmitted) { try finish() }
  }
}
