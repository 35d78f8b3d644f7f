import JSONFormat
import ZooKeeperProtocol

/// Streams of events.
extension Site {
  /// GET /events
  func events(_ request: WebRequest) async throws -> WebAnswer {
    let session = try session(of: request)
    let names = request.query["topics"].map { $0.split(separator: ",").map(String.init) } ?? []
    let topics = try Self.topics(names)
    if request.method == .HEAD { return WebAnswer(headers: Self.streamHeaders) }
    let stream = try hub.open(cluster: session.cluster.name, topics: topics)
    await session.start()
    stream.send(EventStream.bytes("state", await session.stateDocument()))
    return WebAnswer(headers: Self.streamHeaders, body: .events(stream))
  }

  private static let streamHeaders = [
    (name: "Content-Type", value: "text/event-stream"), (name: "Cache-Control", value: "no-store"),
    // Asks proxies not to buffer the answer.
    (name: "X-Accel-Buffering", value: "no"),
  ]

  private static func topics(_ names: [String]) throws(WebError) -> Set<Topic> {
    var topics: Set<Topic> = []
    for name in names {
      guard let topic = Topic(rawValue: name) else {
        throw .badInput(
          "there is no topic \(AccessLog.quoted(name))",
          hint: "the topics are \(Topic.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      topics.insert(topic)
    }
    return topics
  }

  /// POST /streams/ID
  func follow(_ id: String, _ request: WebRequest) async throws -> WebAnswer {
    let fields = try RequestFields(request.body, known: ["topics", "watches"])
    let topics = try Self.topics(try fields.texts("topics", limit: Topic.allCases.count))
    var paths: [String: FollowedPaths.Kinds] = [:]
    if let watches = fields["watches"] {
      let lists = try RequestFields(watches.bytes, known: ["children", "data"])
      for path in try lists.texts("children", limit: WebLimits.followedChildren) {
        paths[try Self.checked(path), default: []].insert(.children)
      }
      for path in try lists.texts("data", limit: WebLimits.followedData) {
        paths[try Self.checked(path), default: []].insert(.data)
      }
    }
    let cluster = try hub.follow(id, topics: topics, paths: paths)
    // The watches are set before this answer, so that no change after a later read is missed.
    await clusters[cluster]?.setWatches(within: .seconds(5))
    return .json(.object([]))
  }
}
