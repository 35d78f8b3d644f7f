import Jute
public import ZooKeeperProtocol

/// The operations on znodes.
///
/// Each throws ``ZooKeeperError``. The documentation of a method names the codes of the server (`server`) that are
/// particular to it. Besides, any request can fail with `connectionLoss`, `cannotConnect`, `timedOut`, `cancelled`,
/// `sessionExpired` or `closed`, and one with a path with `badPath`.
extension ZooKeeperClient {
  /// Creates a znode.
  ///
  /// - Parameters:
  ///   - data: nil is null, which servers keep apart from empty.
  ///   - acl: who may do what with the znode; `auth` is replaced by the identities of the connection.
  /// - Returns: its path, with the sequence number if the mode asks for one.
  /// - Throws: NodeExists, NoNode (the parent), NoChildrenForEphemerals, InvalidACL, NoAuth, QuotaExceeded.
  @discardableResult
  public func create(
    _ path: String, data: [UInt8]? = nil, acl: [ACL] = ACL.openUnsafe, mode: CreateMode = .persistent
  ) async throws(ZooKeeperError) -> String {
    // For the modes that every server knows, the oldest operation is used, so that servers before 3.5 can serve it.
    guard mode.opCode == .create2 else { return try await create2(path, data: data, acl: acl, mode: mode).path }
    let body = try createRequest(path, data, acl, mode)
    let reply = try await call(.create(body), path: path, as: PathResponse.self)
    return chroot.relative(reply.path)
  }

  /// Creates a znode and returns its stat too. Servers know this from 3.5 on.
  ///
  /// - Throws: as `create`; Unimplemented for TTL modes on a server without extended types; `badArgument` for a time to
  ///   live out of range.
  @discardableResult
  public func create2(
    _ path: String, data: [UInt8]? = nil, acl: [ACL] = ACL.openUnsafe, mode: CreateMode = .persistent
  ) async throws(ZooKeeperError) -> (path: String, stat: Stat) {
    let body = try createRequest(path, data, acl, mode)
    let request: ClientRequest =
      switch (mode.opCode, mode.ttlMilliseconds) {
      case (.createContainer, _): .createContainer(body)
      case (_, let ttl?): .createTTL(CreateTTLRequest(create: body, ttlMilliseconds: ttl))
      default: .create2(body)
      }
    let reply = try await call(request, path: path, as: Create2Response.self)
    return (chroot.relative(reply.path), reply.stat)
  }

  /// Creates the chroot of the connect string, and its missing ancestors. Does nothing if it exists, or if there is no
  /// chroot.
  ///
  /// - Throws: NoAuth; Unimplemented for containers on a server that does not know them.
  public func createRoot(mode: CreateMode = .persistent) async throws(ZooKeeperError) {
    if let path = chroot.path { try await createRoot(path, mode) }
  }

  private func createRoot(_ serverPath: String, _ mode: CreateMode) async throws(ZooKeeperError) {
    let body = CreateRequest(path: serverPath, data: nil, acl: ACL.openUnsafe, flags: mode.flags)
    // Other clients may delete the ancestors between two steps; ten attempts are enough for any real case.
    for attempt in 1... {
      do throws(ZooKeeperError) {
        let request: ClientRequest = mode == .container ? .createContainer(body) : .create(body)
        _ = try await perform { driver, id, limit, completion in
          driver.submit(request, id: id, watch: nil, limit: limit, completion)
        }
        return
      } catch {
        if error.code == .server(.nodeExists) { return }
        guard error.code == .server(.noNode), attempt < 10, let parent = ZnodePath.parent(of: serverPath), parent != "/"
        else { throw error }
        try await createRoot(parent, mode)
      }
    }
  }

  /// Deletes a znode without children, if its version is `version` (-1 for any).
  ///
  /// - Throws: NoNode, BadVersion, NotEmpty, NoAuth.
  public func delete(_ path: String, version: Int32 = -1) async throws(ZooKeeperError) {
    let request = ClientRequest.delete(PathVersionRequest(path: try serverPath(path), version: version))
    _ = try await call(request, path: path, as: EmptyResponse.self)
  }

  /// The stat of a znode, or nil if it does not exist.
  ///
  /// - Parameter watch: whether the default watcher gets the next change, creation included.
  /// - Throws: `ZooKeeperError`; a missing znode is not an error.
  public func exists(_ path: String, watch: Bool = false) async throws(ZooKeeperError) -> Stat? {
    try await exists(path, watcher: watch ? .default : nil)
  }

