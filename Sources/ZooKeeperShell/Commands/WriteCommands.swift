import ZooKeeperClient
import ZooKeeperProtocol

/// set and create.
extension CommandContext {
  /// Replaces the data of a znode.
  func set(_ client: ZooKeeperClient) async throws -> ExitCode {
    if let word = invocation.value(.jsonPath) { return try await setJSONValue(word, client) }
    let path = try path()
    guard !invocation.flag(.parents) || invocation.flag(.create) else {
      throw ShellError.usage("--parents needs --create", hint: "set itself creates no znode")
    }
    var bytes = try await data(invocation.arguments[1])
    if invocation.flag(.base64) { bytes = try decodeBase64(bytes) }
    let version = try invocation.version()
    let stat = try await write(bytes, to: path, version: version, client)
    try emit(.changed(path: path, stat: invocation.flag(.stat) ? stat : nil))
    return .success
  }

  private func write(
    _ bytes: [UInt8], to path: String, version: Int32, _ client: ZooKeeperClient
  ) async throws -> Stat {
    while true {
      do {
        return try await client.setData(path, data: bytes, version: version)
      } catch {
        guard error.code == .server(.noNode) && invocation.flag(.create) else { throw error }
        guard version == -1 else { throw error }
        do {
          try await client.create(path, data: bytes)
          guard let stat = try await client.exists(path) else { continue }
          return stat
        } catch {
          switch error.code {
          // Another client created it in between: set it then.
          case .server(.nodeExists): break
          case .server(.noNode):
            guard invocation.flag(.parents), let parent = ZnodePath.parent(of: path) else {
              throw ShellError.missingParent(of: path)
            }
            try await createParents(parent, client)
          default: throw error
          }
        }
      }
    }
  }

  /// Creates a znode and prints its path.
  func create(_ client: ZooKeeperClient) async throws -> ExitCode {
    let mode = try createMode(
      isSequential: invocation.flag(.sequential), isEphemeral: invocation.flag(.ephemeral),
      isContainer: invocation.flag(.container),
      ttlMilliseconds: try invocation.value(.ttl).map { word throws(ShellError) in
        try ShellError.naming(.badValue(.ttl), ValueParser.milliseconds(word, of: "--ttl"))
      })
    guard let path = try optionalPath(isSequential: mode.isSequential) else { return .usage }
    var bytes: [UInt8]?
    if let word = invocation.argument(1) { bytes = try await data(word) }
    let aclWord = invocation.argument(2) ?? invocation.value(.acl)
    let acl = try aclWord.map { word throws(ShellError) in try createACL(word) } ?? ACL.openUnsafe
    do {
      try emit(.created(path: try await client.create(path, data: bytes, acl: acl, mode: mode), stat: nil))
    } catch let error as ZooKeeperError where error.code == .server(.invalidACL) {
      throw ShellError.invalidACLOfCreate(path)
    } catch let error as ZooKeeperError where error.code == .server(.noNode) {
      guard invocation.flag(.parents), let parent = ZnodePath.parent(of: path) else {
        throw ShellError.missingParent(of: path)
      }
      try await createParents(parent, client)
      try emit(.created(path: try await client.create(path, data: bytes, acl: acl, mode: mode), stat: nil))
    }
    return .success
  }

  private func createACL(_ word: Word) throws(ShellError) -> [ACL] {
    do throws(ShellError) {
      return try acl(word)
    } catch {
      throw error.keeperError == .invalidACL ? ShellError.invalidACLOfCreate(nil) : error
    }
  }

  /// Creates a znode and those above it, as far as they do not exist.
  func createParents(_ path: String, _ client: ZooKeeperClient) async throws {
    var ancestors: [String] = []
    var next: String? = path
    while let current = next, current != "/" {
      ancestors.append(current)
      next = ZnodePath.parent(of: current)
    }
    try await client.createRoot()
    for ancestor in ancestors.reversed() {
      do {
        try await client.create(ancestor)
      } catch {
        guard error.code == .server(.nodeExists) else { throw error }
        continue
      }
    }
  }

  /// The command (create, set or delete, without what takes more than one request) as an operation of a transaction.
  ///
  /// - Throws: what the command itself refuses before it sends anything.
  func writeOperation() async throws(ShellError) -> MultiOperation {
    guard let path = invocation.argument(0) else { throw .missing("argument", "path", of: invocation.spec) }
    switch invocation.spec.id {
    case .client(.create):
      var kind = MultiCommand.CreateKind(
        isSequential: invocation.flag(.sequential), isEphemeral: invocation.flag(.ephemeral),
        isContainer: invocation.flag(.container))
      if let ttl = invocation.value(.ttl) { kind.ttlMilliseconds = try ValueParser.milliseconds(ttl, of: "--ttl") }
      let acl = invocation.argument(2) ?? invocation.value(.acl)
      return try await operation(.create(path: path, data: invocation.argument(1), acl: acl, kind: kind))
    case .client(.set):
      guard let data = invocation.argument(1) else { throw .missing("argument", "data", of: invocation.spec) }
      return try await operation(.set(path: path, data: data, version: try invocation.version()))
    case .client(.delete): return try await operation(.delete(path: path, version: try invocation.version()))
    default: preconditionFailure("\(invocation.spec.name) is no single write")
    }
  }

  /// The mode that the options ask for together.
  ///
  /// - Throws: a usage error for options that exclude each other, or a time to live out of range.
  func createMode(
    isSequential: Bool, isEphemeral: Bool, isContainer: Bool, ttlMilliseconds: Int64?
  ) throws(ShellError) -> CreateMode {
    if isContainer, isSequential || isEphemeral || ttlMilliseconds != nil {
      throw .usage("--container cannot be combined with --sequential, --ephemeral or --ttl").because(
        .createMode(.container))
    }
    if let ttlMilliseconds {
      if isEphemeral {
        throw .usage("--ttl cannot be combined with --ephemeral", hint: "an ephemeral znode ends with its session")
          .because(.createMode(.ephemeralTTL))
      }
      guard (1...CreateMode.maximumTTLMilliseconds).contains(ttlMilliseconds) else {
        throw .usage("--ttl must be 1 to \(CreateMode.maximumTTLMilliseconds) milliseconds")
          .because(.createMode(.ttlOutOfRange))
      }
      return isSequential
        ? .persistentSequentialTTL(milliseconds: ttlMilliseconds) : .persistentTTL(milliseconds: ttlMilliseconds)
    }
    switch (isSequential, isEphemeral) {
    case (false, false): return isContainer ? .container : .persistent
    case (true, false): return .persistentSequential
    case (false, true): return .ephemeral
    case (true, true): return .ephemeralSequential
    }
  }

  private func decodeBase64(_ text: [UInt8]) throws(ShellError) -> [UInt8] {
    guard let bytes = Base64.decode(text) else {
      throw .usage("the data is not valid base64", hint: "without -b it is stored as given")
    }
    return bytes
  }
}
