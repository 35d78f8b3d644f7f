public import ZooKeeperProtocol

/// A change that a watch was set for, or a change of the session's state.
public struct WatchEvent: Hashable, Sendable {
  /// `none` for a change of the session's state.
  public var type: EventType
  /// The state of the session when the event came.
  public var state: KeeperState
  /// The znode; nil for a change of the session's state.
  public var path: String?
  /// The transaction that caused the event; nil from servers before 3.9, which do not send it.
  public var zxid: Zxid?

  public init(type: EventType, state: KeeperState, path: String? = nil, zxid: Zxid? = nil) {
    self.type = type
    self.state = state
    self.path = path
    self.zxid = zxid
  }

  /// A change of the session's state.
  static func session(_ state: KeeperState) -> WatchEvent { WatchEvent(type: .none, state: state) }
}