  /// The data of a znode, nil for null, and its stat.
  ///
  /// - Parameter watch: whether the default watcher gets the next change.
  /// - Throws: NoNode, NoAuth.
  public func getData(
    _ path: String, watch: Bool = false
  ) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat) {
    let reply = try await getData(path, watcher: watch ? .default : nil)
    return (reply.data, reply.stat)
  }

  /// Replaces the data of a znode, if its version is `version` (-1 for any).
  ///
  /// - Returns: the stat after the change, whose `version` the next conditional change must name.
  /// - Throws: NoNode, BadVersion, NoAuth, QuotaExceeded.
  @discardableResult
  public func setData(_ path: String, data: [UInt8]?, version: Int32 = -1) async throws(ZooKeeperError) -> Stat {
    let body = SetDataRequest(path: try serverPath(path), data: data, version: version)
    return try await call(.setData(body), path: path)
  }

  /// The access control list of a znode; digests are masked for a client without ADMIN.
  ///
  /// - Throws: NoNode, NoAuth.
  public func getACL(_ path: String) async throws(ZooKeeperError) -> (acl: [ACL], stat: Stat) {
    let request = ClientRequest.getACL(PathRequest(path: try serverPath(path)))
    let reply = try await call(request, path: path, as: GetACLResponse.self)
    return (reply.acl, reply.stat)
  }

  /// Replaces the access control list, if the znode's *aversion* is `version` (-1 for any).
  ///
  /// - Returns: the stat after the change.
  /// - Throws: NoNode, BadVersion, NoAuth, InvalidACL.
  @discardableResult
  public func setACL(_ path: String, acl: [ACL], version: Int32 = -1) async throws(ZooKeeperError) -> Stat {
    let body = SetACLRequest(path: try serverPath(path), acl: acl, version: version)
    return try await call(.setACL(body), path: path)
  }

  /// The names of the children, in no order.
  ///
  /// - Parameter watch: whether the default watcher gets the next change of their set.
  /// - Throws: NoNode, NoAuth.
  public func getChildren(_ path: String, watch: Bool = false) async throws(ZooKeeperError) -> [String] {
    try await getChildren(path, watcher: watch ? .default : nil)
  }

  /// The names of the children, in no order, and the stat of the parent.
  ///
  /// - Parameter watch: whether the default watcher gets the next change of their set.
  /// - Throws: NoNode, NoAuth.
  public func getChildren2(
    _ path: String, watch: Bool = false
  ) async throws(ZooKeeperError) -> (children: [String], stat: Stat) {
    let serverPath = try serverPath(path)
    let reply = try await call(
      .getChildren2(PathWatchRequest(path: serverPath, watch: watch)), path: path,
      watch: watch ? WatchIntent(path: serverPath, kind: .child, watcher: .default) : nil,
      as: GetChildren2Response.self)
    return (reply.children, reply.stat)
  }

  /// Waits until this server has applied everything that the leader had committed when the request reached it.
  ///
  /// Reads are answered by the server that the client is connected to, which may lag. A read after a sync shows
  /// everything that was written before the sync, by any client.
  ///
  /// - Throws: `ZooKeeperError`.
  public func sync(_ path: String = "/") async throws(ZooKeeperError) {
    let request = ClientRequest.sync(PathRequest(path: try serverPath(path)))
    _ = try await call(request, path: path, as: PathResponse.self)
  }

  /// Checks that a znode exists and has the version, on the leader.
  ///
  /// It is sent as a multi with one check, because servers do not answer a check by itself (`ClientProtocol` 4.11).
  ///
  /// - Throws: NoNode, BadVersion, NoAuth.
  public func check(_ path: String, version: Int32 = -1) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await multi([.check(PathVersionRequest(path: path, version: version))])
    } catch {
      if case .rolledBack = error.code, let code = error.keeperError { throw ZooKeeperError(.server(code), path: path) }
      throw error
    }
  }

  /// Carries out writes and checks in one transaction: all of them or none.
  ///
  /// ```swift
  /// try await client.multi([
  ///   .check(PathVersionRequest(path: "/config", version: 3)),
  ///   .setData(SetDataRequest(path: "/config/port", data: Array("81".utf8), version: -1)),
  /// ])
  /// ```
  ///
  /// - Returns: one result for each operation, in the same order.
  /// - Throws: `rolledBack` with each operation's result if one of them failed; nothing was changed then.
  @discardableResult
  public func multi(_ operations: [MultiOperation]) async throws(ZooKeeperError) -> [MultiResult] {
    // An empty transaction would take a zxid for nothing. Java's client does not send one either.
    guard !operations.isEmpty else { return [] }
    let request = MultiRequest(operations: try serverOperations(operations))
    let reply = try await call(.multi(request), path: nil, as: MultiResponse.self)
    guard reply.firstError == nil else { throw ZooKeeperError(.rolledBack(reply.results)) }
    return reply.results.map { $0.mapPath(chroot.relative) }
  }

  /// Reads several znodes (`getData`, `getChildren`) in one request. Each read succeeds or fails by itself.
  ///
  /// - Returns: one result for each operation, in the same order.
  /// - Throws: `ZooKeeperError`; Unimplemented from servers before 3.6.
  public func multiRead(_ operations: [MultiOperation]) async throws(ZooKeeperError) -> [MultiResult] {
    guard !operations.isEmpty else { return [] }
    let request = MultiRequest(operations: try serverOperations(operations))
    return try await call(.multiRead(request), path: nil, as: MultiResponse.self).results
  }

  /// The paths of this session's ephemeral znodes that begin with `prefix`, in no order.
  ///
  /// - Throws: `ZooKeeperError`; Unimplemented from servers before 3.6.
  public func getEphemerals(_ prefix: String = "/") async throws(ZooKeeperError) -> [String] {
    let request = ClientRequest.getEphemerals(PathRequest(path: try serverPath(prefix)))
    let paths = try await call(request, path: prefix, as: StringsResponse.self).strings
    // Servers compare prefixes, not paths: for the chroot `/app` they also return what is under `/application`.
    return paths.filter(chroot.contains).map(chroot.relative)
  }

  /// The number of znodes under a path, which the server counts.
  ///
  /// - Throws: NoNode, NoAuth.
  public func getAllChildrenNumber(_ path: String) async throws(ZooKeeperError) -> Int {
    let request = ClientRequest.getAllChildrenNumber(PathRequest(path: try serverPath(path)))
    return Int(try await call(request, path: path, as: IntResponse.self).value)
  }

  /// The identities that the connection has proved. Servers know this from 3.7 on.
  ///
  /// - Throws: `ZooKeeperError`; Unimplemented from servers before 3.7.
  public func whoAmI() async throws(ZooKeeperError) -> [ClientInfo] {
    try await call(.whoAmI, path: nil, as: WhoAmIResponse.self).identities
  }

  /// The ensemble's configuration as text, and the stat of its znode. The chroot does not apply.
  ///
  /// ``ZooKeeperProtocol/QuorumConfiguration`` reads the text.
  ///
  /// - Parameter watch: whether the default watcher gets the next change.
  /// - Throws: NoNode from servers before 3.5; NoAuth.
  public func getConfig(watch: Bool = false) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat) {
    let path = "/zookeeper/config"
    let reply = try await call(
      .getData(PathWatchRequest(path: path, watch: watch)), path: path,
      watch: watch ? WatchIntent(path: path, kind: .data, watcher: .default) : nil, as: GetDataResponse.self)
    return (reply.data, reply.stat)
  }

  /// Changes the ensemble's membership. The chroot does not apply.
  ///
  /// - Returns: the new configuration as text, and the stat of its znode.
  /// - Throws: ReconfigDisabled, ReconfigInProgress, BadVersion, NewConfigNoQuorum, BadArguments, NoAuth,
  ///   Unimplemented (standalone).
  public func reconfig(_ request: ReconfigRequest) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat) {
    let reply = try await call(.reconfig(request), path: nil, as: GetDataResponse.self)
    return (reply.data, reply.stat)
  }
}

