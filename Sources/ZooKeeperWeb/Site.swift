import NIOCore
import NIOHTTP1
import Platform
import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The state that all requests share: the clusters, the event streams, the jobs and the logins.
final class Site: Sendable {
  let settings: WebSettings
  let gate: RequestGuard
  /// The logins; nil if no login is needed.
  let logins: Logins?
  let clusters: [String: ClusterSession]
  let hub: EventHub
  let jobs: JobTable
  /// The servers that this process runs; nil if it runs none.
  let sandbox: SandboxControl?
  let uploads = Slots(WebLimits.uploads)
  let walks = Slots(WebLimits.walks)
  let listings = Slots(WebLimits.listings)

  init(_ settings: WebSettings, port: Int, loop: any EventLoop) {
    self.settings = settings
    gate = RequestGuard(host: settings.host, port: port, names: settings.names, token: SecretText.make())
    logins = settings.login.map { Logins($0) }
    let hub = EventHub(loop: loop)
    self.hub = hub
    var clusters: [String: ClusterSession] = [:]
    for cluster in settings.clusters { clusters[cluster.name] = ClusterSession(cluster, hub) }
    self.clusters = clusters
    sandbox = settings.sandbox.map { SandboxControl($0) }
    let shell = settings.shell
    jobs = JobTable(explain: { WebError(any: $0, shell) }) { [hub] in hub.publish("job", $0) }
    hub.attach(self)
  }

  /// Ends all streams, jobs and sessions.
  func stop() async {
    await jobs.stop()
    hub.stop()
    await sandbox?.stop()
    for cluster in clusters.values { await cluster.stop() }
  }

  // MARK: Admission

  /// Decides from the head of a request whether it is carried out.
  ///
  /// - Throws: the reason for a refusal.
  func admit(_ head: HTTPRequestHead, _ client: WebClient) throws(WebError) -> WebRequest {
    let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = PercentEncoding.decode(target[0]), path.hasPrefix("/") else {
      throw .badInput("the path of the request is not percent-encoded UTF-8")
    }
    let request = WebRequest(
      method: head.method, path: path, query: try WebQuery(parsing: target.count == 2 ? target[1] : ""),
      headers: head.headers, client: client)
    try gate.checkHost(request)
    guard let endpoint = request.endpoint else {
      guard !request.isUnsafe else { throw Router.methodNotAllowed(["GET"]) }
      return request
    }
    try gate.checkOrigin(request)
    let route = try Router.route(request.method, endpoint)
    if logins != nil, !route.isOpen, user(of: request) == nil {
      throw WebError(.unauthorized, "LoginNeeded", "a login is needed", hint: "POST /api/v1/login", code: 5)
    }
    if request.isUnsafe, !route.isLogin { try gate.checkToken(request) }
    if route.changes { try checkMayChange(request) }
    return request
  }

  /// The user that a request belongs to; nil for one without a login.
  func user(of request: WebRequest) -> String? { logins?.user(of: request) }

  private func checkMayChange(_ request: WebRequest) throws(WebError) {
    if settings.isReadOnly {
      throw .forbidden("ReadOnly", "this page was started read-only")
    }
    try checkMayChange(try session(of: request).cluster, request)
  }

  /// Refuses a change of a read-only cluster, or of a protected one without confirmation by its name.
  func checkMayChange(_ cluster: WebCluster, _ request: WebRequest) throws(WebError) {
    if cluster.isReadOnly {
      throw .forbidden(
        "ReadOnly", "the cluster \(cluster.name) is read-only here",
        hint: "the configuration file has read-only = true for it")
    }
    guard cluster.isProtected else { return }
    let names = request.headers[canonicalForm: "X-Zkcli-Confirm"]
    guard names.contains(where: { $0 == cluster.name }) else {
      throw .forbidden(
        "Protected", "the cluster \(cluster.name) is protected",
        hint: "confirm the change with the header X-Zkcli-Confirm: \(cluster.name)")
    }
  }

