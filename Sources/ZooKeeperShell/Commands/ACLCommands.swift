import Digests
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// The actions of `acl`.
enum ACLAction: String, CaseIterable, Hashable, Sendable {
  case hash, add, remove, why, check
}

/// The command acl, which hashes, adds, removes, explains and checks entries.
extension ShellSession {
  /// Runs `acl`; all actions except `hash` need a session.
  func runACL(_ invocation: Invocation, _ settings: ShellSettings) async throws -> Outcome {
    let word = try ValueParser.choice(
      invocation.arguments[0], of: "action", among: ACLAction.allCases.map(\.rawValue))
    switch ACLAction(rawValue: word)! {
    case .hash:
      try await hash(invocation, settings)
      return Outcome(exitCode: .success)
    case .add: return try await perform(invocation, settings) { try await $0.changeEntries($1, removes: false) }
    case .remove: return try await perform(invocation, settings) { try await $0.changeEntries($1, removes: true) }
    case .why: return try await perform(invocation, settings) { try await $0.explainAccess($1) }
    case .check: return try await perform(invocation, settings) { try await $0.checkACLs($1) }
    }
  }

  /// Prints the entry of a user and a password.
  private func hash(_ invocation: Invocation, _ settings: ShellSettings) async throws {
    guard let word = invocation.argument(1) else { throw ShellError.missing("argument", "user", of: invocation.spec) }
    if let surplus = invocation.argument(2) {
      throw ShellError.usage("unexpected argument: \(Tokenizer.quote(surplus))", hint: "the password is asked for")
    }
    let user = try ValueParser.text(word, of: "user")
    guard !user.isEmpty, !user.contains(":") else {
      throw ShellError.usage(
        "user \(Tokenizer.quote(word)) must not be empty or contain a colon", hint: "the password is asked for")
    }
    let password: [UInt8]
    if invocation.flag(.passwordFile) {
      password = try passwordOfFile(invocation, settings)
    } else {
      password = try await values.secret(prompt: "password of \(user): ", otherWays: "--password-file")
      guard try await values.secret(prompt: "the same again: ") == password else {
        throw ShellError.usage("the two passwords differ")
      }
    }
    guard !password.isEmpty else { throw ShellError.usage("the password is empty") }
    let id = ACL.digestID(user: user, password: password)
    let entry = ACL(permissions: .all, scheme: "digest", id: id)
    try write(
      .record(Record(entry.text, ["entry": .text(entry.text), "scheme": .text("digest"), "id": .text(id)])), settings)
  }
}

extension ACL {
  /// The id that servers keep for a user and a password.
  ///
  /// *Source*: `org.apache.zookeeper.server.auth.DigestAuthenticationProvider.generateDigest`.
  static func digestID(user: String, password: [UInt8]) -> String {
    let hash = MessageDigest.sha1.hash([UInt8]("\(user):".utf8) + password)
    return "\(user):\(Base64.encode(hash))"
  }
}

// MARK: add, remove

extension CommandContext {
  /// How many times a change is retried because another client has changed the ACL.
  private static let attemptLimit = 20

  /// Adds entries to the ACL of a znode or a subtree, or removes them.
  func changeEntries(_ client: ZooKeeperClient, removes: Bool) async throws -> ExitCode {
    guard let word = invocation.argument(1) else { throw ShellError.missing("argument", "entry", of: invocation.spec) }
    guard let pathWord = invocation.argument(2) else {
      throw ShellError.missing("argument", "path", of: invocation.spec)
    }
    let change = removes ? try ACLChange(removing: word) : ACLChange(adding: try acl(word))
    let root = try path(of: pathWord)
    let paths = invocation.flag(.recursive) ? try await subtree(root, client) : [root]
    var failures: [String: ZooKeeperError] = [:]
    if invocation.flag(.dryRun) {
      for batch in paths.inBatches {
        let (requests, unread) = try await requests(for: change, at: batch, client)
        for request in requests { try emit(.path(request.path)) }
        failures.merge(unread) { $1 }
      }
      guard failures.isEmpty else { throw failed(failures, at: root, of: paths.count) }
      return .success
    }
    if paths.count > 1 {
      try await allow("Change the ACL of \(paths.count) znodes, \(root) and all under it", count: paths.count)
    }
    progress.begin("looked at", of: paths.count)
    // Children first, because the new ACL of a parent can remove the permission to list or change them.
    for batch in paths.reversed().inBatches {
      failures.merge(try await self.change(change, at: batch, client)) { $1 }
      progress.advance(by: batch.count)
    }
    guard failures.isEmpty else { throw failed(failures, at: root, of: paths.count) }
    try emit(.changed(path: root, stat: nil))
    return .success
  }

