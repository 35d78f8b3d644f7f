internal import Jute
internal import ZooKeeperProtocol

/// Frames from clients.
extension ServerCore {
  /// Handles a whole frame, without its length. The bytes are not kept.
  package func receive(_ payload: UnsafeRawBufferPointer, on connection: ClientConnection, _ time: ServerTime) {
    counters.packetsReceived += 1
    metrics.bytesReceived += payload.count + FrameSplitter.prefixLengthBytes
    connection.statistics.receivedCount += 1
    if let address = payload.baseAddress { tree.advanceLookAhead(to: address) }
    switch connection.state {
    case .awaitingConnect: onConnectRequest(payload, connection, time)
    case .opening:
      connection.heldFrames.append([UInt8](payload))
      counters.outstandingRequests += 1
    case .open: onFrame(payload, connection, time)
    case .closed: break
    }
  }

  /// Looks ahead to the requests of several frames that have come together, if that pays: a large tree finds their
  /// znodes faster when it looks for all of them at the same time. `endLookAhead` must be called before the bytes go.
  ///
  /// - Returns: the offset of the first frame that it has not looked at, or the end.
  package func lookAhead(
    in bytes: UnsafeRawBufferPointer, from offset: Int, on connection: ClientConnection
  ) -> Int {
    guard tree.isWorthLookingAhead, connection.state == .open else { return bytes.count }
    var end = FrameSplitter.endOfFrame(in: bytes, at: offset)
    // One request alone gains nothing.
    guard end < bytes.count else { return bytes.count }
    end = offset
    tree.lookAhead {
      while end < bytes.count {
        let start = end
        end = FrameSplitter.endOfFrame(in: bytes, at: start)
        if let path = Self.path(of: bytes, from: start, to: end) { return path }
      }
      return nil
    }
    return min(end, bytes.count)
  }

  /// Ends `lookAhead`.
  package func endLookAhead() { tree.endLookAhead() }

