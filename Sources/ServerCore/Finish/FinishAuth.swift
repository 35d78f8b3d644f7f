internal import Jute
internal import ZooKeeperProtocol

/// Authentication, which is answered at once and may overtake.
///
/// *Source*: `ClientProtocol` 6.1, 6.2.
extension ServerCore {
  /// An auth packet: adds identities, or refuses and closes.
  func onAuth(_ xid: Xid, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) {
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let packet: AuthPacket
    do throws(JuteError) { packet = try AuthPacket(from: &reader) } catch { return close(connection) }
    guard let identities = identities(packet, connection) else {
      counters.authFailures += 1
      answer(connection, xid, .authFailed, zxid: .zero)
      return close(connection)
    }
    let new = identities.filter { !connection.identities.contains($0) }
    let bytes = (connection.identities + new).reduce(0) { $0 + $1.scheme.utf8.count + $1.id.utf8.count }
    guard bytes <= settings.maximumIdentityBytes else {
      counters.authFailures += 1
      answer(connection, xid, .authFailed, zxid: .zero)
      return close(connection)
    }
    connection.identities += new
    answer(connection, xid, .ok, zxid: .zero)
  }

  /// A SASL token. A server without SASL set up answers with none.
  func onSASL(_ xid: Xid, _ connection: ClientConnection) {
    let start = beginReply(connection, xid, zxid: .zero)
    SASLToken(token: nil).encode(into: &connection.output)
    endReply(connection, at: start)
  }

  /// nil when the packet proves nothing.
  private func identities(_ packet: AuthPacket, _ connection: ClientConnection) -> [Identity]? {
    switch packet.scheme {
    case "digest" where settings.digestSchemeEnabled: packet.auth.map { access.digestIdentities($0) }
    case "ip": [Identity(scheme: "ip", id: connection.address)]
    default: nil
    }
  }
}
