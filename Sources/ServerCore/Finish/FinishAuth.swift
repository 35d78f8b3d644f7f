internal import Jute
internal import ZooKeeperProtocol

/// Authentication, which is answered at once and may overtake earlier requests.
///
/// *Source*: `ClientProtocol` 6.1, 6.2.
extension ServerCore {
  /// Handles an authentication packet: adds the identities that it proves, or refuses it and closes the connection.
  func onAuth(_ xid: Xid, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) {
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let packet: AuthPacket
    do throws(JuteError) { packet = try AuthPacket(from: &reader) } catch { return close(connection) }
    if packet.scheme == "ensemble", let names = settings.ensembleNames {
      guard Self.isEnsemble(packet.auth ?? [], among: names) else {
        counters.authFailures += 1
        onAuthFailure?(connection, packet.scheme)
        metrics.ensembleAuthFailures += 1
        // Without an answer, which the client would take as final: it is to try another server.
        return close(connection)
      }
      let isChecked = packet.auth?.isEmpty == false && !names.isEmpty
      if isChecked { metrics.ensembleAuthSuccesses += 1 } else { metrics.ensembleAuthSkips += 1 }
      return answer(connection, xid, .ok, zxid: .zero)
    }
    guard let identities = identities(packet, connection), add(identities, to: connection) else {
      counters.authFailures += 1
      onAuthFailure?(connection, packet.scheme)
      answer(connection, xid, .authFailed, zxid: .zero)
      return close(connection)
    }
    answer(connection, xid, .ok, zxid: .zero)
  }

  /// Adds identities that a client has proved.
  ///
  /// - Returns: false if the connection would have too many of them.
  func add(_ identities: [Identity], to connection: ClientConnection) -> Bool {
    let new = identities.filter { !connection.identities.contains($0) }
    let bytes = (connection.identities + new).reduce(0) { $0 + $1.scheme.utf8.count + $1.id.utf8.count }
    guard bytes <= settings.maximumIdentityBytes else { return false }
    connection.identities += new
    return true
  }

  /// Whether a client that sends `name` has come to the right ensemble. One that sends none takes any ensemble, and an
  /// ensemble without a name takes any client.
  ///
  /// *Source*: `org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider`.
  private static func isEnsemble(_ name: [UInt8], among names: Set<String>) -> Bool {
    name.isEmpty || names.isEmpty || names.contains(String(decoding: name, as: UTF8.self))
  }

  /// The identities that a packet proves; nil if it proves none.
  private func identities(_ packet: AuthPacket, _ connection: ClientConnection) -> [Identity]? {
    switch packet.scheme {
    case "digest" where settings.digestSchemeEnabled: packet.auth.map { access.digestIdentities($0) }
    case "ip": [Identity(scheme: "ip", id: connection.address)]
    default: nil
    }
  }
}