  /// The path in a frame that begins with its length; nil if the request is not about one path.
  private static func path(
    of bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
  ) -> UnsafeRawBufferPointer? {
    let path = start + FrameSplitter.prefixLengthBytes + requestHeaderBytes + FrameSplitter.prefixLengthBytes
    guard end <= bytes.count, path < end else { return nil }
    switch OpCode(rawValue: bytes.loadBigEndian(at: start + 8, as: Int32.self)) {
    case .getData, .exists, .getChildren, .getChildren2, .getACL, .setData, .setACL, .delete, .create, .create2: break
    default: return nil
    }
    let lengthBytes = Int(bytes.loadBigEndian(at: path - FrameSplitter.prefixLengthBytes, as: Int32.self))
    guard lengthBytes > 0, lengthBytes <= end - path else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[path..<path + lengthBytes])
  }

  /// The size of xid and operation.
  private static let requestHeaderBytes = 8

  /// Handles a frame of an open connection, unless it must wait.
  func onFrame(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    if limitsRequests { return onLimited(payload, connection, time) }
    onRequest(payload, connection, time)
  }

  /// Handles a request.
  func onRequest(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    guard payload.count >= 8 else { return close(connection) }
    if connection.saslXid != nil { return holdFrame(payload, connection) }
    let xid = Xid(rawValue: payload.loadBigEndian(at: 0, as: Int32.self))
    let opCode = OpCode(rawValue: payload.loadBigEndian(at: 4, as: Int32.self))
    if opCode == .auth { return onAuth(xid, payload, connection) }
    if opCode == .sasl { return onSASL(xid, payload, connection) }
    guard hasRequiredIdentity(connection) else {
      answer(connection, xid, .sessionClosedRequireSaslAuth, zxid: .zero)
      return close(connection)
    }
    // The session has ended, or its end is proposed: its requests are no longer answered.
    guard let session = connection.session, !session.isClosing else { return }
    preparer.sessions.touch(session, now: time.monotonicMilliseconds)
    if role == .learner, !session.isLocal { questions.noteTouched(session) }
    if role == .readOnly, opCode?.needsQuorum == true { return refuseWrite(xid, opCode, connection) }
    switch opCode {
    case .sync where role == .learner: forwardSync(xid, payload, connection, time)
    case .sync where role.isLeader: holdSync(payload, connection, time)
    case .getData, .exists, .getChildren, .getChildren2, .getACL, .getAllChildrenNumber, .getEphemerals, .multiRead,
      .sync, .ping, .setWatches, .setWatches2, .addWatch, .checkWatches, .removeWatches, .whoAmI, .deleteContainer:
      onRead(payload, connection, time)
    case .create, .create2, .createContainer, .createTTL, .delete, .setData, .setACL, .multi, .reconfig, .closeSession:
      onWrite(xid, opCode, payload, connection, time)
    case .check, .notification, .createSession, .error, .auth, .sasl, nil:
      // Operations that servers use among themselves are not for clients.
      answer(connection, xid, .unimplemented, zxid: Zxid(rawValue: -1))
      close(connection)
    }
  }

  private func hasRequiredIdentity(_ connection: ClientConnection) -> Bool {
    settings.requiredSchemes.isEmpty
      || connection.identities.contains { settings.requiredSchemes.contains($0.scheme) }
  }

  private func onRead(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    guard connection.pending.isEmpty else {
      return hold(.read([UInt8](payload), startMicroseconds: time.monotonicMicroseconds), on: connection)
    }
    finishRead(payload, connection, latencyMicroseconds: 0, time)
  }

  /// Adds a request to those that wait to be answered.
  func hold(_ request: consuming ClientConnection.Pending, on connection: ClientConnection) {
    counters.outstandingRequests += 1
    connection.pending.append(request)
    metrics.requestsInSessionQueue.add(connection.pending.count)
  }

  private func onWrite(
    _ xid: Xid, _ opCode: OpCode?, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection,
    _ time: ServerTime
  ) {
    guard let opCode else { return }
    if let session = connection.session, session.isLocal,
      settleLocalWrite(xid, opCode, payload, connection, session, time)
    {
      return
    }
    if onAudit != nil { expectAudit(xid, opCode, payload, connection) }
    if role == .learner { return forwardWrite(xid, opCode, payload, connection, time) }
    let start = time.monotonicMicroseconds
    let origin = RequestOrigin(
      sessionID: connection.sessionID, xid: xid, identities: connection.identities, owner: owner)
    if opCode == .closeSession {
      hold(.write(xid: xid, opCode: opCode, startMicroseconds: start), on: connection)
      return propose(
        preparer.prepareCloseSession(connection.sessionID, xid: xid, wallMilliseconds: time.wallMilliseconds))
    }
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let request: ClientRequest?
    do throws(JuteError) { request = try ClientRequest(opCode: opCode, from: &reader) } catch { request = nil }
    if let request {
      hold(.write(xid: xid, opCode: opCode, startMicroseconds: start), on: connection)
      propose(preparer.prepare(request, origin, wallMilliseconds: time.wallMilliseconds))
    } else if opCode == .multi {
      // Of the writes that cannot be decoded, only a multi becomes a transaction, as in Apache's 3.9.
      hold(.write(xid: xid, opCode: opCode, startMicroseconds: start), on: connection)
      propose(preparer.prepareError(.marshallingError, origin, wallMilliseconds: time.wallMilliseconds))
    } else {
      hold(.error(xid: xid, opCode: opCode, .marshallingError, startMicroseconds: start), on: connection)
      drain(connection, time)
    }
  }

  /// Continues with the reads that were held back because the client did not take the previous answers.
  package func resumeReads(_ connection: ClientConnection, _ time: ServerTime) { drain(connection, time) }

  /// Answers the pending requests of a connection, up to the next write that is not applied.
  ///
  /// It stops when `limitBytes` of output wait to be sent, so that many small reads of large znodes do not fill the
  /// memory. The driver continues with `resumeReads`.
  func drain(
    _ connection: ClientConnection, _ time: ServerTime, limitBytes: Int = ClientConnection.outputTargetBytes
  ) {
    var readCount = 0
    defer { if readCount > 0 { metrics.readsAfterWrite.add(readCount) } }
    while connection.state == .open, let first = connection.pending.first,
      connection.output.count < limitBytes
    {
      switch first {
      case .write: return
      case .sync(let bytes, let start):
        guard connection.releasedSyncCount > 0 else { return }
        connection.releasedSyncCount -= 1
        finishHeldRead(bytes, connection, start, time)
      case .read(let bytes, let start):
        readCount += 1
        metrics.waitingReadTime.add(Int(time.monotonicMicroseconds - start))
        finishHeldRead(bytes, connection, start, time)
      case .error(let xid, let opCode, let error, let start):
        finishFirst(of: connection)
        answer(connection, xid, error)
        metrics.updateLatency.add(Int(time.monotonicMicroseconds - start))
        note(connection, xid, opCode, latencyMicroseconds: time.monotonicMicroseconds - start, time)
      case .end(let xid, let start):
        finishFirst(of: connection)
        answer(connection, xid, .ok)
        note(connection, xid, .closeSession, latencyMicroseconds: time.monotonicMicroseconds - start, time)
        close(connection)
      }
    }
  }

  /// Answers the first of the requests that wait on a connection, a read.
  private func finishHeldRead(
    _ payload: [UInt8], _ connection: ClientConnection, _ startMicroseconds: Int64, _ time: ServerTime
  ) {
    finishFirst(of: connection)
    payload.withUnsafeBytes {
      finishRead($0, connection, latencyMicroseconds: time.monotonicMicroseconds - startMicroseconds, time)
    }
  }
}

