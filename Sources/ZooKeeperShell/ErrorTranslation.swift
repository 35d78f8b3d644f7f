import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperRecipes

/// What the client's failures mean to a person: the exit code, the words, and what to do next.
extension ShellError {
  /// Any error that a command can end with.
  init(_ error: any Error) {
    switch error {
    case let error as ShellError: self = error
    case let error as ZooKeeperError: self.init(error)
    case let error as RecipeError: self.init(error)
    case is CancellationError: self = .cancelled(outcomeUnknown: false, path: nil)
    default: self.init(.ensembleCannot, "Internal", "unexpected failure: \(error)")
    }
  }

  init(_ error: ZooKeeperError) {
    switch error.code {
    case .server(let code): self.init(code, path: error.path)
    case .cannotConnect(let failures): self = .cannotConnect(failures)
    case .connectionLoss(let isUnknown):
      self.init(
        .cannotConnect, "ConnectionLoss", path: error.path,
        isUnknown ? "the connection was lost; the outcome is unknown" : "the connection was lost before it was sent",
        hint: isUnknown ? "look before you repeat a write" : nil)
    case .sessionExpired:
      self.init(
        .sessionLost, "SessionExpired", path: error.path, "the session has expired; its ephemeral znodes are gone")
    case .authFailed:
      self.init(
        .notAllowed, "AuthFailed", path: error.path, "the server refused the identity and ended the session",
        hint: "check the scheme; every server knows digest")
    case .closed: self.init(.sessionLost, "Closed", path: error.path, "the session is closed", hint: "connect again")
    case .timedOut(let isUnknown):
      self.init(
        .timedOut, "TimedOut", path: error.path,
        "the time limit passed" + (isUnknown ? "; the outcome is unknown" : " before it was sent"),
        hint: "give it longer with --timeout")
    case .cancelled(let isUnknown): self = .cancelled(outcomeUnknown: isUnknown, path: error.path)
    default: self.init(local: error)
    }
    keeperError = keeperError ?? error.keeperError
    if apacheText == nil, let keeperError, keeperError == .badArguments { apacheText = message }
  }

  /// What stopped a recipe.
  init(_ error: RecipeError) {
    switch error.code {
    case .removed:
      self.init(.sessionLost, "Removed", path: error.path, "somebody has deleted the znode that stood for this process")
    case .malformed(let what): self.init(.conflict, "Malformed", path: error.path, what)
    case .exhausted(let what): self.init(.overLimit, "Exhausted", path: error.path, what)
    case .refused(let why): self.init(.conflict, "Refused", path: error.path, why)
    }
  }

  /// What was held is held no more, or must be taken for lost.
  static func lost(_ path: String, _ loss: Hold.Loss) -> ShellError {
    let why =
      switch loss {
      case .expired: "the session has expired"
      case .removed: "somebody has deleted its znode"
      case .unconfirmed: "no server has answered for five sixths of the session timeout"
      }
    return ShellError(.sessionLost, "Lost", path: path, "it is held no more: \(why)")
  }

  /// Failures that the client finds by itself.
  private init(local error: ZooKeeperError) {
    switch error.code {
    case .badPath, .badArgument:
      let what = if case .badArgument(let text) = error.code { text } else { "the path is not valid" }
      self.init(.usage, "BadArguments", path: error.path, what)
    case .requestTooLarge(let length, let limit):
      self.init(
        .overLimit, "TooLarge", path: error.path,
        "the request has \(length) bytes, over the limit of \(limit); nothing was sent",
        hint: "raise --max-buffer if the servers' jute.maxbuffer is larger")
    case .replyTooLarge(let length, let limit):
      self.init(
        .overLimit, "TooLarge", path: error.path, "the reply has \(length) bytes, over the limit of \(limit)",
        hint: "accept it with --max-buffer \((length >> 20) + 1)M")
    case .malformedReply(let reason):
      self.init(
        .ensembleCannot, "BadReply", path: error.path, "the reply cannot be decoded: \(reason)",
        hint: "is that a ZooKeeper server?")
    case .rolledBack(let results):
      let code = MultiResponse(results: results).firstError ?? .runtimeInconsistency
      self.init(.conflict, "RolledBack", path: error.path, "the transaction was rolled back: \(code.name)")
    case .eventOverflow(let limit):
      self.init(.overLimit, "EventOverflow", path: error.path, "more than \(limit) events were waiting; some are lost")
    default: self.init(.ensembleCannot, "Internal", path: error.path, "unexpected failure: \(error.code)")
    }
  }

