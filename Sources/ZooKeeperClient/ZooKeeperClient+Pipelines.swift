public import ZooKeeperProtocol

/// One thing to read of one znode, for ``ZooKeeperClient/readAll(_:inFlight:)``.
public enum ZnodeRead: Hashable, Sendable {
  /// Only the stat.
  case stat(path: String)
  case data(path: String)
  case children(path: String)
  case acl(path: String)

  /// The znode.
  public var path: String {
    switch self {
    case .stat(let path), .data(let path), .children(let path), .acl(let path): path
    }
  }

  fileprivate func request(_ path: String) -> ClientRequest {
    switch self {
    case .stat: .exists(PathWatchRequest(path: path))
    case .data: .getData(PathWatchRequest(path: path))
    case .children: .getChildren2(PathWatchRequest(path: path))
    case .acl: .getACL(PathRequest(path: path))
    }
  }
}

/// What was read of a znode; the case is that of the ``ZnodeRead``.
public enum ZnodeReading: Hashable, Sendable {
  case stat(Stat)
  /// The data is nil for null, which servers distinguish from empty.
  case data([UInt8]?, Stat)
  case children([String], Stat)
  case acl([ACL], Stat)

  /// The stat, which servers return with everything.
  public var stat: Stat {
    switch self {
    case .stat(let stat), .data(_, let stat), .children(_, let stat), .acl(_, let stat): stat
    }
  }
}

/// Pipelined requests: many znodes for about the time of one round trip.
extension ZooKeeperClient {
  /// The children and stats of many znodes, in the order of `paths`. Each read succeeds or fails by itself.
  public func getChildren2(ofAll paths: [String]) async -> [Result<GetChildren2Response, ZooKeeperError>] {
    await readAll(paths.map { .children(path: $0) }).map { result in
      result.map { reading in
        guard case .children(let names, let stat) = reading else { preconditionFailure("children were asked for") }
        return GetChildren2Response(children: names, stat: stat)
      }
    }
  }

  /// The stats of many znodes, in the order of `paths`. One that does not exist fails with NoNode.
  public func stats(ofAll paths: [String]) async -> [Result<Stat, ZooKeeperError>] {
    await readAll(paths.map { .stat(path: $0) }).map { result in result.map(\.stat) }
  }

  /// Carries out many reads, and returns what was read in the order of `reads`. Each read succeeds or fails by itself.
  ///
  /// - Parameter inFlight: the most requests whose replies are waited for at a time.
  public func readAll(_ reads: [ZnodeRead], inFlight: Int = .max) async -> [Result<ZnodeReading, ZooKeeperError>] {
    await readAll(reads, in: RequestWindow(inFlight))
  }

  /// Carries out many reads, as `readAll` does, after those that were given to the same window before.
  package func readAll(_ reads: [ZnodeRead], in window: RequestWindow) async -> [Result<ZnodeReading, ZooKeeperError>] {
    var results = await callAll(reads, in: window) { (read) throws(ZooKeeperError) in
      read.request(try serverPath(read.path))
    } decode: { read, bytes throws(ZooKeeperError) in
      switch read {
      case .stat: return ZnodeReading.stat(try Stat(reply: bytes))
      case .data:
        let reply = try GetDataResponse(reply: bytes)
        return .data(reply.data, reply.stat)
      case .children:
        let reply = try GetChildren2Response(reply: bytes)
        return .children(reply.children, reply.stat)
      case .acl:
        let reply = try GetACLResponse(reply: bytes)
        return .acl(reply.acl, reply.stat)
      }
    }
    Self.name(\.path, of: reads, inFailuresOf: &results)
    return results
  }

  /// Adds to each failure the path that the request was about.
  private static func name<Item, Reply>(
    _ path: (Item) -> String, of items: [Item], inFailuresOf results: inout [Result<Reply, ZooKeeperError>]
  ) {
    for (index, item) in items.enumerated() {
      if case .failure(let error) = results[index] {
        results[index] = .failure(ZooKeeperError(error.code, path: path(item)))
      }
    }
  }

