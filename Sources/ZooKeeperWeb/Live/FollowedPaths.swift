import ZooKeeperClient
import ZooKeeperProtocol

/// The znodes of one cluster that streams follow. Each znode has one watch on the servers, however many streams follow
/// it.
struct FollowedPaths {
  /// The kinds of changes of a znode that a stream follows.
  struct Kinds: OptionSet {
    let rawValue: UInt8
    static let children = Kinds(rawValue: 1)
    static let data = Kinds(rawValue: 2)

    /// Whether an event concerns it.
    func concerns(_ type: EventType) -> Bool {
      switch type {
      case .nodeChildrenChanged: contains(.children)
      case .nodeDataChanged: contains(.data)
      case .nodeCreated, .nodeDeleted: true
      default: false
      }
    }
  }

  /// By path, and then by the id of the stream.
  private var followers: [String: [String: Kinds]] = [:]
  private var pathsOfStreams: [String: [String]] = [:]

  /// All followed znodes.
  var paths: Set<String> { Set(followers.keys) }

  /// The number of followed znodes.
  var count: Int { followers.count }

  /// Replaces the znodes that a stream follows.
  mutating func set(_ wanted: [String: Kinds], of stream: String) {
    remove(stream)
    guard !wanted.isEmpty else { return }
    for (path, kinds) in wanted { followers[path, default: [:]][stream] = kinds }
    pathsOfStreams[stream] = [String](wanted.keys)
  }

  /// Removes a stream.
  mutating func remove(_ stream: String) {
    for path in pathsOfStreams.removeValue(forKey: stream) ?? [] {
      followers[path]?[stream] = nil
      if followers[path]?.isEmpty == true { followers[path] = nil }
    }
  }

  /// The streams that an event is for.
  func streams(for event: WatchEvent) -> [String] {
    guard let path = event.path, let all = followers[path] else { return [] }
    return all.compactMap { $0.value.concerns(event.type) ? $0.key : nil }
  }
}