  /// The error of a change that has failed for some of `count` znodes.
  private func failed(_ failures: [String: ZooKeeperError], at root: String, of count: Int) -> any Error {
    guard count == 1, let error = failures[root] else { return ShellError.failures(failures, of: root) }
    guard error.code == .server(.invalidACL) else { return error }
    return ShellError(
      .conflict, "InvalidACL", path: root, "the ACL would have no entry left", hint: "add another entry first")
  }

  private func subtree(_ root: String, _ client: ZooKeeperClient) async throws -> [String] {
    var paths: [String] = []
    var reader = TreeReader(client: client, root: root)
    while let item = try await reader.next() { paths.append(item.path) }
    if root == "/" { paths.removeAll { ZnodePath.isWithin($0, "/zookeeper") } }
    return paths
  }

  /// Changes ACLs where the change makes a difference, with the versions that were read.
  ///
  /// - Returns: the znodes whose ACLs could not be changed, with the reasons. A znode that no longer exists needs no
  ///   change.
  private func change(
    _ change: ACLChange, at paths: [String], _ client: ZooKeeperClient
  ) async throws -> [String: ZooKeeperError] {
    var failures: [String: ZooKeeperError] = [:]
    var rest = paths
    for attempt in 1...Self.attemptLimit where !rest.isEmpty {
      try Task.checkCancellation()
      let (requests, unread) = try await requests(for: change, at: rest, client)
      failures.merge(unread) { $1 }
      rest = []
      for (request, result) in zip(requests, try await client.setACLsDespiteLoss(requests)) {
        guard case .failure(let error) = result else { continue }
        guard error.concernsOneZnode else { throw error }
        if error.code == .server(.badVersion), attempt < Self.attemptLimit {
          rest.append(request.path)
        } else {
          failures[request.path] = error
        }
      }
    }
    if invocation.flag(.recursive) { failures = failures.filter { $0.value.code != .server(.noNode) } }
    return failures
  }

  /// The requests for the znodes whose ACLs the change makes different.
  ///
  /// - Returns: also the znodes whose ACLs cannot be read, or would have no entry left.
  private func requests(
    for change: ACLChange, at paths: [String], _ client: ZooKeeperClient
  ) async throws -> (requests: [SetACLRequest], failures: [String: ZooKeeperError]) {
    var requests: [SetACLRequest] = []
    var failures: [String: ZooKeeperError] = [:]
    for (path, reading) in zip(paths, try await client.readAllDespiteLoss(paths.map { .acl(path: $0) })) {
      switch reading {
      case .success(.acl(let acl, let stat)):
        guard let changed = change.applied(to: acl) else { continue }
        if changed.isEmpty {
          failures[path] = ZooKeeperError(.server(.invalidACL), path: path)
        } else {
          requests.append(SetACLRequest(path: path, acl: changed, version: stat.aversion))
        }
      case .failure(let error):
        guard error.concernsOneZnode else { throw error }
        failures[path] = error
      case .success: break
      }
    }
    return (requests, failures)
  }
}

extension Array {
  /// The elements in batches that are large enough to fill the pipeline and small enough to take little time.
  fileprivate var inBatches: [[Element]] {
    stride(from: 0, to: count, by: 1000).map { Array(self[$0..<Swift.min($0 + 1000, count)]) }
  }
}

