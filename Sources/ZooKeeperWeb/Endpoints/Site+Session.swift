import JSONFormat
import ZooKeeperProtocol

/// Endpoints for the session of the page and the login.
extension Site {
  /// GET /session
  func sessionDocument(_ request: WebRequest) -> WebAnswer {
    let user = user(of: request)
    let mayKnow = logins == nil || user != nil
    return .json(
      .object([
        ("version", .string(settings.version)), ("token", mayKnow ? .string(gate.token) : .null),
        ("readOnly", .bool(settings.isReadOnly)), ("loginRequired", .bool(logins != nil)),
        ("loggedIn", .bool(mayKnow)), ("user", .optional(user)),
        ("loginMethods", .array((settings.login?.methods ?? []).map(JSON.string))),
        ("sandbox", settings.sandbox.map { .object([("size", .number($0.size))]) } ?? .null),
        ("cluster", mayKnow ? .string(settings.current) : .null),
        (
          "limits",
          .object([
            ("valueBytes", .number(WebLimits.valueBytes)), ("uploadBytes", .number(WebLimits.uploadBytes)),
            ("listNames", .number(WebLimits.listNames)), ("statNames", .number(WebLimits.statNames)),
          ])
        ),
      ]))
  }

  /// POST /login
  func logIn(_ request: WebRequest) async throws -> WebAnswer {
    guard let logins else { throw WebError.notFound("no login is needed here") }
    let fields = try RequestFields(request.body, known: ["token", "user", "password"])
    let (user, cookie) = try await logins.logIn(fields, isEncrypted: request.client.isEncrypted)
    var answer = WebAnswer.json(
      .object([("user", .string(user))]), deed: "login of \(AccessLog.quoted(user))")
    answer.headers.append(("Set-Cookie", cookie))
    return answer
  }

  /// POST /logout
  func logOut(_ request: WebRequest) -> WebAnswer {
    var answer = WebAnswer.json(.object([]))
    if let logins { answer.headers.append(("Set-Cookie", logins.logOut(request))) }
    return answer
  }

  /// GET /clusters
  func clusterList() async -> WebAnswer {
    var documents: [JSON] = []
    for cluster in settings.clusters {
      guard let session = clusters[cluster.name] else { continue }
      let identities = await session.identities()
      let listed = identities.map { JSON.object([("scheme", .string($0.scheme)), ("user", .string($0.user))]) }
      documents.append(
        .object(
          [
            ("name", .string(cluster.name)), ("servers", .string(cluster.connectString.description)),
            ("protected", .bool(cluster.isProtected)), ("readOnly", .bool(cluster.isReadOnly || settings.isReadOnly)),
            ("current", .bool(cluster.name == settings.current)),
          ] + (await session.stateMembers()) + [("identities", .array(listed))]))
    }
    return .json(.array(documents))
  }
}
