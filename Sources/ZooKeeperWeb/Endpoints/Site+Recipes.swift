import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperRecipes
import ZooKeeperTrees

/// The recipes that are found in a tree.
extension Site {
  /// GET /recipes
  func recipes(_ request: WebRequest) async throws -> WebAnswer {
    let path = try request.query["path"].map { (text) throws(WebError) in try Self.checked(text) } ?? "/"
    let session = try session(of: request)
    let client = try await session.connected()
    return try await walks.run("walks") {
      var finder = RecipeFinder(client, path)
      try await finder.walk()
      let census = await session.census()
      let clients = Dictionary(census.sessions.map { ($0.id, $0.client) }) { first, _ in first }
      return .json(try await finder.document(clients: clients))
    }
  }
}

/// Recognizes recipes by the names that their znodes have.
struct RecipeFinder {
  /// What a recipe is.
  enum Kind: String {
    case lock, sharedLock, election, semaphore, barrier, queue, group, counter
  }

  /// So many znodes are looked at, and so many recipes told.
  private static let visitLimit = 100_000
  private static let findLimit = 200
  /// So many participants are told of one recipe.
  private static let participantLimit = 100

  /// A client that takes part.
  private struct Member {
    var path: String
    var isHolder: Bool
    var isShared = false
    var session: SessionID
    var sinceMilliseconds: Int64
    var data: [UInt8]?
  }

  private struct Found {
    var kind: Kind
    var path: String
    var by: String?
  }

  private let client: ZooKeeperClient
  private let root: String
  private var found: [Found] = []
  private var visitedCount = 0
  private var isTruncated = false

  init(_ client: ZooKeeperClient, _ root: String) {
    self.client = client
    self.root = root
  }

  /// Looks through the tree.
  mutating func walk() async throws {
    var reader = TreeReader(client: client, root: root, skipsServersOwn: true)
    var families: [String: Family] = [:]
    while let item = try await reader.next() {
      try Task.checkCancellation()
      guard visitedCount < Self.visitLimit else {
        isTruncated = true
        break
      }
      visitedCount += 1
      guard case .node(let node) = item, let parent = ZnodePath.parent(of: node.path) else { continue }
      families[parent, default: Family()].add(ZnodePath.name(of: node.path), isEphemeral: node.stat.isOwnedBySession)
    }
    for (path, family) in families.sorted(by: { $0.key < $1.key }) {
      guard let (kind, by) = family.recipe else { continue }
      guard found.count < Self.findLimit else {
        isTruncated = true
        break
      }
      found.append(Found(kind: kind, path: path, by: by))
    }
  }

  /// The children of a znode, as far as they show a recipe.
  private struct Family {
    private var counts: [String: Int] = [:]
    private var ephemeralCount = 0
    private var total = 0
    private var hasCuratorNames = false

    mutating func add(_ name: String, isEphemeral: Bool) {
      total += 1
      if isEphemeral { ephemeralCount += 1 }
      guard let marker = Self.marker(of: name) else { return }
      counts[marker, default: 0] += 1
      if name.hasPrefix("_c_") { hasCuratorNames = true }
    }

    private static func marker(of name: String) -> String? {
      let digits = name.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
      guard digits >= 10 else { return nil }
      let head = name.dropLast(10)
      for marker in ["__lock__", "__rlock__", "__READ__", "__WRIT__", "latch-", "lease-", "lock-"]
      where head.hasSuffix(marker) {
        return marker
      }
      for marker in ["qn-", "queue-", "entry-"] where head.hasPrefix(marker) { return marker }
      return nil
    }