  /// An answer of the server's.
  init(_ code: KeeperError, path: String?) {
    let (exitCode, message, hint) = Self.words(for: code)
    self.init(exitCode, code.name, path: path, message, hint: hint)
    keeperError = code
  }

  private static func words(for code: KeeperError) -> (ExitCode, String, String?) {
    switch code {
    case .noNode: (.noNode, "the znode does not exist", nil)
    case .nodeExists: (.conflict, "the znode exists already", nil)
    case .notEmpty: (.conflict, "the znode has children", "deleteall removes them too")
    case .badVersion: (.conflict, "the znode has another version", "stat shows the present one")
    case .noChildrenForEphemerals: (.conflict, "an ephemeral znode cannot have children", nil)
    case .noAuth:
      (.notAllowed, "the ACL does not allow it", "getAcl shows who may; addauth or --auth proves an identity")
    case .authFailed: (.notAllowed, "the server refused the identity", nil)
    case .invalidACL:
      (.notAllowed, "the server refuses the ACL", "its ids must fit their scheme; auth: needs addauth before")
    case .notReadOnly: (.notAllowed, "the server is cut off from the others and only reads", nil)
    case .sessionClosedRequireSaslAuth: (.notAllowed, "the server requires authentication before anything else", nil)
    case .quotaExceeded: (.overLimit, "a hard quota does not allow it", "listquota shows limits and use")
    case .throttledOp: (.overLimit, "the server is overloaded and refused the request", "try again later")
    case .sessionExpired: (.sessionLost, "the session has expired", nil)
    case .noWatcher: (.noNode, "there is no such watch", nil)
    case .badArguments: (.usage, "the server refuses the arguments", nil)
    case .unimplemented: (.ensembleCannot, "this server does not know the operation, or has it switched off", nil)
    case .reconfigDisabled: (.ensembleCannot, "reconfiguration is switched off", "set reconfigEnabled=true")
    case .reconfigInProgress: (.ensembleCannot, "another reconfiguration is in progress", "try again later")
    case .newConfigNoQuorum:
      (.ensembleCannot, "no quorum of the new members is connected and up to date", "start and sync them first")
    case .ephemeralOnLocalSession: (.notAllowed, "a local session cannot have ephemeral znodes", nil)
    default: (.ensembleCannot, "the server answered \(code.apacheMessage)", nil)
    }
  }
}

/// Failures that are made in more than one place.
extension ShellError {
  /// No server let the client in: each with its reason.
  static func cannotConnect(_ failures: [ConnectFailure]) -> ShellError {
    let reasons = failures.map { "\($0.address): \($0.reason.words)" }
    var error = ShellError(
      .cannotConnect, "ConnectionLoss", "cannot connect to " + reasons.joined(separator: ", "),
      hint: failures.lazy.compactMap(\.reason.hint).first)
    error.keeperError = .connectionLoss
    if failures.contains(where: { $0.reason == .readOnlyServerRefused }) { error.exitCode = .ensembleCannot }
    return error
  }

  /// The person stopped it.
  static func cancelled(outcomeUnknown: Bool, path: String?) -> ShellError {
    ShellError(
      .signal(2), "Cancelled", path: path,
      outcomeUnknown ? "interrupted; the outcome is unknown" : "interrupted before it was done")
  }

  /// A command that goes on until it is told to end, and was told so by its time limit.
  static func timeIsUp(_ path: String? = nil) -> ShellError {
    ShellError(.timedOut, "TimedOut", path: path, "the time is up")
  }

  /// A create found no parent.
  static func missingParent(of path: String, isCompatible: Bool) -> ShellError {
    let parent = ZnodePath.parent(of: path) ?? "/"
    var error = ShellError(
      .noNode, "NoNode", path: isCompatible ? path : parent, "the parent of \(path) does not exist",
      hint: "create it first, or use -p")
    error.keeperError = .noNode
    return error
  }

