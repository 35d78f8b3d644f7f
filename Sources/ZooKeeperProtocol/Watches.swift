public import Jute

/// What a watch event reports.
///
/// *Source*: `org.apache.zookeeper.Watcher.Event.EventType`. Servers send 1 to 4; clients make the rest.
public enum EventType: Int32, CaseIterable, Hashable, Sendable {
  /// A change of the session's state; there is no path.
  case none = -1
  /// The znode was created.
  case nodeCreated = 1
  /// The znode was deleted.
  case nodeDeleted = 2
  /// The znode's data was set, possibly to the same bytes.
  case nodeDataChanged = 3
  /// A child of the znode was created or deleted.
  case nodeChildrenChanged = 4
  /// The client has removed its watch on the znode's data or existence.
  case dataWatchRemoved = 5
  /// The client has removed its watch on the znode's set of children.
  case childWatchRemoved = 6
  /// The client has removed its persistent watch, recursive or not.
  case persistentWatchRemoved = 7

  /// Apache's name, as in `type:NodeDataChanged`.
  public var name: String {
    switch self {
    case .none: "None"
    case .nodeCreated: "NodeCreated"
    case .nodeDeleted: "NodeDeleted"
    case .nodeDataChanged: "NodeDataChanged"
    case .nodeChildrenChanged: "NodeChildrenChanged"
    case .dataWatchRemoved: "DataWatchRemoved"
    case .childWatchRemoved: "ChildWatchRemoved"
    case .persistentWatchRemoved: "PersistentWatchRemoved"
    }
  }
}

/// The state of a session that goes with an event.
///
/// *Source*: `org.apache.zookeeper.Watcher.Event.KeeperState`.
public enum KeeperState: Int32, CaseIterable, Hashable, Sendable {
  /// A state that this list does not have.
  case unknown = -1
  /// There is no connection. The session may still be alive.
  case disconnected = 0
  /// Deprecated: servers never send it.
  case noSyncConnected = 1
  /// Connected to a server with a quorum.
  case syncConnected = 3
  /// An identity was refused, and the session is unusable.
  case authFailed = 4
  /// Connected to a server without a quorum, which only answers reads.
  case connectedReadOnly = 5
  /// SASL authentication has succeeded.
  case saslAuthenticated = 6
  /// The client has closed the session.
  case closed = 7
  /// The servers have ended the session.
  case expired = -112

  /// Apache's name, as in `state:SyncConnected`.
  public var name: String {
    switch self {
    case .unknown: "Unknown"
    case .disconnected: "Disconnected"
    case .noSyncConnected: "NoSyncConnected"
    case .syncConnected: "SyncConnected"
    case .authFailed: "AuthFailed"
    case .connectedReadOnly: "ConnectedReadOnly"
    case .saslAuthenticated: "SaslAuthenticated"
    case .closed: "Closed"
    case .expired: "Expired"
    }
  }
}

/// The body of a notification (xid -1).
public struct WatcherEvent: JuteRecord, Hashable, Sendable {
  /// What happened.
  public var type: EventType
  /// The state of the session; servers always send `syncConnected`.
  public var state: KeeperState
  /// The znode that the event is about; with a recursive watch, the one that changed.
  public var path: String

  public init(type: EventType, state: KeeperState, path: String) {
    self.type = type
    self.state = state
    self.path = path
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    let start = reader.offset
    let rawType = try reader.readInt()
    guard let type = EventType(rawValue: rawType) else { throw JuteError(.unknownValue(Int(rawType)), offset: start) }
    // A state that this list lacks must not cost the event; servers always send SyncConnected.
    state = KeeperState(rawValue: try reader.readInt()) ?? .unknown
    self.type = type
    path = try reader.readString()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(type.rawValue)
    writer.writeInt(state.rawValue)
    writer.writeString(path)
  }
}

/// How long a watch of `addWatch` lasts and how far it reaches.
public enum AddWatchMode: Int32, CaseIterable, Hashable, Sendable {
  /// Every change of one znode and of its set of children.
  case persistent = 0
  /// Every change of a znode and of all its descendants.
  case persistentRecursive = 1
}

/// Which watches `removeWatches` and `checkWatches` mean.
///
/// *Source*: `org.apache.zookeeper.Watcher.WatcherType`; the last two from 3.9 on.
public enum WatcherType: Int32, CaseIterable, Hashable, Sendable {
  /// Standard watches on the set of children.
  case children = 1
  /// Standard watches on data or existence.
  case data = 2
  /// All watches.
  case any = 3
  /// Persistent watches.
  case persistent = 4
  /// Persistent recursive watches.
  case persistentRecursive = 5
}
