import JSONFormat
import NIOCore
import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol

/// The topics that a stream can follow in addition to znodes.
enum Topic: String, CaseIterable, Sendable {
  case state, jobs, ensemble, clients, sandbox, trace, log
}

/// All event streams, with the topics and znodes that each follows.
///
/// *Thread*: any.
final class EventHub: Sendable {
  /// A subject that is polled once for all streams that follow it.
  struct PollKey: Hashable {
    let topic: Topic
    /// nil for a subject that is the same for all clusters.
    let cluster: String?
  }

  private struct Member {
    let stream: EventStream
    var topics: Set<Topic>
  }

  private struct State {
    var members: [String: Member] = [:]
    var followed: [String: FollowedPaths] = [:]
    var polls: [PollKey: Task<Void, Never>] = [:]
    var heartbeat: RepeatedTask?
    var isStopped = false
  }

  private static let heartbeatInterval = TimeAmount.seconds(15)

  private let loop: any EventLoop
  private let state = Mutex(State())
  private let site = Mutex<WeakSite>(WeakSite())

  init(loop: any EventLoop) { self.loop = loop }

  /// Sets the site, which produces the events.
  func attach(_ site: Site) { self.site.withLock { $0 = WeakSite(site: site) } }

  // MARK: Streams

  /// Adds a stream.
  ///
  /// - Throws: 429 if there are too many.
  func open(cluster: String, topics: Set<Topic>) throws(WebError) -> EventStream {
    let stream = EventStream(cluster: cluster) { [weak self] in self?.remove($0) }
    let isAdded = state.withLock { state in
      guard !state.isStopped, state.members.count < WebLimits.streams else { return false }
      state.members[stream.id] = Member(stream: stream, topics: topics)
      if state.heartbeat == nil {
        state.heartbeat = loop.scheduleRepeatedTask(
          initialDelay: Self.heartbeatInterval, delay: Self.heartbeatInterval
        ) { [weak self] _ in self?.sendHeartbeat() }
      }
      return true
    }
    guard isAdded else { throw .tooMany("there are \(WebLimits.streams) streams of events already") }
    stream.send(EventStream.bytes("hello", .object([("stream", .string(stream.id))])))
    startPolls()
    return stream
  }

  /// Replaces the topics and znodes that a stream follows.
  ///
  /// - Returns: its cluster.
  /// - Throws: 404 if there is no such stream, 429 if too many znodes are followed.
  func follow(
    _ id: String, topics: Set<Topic>, paths: [String: FollowedPaths.Kinds]
  ) throws(WebError) -> String {
    let result = state.withLock { state -> Result<String, WebError> in
      guard let cluster = state.members[id]?.stream.cluster else {
        return .failure(
          .notFound("there is no such stream of events", hint: "open another one with GET /api/v1/events"))
      }
      var followed = state.followed[cluster] ?? FollowedPaths()
      followed.remove(id)
      guard followed.count + paths.count <= WebLimits.followedPaths else {
        state.followed[cluster] = followed
        return .failure(.tooMany("the streams follow too many znodes"))
      }
      followed.set(paths, of: id)
      state.followed[cluster] = followed
      state.members[id]?.topics = topics
      return .success(cluster)
    }
    startPolls()
    return try result.get()
  }

  private func remove(_ stream: EventStream) {
    let heartbeat = state.withLock { state -> RepeatedTask? in
      state.members[stream.id] = nil
      state.followed[stream.cluster]?.remove(stream.id)
      guard state.members.isEmpty else { return nil }
      defer { state.heartbeat = nil }
      return state.heartbeat
    }
    heartbeat?.cancel()
    site.withLock { $0.site }?.clusters[stream.cluster]?.attend()
  }