extension OpCode {
  /// Whether a server that is cut off from its ensemble must refuse it.
  fileprivate var needsQuorum: Bool {
    switch self {
    case .sync, .create, .create2, .createContainer, .createTTL, .delete, .setData, .setACL, .multi, .reconfig,
      .closeSession:
      true
    default: false
    }
  }
}

/// Encoding replies.
extension ServerCore {
  /// Begins a reply. The caller appends the body, then calls `endReply` with the offset that is returned.
  func beginReply(
    _ connection: ClientConnection, _ xid: Xid, _ error: KeeperError = .ok, zxid: Zxid? = nil
  ) -> Int {
    let start = connection.output.count
    let zxid = zxid ?? tree.lastProcessedZxid
    connection.output.writeBlock(byteCount: FrameSplitter.prefixLengthBytes + ReplyHeader.encodedSizeBytes) { block in
      block.storeBigEndian(Int32(0), at: 0)
      block.storeBigEndian(xid.rawValue, at: 4)
      block.storeBigEndian(zxid.rawValue, at: 8)
      block.storeBigEndian(error.rawValue, at: 16)
    }
    return start
  }

  /// Ends the reply that began at `start`.
  func endReply(_ connection: ClientConnection, at start: Int) {
    connection.output.finishFrame(at: start)
    let lengthBytes = connection.output.count - start
    counters.responseSizes.note(lengthBytes - FrameSplitter.prefixLengthBytes)
    metrics.responseBytes += lengthBytes
    counters.packetsSent += 1
    connection.statistics.sentCount += 1
    touch(connection)
  }

  /// Appends a reply without a body.
  func answer(_ connection: ClientConnection, _ xid: Xid, _ error: KeeperError, zxid: Zxid? = nil) {
    endReply(connection, at: beginReply(connection, xid, error, zxid: zxid))
  }

  /// Records in the statistics that a request was answered.
  func note(
    _ connection: ClientConnection, _ xid: Xid, _ opCode: OpCode, latencyMicroseconds: Int64, _ time: ServerTime
  ) {
    let latencyMilliseconds = latencyMicroseconds / 1000
    counters.latency.add(latencyMilliseconds)
    connection.statistics.latency.add(latencyMilliseconds)
    connection.statistics.lastOpCode = opCode
    if xid.rawValue >= 0 { connection.statistics.lastXid = xid }
    connection.statistics.lastZxid = tree.lastProcessedZxid
    connection.statistics.lastResponseMilliseconds = time.monotonicMilliseconds
    connection.statistics.lastLatencyMilliseconds = latencyMilliseconds
  }
}
