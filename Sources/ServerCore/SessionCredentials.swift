package import ZooKeeperProtocol

/// The ids and passwords of sessions, which any server can compute.
///
/// *Source*: `ClientProtocol` 2.4.
package enum SessionCredentials {
  /// The first session id of a server's run: 1 byte of the server's id, 5 bytes of a clock in milliseconds, 2 zero
  /// bytes.
  ///
  /// Only the lowest byte of a server's id is used, as by Apache's servers.
  ///
  /// *Source*: `SessionTrackerImpl.initializeNextSessionId`.
  package static func firstID(serverID: Int64, milliseconds: Int64) -> SessionID {
    let clock = UInt64(bitPattern: milliseconds << 24) >> 8
    let value = Int64(bitPattern: clock | UInt64(bitPattern: serverID) << 56)
    // As the owner of a znode, this value would be the mark of a container.
    return SessionID(rawValue: value == .min ? value + 1 : value)
  }

  /// The password of a session: 16 bytes of `java.util.Random`, seeded with the id. It is not a secret, but a session
  /// must be resumable on Apache's servers, which compute it like this.
  package static func password(of session: SessionID) -> [UInt8] {
    let mask: UInt64 = (1 << 48) - 1
    var seed = (UInt64(bitPattern: session.rawValue) ^ 0xb341_5c00 ^ 0x5_deec_e66d) & mask
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ConnectRequest.passwordLengthBytes)
    for _ in 0..<4 {
      seed = (seed &* 0x5_deec_e66d &+ 0xb) & mask
      let word = UInt32(truncatingIfNeeded: seed >> 16)
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }
    return bytes
  }

  /// Whether `password` is that of the session.
  package static func isValid(_ password: [UInt8]?, for session: SessionID) -> Bool {
    session != .none && password == Self.password(of: session)
  }
}
