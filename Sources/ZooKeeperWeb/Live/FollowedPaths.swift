import ZooKeeperClient
import ZooKeeperProtocol

/// Which streams follow which znodes of one cluster. Each znode has one watch on the servers, however many streams
/// follow it.
struct FollowedPaths {
  /// What of a znode a stream follows.
  struct Kinds: OptionSet {
    let rawValue: UInt8
    static let children = Kinds(rawValue: 1)
    static let data = Kinds(rawValue: 2)

    /// Whether an event of a watch is about it.
    func concerns(_ type: EventType) -> Bool {
      switch type {
      case .nodeChildrenChanged: contains(.children)
      case .nodeDataChanged: contains(.data)
      case .nodeCreated, .nodeDeleted: true
      default: false
      }
    }
  }

  /// By path, and there by the id of the stream.
  private var followers: [String: [String: Kinds]] = [:]
  private var pathsOfStreams: [String: [String]] = [:]

  /// All that are followed.
  var paths: Set<String> { Set(followers.keys) }

  /// How many znodes are followed.
  var count: Int { followers.count }

  /// Replaces what a stream follows.
  mutating func set(_ wanted: [String: Kinds], of stream: String) {
    remove(stream)
    guard !wanted.isEmpty else { return }
    for (path, kinds) in wanted { followers[path, default: [:]][stream] = kinds }
    pathsOfStreams[stream] = [String](wanted.keys)
  }

  /// Forgets a stream.
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