  /// Carries out many transactions in order, without waiting for one before the next is sent. Each succeeds or fails
  /// by itself, so that a later one may succeed although an earlier one has failed.
  ///
  /// - Parameter inFlight: the most transactions whose replies are waited for at a time.
  /// - Returns: one result for each transaction, in the same order: what became of its operations, or the failure,
  ///   which is `rolledBack` if one of its operations has failed.
  public func multi(
    all transactions: [[MultiOperation]], inFlight: Int = .max
  ) async -> [Result<[MultiResult], ZooKeeperError>] {
    await begin(multi: transactions, in: RequestWindow(inFlight)).results()
  }

  /// Begins many transactions, as `multi(all:)` does, after those that were given to the same window before.
  package func begin(multi transactions: [[MultiOperation]], in window: RequestWindow) -> BegunRequests<[MultiResult]> {
    begin(transactions, in: window) { (operations) throws(ZooKeeperError) in
      .multi(MultiRequest(operations: try serverOperations(operations)))
    } decode: { [chroot] _, bytes throws(ZooKeeperError) in
      let reply = try MultiResponse(reply: bytes)
      guard reply.firstError == nil else { throw ZooKeeperError(.rolledBack(reply.results)) }
      return reply.results.map { $0.mapPath(chroot.relative) }
    }
  }

  /// Sets many ACLs, and returns the new stats in the order of `requests`. Each succeeds or fails by itself.
  ///
  /// - Parameter inFlight: the most requests whose replies are waited for at a time.
  public func setACL(all requests: [SetACLRequest], inFlight: Int = .max) async -> [Result<Stat, ZooKeeperError>] {
    var results = await callAll(requests, in: RequestWindow(inFlight)) { (request) throws(ZooKeeperError) in
      var body = request
      body.path = try serverPath(request.path)
      return .setACL(body)
    } decode: { _, bytes throws(ZooKeeperError) in
      try Stat(reply: bytes)
    }
    Self.name(\.path, of: requests, inFailuresOf: &results)
    return results
  }

  /// Sends those of `items` of which `request` can make a request, and returns a result for each item.
  private func callAll<Item: Sendable, Reply: Sendable>(
    _ items: [Item], in window: RequestWindow, request: (Item) throws(ZooKeeperError) -> ClientRequest,
    decode: @escaping @Sendable (_ item: Item, _ reply: [UInt8]) throws(ZooKeeperError) -> Reply
  ) async -> [Result<Reply, ZooKeeperError>] {
    await begin(items, in: window, request: request, decode: decode).results()
  }

  /// Begins to send those of `items` of which `request` can make a request, in order, as many before their replies have
  /// come as the window allows, and after those that were given to the window before.
  ///
  /// - Parameter decode: makes a reply of an item and the bytes. It runs on the event loop.
  private func begin<Item: Sendable, Reply: Sendable>(
    _ items: [Item], in window: RequestWindow, request: (Item) throws(ZooKeeperError) -> ClientRequest,
    decode: @escaping @Sendable (_ item: Item, _ reply: [UInt8]) throws(ZooKeeperError) -> Reply
  ) -> BegunRequests<Reply> {
    var sent: [Item] = []
    var requests: [ClientRequest] = []
    sent.reserveCapacity(items.count)
    requests.reserveCapacity(items.count)
    var refusals: [Int: ZooKeeperError] = [:]
    for (index, item) in items.enumerated() {
      do throws(ZooKeeperError) {
        requests.append(try request(item))
        sent.append(item)
      } catch {
        refusals[index] = error
      }
    }
    let batch = Batch(
      requests, driver: driver, window: window, limit: timeLimitMilliseconds
    ) { [sent] index, bytes throws(ZooKeeperError) in try decode(sent[index], bytes) }
    return BegunRequests(batch, driver, count: items.count, refusals: refusals)
  }
}
