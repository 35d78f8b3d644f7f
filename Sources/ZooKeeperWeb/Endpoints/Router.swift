import NIOHTTP1

/// The handler of one kind of request.
struct Route: Sendable {
  /// Properties of a kind of request that decide about its admission.
  struct Kind: OptionSet, Sendable {
    let rawValue: Int
    /// It changes a cluster or the sandbox.
    static let changes = Kind(rawValue: 1)
    /// It is answered without a login.
    static let open = Kind(rawValue: 2)
    /// It is the login itself, for which there is no token yet.
    static let login = Kind(rawValue: 4)
    /// Its body can be a file.
    static let upload = Kind(rawValue: 8)
    /// It is logged in the access log, although it changes no znode.
    static let logged = Kind(rawValue: 16)
  }

  let kind: Kind
  let handler: @Sendable (Site, WebRequest) async throws -> WebAnswer

  init(_ kind: Kind = [], _ handler: @escaping @Sendable (Site, WebRequest) async throws -> WebAnswer) {
    self.kind = kind
    self.handler = handler
  }

  var changes: Bool { kind.contains(.changes) }
  var isOpen: Bool { kind.contains(.open) }
  var isLogin: Bool { kind.contains(.login) }
  /// Whether it is logged in the access log.
  var isLogged: Bool { !kind.isDisjoint(with: [.changes, .logged, .login]) }
}

/// Finds the route of a request.
enum Router {
  private static let exact: [String: [String: Route]] = [
    "/session": ["GET": Route(.open) { site, request in site.sessionDocument(request) }],
    "/login": ["POST": Route([.open, .login]) { site, request in try await site.logIn(request) }],
    "/logout": ["POST": Route([.open, .logged]) { site, request in site.logOut(request) }],
    "/clusters": ["GET": Route { site, _ in await site.clusterList() }],
    "/children": ["GET": Route { site, request in try await site.children(request) }],
    "/stats": ["POST": Route { site, request in try await site.stats(request) }],
    "/znode": [
      "GET": Route { site, request in try await site.znode(request) },
      "PUT": Route([.changes, .upload]) { site, request in try await site.setData(request) },
      "POST": Route(.changes) { site, request in try await site.create(request) },
      "DELETE": Route(.changes) { site, request in try await site.delete(request) },
    ],
    "/znode/raw": ["GET": Route { site, request in try await site.rawValue(request) }],
    "/subtree": ["GET": Route { site, request in try await site.subtree(request) }],
    "/acl": [
      "GET": Route { site, request in try await site.acl(request) },
      "PUT": Route(.changes) { site, request in try await site.setACL(request) },
    ],
    "/acl/hash": ["POST": Route { site, request in try site.hashACL(request) }],
    "/copy": ["POST": Route(.changes) { site, request in try await site.copy(request) }],
    "/export": ["GET": Route { site, request in try await site.export(request) }],
    "/import": ["POST": Route([.changes, .upload]) { site, request in try await site.importTree(request) }],
    "/jobs": ["GET": Route { site, _ in site.jobList() }],
    "/search": ["GET": Route { site, request in try await site.search(request) }],
    "/recipes": ["GET": Route { site, request in try await site.recipes(request) }],
    "/ensemble": ["GET": Route { site, request in try await site.ensemble(request) }],
    "/health": ["GET": Route { site, request in try await site.health(request) }],
    "/clients": ["GET": Route { site, request in try await site.clients(request) }],
    "/configuration": ["GET": Route { site, request in try await site.configuration(request) }],
    "/sandbox": ["GET": Route { site, _ in try await site.sandboxDocument() }],
    "/events": ["GET": Route { site, request in try await site.events(request) }],
    "/openapi.yaml": ["GET": Route { _, request in PageFiles.description(request) }],
  ]

  /// The route of an endpoint.
  ///
  /// - Throws: 404 for an unknown one, 405 for a method that it does not have.
  static func route(_ method: HTTPMethod, _ endpoint: String) throws(WebError) -> Route {
    // HEAD is answered like GET, without the body.
    let method = method == .HEAD ? "GET" : method.rawValue
    if let methods = exact[endpoint] {
      guard let route = methods[method] else { throw methodNotAllowed([String](methods.keys)) }
      return route
    }
    let parts = endpoint.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard parts.count == 2, let family = parts.first, let item = parts.last.map(String.init), !item.isEmpty else {
      throw unknown
    }
    let methods: [String: Route]
    switch family {
    case "jobs":
      methods = [
        "GET": Route { site, _ in try site.job(item) },
        "DELETE": Route(.logged) { site, _ in try await site.stopJob(item) },
      ]
    case "sessions": methods = ["GET": Route { site, request in try await site.clientSession(item, request) }]
    case "streams": methods = ["POST": Route { site, request in try await site.follow(item, request) }]
    case "sandbox":
      guard let action = SandboxAction(rawValue: item) else { throw unknown }
      methods = ["POST": Route(.changes) { site, request in try await site.perform(action, request) }]
    default: throw unknown
    }
    guard let route = methods[method] else { throw methodNotAllowed([String](methods.keys)) }
    return route
  }

  /// The maximum length of a request's body.
  static func bodyLimitBytes(_ request: WebRequest) -> Int {
    guard request.isUnsafe, let endpoint = request.endpoint else { return 0 }
    return endpoint == "/import" ? WebLimits.uploadBytes : WebLimits.bodyBytes
  }

  /// The error for an unknown endpoint.
  static var unknown: WebError { .notFound("there is no such endpoint", hint: "GET /api/v1/openapi.yaml lists them") }

  /// The error for a method that the endpoint does not have.
  static func methodNotAllowed(_ methods: [String]) -> WebError {
    let allowed = (methods + (methods.contains("GET") ? ["HEAD"] : [])).sorted().joined(separator: ", ")
    var error = WebError(.methodNotAllowed, "MethodNotAllowed", "the endpoint has the methods \(allowed)", code: 2)
    error.headers = [("Allow", allowed)]
    return error
  }
}
