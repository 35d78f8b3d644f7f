public import Jute

/// What a watch event reports.
///
/// *Source*: `org.apache.zookeeper.Watcher.Event.EventType`. Servers send 1 to 4; clients make the rest.
public enum EventType: Int32, CaseIterable, Hashable, Sendable {
  case none = -1
  case nodeCreated = 1
  case nodeDeleted = 2
  case nodeDataChanged = 3
  case nodeChildrenChanged = 4
  case dataWatchRemoved = 5
  case childWatchRemoved = 6
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
  case unknown = -1
  case disconnected = 0
  case noSyncConnected = 1
  case syncConnected = 3
  case authFailed = 4
  case connectedReadOnly = 5
  case saslAuthenticated = 6
  case closed = 7
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
  case children = 1
  case data = 2
  case any = 3
  case persistent = 4
  case persistentRecursive = 5
}
