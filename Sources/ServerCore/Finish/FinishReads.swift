internal import Jute
internal import ZnodeTree
internal import ZooKeeperProtocol

/// Requests that are answered from the tree, encoded directly into the connection's output.
///
/// *Source*: `org.apache.zookeeper.server.FinalRequestProcessor`; `ClientProtocol` 4.8.
extension ServerCore {
  /// Answers a read. The payload has at least a header.
  func finishRead(
    _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, latencyMicroseconds: Int64, _ time: ServerTime
  ) {
    let xid = Xid(rawValue: payload.loadBigEndian(at: 0, as: Int32.self))
    guard let opCode = OpCode(rawValue: payload.loadBigEndian(at: 4, as: Int32.self)) else { return }
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let start = connection.output.count
    do throws(ReadFailure) {
      try read(opCode, xid, &reader, connection)
    } catch {
      // The part of the reply that was encoded is replaced by the error. Events that were sent before it stay.
      if let begun = error.replyStart { connection.output.removeAll(from: max(start, begun)) }
      answer(connection, opCode == .ping ? .ping : xid, error.code)
    }
    metrics.readLatency.add(Int(latencyMicroseconds))
    note(connection, xid, opCode, latencyMicroseconds: latencyMicroseconds, time)
  }

  /// Why a read is answered with an error.
  struct ReadFailure: Error {
    var code: KeeperError
    /// Where the reply begins in the output, if some of it was encoded.
    var replyStart: Int?

    init(_ code: KeeperError, replyStart: Int? = nil) {
      self.code = code
      self.replyStart = replyStart
    }
  }

  private func read(
    _ opCode: OpCode, _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    switch opCode {
    case .getData: try getData(xid, &reader, connection)
    case .exists: try exists(xid, &reader, connection)
    case .getChildren: try getChildren(xid, &reader, connection, withStat: false)
    case .getChildren2: try getChildren(xid, &reader, connection, withStat: true)
    case .getACL: try getACL(xid, &reader, connection)
    case .getAllChildrenNumber: try getAllChildrenNumber(xid, &reader, connection)
    case .getEphemerals: try getEphemerals(xid, &reader, connection)
    case .multiRead: try multiRead(xid, &reader, connection)
    case .sync: try sync(xid, &reader, connection)
    case .ping: answer(connection, .ping, .ok)
    case .whoAmI: whoAmI(xid, connection)
    case .setWatches: try setWatches(xid, &reader, connection, withPersistent: false)
    case .setWatches2: try setWatches(xid, &reader, connection, withPersistent: true)
    case .addWatch: try addWatch(xid, &reader, connection)
    case .checkWatches: try checkWatches(xid, &reader, connection)
    case .removeWatches: try removeWatches(xid, &reader, connection)
    case .deleteContainer: try refuseDeleteContainer(&reader)
    default: throw ReadFailure(.unimplemented)
    }
  }

  /// Refuses deleteContainer, which the leader does by itself, with an error in Apache's order.
  ///
  /// Apache's servers execute it for clients, without a check of the ACL, on any znode that is not ephemeral. Here that
  /// is `noAuth`.
  ///
  /// *Source*: `PrepRequestProcessor.pRequest2Txn`, case deleteContainer.
  private func refuseDeleteContainer(_ reader: inout JuteReader) throws(ReadFailure) {
    let path = try path(&reader)
    guard let id = tree.find(path) else { throw ReadFailure(.noNode) }
    if tree.childCount(of: id) > 0 { throw ReadFailure(.notEmpty) }
    guard case .session = tree.owner(of: id) else { throw ReadFailure(.noAuth) }
    throw ReadFailure(.badVersion)
  }

  private func getData(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let (path, watch) = try pathAndWatch(&reader)
    let id = try readable(path, connection)
    if watch { try addStandardWatch(path, connection, in: .data) }
    let start = beginReply(connection, xid)
    tree.appendData(of: id, into: &connection.output)
    tree.appendStat(of: id, into: &connection.output)
    endReply(connection, at: start)
  }

  /// Answers exists, which unlike other reads also sets its watch if the znode does not exist.
  private func exists(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let (path, watch) = try pathAndWatch(&reader)
    guard !path.contains(0) else { throw ReadFailure(.badArguments) }
    let id = tree.find(path)
    if let id { try checkReadable(id, connection) }
    if watch { try addStandardWatch(path, connection, in: .data) }
    guard let id else { throw ReadFailure(.noNode) }
    let start = beginReply(connection, xid)
    tree.appendStat(of: id, into: &connection.output)
    endReply(connection, at: start)
  }

  private func getChildren(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection, withStat: Bool
  ) throws(ReadFailure) {
    let (path, watch) = try pathAndWatch(&reader)
    let id = try readable(path, connection)
    if watch { try addStandardWatch(path, connection, in: .child) }
    let start = beginReply(connection, xid)
    tree.appendChildNames(of: id, into: &connection.output)
    if withStat { tree.appendStat(of: id, into: &connection.output) }
    endReply(connection, at: start)
  }

