import LineEditor
import Synchronization
import ZooKeeperProtocol

/// The contents of the prompt: the server, the state of the session and the working directory.
///
/// *Thread*: any; events change it while a line is being typed.
final class PromptState: Sendable {
  /// The connection and the working directory of a shell session.
  struct Place: Hashable, Sendable {
    /// All servers, as the connect string names them.
    var servers: String
    /// The server connected to.
    var server: String?
    var directory: String
    /// The cluster, if the servers were named by one.
    var cluster: NamedCluster?
    var state: KeeperState
  }

  private struct State {
    var place = Place(servers: "", directory: "/", state: .disconnected)
    var commandCount = 0
    var hasLostConnection = false
  }

  private let shared = Mutex(State())
  private let dialect: any Dialect

  init(dialect: any Dialect) { self.dialect = dialect }

  /// The working directory.
  var directory: String { shared.withLock(\.place.directory) }

  /// Updates the session's state from an event.
  ///
  /// - Returns: whether this is a new session's first connection.
  func takeOver(_ state: KeeperState) -> Bool {
    shared.withLock { shared in
      defer {
        shared.place.state = state
        shared.hasLostConnection = state == .disconnected
      }
      return !shared.hasLostConnection && [.syncConnected, .connectedReadOnly].contains(state)
    }
  }

  /// The number of lines that have been typed, which zkCli.sh shows.
  var commandCount: Int {
    get { shared.withLock(\.commandCount) }
    set { shared.withLock { $0.commandCount = newValue } }
  }

  /// Updates the connection and the working directory.
  func update(_ place: Place) { shared.withLock { $0.place = place } }

  /// The current prompt.
  var current: Prompt {
    let (place, count) = shared.withLock { ($0.place, $0.commandCount) }
    return dialect.prompt(place, commandCount: count)
  }
}

extension KeeperState {
  /// Java's name for the state of a client.
  ///
  /// *Source*: `org.apache.zookeeper.ZooKeeper.States`; EXPIRED is ours; Java uses CLOSED.
  var word: String {
    switch self {
    case .syncConnected, .noSyncConnected, .saslAuthenticated: "CONNECTED"
    case .connectedReadOnly: "CONNECTEDREADONLY"
    case .authFailed: "AUTH_FAILED"
    case .expired: "EXPIRED"
    case .closed: "CLOSED"
    case .disconnected, .unknown: "CONNECTING"
    }
  }

  /// The style in which the name is shown.
  var style: Prompt.Style {
    switch self {
    case .syncConnected, .noSyncConnected, .saslAuthenticated: .green
    case .connectedReadOnly, .disconnected, .unknown: .yellow
    case .authFailed, .expired, .closed: .red
    }
  }
}
