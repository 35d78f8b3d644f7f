import ZooKeeperClient
import ZooKeeperProtocol

/// multi.
extension CommandContext {
  /// Runs operations as one transaction.
  func multi(_ client: ZooKeeperClient) async throws -> ExitCode {
    let commands = try await multiCommands()
    var operations: [MultiOperation] = []
    for command in commands { operations.append(try await operation(command)) }
    let names = commands.map(\.name)
    func steps(_ results: [MultiResult]) -> [MultiStep] {
      zip(zip(names, operations), results).map { asked, result in
        MultiStep(operation: asked.0, path: asked.1.path, result: result)
      }
    }
    do {
      try emit(.multi(steps(try await client.multi(operations))))
    } catch let error as ZooKeeperError {
      guard case .rolledBack(let results) = error.code else { throw error }
      try emit(.multi(steps(results)))
      throw ShellError.rolledBack(steps(results))
    }
    return .success
  }

  private func multiCommands() async throws(ShellError) -> [MultiCommand] {
    if let file = invocation.value(.file) {
      guard invocation.arguments.isEmpty else {
        throw .usage("multi takes operations from the command line or from a file, not both")
      }
      return try MultiParser.parse(text: try await values.bytes(of: file.text == "-" ? file : Word("@" + file.text)))
    }
    if invocation.arguments.count == 1, let word = invocation.arguments.first, word.bytes.first != nil,
      word.text == "-" || word.text.hasPrefix("@")
    {
      return try MultiParser.parse(text: try await values.bytes(of: word))
    }
    guard !invocation.arguments.isEmpty else {
      throw .missing("argument", "operation", of: invocation.spec)
    }
    return try MultiParser.parse(invocation.arguments)
  }

  /// The request for one operation.
  func operation(_ command: MultiCommand) async throws(ShellError) -> MultiOperation {
    switch command {
    case .create(let path, let data, let aclWord, let kind):
      let mode = try createMode(
        isSequential: kind.isSequential, isEphemeral: kind.isEphemeral, isContainer: kind.isContainer,
        ttlMilliseconds: kind.ttlMilliseconds)
      var bytes: [UInt8]?
      if let data { bytes = try await self.data(data) }
      let acl = try aclWord.map { word throws(ShellError) in try self.acl(word) } ?? ACL.openUnsafe
      let body = CreateRequest(
        path: try self.path(of: path, isSequential: mode.isSequential), data: bytes, acl: acl, flags: mode.flags)
      if let ttl = mode.ttlMilliseconds { return .createTTL(CreateTTLRequest(create: body, ttlMilliseconds: ttl)) }
      return mode == .container ? .createContainer(body) : .create(body)
    case .set(let path, let data, let version):
      return .setData(
        SetDataRequest(path: try self.path(of: path), data: try await self.data(data), version: version))
    case .delete(let path, let version):
      return .delete(PathVersionRequest(path: try self.path(of: path), version: version))
    case .check(let path, let version):
      return .check(PathVersionRequest(path: try self.path(of: path), version: version))
    }
  }
}

extension MultiCommand {
  /// The operation's name as it is typed.
  fileprivate var name: String {
    switch self {
    case .create: "create"
    case .set: "set"
    case .delete: "delete"
    case .check: "check"
    }
  }
}