  /// Answers getACL. Clients that may not change the ACL do not see the hashes of passwords.
  private func getACL(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let path = try path(&reader)
    guard let id = tree.find(path) else { throw ReadFailure(.noNode) }
    let slot = tree.aclSlot(of: id)
    guard access.allows([.read, .admin], slot, of: tree, connection.identities) else { throw ReadFailure(.noAuth) }
    let isAdmin = access.allows(.admin, slot, of: tree, connection.identities)
    let acl = tree.acl(in: slot)
    let start = beginReply(connection, xid)
    GetACLResponse(acl: isAdmin ? acl : AccessControl.masked(acl), stat: tree.stat(of: id))
      .encode(into: &connection.output)
    endReply(connection, at: start)
  }

  private func getAllChildrenNumber(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let id = try readable(try path(&reader), connection)
    let start = beginReply(connection, xid)
    connection.output.writeInt(Int32(truncatingIfNeeded: tree.descendantCount(of: id)))
    endReply(connection, at: start)
  }

  private func getEphemerals(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let prefix: String?
    do throws(JuteError) { prefix = try reader.readOptionalString() } catch { throw ReadFailure(.marshallingError) }
    var paths = tree.ephemeralPaths(of: connection.sessionID)
    let trimmed = (prefix ?? "").utf8.filter { $0 > 0x20 }
    if let prefix, !trimmed.isEmpty, trimmed != Array("/".utf8) {
      paths.removeAll { !$0.utf8.starts(with: prefix.utf8) }
    }
    let start = beginReply(connection, xid)
    StringsResponse(strings: paths).encode(into: &connection.output)
    endReply(connection, at: start)
  }

  /// Answers multiRead. Each part succeeds or fails by itself, and none sets a watch.
  private func multiRead(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection
  ) throws(ReadFailure) {
    let request: MultiRequest
    do throws(JuteError) { request = try MultiRequest(from: &reader) } catch { throw ReadFailure(.marshallingError) }
    var results: [MultiResult] = []
    for operation in request.operations {
      do throws(ReadFailure) {
        switch operation {
        case .getData(let body):
          let id = try readable(body.path, connection)
          results.append(.getData(GetDataResponse(data: tree.data(of: id), stat: tree.stat(of: id))))
        case .getChildren(let body):
          results.append(.getChildren(tree.childNames(of: try readable(body.path, connection))))
        default: throw ReadFailure(.marshallingError)
        }
      } catch {
        if error.code == .marshallingError { throw error }
        results.append(.error(error.code))
      }
    }
    let start = beginReply(connection, xid)
    MultiResponse(results: results).encode(into: &connection.output)
    endReply(connection, at: start)
  }

  /// Answers a sync with its path, which is not checked. On a standalone server, its position among the connection's
  /// requests is all that it needs.
  private func sync(_ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection) throws(ReadFailure) {
    let path = try path(&reader)
    let start = beginReply(connection, xid)
    connection.output.writeLengthPrefixed(path)
    endReply(connection, at: start)
  }

  private func whoAmI(_ xid: Xid, _ connection: ClientConnection) {
    let start = beginReply(connection, xid)
    WhoAmIResponse(identities: connection.identities.inReportedOrder.map(\.clientInfo)).encode(into: &connection.output)
    endReply(connection, at: start)
  }

  /// Reads a path that must not be null, without copying it out of the frame.
  private func path(_ reader: inout JuteReader) throws(ReadFailure) -> UnsafeRawBufferPointer {
    let path: UnsafeRawBufferPointer?
    do throws(JuteError) { path = try reader.readBorrowedBuffer() } catch { throw ReadFailure(.marshallingError) }
    guard let path else { throw ReadFailure(.marshallingError) }
    return path
  }

  private func pathAndWatch(
    _ reader: inout JuteReader
  ) throws(ReadFailure) -> (path: UnsafeRawBufferPointer, watch: Bool) {
    let path = try path(&reader)
    do throws(JuteError) { return (path, try reader.readBool()) } catch { throw ReadFailure(.marshallingError) }
  }

  private func readable(
    _ path: UnsafeRawBufferPointer, _ connection: ClientConnection
  ) throws(ReadFailure) -> ZnodeID {
    guard let id = tree.find(path) else { throw ReadFailure(.noNode) }
    try checkReadable(id, connection)
    return id
  }

  private func readable(_ path: String, _ connection: ClientConnection) throws(ReadFailure) -> ZnodeID {
    guard let id = tree.find(path) else { throw ReadFailure(.noNode) }
    try checkReadable(id, connection)
    return id
  }

  private func checkReadable(_ id: ZnodeID, _ connection: ClientConnection) throws(ReadFailure) {
    guard access.allows(.read, tree.aclSlot(of: id), of: tree, connection.identities) else {
      throw ReadFailure(.noAuth)
    }
  }

  private func addStandardWatch(
    _ path: UnsafeRawBufferPointer, _ connection: ClientConnection, in kind: WatchTable.Kind
  ) throws(ReadFailure) {
    try checkWatchLimit(connection)
    watches.add(PathKey(String(decoding: path, as: UTF8.self)), connection, .standard, in: kind)
  }
}