/// Entries to add to ACLs, or to remove from them.
struct ACLChange: Hashable, Sendable {
  private enum Kind: Hashable {
    case adds, removes
  }

  private let kind: Kind
  private let entries: [ACL]

  init(adding entries: [ACL]) {
    kind = .adds
    self.entries = entries
  }

  /// Parses entries to remove; one without permissions stands for all permissions.
  ///
  /// - Throws: a usage error for a text that is neither.
  init(removing word: Word) throws(ShellError) {
    kind = .removes
    do throws(ShellError) {
      entries = try ValueParser.acl(word)
    } catch {
      guard let text = word.exactText, text.contains(":"),
        let whole = try? ValueParser.acl(Word(text + ":cdrwa")), whole.count == 1
      else { throw error }
      entries = whole
    }
  }

  /// The changed ACL; nil if nothing changes.
  func applied(to acl: [ACL]) -> [ACL]? {
    var result = acl
    for entry in entries {
      let index = result.firstIndex { $0.scheme == entry.scheme && $0.id == entry.id }
      switch (kind, index) {
      case (.adds, let index?): result[index].permissions.formUnion(entry.permissions)
      case (.adds, nil): result.append(entry)
      case (.removes, let index?):
        result[index].permissions.subtract(entry.permissions)
        if result[index].permissions.isEmpty { result.remove(at: index) }
      case (.removes, nil): break
      }
    }
    return result == acl ? nil : result
  }
}

// MARK: why

extension CommandContext {
  /// Explains why an operation is allowed or denied.
  ///
  /// - Returns: 0 if it is allowed, 1 if it is denied.
  func explainAccess(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path(at: 1)
    guard let word = invocation.value(.operation) else {
      throw ShellError.missing("option", "--op OP", of: invocation.spec)
    }
    let names = ACLQuestion.Operation.allCases.map(\.rawValue)
    let name = try ValueParser.choice(word, of: "--op", among: names)
    let question = ACLQuestion(operation: .init(rawValue: name)!, identities: try await identities(client))
    var decider = path
    if question.operation.concernsParent {
      guard let parent = ZnodePath.parent(of: path) else {
        throw ShellError.usage("the root cannot be created or deleted")
      }
      decider = parent
    }
    if question.operation != .create, decider != path, try await client.exists(path) == nil {
      throw ZooKeeperError(.server(.noNode), path: path)
    }
    let acl = try await client.getACL(decider).acl
    let grantor = question.grantor(in: acl)
    let isAllowed = question.operation.needs.isEmpty || question.isSuper || acl.isEmpty || grantor != nil
    try emit(.record(Self.record(question, isAllowed: isAllowed, grantor, of: acl, path: path, decider: decider)))
    return isAllowed ? .success : .no
  }

  private func identities(_ client: ZooKeeperClient) async throws -> [ClientInfo] {
    guard let given = invocation.options[.label] else { return try await client.whoAmI() }
    return try given.map { word throws(ShellError) in
      let text = try ValueParser.text(word, of: "--as")
      guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
        throw ShellError.usage("--as \(Tokenizer.quote(word)) is not of the form SCHEME:ID", hint: "e.g. digest:bob")
      }
      return ClientInfo(scheme: String(text[..<colon]), user: String(text[text.index(after: colon)...]))
    }
  }

  private static func record(
    _ question: ACLQuestion, isAllowed: Bool, _ grantor: ACL?, of acl: [ACL], path: String, decider: String
  ) -> Record {
    let name = question.operation.rawValue
    let needed = question.operation.needs.text.map(String.init).joined(separator: " or ")
    let entries = acl.map(\.text).joined(separator: ",")
    let reason =
      if question.operation.needs.isEmpty {
        "\(name) needs no permission"
      } else if question.isSuper {
        "the super user may do anything"
      } else if let grantor {
        "\(grantor.text) on \(decider) gives \(grantor.permissions.intersection(question.operation.needs).text)"
      } else {
        "\(name) needs \(needed) on \(decider), which has \(entries.isEmpty ? "an empty ACL" : entries)"
      }
    return Record(
      "\(isAllowed ? "allowed" : "denied"): \(reason)",
      [
        "path": .text(path), "operation": .text(name), "allowed": .flag(isAllowed), "needs": .text(needed),
        "znode": .text(decider), "grantedBy": grantor.map { .text($0.text) } ?? .missing,
        "acl": .list(acl.map(\.text)),
      ])
  }
}

