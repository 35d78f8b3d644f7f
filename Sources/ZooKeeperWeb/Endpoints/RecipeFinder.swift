import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperRecipes
import ZooKeeperTrees

/// Recognizes recipes by the names of their znodes.
struct RecipeFinder {
  /// The kind of a recipe.
  enum Kind: String {
    case lock, sharedLock, election, semaphore, barrier, doubleBarrier, queue, group, counter
  }

  /// The maximum number of visited znodes, and of reported recipes.
  private static let visitLimit = 100_000
  private static let findLimit = 200
  /// The maximum number of reported participants of one recipe.
  private static let participantLimit = 100
  /// The maximum number of values that are read because they may be counters.
  private static let candidateLimit = 1000

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

  /// Searches the tree.
  mutating func walk() async throws {
    var reader = TreeReader(client: client, root: root, skipsServersOwn: true)
    var families: [String: RecipeFamily] = [:]
    var candidateCount = 0
    while let item = try await reader.next() {
      try Task.checkCancellation()
      guard visitedCount < Self.visitLimit else {
        isTruncated = true
        break
      }
      visitedCount += 1
      guard case .node(let node) = item else { continue }
      if let kind = LoneRecipe.kind(of: node) {
        candidateCount += 1
        if candidateCount <= Self.candidateLimit { found.append(Found(kind: kind, path: node.path)) }
      }
      guard let parent = ZnodePath.parent(of: node.path) else { continue }
      families[parent, default: RecipeFamily()].add(ZnodePath.name(of: node.path), isEphemeral: node.isEphemeral)
    }
    if candidateCount > Self.candidateLimit { isTruncated = true }
    for (path, family) in families {
      guard let (kind, by) = family.recipe else { continue }
      found.append(Found(kind: kind, path: path, by: by))
    }
    found.sort { $0.path < $1.path }
  }

  // MARK: Documents

  /// The document of the recipes.
  ///
  /// - Parameter clients: the addresses of the clients, by session.
  func document(clients: [SessionID: String?]) async throws -> JSON {
    var documents: [JSON] = []
    var isTruncated = isTruncated
    let counters = try await counterValues()
    for item in found {
      try Task.checkCancellation()
      guard documents.count < Self.findLimit else {
        isTruncated = true
        break
      }
      if item.kind == .counter, counters[item.path] == nil { continue }
      // A recipe that is deleted meanwhile is left out.
      if let document = try await document(of: item, clients, counters[item.path]) { documents.append(document) }
    }
    return .object([
      ("path", .string(root)), ("found", .array(documents)), ("visited", .number(visitedCount)),
      ("truncated", .bool(isTruncated)),
    ])
  }

  /// The numbers of the counters by path, with the library whose format they have.
  private func counterValues() async throws -> [String: (number: Int64, by: String)] {
    let paths = found.filter { $0.kind == .counter }.map(\.path)
    var values: [String: (number: Int64, by: String)] = [:]
    for (path, reading) in zip(paths, await client.readAll(paths.map { .data(path: $0) }, inFlight: 32)) {
      guard case .success(.data(let data, _)) = reading, let data else { continue }
      values[path] = LoneRecipe.counter(data, named: ZnodePath.name(of: path))
    }
    return values
  }

  private func document(
    of item: Found, _ clients: [SessionID: String?], _ counter: (number: Int64, by: String)?
  ) async throws -> JSON? {
    var participants: [Member] = []
    var count: Int?
    do {
      switch item.kind {
      case .lock, .sharedLock: participants = Self.members(try await Lock(client, path: item.path).participants())
      case .election: participants = Self.members(try await Election(client, path: item.path).participants())
      case .semaphore: participants = try await Self.leases(client, item.path)
      case .group: participants = try await Self.members(client, item.path)
      case .doubleBarrier:
        participants = try await Self.members(client, item.path).filter { $0.session != .none }
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
      ("by", .optional(counter?.by ?? item.by)), ("holders", list(participants.filter(\.isHolder))),
      ("waiting", list(participants.filter { !$0.isHolder })),
      ("count", .number(count ?? participants.count)), ("value", .optional(counter.map { "\($0.number)" })),
    ])
  }

  /// The leases of a semaphore. Only its clients know how many there can be, so all are reported as held.
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
