import Platform
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol
import ZooKeeperRecipes

/// Conversions of client errors to an exit code, a message and a hint.
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
        isUnknown
          ? "the connection was lost; the outcome is unknown" : "the connection was lost before the request was sent",
        hint: isUnknown ? "check the znode before repeating a write" : nil)
    case .sessionExpired:
      self.init(
        .sessionLost, "SessionExpired", path: error.path, "the session has expired; its ephemeral znodes are gone")
    case .authFailed:
      self.init(
        .notAllowed, "AuthFailed", path: error.path, "the server refused the identity and closed the session",
        hint: "check the scheme; every server supports digest")
    case .saslFailed(let reason):
      self.init(.notAllowed, "AuthFailed", path: error.path, "the SASL login failed: \(reason)", hint: "see help sasl")
    case .closed: self.init(.sessionLost, "Closed", path: error.path, "the session is closed", hint: "connect again")
    case .timedOut(let isUnknown):
      self.init(
        .timedOut, "TimedOut", path: error.path,
        isUnknown ? "the request timed out; the outcome is unknown" : "the timeout passed before the request was sent",
        hint: "allow more time with --timeout")
    case .cancelled(let isUnknown): self = .cancelled(outcomeUnknown: isUnknown, path: error.path)
    default: self.init(local: error)
    }
    keeperError = keeperError ?? error.keeperError
    if reason == nil, keeperError == .badArguments { reason = .refusedArgument }
  }

  /// The error of a recipe.
  init(_ error: RecipeError) {
    switch error.code {
    case .removed:
      self.init(.sessionLost, "Removed", path: error.path, "the znode that represents this process was deleted")
    case .malformed(let what): self.init(.conflict, "Malformed", path: error.path, what)
    case .exhausted(let what): self.init(.overLimit, "Exhausted", path: error.path, what)
    case .refused(let why): self.init(.conflict, "Refused", path: error.path, why)
    }
  }

  /// The error for a hold that is lost, or must be considered lost.
  static func lost(_ path: String, _ loss: Hold.Loss) -> ShellError {
    let why =
      switch loss {
      case .expired: "the session has expired"
      case .removed: "its znode was deleted"
      case .unconfirmed: "no server has answered for five sixths of the session timeout"
      }
    return ShellError(.sessionLost, "Lost", path: path, "no longer held: \(why)")
  }

  /// Errors that the client detects itself.
  private init(local error: ZooKeeperError) {
    switch error.code {
    case .badPath, .badArgument:
      let what = if case .badArgument(let text) = error.code { text } else { "the path is not valid" }
      self.init(.usage, "BadArguments", path: error.path, what)
    case .requestTooLarge(let length, let limit):
      self.init(
        .overLimit, "TooLarge", path: error.path,
        "the request has \(length) bytes, over the limit of \(limit); nothing was sent",
        hint: "raise --max-buffer if jute.maxbuffer of the servers is larger")
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
      self.init(
        .overLimit, "EventOverflow", path: error.path, "more than \(limit) events were waiting, and some were dropped")
    default: self.init(.ensembleCannot, "Internal", path: error.path, "unexpected failure: \(error.code)")
    }
  }

  /// An error that a server returned.
  init(_ code: KeeperError, path: String?) {
    let (exitCode, message, hint) = Self.message(for: code)
    self.init(exitCode, code.name, path: path, message, hint: hint)
    keeperError = code
  }

  private static func message(for code: KeeperError) -> (ExitCode, String, String?) {
    switch code {
    case .noNode: (.noNode, "the znode does not exist", nil)
    case .nodeExists: (.conflict, "the znode already exists", nil)
    case .notEmpty: (.conflict, "the znode has children", "deleteall deletes them too")
    case .badVersion: (.conflict, "the znode has another version", "stat shows the current one")
    case .noChildrenForEphemerals: (.conflict, "an ephemeral znode cannot have children", nil)
    case .noAuth:
      (.notAllowed, "the ACL does not allow it", "getAcl shows who may do what; addauth or --auth proves an identity")
    case .authFailed: (.notAllowed, "the server refused the identity", nil)
    case .invalidACL:
      (.notAllowed, "the server refuses the ACL", "ids must be valid for their scheme, and auth: needs addauth first")
    case .notReadOnly: (.notAllowed, "the server has no quorum and is read-only", nil)
    case .sessionClosedRequireSaslAuth: (.notAllowed, "the server requires authentication before anything else", nil)
    case .quotaExceeded: (.overLimit, "a hard quota does not allow it", "listquota shows the limits and the usage")
    case .throttledOp: (.overLimit, "the server is overloaded and refused the request", "try again later")
    case .sessionExpired: (.sessionLost, "the session has expired", nil)
    case .noWatcher: (.noNode, "there is no such watch", nil)
    case .badArguments: (.usage, "the server rejected the arguments", nil)
    case .unimplemented: (.ensembleCannot, "the server does not support the operation, or has it disabled", nil)
    case .reconfigDisabled: (.ensembleCannot, "reconfiguration is disabled", "set reconfigEnabled=true on the servers")
    case .reconfigInProgress: (.ensembleCannot, "another reconfiguration is in progress", "try again later")
    case .newConfigNoQuorum:
      (
        .ensembleCannot, "no quorum of the new configuration is connected and up to date",
        "start the new members and let them sync first"
      )
    case .ephemeralOnLocalSession: (.notAllowed, "a local session cannot have ephemeral znodes", nil)
    default: (.ensembleCannot, "the server answered \(code.apacheMessage)", nil)
    }
  }
}

