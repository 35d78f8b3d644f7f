import Platform
import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperRecipes

/// group and rendezvous.
extension CommandContext {
  /// Joins or leaves a group, or shows its members.
  func group(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["join", "leave", "list", "watch"])
    let path = try path(at: 1)
    let group = Group(client, path: path)
    switch action {
    case "join": return try await join(group, client)
    case "leave":
      guard let word = invocation.argument(2) else {
        throw ShellError.missing("argument", "name", of: invocation.spec)
      }
      let name = try Self.memberName(word)
      guard try await group.remove(name) else {
        throw ShellError(.noNode, path: ZnodePath.child(name, of: path))
      }
    case "list": for member in try await group.members() { try emit(.recipe(.member(member))) }
    default: return try await observe(path, client)
    }
    return .success
  }

  private func join(_ group: Group, _ client: ZooKeeperClient) async throws -> ExitCode {
    let name = try invocation.argument(2).map(Self.memberName) ?? HostInfo.processName
    var data: [UInt8]?
    if let word = invocation.value(.data) { data = try await self.data(word) }
    let limit: Duration? = try waitingLimit()
    if mode != .oneShot, let own = try await group.own(name) {
      return try await keep(own, name: name, client, letsGo: false)
    }
    let joined = try await waiting(client, limit: limit ?? .zero) { [data] client, limit in
      try await Group(client, path: group.path).join(name, data: data, limit: limit)
    }
    guard let (hold, client) = joined else {
      let path = ZnodePath.child(name, of: group.path)
      throw limit == nil ? ShellError.taken(path) : ShellError.notObtained(path)
    }
    return try await keep(hold, name: name, client)
  }

  private static func memberName(_ word: Word) throws(ShellError) -> String {
    let name = try ValueParser.text(word, of: "name")
    guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
      throw .usage(
        "\(Tokenizer.quote(word)) is not a valid znode name", hint: "a name must not contain / and must not be . or ..")
    }
    return name
  }

  private func observe(_ path: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    let countdown = try countdown()
    let last = Mutex<Set<String>?>(nil)
    let hasEnded = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await Group(client, path: path).observe(limit: limit) { names in
        let (former, joined, left) = last.withLock { last in
          defer { last = Set(names) }
          let former = last ?? []
          return (last, names.filter { !former.contains($0) }, former.subtracting(names).sorted())
        }
        // A new session starts to observe again.
        if former == Set(names) { return true }
        try emit(
          .recipe(.members(all: names, joined: joined, left: left, milliseconds: WallClock.nowMilliseconds())))
        try flush()
        return countdown.goesOn()
      }
    }
    guard hasEnded else { throw ShellError.timeIsUp(path) }
    return .success
  }

  /// Leaves data at a path, or waits for it.
  func rendezvous(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["put", "get"])
    let path = try path(at: 1)
    let rendezvous = Rendezvous(client, path: path)
    guard action == "put" else {
      let found = try await waiting(client, limit: try waitingLimit()) { client, limit in
        try await Rendezvous(client, path: path).get(limit: limit)
      }
      guard let (data, stat) = found?.value else { throw ShellError.nothingThere(path) }
      try emit(.data(path: path, data: data, stat: stat, showsStat: false))
      return .success
    }
    guard let word = invocation.argument(2) else {
      throw ShellError.missing("argument", "data", of: invocation.spec)
    }
    let data = try await data(word)
    guard !data.isEmpty else {
      throw ShellError.usage("the data is empty, and rendezvous get waits for data that is not")
    }
    guard invocation.child != nil else {
      try await rendezvous.put(data)
      return .success
    }
    guard let hold = try await rendezvous.hold(data) else { throw ShellError.taken(path) }
    return try await keep(hold, name: nil, client)
  }
}

extension ShellError {
  /// The error if another process has the name.
  static func taken(_ path: String) -> ShellError {
    var error = ShellError(.nodeExists, path: path)
    error.message = "it is already taken"
    return error
  }
}
