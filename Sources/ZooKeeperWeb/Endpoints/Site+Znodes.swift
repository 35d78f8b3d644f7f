import JSONFormat
import NIOHTTP1
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// Endpoints for reading and changing single znodes.
extension Site {
  /// The client of the cluster that a request names.
  func client(of request: WebRequest) async throws -> ZooKeeperClient {
    try await session(of: request).connected()
  }

  /// The path in a request.
  ///
  /// - Throws: 400 if it breaks a rule for paths.
  func path(of request: WebRequest) throws(WebError) -> String {
    try Self.checked(try request.query.required("path"))
  }

  /// A validated path.
  ///
  /// - Throws: 400 if it breaks a rule for paths.
  static func checked(_ path: String) throws(WebError) -> String {
    do throws(ZnodePathError) { try ZnodePath.validate(path) } catch {
      var refusal = WebError.badInput("the path is not valid: \(error.reason)")
      refusal.path = path
      throw refusal
    }
    return path
  }

  /// GET /children
  func children(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let client = try await client(of: request)
    // A long list is in memory several times until it is sent.
    return try await listings.run("lists of children", patience: .seconds(10)) {
      let (names, stat) = try await client.getChildren2(path)
      return Self.list(path, names, stat)
    }
  }

  /// Names of children in the order in which the tree shows them.
  static func inTreeOrder(_ names: [String]) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func list(_ path: String, _ names: [String], _ stat: Stat) -> WebAnswer {
    let sorted = inTreeOrder(names)
    let shown = sorted.prefix(WebLimits.listNames)
    return .json(
      .object([
        ("path", .string(path)), ("stat", .of(stat)), ("children", .array(shown.map(JSON.string))),
        ("total", .number(sorted.count)), ("truncated", .bool(shown.count < sorted.count)),
      ]))
  }

  /// POST /stats
  func stats(_ request: WebRequest) async throws -> WebAnswer {
    let fields = try RequestFields(request.body, known: ["path", "names"])
    let path = try Self.checked(try fields.text("path"))
    let names = try fields.texts("names", limit: WebLimits.statNames)
    var paths: [String] = []
    for name in names {
      guard !name.isEmpty, !name.contains("/") else { throw WebError.badInput("names must be those of children") }
      paths.append(try Self.checked(ZnodePath.child(name, of: path)))
    }
    let client = try await client(of: request)
    let documents = zip(names, await client.stats(ofAll: paths)).map { name, result in
      var members: [(key: String, value: JSON)] = [("name", .string(name))]
      switch result {
      case .success(let stat):
        members += [("stat", .of(stat)), ("kind", .string(ZnodeKind(stat).rawValue)), ("error", .null)]
      case .failure(let error):
        let word = settings.shell.explain(error).word
        members += [("stat", .null), ("kind", .null), ("error", .string(word))]
      }
      return JSON.object(members)
    }
    return .json(.object([("path", .string(path)), ("stats", .array(documents))]))
  }

  /// GET /znode
  func znode(_ request: WebRequest) async throws -> WebAnswer {
    let session = try session(of: request)
    return .json(try await znodeDocument(try path(of: request), session))
  }

  /// The document of a znode.
  func znodeDocument(_ path: String, _ session: ClusterSession) async throws -> JSON {
    let client = try await session.connected()
    let readings = await client.readAll([.data(path: path), .acl(path: path)])
    guard case .data(let data, let stat) = try readings[0].get() else { throw ZooKeeperError(.closed) }
    var acl: (entries: JSON, error: JSON) = (.null, .null)
    switch readings[1] {
    case .success(.acl(let entries, _)): acl.entries = .array(entries.map { .of($0) })
    case .success: break
    case .failure(let error): acl.error = .string(settings.shell.explain(error).word)
    }
    let value = ValueDocument(data)
    let owner: JSON =
      stat.isOwnedBySession ? await session.ownerDocument(of: stat.ephemeralOwner) : .null
    return .object(
      [
        ("path", .string(path)), ("stat", .of(stat)), ("kind", .string(ZnodeKind(stat).rawValue)),
        ("acl", acl.entries), ("aclError", acl.error),
      ] + value.members + [("owner", owner)])
  }

  /// GET /znode/raw
  func rawValue(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let decodes = try request.query.flag("decode")
    let (data, stat) = try await client(of: request).getData(path)
    var bytes = data ?? []
    if decodes {
      do throws(ValueCompression.Failure) {
        bytes = try ValueCompression.recognized(bytes, limitBytes: WebLimits.decodedBytes)?.data ?? bytes
      } catch {
        throw WebError.conflict("NotDecoded", ValueDocument.text(of: error), path: path)
      }
    }
    let name = path == "/" ? "root" : ZnodePath.name(of: path)
    var answer = WebAnswer.download(.bytes(bytes), name: name)
    answer.headers.append(("X-Zk-Version", "\(stat.version)"))
    return answer
  }

  /// PUT /znode
  func setData(_ request: WebRequest) async throws -> WebAnswer {
    let session = try session(of: request)
    let path = try path(of: request)
    guard let version = try request.query.number("version", in: 0...Int64(Int32.max)) else {
      throw WebError.badInput("the parameter version is missing", hint: "give the version that was read")
    }
    let data = try Self.value(of: request)
    try Self.checkSize(of: data, path, session.cluster)
    let deed = "set \(AccessLog.quoted(path)) version \(version)"
    do {
      let stat = try await session.connected().setData(path, data: data, version: Int32(version))
      return .json(.object([("changed", .string(path)), ("stat", .of(stat))]), deed: deed)
    } catch let error as ZooKeeperError where error.code == .server(.badVersion) {
      var conflict = WebError(any: error, settings.shell)
      conflict.members = [("current", (try? await znodeDocument(path, session)) ?? .null)]
      throw conflict
    }
  }

