import ZooKeeperClient
import ZooKeeperProtocol

extension WatchEvent {
  /// The line for an event; nil for an event that is not shown, such as the closing of the session by this process.
  var text: String? {
    guard let path else { return Self.text(of: state) }
    return "event: \(type.name) \(path)" + (zxid.map { " zxid \($0)" } ?? "")
  }

  private static func text(of state: KeeperState) -> String? {
    switch state {
    case .disconnected: "session: connection lost, looking for a server"
    case .syncConnected: "session: connected"
    case .connectedReadOnly: "session: connected to a read-only server"
    case .expired: "session: expired; its ephemeral znodes are gone, and the next command starts a new session"
    case .authFailed: "session: closed, because the server refused an identity; the next command starts a new session"
    case .closed, .unknown, .noSyncConnected, .saslAuthenticated: nil
    }
  }
}
