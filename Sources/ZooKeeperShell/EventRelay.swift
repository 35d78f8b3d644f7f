import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol

/// Takes events from the client's loop and hands them to whoever shows them.
///
/// *Thread*: any; `handler` is called on the event loop and must not block.
final class EventRelay: Sendable {
  private struct State {
    var connection = KeeperState.disconnected
    /// Whose events count: a session that is being replaced still says that it closes.
    var followed = 0
    var printsWatches = true
    var handler: (@Sendable (WatchNotice) -> Void)?
  }

  private let state = Mutex(State())

  /// The state of the connection as last reported.
  var connection: KeeperState { state.withLock(\.connection) }

  /// Whether events of znodes are shown: `printwatches`.
  var printsWatches: Bool {
    get { state.withLock(\.printsWatches) }
    set { state.withLock { $0.printsWatches = newValue } }
  }

  /// Sets who is told; nil for nobody.
  func setHandler(_ handler: (@Sendable (WatchNotice) -> Void)?) {
    state.withLock { $0.handler = handler }
  }

  /// Listens to one session from now on, by its number; 0 is none.
  func follow(_ session: Int) {
    state.withLock { state in
      state.followed = session
      state.connection = .disconnected
    }
  }

  /// Takes an event of a session's.
  func take(_ event: WatchEvent, of session: Int) {
    let handler: (@Sendable (WatchNotice) -> Void)? = state.withLock { state in
      guard session == state.followed else { return nil }
      if event.type == .none { state.connection = event.state }
      return state.printsWatches || event.type == .none ? state.handler : nil
    }
    handler?(WatchNotice(type: event.type, state: event.state, path: event.path, zxid: event.zxid))
  }
}
