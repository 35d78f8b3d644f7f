import ZooKeeperProtocol

/// The path that a client takes for its root, and the translation of paths in both directions.
///
/// It is put in front of every path that is sent and removed from every path that is received. Received paths outside
/// of it, such as those of events under `/zookeeper/`, are left as they are.
///
/// *Source*: `ClientProtocol` 8.1.
struct Chroot: Hashable, Sendable {
  /// An absolute path, or nil for the server's own root.
  var path: String?

  /// The path as the server knows it.
  func absolute(_ clientPath: String) -> String {
    guard let path else { return clientPath }
    return clientPath == "/" ? path : path + clientPath
  }

  /// Whether a path of the server is inside the chroot, so that the client has a name for it.
  func contains(_ serverPath: String) -> Bool { path.map { ZnodePath.isWithin(serverPath, $0) } ?? true }

  /// The path as the client knows it.
  func relative(_ serverPath: String) -> String {
    guard let path, ZnodePath.isWithin(serverPath, path) else { return serverPath }
    return serverPath == path ? "/" : String(serverPath.dropFirst(path.count))
  }

  /// The event with its path as the client knows it.
  func relative(_ event: WatchEvent) -> WatchEvent {
    guard path != nil, let serverPath = event.path else { return event }
    var event = event
    event.path = relative(serverPath)
    return event
  }
}

extension MultiOperation {
  /// The same operation on another path.
  func mapPath(_ map: (String) -> String) -> MultiOperation {
    func mapped(_ body: CreateRequest) -> CreateRequest {
      CreateRequest(path: map(body.path), data: body.data, acl: body.acl, flags: body.flags)
    }
    func mapped(_ body: PathVersionRequest) -> PathVersionRequest {
      PathVersionRequest(path: map(body.path), version: body.version)
    }
    func mapped(_ body: PathWatchRequest) -> PathWatchRequest {
      PathWatchRequest(path: map(body.path), watch: body.watch)
    }
    return switch self {
    case .create(let body): .create(mapped(body))
    case .create2(let body): .create2(mapped(body))
    case .createContainer(let body): .createContainer(mapped(body))
    case .createTTL(let body):
      .createTTL(CreateTTLRequest(create: mapped(body.create), ttlMilliseconds: body.ttlMilliseconds))
    case .delete(let body): .delete(mapped(body))
    case .setData(let body):
      .setData(SetDataRequest(path: map(body.path), data: body.data, version: body.version))
    case .check(let body): .check(mapped(body))
    case .getData(let body): .getData(mapped(body))
    case .getChildren(let body): .getChildren(mapped(body))
    }
  }
}

extension MultiResult {
  /// The same result with the path of a new znode mapped.
  func mapPath(_ map: (String) -> String) -> MultiResult {
    switch self {
    case .create(let path): .create(path: map(path))
    case .create2(let path, let stat): .create2(path: map(path), stat: stat)
    default: self
    }
  }
}