  /// The size of a request without data and path, in bytes: numbers, lengths, and an ACL of a few entries.
  private static let overheadBytes = 1024

  /// Refuses data that is too large, because servers would close the connection.
  private static func checkSize(of data: [UInt8]?, _ path: String, _ cluster: WebCluster) throws(WebError) {
    let limit = cluster.requestBytes - path.utf8.count - overheadBytes
    guard (data?.count ?? 0) > limit else { return }
    var error = WebError.tooLarge(limit)
    error.message = "the data is over the \(limit) bytes that servers accept in one request"
    error.hint = "if jute.maxbuffer of the servers is larger, give --max-buffer before web"
    throw error
  }

  /// The data in the body of a request: raw bytes, or `data` and `encoding` of a JSON object.
  private static func value(of request: WebRequest) throws(WebError) -> [UInt8]? {
    let type = try request.header("Content-Type") ?? "application/json"
    guard type.hasPrefix("application/octet-stream") else {
      return try RequestFields(request.body, known: ["data", "encoding"]).data()
    }
    return request.body
  }

  /// POST /znode
  func create(_ request: WebRequest) async throws -> WebAnswer {
    let fields = try RequestFields(
      request.body,
      known: ["path", "data", "encoding", "kind", "sequential", "ttlMilliseconds", "parents", "acl"])
    let path = try fields.text("path")
    let isSequential = try fields.flag("sequential")
    do throws(ZnodePathError) { try ZnodePath.validate(path, isSequential: isSequential) } catch {
      throw WebError.badInput("the path is not valid: \(error.reason)")
    }
    let mode = try Self.mode(fields, isSequential: isSequential)
    let acl = try fields["acl"].map { try self.entries(of: $0) } ?? ACL.openUnsafe
    let data = try fields.data()
    try Self.checkSize(of: data, path, try session(of: request).cluster)
    let client = try await client(of: request)
    if try fields.flag("parents") { try await createParents(of: path, client) }
    let (created, stat) = try await Self.create(path, data, acl, mode, client)
    return .json(
      .object([("created", .string(created)), ("stat", stat.map { .of($0) } ?? .null)]), status: .created,
      deed: "create \(AccessLog.quoted(created))")
  }

  /// The entries of an ACL.
  ///
  /// - Throws: 400 for a document that is not an ACL.
  func entries(of document: JSON) throws(WebError) -> [ACL] {
    do { return try settings.shell.acl(document) } catch {
      var refusal = WebError(any: error, settings.shell)
      refusal.status = .badRequest
      throw refusal
    }
  }

  private static func create(
    _ path: String, _ data: [UInt8]?, _ acl: [ACL], _ mode: CreateMode, _ client: ZooKeeperClient
  ) async throws(ZooKeeperError) -> (String, Stat?) {
    // Servers before 3.5 do not support the request that also returns the stat, and close the connection.
    let path = try await client.create(path, data: data, acl: acl, mode: mode)
    return (path, try? await client.exists(path))
  }

  /// Creates the missing ancestors of a znode.
  func createParents(of path: String, _ client: ZooKeeperClient) async throws {
    guard let parent = ZnodePath.parent(of: path), parent != "/", try await client.exists(parent) == nil else { return }
    try await createParents(of: parent, client)
    do throws(ZooKeeperError) { try await client.create(parent) } catch {
      guard error.code == .server(.nodeExists) else { throw error }
    }
  }

  private static func mode(_ fields: RequestFields, isSequential: Bool) throws(WebError) -> CreateMode {
    let ttl = try fields.optionalNumber("ttlMilliseconds", in: 1...CreateMode.maximumTTLMilliseconds)
    let kind = try fields.choice("kind", default: ZnodeKind.persistent)
    if kind == .ttl {
      guard let ttl else { throw .badInput("ttlMilliseconds is missing") }
      return isSequential ? .persistentSequentialTTL(milliseconds: ttl) : .persistentTTL(milliseconds: ttl)
    }
    guard ttl == nil else { throw .badInput("only znodes of the kind ttl have ttlMilliseconds") }
    switch (kind, isSequential) {
    case (.ephemeral, false): return .ephemeral
    case (.ephemeral, true): return .ephemeralSequential
    case (.container, false): return .container
    case (.container, true): throw .badInput("a container cannot be sequential")
    case (_, false): return .persistent
    case (_, true): return .persistentSequential
    }
  }
}

/// The kinds of znodes by their lifetime.
enum ZnodeKind: String, CaseIterable {
  case persistent, ephemeral, container, ttl

  /// The kind that the owner in the stat shows.
  ///
  /// *Source*: `org.apache.zookeeper.server.EphemeralType`.
  init(_ stat: Stat) {
    let owner = UInt64(bitPattern: stat.ephemeralOwner.rawValue)
    switch owner {
    case 0: self = .persistent
    case 1 << 63: self = .container
    case _ where owner >> 40 == 0xff0000: self = .ttl
    default: self = .ephemeral
    }
  }
}

extension Stat {
  /// Whether the znode is deleted at the end of a session.
  var isOwnedBySession: Bool { ZnodeKind(self) == .ephemeral }
}