  /// zkCli.sh says it twice when it creates.
  static func invalidACLOfCreate(_ path: String?) -> ShellError {
    var error = ShellError(.invalidACL, path: path)
    error.apacheText =
      "KeeperErrorCode = InvalidACL\(path.map { " for \($0)" } ?? "")\nAcl is not valid : \(path ?? "null")"
    return error
  }

  /// A line begins a here-document, as shells of the system have them.
  static func hereDocument(_ word: String) -> ShellError {
    .usage(
      "\(word) is no data: there are no here-documents in this shell",
      hint: "let a quoted value go on in the next line, name a file as @FILE, or quote the word for itself")
  }

  /// There is no quota to show or lift.
  static func noQuota(_ path: String) -> ShellError {
    var error = ShellError(.noNode, "NoQuota", path: path, "it has no quota", hint: "setquota makes one")
    error.apacheText = "absolute path is \(QuotaPaths.limits(of: path))\nquota for \(path) does not exist."
    error.apacheExitCode = .success
    return error
  }

  /// A quota above or under this one is in the way.
  static func nestedQuota(_ message: String, _ path: String) -> ShellError {
    var error = ShellError(.conflict, "QuotaNested", path: path, message, hint: "delquota removes that one")
    error.apacheText = message
    return error
  }

  /// A bulk operation left something undone.
  static func survivors(_ survivors: [String: ZooKeeperError], of root: String) -> ShellError {
    let listed = survivors.keys.sorted().prefix(20).map { path in
      "\(path) (\(ShellError(survivors[path]!).word))"
    }
    let more = survivors.count > listed.count ? " and \(survivors.count - listed.count) more" : ""
    var error = ShellError(
      .partial, "Partial", path: root, "\(survivors.count) left undone: " + listed.joined(separator: ", ") + more)
    error.apacheText = "Failed to delete some node(s) in the subtree!"
    error.apacheExitCode = .success
    return error
  }

  /// The operation that failed a transaction, and why.
  static func rolledBack(_ steps: [MultiStep]) -> ShellError {
    for (index, step) in steps.enumerated() {
      guard case .error(let code) = step.result, code != .ok, code != .runtimeInconsistency else { continue }
      var error = ShellError(code, path: step.path)
      error.message = "operation \(index + 1) (\(step.operation)) failed, and nothing was done: \(error.message)"
      error.exitCode = code == .noAuth ? .notAllowed : .conflict
      return error
    }
    return ShellError(.conflict, "RolledBack", "the transaction was rolled back")
  }
}

extension ConnectFailure.Reason {
  /// What happened, to stand behind `host:port: `.
  var words: String {
    switch self {
    case .refused: "connection refused"
    case .unresolved: "the name has no address"
    case .timedOut(connected: false, let limit): "no answer to the connection within \(limit) ms"
    case .timedOut(connected: true, let limit): "connected, but silent for \(limit) ms"
    case .closedWithoutAnswer: "connected, and closed by the server"
    case .behind(let server, let seen):
      "it lacks what this session has seen: its last transaction is \(server), the session's \(seen)"
    case .notZooKeeper(let error): "not a ZooKeeper server (\(error))"
    case .readOnlyServerRefused: "a read-only server that grants no session"
    case .network(let text): text
    }
  }

  /// What to do about it.
  var hint: String? {
    switch self {
    case .refused: "is the server running, and is the port right?"
    case .unresolved: "check the name"
    case .timedOut(connected: false, _): "is the host up, and does a firewall let the port through?"
    case .timedOut(connected: true, _), .notZooKeeper: "is that the client port of a ZooKeeper server?"
    case .closedWithoutAnswer:
      "the server has no quorum, allows no more connections (maxClientCnxns), or is no ZooKeeper server"
    case .behind:
      "it lags, has lost its data, or is another ensemble's; a new session (connect) forgets what this one has seen"
    case .readOnlyServerRefused: "wait for the quorum"
    case .network: nil
    }
  }
}
