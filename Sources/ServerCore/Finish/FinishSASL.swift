internal import Jute
internal import ZooKeeperProtocol

/// SASL, whose mechanisms are the driver's: they need randomness, files and time.
///
/// A token becomes a request to the driver. Until it is answered, later frames of the connection wait, because they may
/// need the identity.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer#processSasl`.
extension ServerCore {
  /// Handles a client's token.
  func onSASL(_ xid: Xid, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) {
    guard settings.sasl != nil else {
      // As a server does on which SASL is not configured.
      return answer(connection, xid, .ok, token: nil)
    }
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let message: SASLToken
    do throws(JuteError) { message = try SASLToken(from: &reader) } catch { return close(connection) }
    connection.saslXid = xid
    counters.outstandingRequests += 1
    saslRequests.append(SASLRequest(connection: connection, token: message.token ?? []))
  }

  /// Keeps a frame that came while a token is with the driver.
  func holdFrame(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) {
    connection.heldBytes += payload.count
    guard connection.heldBytes <= ClientConnection.heldLimitBytes,
      connection.heldFrames.count < ClientConnection.heldLimitCount
    else { return close(connection) }
    connection.heldFrames.append([UInt8](payload))
    counters.outstandingRequests += 1
  }

  /// Whether tokens wait for the driver.
  package var hasSASLRequests: Bool { !saslRequests.isEmpty }

  /// The tokens that came since the last call. Each must be answered by `answerSASL`.
  package func takeSASLRequests() -> [SASLRequest] {
    defer { saslRequests.removeAll() }
    return saslRequests.filter { $0.connection.state == .open }
  }

  /// Answers a client's token, and handles the frames that waited for that.
  package func answerSASL(_ connection: ClientConnection, _ result: SASLAnswer, _ time: ServerTime) {
    // The connection may have ended, or moved to another core.
    guard connections[connection.number] === connection, let xid = connection.saslXid else { return }
    connection.saslXid = nil
    counters.outstandingRequests -= 1
    guard connection.state == .open else { return }
    switch result {
    case .reply(let token): answer(connection, xid, .ok, token: token)
    case .complete(let token, let id):
      guard add(saslIdentities(id), to: connection) else { return refuse(connection, xid) }
      answer(connection, xid, .ok, token: token)
    case .refused:
      guard settings.sasl?.keepsFailedClients == true, !settings.requiredSchemes.contains("sasl") else {
        return refuse(connection, xid)
      }
      counters.authFailures += 1
      answer(connection, xid, .ok, token: nil)
    }
    releaseFrames(connection, time)
  }

  private func refuse(_ connection: ClientConnection, _ xid: Xid) {
    counters.authFailures += 1
    let isRequired = settings.requiredSchemes.contains("sasl")
    answer(connection, xid, isRequired ? .sessionClosedRequireSaslAuth : .authFailed, token: nil)
    close(connection)
  }

  private func saslIdentities(_ id: String) -> [Identity] {
    let identity = Identity(scheme: "sasl", id: id)
    return settings.sasl?.superUsers.contains(id) == true ? [identity, .superuser] : [identity]
  }

  /// Handles the frames of a connection that waited, until another token comes.
  private func releaseFrames(_ connection: ClientConnection, _ time: ServerTime) {
    let held = connection.heldFrames
    connection.heldFrames = []
    connection.heldBytes = 0
    counters.outstandingRequests -= held.count
    for frame in held where connection.state == .open {
      frame.withUnsafeBytes { onRequest($0, connection, time) }
    }
  }

  private func answer(_ connection: ClientConnection, _ xid: Xid, _ error: KeeperError, token: [UInt8]?) {
    let start = beginReply(connection, xid, error, zxid: .zero)
    SASLToken(token: token).encode(into: &connection.output)
    endReply(connection, at: start)
  }
}
