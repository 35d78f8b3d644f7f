internal import Jute
package import ZnodeTree
package import ZooKeeperProtocol

/// Applying transactions and answering them.
extension ServerCore {
  /// Applies one transaction, sends the watch events, then answers the request if its client is connected here.
  ///
  /// The driver of a standalone server calls `commit(through:)`; that of a member calls this for transactions which
  /// another server has proposed.
  ///
  /// - Parameter known: the digests from when it was made, if that was here.
  package func apply(_ entry: TxnEntry, known: KnownDigests = KnownDigests(), _ time: ServerTime) {
    changes.removeAll(keepingCapacity: true)
    let result = tree.apply(entry.header, entry.txn, known: known, changes: &changes)
    preparer.outstanding.removeApplied(through: entry.header.zxid)
    measure(entry, time)
    if let digest = entry.digest, digest.version == TxnDigest.currentVersion, tree.digestEnabled,
      digest.treeDigest != tree.treeDigest
    {
      counters.digestMismatches += 1
      metrics.digestMismatches += 1
    }
    if let onAudit { audit(entry, result, onAudit) }
    fireWatches()
    applyToSessions(entry, time)
    answerOwner(of: entry, result, time)
    if case .closeSession = entry.txn { endSession(entry.header.sessionID) }
    if role == .learner { releaseSyncs(time) }
  }

  /// Records that a transaction was applied, and how long ago it was made.
  private func measure(_ entry: borrowing TxnEntry, _ time: ServerTime) {
    metrics.appliedCount += 1
    let microseconds = Int(time.wallMilliseconds &- entry.header.timeMilliseconds) &* 1000
    // The leader's clock may be ahead of this machine's.
    if microseconds >= 0 {
      metrics.propagationLatency.add(microseconds)
      switch role {
      case .leader: metrics.quorumAckLatency.add(microseconds)
      case .learner: metrics.commitPropagationLatency.add(microseconds)
      default: break
      }
    }
    countWritten(entry.txn)
  }

  private func countWritten(_ txn: borrowing Txn) {
    switch txn {
    case .create(let body), .create2(let body), .createContainer(let body), .createTTL(let body, _):
      metrics.writtenBytes.add(body.path.utf8.count + (body.data?.count ?? 0), under: body.path)
    case .setData(let body):
      metrics.writtenBytes.add(body.path.utf8.count + (body.data?.count ?? 0), under: body.path)
    case .multi(let parts): for part in parts { countWritten(part) }
    default: break
    }
  }

  private func applyToSessions(_ entry: TxnEntry, _ time: ServerTime) {
    switch entry.txn {
    case .createSession(let timeout):
      committedSessions[entry.header.sessionID] = timeout
      if preparer.sessions.sessions[entry.header.sessionID] == nil {
        preparer.sessions.track(
          entry.header.sessionID, timeoutMilliseconds: timeout, now: time.monotonicMilliseconds)
      }
    case .closeSession:
      committedSessions[entry.header.sessionID] = nil
      preparer.sessions.remove(entry.header.sessionID)
    default: break
    }
  }

  /// Answers the request that a transaction came from: the first write that waits on its connection.
  private func answerOwner(of entry: TxnEntry, _ result: TxnResult, _ time: ServerTime) {
    guard let connection = connectionsBySession[entry.header.sessionID] else { return }
    if connection.hasHeldReads { answerHeldReads(connection, time) }
    guard case .write(let xid, let opCode, let start)? = connection.pending.first, xid == entry.header.cxid,
      entry.txn.opCode == opCode || entry.txn.opCode == .error
    else { return }
    finishFirst(of: connection)
    let latencyMicroseconds = time.monotonicMicroseconds - start
    metrics.updateLatency.add(Int(latencyMicroseconds))
    if isSessionMoved(result) { return close(connection) }
    if opCode == .createSession {
      guard let session = preparer.sessions.sessions[entry.header.sessionID] else { return close(connection) }
      open(connection, session, time)
    } else {
      answerWrite(connection, xid, opCode, result)
      if opCode == .closeSession { return close(connection) }
    }
    note(connection, xid, opCode, latencyMicroseconds: latencyMicroseconds, time)
    drain(connection, time)
  }

  /// Answers the reads that came before a write, even if the output is over its target. If it reaches the limit, the
  /// connection is closed.
  private func answerHeldReads(_ connection: ClientConnection, _ time: ServerTime) {
    drain(connection, time, limitBytes: ClientConnection.outputLimitBytes)
    if connection.hasHeldReads { close(connection) }
  }

  /// Whether a write was refused because the session has moved. Instead of an error, which the client would take as
  /// final, the connection is then closed, so that the outcome is unknown to the client.
  private func isSessionMoved(_ result: TxnResult) -> Bool {
    result.error == .sessionMoved || result.parts.contains { $0.error == .sessionMoved }
  }

  private func answerWrite(_ connection: ClientConnection, _ xid: Xid, _ opCode: OpCode, _ result: TxnResult) {
    guard result.error == .ok || result.opCode == .multi else {
      return answer(connection, xid, localError(result.error, xid, connection))
    }
    let start = beginReply(connection, xid)
    switch opCode {
    case .create: connection.output.writeString(result.path)
    case .create2, .createContainer, .createTTL:
      connection.output.writeString(result.path)
      result.stat?.encode(into: &connection.output)
    case .setData, .setACL: result.stat?.encode(into: &connection.output)
    case .reconfig:
      if let path = result.path, let id = tree.find(path) { tree.appendData(of: id, into: &connection.output) }
      result.stat?.encode(into: &connection.output)
    case .multi: MultiResponse(results: result.parts.map(multiResult)).encode(into: &connection.output)
    default: break
    }
    endReply(connection, at: start)
  }

  private func multiResult(_ part: TxnResult) -> MultiResult {
    switch part.opCode {
    case .create: .create(path: part.path ?? "")
    case .create2, .createContainer, .createTTL:
      part.stat.map { .create2(path: part.path ?? "", stat: $0) } ?? .error(part.error)
    case .setData: part.stat.map { .setData($0) } ?? .error(part.error)
    case .delete: .delete
    case .check: .check
    default: .error(part.error)
    }
  }

  /// Closes the connection of a session that has ended.
  private func endSession(_ id: SessionID) {
    if let connection = connectionsBySession[id] { close(connection) }
  }
}