  /// Ends all streams.
  func stop() {
    let (streams, polls, heartbeat) = state.withLock { state in
      state.isStopped = true
      defer {
        state.polls = [:]
        state.heartbeat = nil
      }
      return (state.members.values.map(\.stream), [Task<Void, Never>](state.polls.values), state.heartbeat)
    }
    heartbeat?.cancel()
    for poll in polls { poll.cancel() }
    for stream in streams { stream.end() }
  }

  private func sendHeartbeat() {
    for stream in state.withLock({ $0.members.values.map(\.stream) }) { stream.send(EventStream.heartbeat) }
  }

  // MARK: Events

  /// Sends an event to the streams that follow a topic.
  ///
  /// - Parameter cluster: the cluster whose streams get it; nil for all.
  func publish(_ name: String, _ document: JSON, topic: Topic? = nil, cluster: String? = nil) {
    let streams = state.withLock { state in
      state.members.values.filter { member in
        (topic.map(member.topics.contains) ?? true) && (cluster ?? member.stream.cluster) == member.stream.cluster
      }.map(\.stream)
    }
    guard !streams.isEmpty else { return }
    let bytes = EventStream.bytes(name, document)
    for stream in streams { stream.send(bytes) }
  }

  /// Sends an event of a watch to the streams that follow its znode.
  func publish(_ event: WatchEvent, cluster: String) {
    guard let path = event.path, let type = Self.name(of: event.type) else { return }
    let streams = state.withLock { state in
      (state.followed[cluster]?.streams(for: event) ?? []).compactMap { state.members[$0]?.stream }
    }
    guard !streams.isEmpty else { return }
    let bytes = EventStream.bytes(
      "change",
      .object([
        ("path", .string(path)), ("type", .string(type)), ("zxid", .optional(event.zxid.map { "\($0)" })),
      ]))
    for stream in streams { stream.send(bytes) }
  }

  /// The znodes of a cluster that streams follow.
  func followedPaths(of cluster: String) -> Set<String> { state.withLock { $0.followed[cluster]?.paths ?? [] } }

  /// Whether a stream follows a cluster.
  func hasStreams(of cluster: String) -> Bool {
    state.withLock { $0.members.values.contains { $0.stream.cluster == cluster } }
  }

  private static func name(of type: EventType) -> String? {
    switch type {
    case .nodeCreated: "created"
    case .nodeDeleted: "deleted"
    case .nodeDataChanged: "data"
    case .nodeChildrenChanged: "children"
    default: nil
    }
  }

  // MARK: Polls

  /// Whether a stream follows the subject of a poll.
  private func isWanted(_ key: PollKey) -> Bool {
    state.withLock { state in !state.isStopped && Self.wanted(state).contains(key) }
  }

  private static func wanted(_ state: State) -> Set<PollKey> {
    var keys: Set<PollKey> = []
    for member in state.members.values {
      for topic in member.topics {
        switch topic {
        case .state, .jobs: continue
        case .ensemble, .clients: keys.insert(PollKey(topic: topic, cluster: member.stream.cluster))
        case .sandbox, .trace, .log: keys.insert(PollKey(topic: topic, cluster: nil))
        }
      }
    }
    return keys
  }

  /// Starts polls for subjects that streams have begun to follow.
  private func startPolls() {
    guard let site = site.withLock({ $0.site }) else { return }
    state.withLock { state in
      guard !state.isStopped else { return }
      for key in Self.wanted(state) where state.polls[key] == nil {
        state.polls[key] = Task { [weak self, weak site] in
          guard let self, let site else { return }
          await Poll(key: key, site: site).run { self.isWanted(key) }
          self.finish(key)
        }
      }
    }
  }

  /// Records the end of a poll. If a stream has begun to follow its subject meanwhile, a new poll is started.
  private func finish(_ key: PollKey) {
    state.withLock { $0.polls[key] = nil }
    startPolls()
  }
}

/// The site, which owns the hub.
private struct WeakSite: Sendable {
  weak let site: Site?
  init(site: Site? = nil) { self.site = site }
}