    /// What the children are, and whose; nil if they show nothing.
    var recipe: (Kind, String?)? {
      func has(_ markers: String...) -> Bool { markers.contains { counts[$0] != nil } }
      let curator = hasCuratorNames ? "curator" : nil
      if has("__rlock__") { return (.sharedLock, "kazoo") }
      if has("__lock__") { return (.lock, "kazoo") }
      if has("__READ__", "__WRIT__") { return (.sharedLock, curator) }
      if has("latch-") { return (.election, curator) }
      if has("lease-") { return (.semaphore, curator) }
      if has("lock-") { return (.lock, curator) }
      if has("entry-") { return (.queue, "kazoo") }
      if has("qn-", "queue-") { return (.queue, nil) }
      // Ephemeral znodes without numbers, and nothing else: members who are there as long as they live.
      if ephemeralCount > 0, ephemeralCount == total { return (.group, nil) }
      return nil
    }
  }

  // MARK: Documents

  /// The document of what was found.
  ///
  /// - Parameter clients: the addresses of the clients, by session.
  func document(clients: [SessionID: String?]) async throws -> JSON {
    var documents: [JSON] = []
    for item in found {
      try Task.checkCancellation()
      // One that goes away meanwhile is left out.
      if let document = try await document(of: item, clients) { documents.append(document) }
    }
    return .object([
      ("path", .string(root)), ("found", .array(documents)), ("visited", .number(visitedCount)),
      ("truncated", .bool(isTruncated)),
    ])
  }

  private func document(of item: Found, _ clients: [SessionID: String?]) async throws -> JSON? {
    var participants: [Member] = []
    var count: Int?
    do {
      switch item.kind {
      case .lock, .sharedLock: participants = Self.members(try await Lock(client, path: item.path).participants())
      case .election: participants = Self.members(try await Election(client, path: item.path).participants())
      case .semaphore: participants = try await Self.leases(client, item.path)
      case .group: participants = try await Self.members(client, item.path)
      case .queue: count = try await client.getChildren2(item.path).children.count
      case .barrier, .counter: break
      }
    } catch let error as ZooKeeperError {
      guard error.code == .server(.noNode) || error.code == .server(.noAuth) else { throw error }
      return nil
    }
    func list(_ participants: [Member]) -> JSON {
      .array(participants.prefix(Self.participantLimit).map { Self.document(of: $0, clients) })
    }
    let name = item.path == "/" ? "/" : ZnodePath.name(of: item.path)
    return .object([
      ("kind", .string(item.kind.rawValue)), ("path", .string(item.path)), ("title", .string(name)),
      ("by", .optional(item.by)), ("holders", list(participants.filter(\.isHolder))),
      ("waiting", list(participants.filter { !$0.isHolder })),
      ("count", .number(count ?? participants.count)), ("value", .null),
    ])
  }

  /// The leases of a semaphore: how many there may be is known to its clients only, so that all count as held.
  private static func leases(_ client: ZooKeeperClient, _ path: String) async throws(ZooKeeperError) -> [Member] {
    try await members(client, path)
  }

  private static func members(_ participants: [Participant]) -> [Member] {
    participants.map {
      Member(
        path: $0.path, isHolder: $0.isHolder, isShared: $0.isShared, session: $0.session,
        sinceMilliseconds: $0.sinceMilliseconds, data: $0.data)
    }
  }

  private static func members(_ client: ZooKeeperClient, _ path: String) async throws(ZooKeeperError) -> [Member] {
    let names = try await client.getChildren2(path).children.sorted().prefix(participantLimit)
    let paths = names.map { ZnodePath.child($0, of: path) }
    var members: [Member] = []
    for (path, reading) in zip(paths, await client.readAll(paths.map { .data(path: $0) }, inFlight: 32)) {
      guard case .success(.data(let data, let stat)) = reading else { continue }
      members.append(
        Member(
          path: path, isHolder: true, session: stat.ephemeralOwner, sinceMilliseconds: stat.ctimeMilliseconds,
          data: data))
    }
    return members
  }

  private static func document(of participant: Member, _ clients: [SessionID: String?]) -> JSON {
    .object(
      [
        ("path", .string(participant.path)), ("session", .string("\(participant.session)")),
        ("client", .optional(clients[participant.session] ?? nil)), ("since", .time(participant.sinceMilliseconds)),
        ("shared", .bool(participant.isShared)),
      ] + JSON.encoded(participant.data))
  }
}