extension ZooKeeperClient {
  /// As the public `exists`, with a watch for any watcher.
  func exists(_ path: String, watcher: WatcherID?) async throws(ZooKeeperError) -> Stat? {
    let serverPath = try serverPath(path)
    do throws(ZooKeeperError) {
      return try await call(
        .exists(PathWatchRequest(path: serverPath, watch: watcher != nil)), path: path,
        watch: watcher.map { WatchIntent(path: serverPath, kind: .exist, watcher: $0) })
    } catch {
      if error.code == .server(.noNode) { return nil }
      throw error
    }
  }

  /// As the public `getData`, with a watch for any watcher.
  func getData(_ path: String, watcher: WatcherID?) async throws(ZooKeeperError) -> GetDataResponse {
    let serverPath = try serverPath(path)
    return try await call(
      .getData(PathWatchRequest(path: serverPath, watch: watcher != nil)), path: path,
      watch: watcher.map { WatchIntent(path: serverPath, kind: .data, watcher: $0) })
  }

  /// As the public `getChildren`, with a watch for any watcher.
  func getChildren(_ path: String, watcher: WatcherID?) async throws(ZooKeeperError) -> [String] {
    let serverPath = try serverPath(path)
    return try await call(
      .getChildren(PathWatchRequest(path: serverPath, watch: watcher != nil)), path: path,
      watch: watcher.map { WatchIntent(path: serverPath, kind: .child, watcher: $0) }, as: StringsResponse.self
    ).strings
  }

  private func createRequest(
    _ path: String, _ data: [UInt8]?, _ acl: [ACL], _ mode: CreateMode
  ) throws(ZooKeeperError) -> CreateRequest {
    if let ttl = mode.ttlMilliseconds, !(1...CreateMode.maximumTTLMilliseconds).contains(ttl) {
      throw ZooKeeperError(
        .badArgument("a time to live is 1 to \(CreateMode.maximumTTLMilliseconds) ms, not \(ttl)"), path: path)
    }
    return CreateRequest(
      path: try serverPath(path, isSequential: mode.isSequential), data: data, acl: acl, flags: mode.flags)
  }

  /// Operations with their paths as the server knows them.
  func serverOperations(_ operations: [MultiOperation]) throws(ZooKeeperError) -> [MultiOperation] {
    for operation in operations { _ = try serverPath(operation.path, isSequential: operation.isSequentialCreate) }
    return operations.map { $0.mapPath(chroot.absolute) }
  }
}

extension MultiOperation {
  fileprivate var isSequentialCreate: Bool {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): [2, 3].contains(body.flags)
    case .createTTL(let body): body.create.flags == 6
    case .delete, .setData, .check, .getData, .getChildren: false
    }
  }
}