// MARK: check

extension CommandContext {
  /// Reports ACLs that are probably mistakes.
  ///
  /// - Returns: 0 if there are none, 1 if there are.
  func checkACLs(_ client: ZooKeeperClient) async throws -> ExitCode {
    let root = try path(at: 1)
    var code = ExitCode.success
    var reader = TreeReader(
      client: client, root: root, reading: .acl, maximumDepth: invocation.flag(.recursive) ? nil : 0)
    progress.begin("checked")
    while let item = try await reader.next() {
      progress.advance()
      // The ACLs of the servers' own znodes are not chosen by users.
      if root == "/", ZnodePath.isWithin(item.path, "/zookeeper") { continue }
      switch item {
      case .node(let node):
        for finding in ACLFinding.findings(in: node.acl) {
          code = .no
          try emit(.record(finding.record(at: node.path)))
        }
      case .failed(let path, let error):
        try emit(.warning("\(path) cannot be checked: \(ShellError(error).message)"))
      }
    }
    return code
  }
}

/// Something in an ACL that is probably a mistake.
struct ACLFinding: Hashable, Sendable {
  /// The kinds of findings, with the names that scripts see.
  enum Kind: String, Hashable, Sendable {
    case worldWritable = "world-writable"
    case noAdmin = "no-admin"
    case emptyDigest = "empty-digest"
    case unknownScheme = "unknown-scheme"
  }

  let kind: Kind
  /// nil if it concerns the list as a whole.
  let entry: ACL?

  /// The schemes that servers support without plugins.
  private static let schemes: Set<String> = ["world", "auth", "digest", "ip", "sasl", "x509", "super"]

  /// The findings in an ACL, in the order of its entries.
  static func findings(in acl: [ACL]) -> [ACLFinding] {
    var findings: [ACLFinding] = []
    for entry in acl {
      if entry.scheme == "world", !entry.permissions.isDisjoint(with: [.write, .create, .delete, .admin]) {
        findings.append(ACLFinding(kind: .worldWritable, entry: entry))
      }
      if entry.scheme == "digest", isEmptyDigest(entry.id) {
        findings.append(ACLFinding(kind: .emptyDigest, entry: entry))
      }
      if !schemes.contains(entry.scheme) { findings.append(ACLFinding(kind: .unknownScheme, entry: entry)) }
    }
    if !acl.isEmpty, !acl.contains(where: { $0.permissions.contains(.admin) }) {
      findings.append(ACLFinding(kind: .noAdmin, entry: nil))
    }
    return findings
  }

  /// Whether the hash is missing, so that no client can have the identity, or is that of an empty password, so that any
  /// client can that knows the user's name.
  private static func isEmptyDigest(_ id: String) -> Bool {
    let parts = id.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return true }
    return id == ACL.digestID(user: String(parts[0]), password: [])
  }

  /// The finding as a result.
  func record(at path: String) -> Record {
    let meaning =
      switch kind {
      case .worldWritable: "everyone can change it"
      case .noAdmin: "no one can change its ACL"
      case .emptyDigest: "the password is empty or missing"
      case .unknownScheme: "servers without a plugin do not know the scheme"
      }
    let detail = entry.map { "\($0.text): \(meaning)" } ?? meaning
    return Record(
      "\(Tokenizer.quote(path))  \(kind.rawValue)  \(detail)",
      [
        "path": .text(path), "finding": .text(kind.rawValue), "entry": entry.map { .text($0.text) } ?? .missing,
        "meaning": .text(meaning),
      ])
  }
}