  /// The cluster that a request names.
  func session(of request: WebRequest) throws(WebError) -> ClusterSession {
    try session(named: request.query["cluster"] ?? settings.current)
  }

  /// The cluster with a name.
  func session(named name: String) throws(WebError) -> ClusterSession {
    guard let session = clusters[name] else {
      throw .notFound("there is no cluster \(AccessLog.quoted(name))", hint: "GET /api/v1/clusters lists them")
    }
    return session
  }

  // MARK: Answers

  /// Carries out a request that was admitted.
  func answer(_ request: WebRequest) async -> WebAnswer {
    guard let endpoint = request.endpoint else { return await page(request) }
    var answer: WebAnswer
    var word = "ok"
    let route: Route
    do {
      route = try Router.route(request.method, endpoint)
    } catch {
      return .error(error)
    }
    do {
      answer = try await route.handler(self, request)
    } catch {
      let described = WebError(any: error, settings.shell)
      word = described.word
      answer = .error(described)
    }
    if route.isLogged { log(request, answer.status, word, answer.deed) }
    return answer
  }

  /// Logs that a request was refused because of its head, if it would have changed something.
  func logRefusal(_ head: HTTPRequestHead, _ client: WebClient, _ error: WebError) {
    guard head.method != .GET, head.method != .HEAD else { return }
    writeLog(client, user: nil, cluster: nil, error.status, error.word, "\(head.method) \(head.uri)")
  }

  private func log(_ request: WebRequest, _ status: HTTPResponseStatus, _ word: String, _ deed: String?) {
    var text = deed ?? "\(request.method) \(request.endpoint ?? request.path)"
    if deed == nil, let path = request.query["path"] { text += " \(AccessLog.quoted(path))" }
    writeLog(
      request.client, user: user(of: request), cluster: request.query["cluster"] ?? settings.current, status, word,
      text)
  }

  private func writeLog(
    _ client: WebClient, user: String?, cluster: String?, _ status: HTTPResponseStatus, _ word: String, _ deed: String
  ) {
    settings.log(
      AccessLog.line(
        client, user: user, cluster: cluster, status: status, word: word, deed: deed,
        milliseconds: WallClock.nowMilliseconds()))
  }
}

extension WebError {
  /// Any error that a request can end with.
  init(any error: any Error, _ shell: WebShell) {
    if let error = error as? WebError {
      self = error
      return
    }
    let told = shell.explain(error)
    self.init(
      Self.status(of: error), told.word, told.message, hint: told.hint, path: told.path, code: told.code)
    if status == .serviceUnavailable { headers = [("Retry-After", "1")] }
  }

  private static func status(of error: any Error) -> HTTPResponseStatus {
    if let error = error as? SandboxError { return error.isConfiguration ? .badRequest : .conflict }
    guard let error = error as? ZooKeeperError else { return .internalServerError }
    switch error.code {
    case .server(let code):
      switch code {
      case .noNode, .noWatcher: return .notFound
      case .nodeExists, .badVersion, .notEmpty, .noChildrenForEphemerals: return .conflict
      case .noAuth, .authFailed, .notReadOnly, .sessionClosedRequireSaslAuth, .quotaExceeded: return .forbidden
      case .invalidACL, .badArguments, .unimplemented, .ephemeralOnLocalSession: return .badRequest
      case .throttledOp, .connectionLoss, .sessionExpired, .operationTimeout, .requestTimeout:
        return .serviceUnavailable
      default: return .internalServerError
      }
    case .badPath, .badArgument: return .badRequest
    case .requestTooLarge: return .payloadTooLarge
    case .authFailed, .saslFailed: return .forbidden
    case .connectionLoss, .cannotConnect, .sessionExpired, .closed, .timedOut, .cancelled: return .serviceUnavailable
    case .rolledBack: return .conflict
    case .replyTooLarge, .malformedReply, .eventOverflow: return .internalServerError
    }
  }
}
