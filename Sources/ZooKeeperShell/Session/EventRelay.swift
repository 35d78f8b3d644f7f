import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol

/// Passes events from the client's event loop to the handler that shows them.
///
/// *Thread*: any; `handler` is called on the event loop and must not block.
final class EventRelay: Sendable {
  /// The session whose events are shown. A session that is being replaced still reports that it closes.
  struct Following: Hashable, Sendable {
    /// The session's number; 0 for none.
    var session = 0
    /// Its state as last reported.
    var state = KeeperState.disconnected
  }

  private struct State {
    var following = Following()
    var printsWatches = true
    var handler: (@Sendable (WatchEvent) -> Void)?
  }

  private let state = Mutex(State())

  /// The session whose events are shown.
  var following: Following { state.withLock(\.following) }

  /// The state of the connection as last reported.
  var connection: KeeperState { state.withLock(\.following.state) }

  /// Whether events of znodes are shown: `printwatches`.
  var printsWatches: Bool {
    get { state.withLock(\.printsWatches) }
    set { state.withLock { $0.printsWatches = newValue } }
  }

  /// Sets the handler; nil drops events.
  func setHandler(_ handler: (@Sendable (WatchEvent) -> Void)?) {
    state.withLock { $0.handler = handler }
  }

  /// Shows the events of another session from now on.
  func follow(_ following: Following) { state.withLock { $0.following = following } }

  /// Shows an event of another session.
  func show(_ event: WatchEvent) {
    let handler = state.withLock { $0.printsWatches ? $0.handler : nil }
    handler?(event)
  }

  /// Handles an event of a session.
  func take(_ event: WatchEvent, of session: Int) {
    let handler: (@Sendable (WatchEvent) -> Void)? = state.withLock { state in
      guard session == state.following.session else { return nil }
      if event.type == .none { state.following.state = event.state }
      return state.printsWatches || event.type == .none ? state.handler : nil
    }
    handler?(event)
  }
}