/// Errors that are used in several places.
extension ShellError {
  /// No server accepted the client; the message has the reason of each.
  static func cannotConnect(_ failures: [ConnectFailure]) -> ShellError {
    let reasons = failures.map { "\($0.address): \($0.reason.message)" }
    var error = ShellError(
      .cannotConnect, "ConnectionLoss", "cannot connect to " + reasons.joined(separator: ", "),
      hint: failures.lazy.compactMap(\.reason.hint).first)
    error.keeperError = .connectionLoss
    if failures.contains(where: { $0.reason == .readOnlyServerRefused }) { error.exitCode = .ensembleCannot }
    return error
  }

  /// The user interrupted the command.
  static func cancelled(outcomeUnknown: Bool, path: String?) -> ShellError {
    ShellError(
      .signal(Signal.interrupt), "Cancelled", path: path,
      outcomeUnknown ? "interrupted; the outcome is unknown" : "interrupted before it was complete")
  }

  /// The timeout has ended a command that runs until it is stopped.
  static func timeIsUp(_ path: String? = nil) -> ShellError {
    ShellError(.timedOut, "TimedOut", path: path, "the timeout has passed")
  }

  /// The parent of a new znode does not exist.
  static func missingParent(of path: String) -> ShellError {
    var error = ShellError(
      .noNode, "NoNode", path: ZnodePath.parent(of: path) ?? "/", "the parent of \(path) does not exist",
      hint: "create it first, or use -p")
    error.keeperError = .noNode
    return error.because(.missingParent(of: path))
  }

  /// A server refused the ACL of a new znode.
  static func invalidACLOfCreate(_ path: String?) -> ShellError {
    ShellError(.invalidACL, path: path).because(.invalidACLOfCreate)
  }

  /// A line begins a here-document, which this shell does not have.
  static func hereDocument(_ word: String) -> ShellError {
    .usage(
      "\(word) is not data: this shell has no here-documents",
      hint: "continue a quoted value on the next line, give a file as @FILE, or quote \(word) to use it as text")
  }

  /// There is no quota to show or remove.
  static func noQuota(_ path: String, isForDeletion: Bool) -> ShellError {
    ShellError(.noNode, "NoQuota", path: path, "no quota is set", hint: "setquota sets one")
      .because(.noQuota(isForDeletion: isForDeletion))
  }

  /// A quota of an ancestor or a descendant prevents this one.
  static func nestedQuota(_ path: String, other: String, isAbove: Bool) -> ShellError {
    let message = "\(other) \(isAbove ? "above" : "under") it already has a quota"
    return ShellError(.conflict, "QuotaNested", path: path, message, hint: "remove that quota with delquota first")
      .because(.nestedQuota(other: other, isAbove: isAbove))
  }

  /// A bulk operation is incomplete.
  static func failures(_ failures: [String: ZooKeeperError], of root: String?) -> ShellError {
    let listed = failures.keys.sorted().prefix(20).map { path in
      "\(path) (\(ShellError(failures[path]!).word))"
    }
    let more = failures.count > listed.count ? " and \(failures.count - listed.count) more" : ""
    let message = "\(failures.count) left undone: " + listed.joined(separator: ", ") + more
    return ShellError(.partial, "Partial", path: root, message).because(.leftUndone)
  }

  /// The operation that failed a transaction, and why.
  static func rolledBack(_ steps: [MultiStep]) -> ShellError {
    for (index, step) in steps.enumerated() {
      guard case .error(let code) = step.result, code != .ok, code != .runtimeInconsistency else { continue }
      var error = ShellError(code, path: step.path)
      error.message = "operation \(index + 1) (\(step.operation)) failed, and nothing was changed: \(error.message)"
      error.exitCode = code == .noAuth ? .notAllowed : .conflict
      return error
    }
    return ShellError(.conflict, "RolledBack", "the transaction was rolled back")
  }
}
