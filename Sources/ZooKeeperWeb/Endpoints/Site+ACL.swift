import Digests
import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Endpoints for ACLs.
extension Site {
  /// GET /acl
  func acl(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let session = try session(of: request)
    let client = try await session.connected()
    let (acl, stat) = try await client.getACL(path)
    let identities = await session.identities()
    var parent: (acl: [ACL], path: String)?
    if let above = ZnodePath.parent(of: path) {
      parent = (try? await client.getACL(above)).map { ($0.acl, above) }
    }
    return .json(
      .object([
        ("path", .string(path)), ("acl", .array(acl.map { .of($0) })), ("stat", .of(stat)),
        ("explanations", .array(acl.map { ACLExplanation.document(of: $0) })),
        ("you", .array(ACLExplanation.own(path: path, acl, parent: parent, identities))),
      ]))
  }

  /// PUT /acl
  func setACL(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    guard let version = try request.query.number("version", in: 0...Int64(Int32.max)) else {
      throw WebError.badInput(
        "the parameter version is missing", hint: "give the aversion that was read")
    }
    let fields = try RequestFields(request.body, known: ["acl", "recursive"])
    guard let document = fields["acl"] else { throw WebError.badInput("acl is missing") }
    let acl = try entries(of: document)
    let session = try session(of: request)
    let client = try await session.connected()
    let deed = "set the ACL of \(AccessLog.quoted(path))"
    guard try fields.flag("recursive") else {
      let stat = try await client.setACL(path, acl: acl, version: Int32(version))
      return .json(.object([("changed", .string(path)), ("stat", .of(stat))]), deed: deed)
    }
    // The version is that of the root's ACL, which the user has seen.
    guard try await client.getACL(path).stat.aversion == Int32(version) else {
      throw ZooKeeperError(.server(.badVersion), path: path)
    }
    let job = try jobs.start(.acl, cluster: session.cluster.name, path: path) { [jobs] job in
      try await Self.setACL(acl, of: path, client, job, jobs)
    }
    return .json(
      .object([("job", job.document)]), status: .accepted, deed: "\(deed) and all under it as job \(job.id)")
  }

  private static func setACL(
    _ acl: [ACL], of root: String, _ client: ZooKeeperClient, _ job: Job, _ jobs: JobTable
  ) async throws {
    var paths: [String] = []
    var reader = TreeReader(client: client, root: root, skipsServersOwn: true)
    while let item = try await reader.next() {
      paths.append(item.path)
      guard paths.count <= WebLimits.countedZnodes else {
        throw WebError.conflict("TooMany", "the subtree has more than \(WebLimits.countedZnodes) znodes", path: root)
      }
    }
    job.advance(to: 0, total: paths.count)
    var counts = Job.Counts()
    // Children first, because the new ACL of a parent can remove the permission to list or change them.
    var rest = paths.reversed()[...]
    while !rest.isEmpty {
      let requests = rest.prefix(1000).map { SetACLRequest(path: $0, acl: acl, version: -1) }
      rest = rest.dropFirst(requests.count)
      try Task.checkCancellation()
      var failures: [String: ZooKeeperError] = [:]
      for (request, result) in zip(requests, try await client.setACLsDespiteLoss(requests)) {
        switch result {
        case .success: counts.changed += 1
        case .failure(let error):
          guard error.concernsOneZnode else { throw error }
          // A znode that no longer exists needs no ACL.
          if error.code == .server(.noNode) { counts.skipped += 1 } else { failures[request.path] = error }
        }
      }
      var shown = counts
      shown.failed = job.failureCount
      job.advance(to: paths.count - rest.count, counts: shown)
      jobs.note(failures, in: job)
    }
  }

  /// POST /acl/hash
  func hashACL(_ request: WebRequest) throws -> WebAnswer {
    let fields = try RequestFields(request.body, known: ["user", "password"])
    let (user, password) = (try fields.text("user"), try fields.text("password"))
    guard !user.isEmpty, !user.contains(":") else {
      throw WebError.badInput("a user's name must not be empty or contain a colon")
    }
    let hash = Base64.encode(MessageDigest.sha1.hash([UInt8]("\(user):\(password)".utf8)))
    return .json(.object([("id", .string("\(user):\(hash)"))]))
  }
}

/// Explains an ACL in sentences.
enum ACLExplanation {
  private static let deeds: [(permission: Permissions, word: String, text: String)] = [
    (.read, "read", "read its data and list its children"), (.write, "write", "set its data"),
    (.create, "create", "create children"), (.delete, "delete", "delete children"),
    (.admin, "admin", "set its ACL"),
  ]

  /// The document of one entry.
  static func document(of entry: ACL) -> JSON {
    let may = deeds.filter { entry.permissions.contains($0.permission) }
    let what = may.isEmpty ? "may do nothing" : "may " + list(may.map(\.text))
    return .object([
      ("entry", .of(entry)), ("who", .string("\(who(entry)) \(what)")), ("may", .array(may.map { .string($0.word) })),
    ])
  }

  private static func list(_ texts: [String]) -> String {
    guard texts.count > 1, let last = texts.last else { return texts.first ?? "" }
    return texts.dropLast().joined(separator: ", ") + " and " + last
  }

  private static func who(_ entry: ACL) -> String {
    switch entry.scheme {
    case "world": "everyone who can connect"
    case "digest": "the user \(entry.id.prefix { $0 != ":" }), with a password,"
    case "ip": "every client at the address \(entry.id)"
    case "x509": "the owner of the certificate for \(entry.id)"
    case "sasl": "\(entry.id), after a SASL login,"
    case "auth": "every client with a proven identity"
    case "super": "the superuser"
    default: "\(entry.id), by the scheme \(entry.scheme),"
    }
  }

  /// The permissions of this server's session on a znode, with the reasons.
  ///
  /// - Parameter parent: the parent's ACL, which decides whether the znode can be deleted; nil if it cannot be read.
  static func own(
    path: String, _ acl: [ACL], parent: (acl: [ACL], path: String)?, _ identities: [ClientInfo]
  ) -> [JSON] {
    var documents = [
      decision("read", .get, acl, path, identities), decision("write", .set, acl, path, identities),
      // Creating and deleting children depends on the ACL of the parent, which is this one.
      decision("create", .create, acl, path, identities), decision("delete", .delete, acl, path, identities),
      decision("admin", .setAcl, acl, path, identities),
    ]
    if let parent { documents.append(decision("remove", .delete, parent.acl, parent.path, identities)) }
    return documents
  }

  private static func decision(
    _ permission: String, _ operation: ACLQuestion.Operation, _ acl: [ACL], _ path: String, _ identities: [ClientInfo]
  ) -> JSON {
    let question = ACLQuestion(operation: operation, identities: identities)
    let grantor = question.grantor(in: acl)
    let isAllowed = question.isSuper || acl.isEmpty || grantor != nil
    let because =
      if question.isSuper {
        "the superuser may do everything"
      } else if acl.isEmpty {
        "\(path) has an empty ACL, which allows everything"
      } else if let grantor {
        "\(grantor.text) on \(path) allows it"
      } else {
        "no entry of the ACL of \(path) gives it to an identity of this session"
      }
    return .object([
      ("permission", .string(permission)), ("allowed", .bool(isAllowed)), ("because", .string(because)),
    ])
  }
}
