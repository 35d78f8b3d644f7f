import ZooKeeperProtocol

/// Identifies one consumer of events within a client.
struct WatcherID: Hashable, Comparable, Sendable {
  var rawValue: Int

  /// The handler that was given with the client's configuration.
  static let `default` = WatcherID(rawValue: 0)

  static func < (left: WatcherID, right: WatcherID) -> Bool { left.rawValue < right.rawValue }
}

/// The five tables of watches that a client keeps.
enum WatchKind: Int, CaseIterable, Hashable, Sendable {
  case data, exist, child, persistent, persistentRecursive
}

/// A watch that a request asks for. It is registered when the reply shows that the server has set it.
struct WatchIntent: Hashable, Sendable {
  var key: PathKey
  var kind: WatchKind
  var watcher: WatcherID

  init(path: String, kind: WatchKind, watcher: WatcherID) {
    key = PathKey(path)
    self.kind = kind
    self.watcher = watcher
  }

  /// The path as the server knows it.
  var path: String { key.path }
}

/// Who watches what: the client's half of ZooKeeper's watches.
///
/// Servers keep one watch per path, kind and connection, and do not know the client's watchers. This table knows which
/// watchers asked for it, determines which of them get an event, and lists all watches after a reconnect.
///
/// *Source*: `org.apache.zookeeper.ZKWatchManager`; `ClientProtocol` 8.5.
struct WatchRegistry: Equatable, Sendable {
  private var tables: [[PathKey: Set<WatcherID>]] = Array(repeating: [:], count: WatchKind.allCases.count)
  /// The same registrations by watcher, so that the removal of a watcher needs no search through the tables. The
  /// default watcher is never removed, and is not in it.
  private var intents: [WatcherID: Set<WatchIntent>] = [:]

  /// The upper bound on the paths in one `setWatches` request, in bytes: that of Java's client, well under a server's
  /// frame limit.
  static let setWatchesChunkBytes = 128 * 1024

  /// Registers a watcher for events of a path.
  mutating func add(_ intent: WatchIntent) {
    tables[intent.kind.rawValue][intent.key, default: []].insert(intent.watcher)
    if intent.watcher != .default { intents[intent.watcher, default: []].insert(intent) }
  }

  /// Removes everything that `watcher` is registered for.
  mutating func remove(_ watcher: WatcherID) {
    for intent in intents.removeValue(forKey: watcher) ?? [] {
      tables[intent.kind.rawValue][intent.key]?.remove(watcher)
      if tables[intent.kind.rawValue][intent.key]?.isEmpty == true { tables[intent.kind.rawValue][intent.key] = nil }
    }
  }

  private mutating func takeAll(_ kind: WatchKind, path: String) -> Set<WatcherID> {
    guard let watchers = tables[kind.rawValue].removeValue(forKey: PathKey(path)) else { return [] }
    for watcher in watchers where watcher != .default {
      intents[watcher]?.remove(WatchIntent(path: path, kind: kind, watcher: watcher))
      if intents[watcher]?.isEmpty == true { intents[watcher] = nil }
    }
    return watchers
  }

  /// The watchers that an event is for, in a fixed order. One-shot registrations that match are removed.
  mutating func take(_ type: EventType, path: String) -> [WatcherID] {
    var watchers: Set<WatcherID> = tables[WatchKind.persistent.rawValue][PathKey(path)] ?? []
    for kind in Self.oneShotKinds(matching: type) {
      watchers.formUnion(takeAll(kind, path: path))
    }
    // A recursive watch never sees NodeChildrenChanged, though a standard one under it may bring the
    // client that event.
    if type != .nodeChildrenChanged, !tables[WatchKind.persistentRecursive.rawValue].isEmpty {
      var ancestor: String? = path
      while let current = ancestor {
        watchers.formUnion(tables[WatchKind.persistentRecursive.rawValue][PathKey(current)] ?? [])
        ancestor = ZnodePath.parent(of: current)
      }
    }
    return watchers.sorted()
  }

  /// Removes the watches on `path` of a type, and returns which watchers lost what.
  mutating func remove(path: String, type: WatcherType) -> [(event: EventType, watchers: [WatcherID])] {
    let kinds: [(EventType, [WatchKind])] =
      switch type {
      case .children: [(.childWatchRemoved, [.child])]
      case .data: [(.dataWatchRemoved, [.data, .exist])]
      case .persistent: [(.persistentWatchRemoved, [.persistent])]
      case .persistentRecursive: [(.persistentWatchRemoved, [.persistentRecursive])]
      case .any:
        [
          (.childWatchRemoved, [.child]), (.dataWatchRemoved, [.data, .exist]),
          (.persistentWatchRemoved, [.persistent, .persistentRecursive]),
        ]
      }
    return kinds.compactMap { event, kinds in
      let watchers = kinds.reduce(into: Set<WatcherID>()) { $0.formUnion(takeAll($1, path: path)) }
      return watchers.isEmpty ? nil : (event, watchers.sorted())
    }
  }

  /// Whether `watcher` still has a registration.
  func isRegistered(_ watcher: WatcherID) -> Bool { intents[watcher] != nil }

  /// Every watcher but the default one, in a fixed order.
  var watchers: [WatcherID] { intents.keys.sorted() }

  /// The requests that set all watches again after a reconnect, none longer than `setWatchesChunkBytes` unless a single
  /// path is.
  func setWatches(relativeZxid: Zxid) -> [SetWatches] {
    var requests: [SetWatches] = []
    var current = SetWatches(relativeZxid: relativeZxid)
    var size = 0
    for kind in WatchKind.allCases {
      let paths = tables[kind.rawValue].keys.map(\.path)
      for path in paths.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        // Four bytes of length go with each path.
        let pathSize = path.utf8.count + 4
        if size > 0, size + pathSize > Self.setWatchesChunkBytes {
          requests.append(current)
          current = SetWatches(relativeZxid: relativeZxid)
          size = 0
        }
        current.append(path, kind)
        size += pathSize
      }
    }
    if size > 0 { requests.append(current) }
    return requests
  }

  private static func oneShotKinds(matching type: EventType) -> [WatchKind] {
    switch type {
    case .nodeCreated, .nodeDataChanged: [.data, .exist]
    case .nodeChildrenChanged: [.child]
    case .nodeDeleted: [.data, .exist, .child]
    case .none, .dataWatchRemoved, .childWatchRemoved, .persistentWatchRemoved: []
    }
  }
}

extension SetWatches {
  fileprivate mutating func append(_ path: String, _ kind: WatchKind) {
    switch kind {
    case .data: dataWatches.append(path)
    case .exist: existWatches.append(path)
    case .child: childWatches.append(path)
    case .persistent: persistentWatches.append(path)
    case .persistentRecursive: persistentRecursiveWatches.append(path)
    }
  }
}
