package import ZooKeeperProtocol

/// The numbers and passwords of sessions, which any server can compute.
///
/// *Source*: `ClientProtocol` 2.4.
package enum SessionCredentials {
  /// The first id of a server's run: 1 byte server, 5 bytes of a clock in milliseconds, 2 zero bytes.
  ///
  /// Of a server's id above 255 only the lowest byte has room, as with Apache's.
  ///
  /// *Source*: `SessionTrackerImpl.initializeNextSessionId`.
  package static func firstID(serverID: Int64, milliseconds: Int64) -> SessionID {
    let clock = UInt64(bitPattern: milliseconds << 24) >> 8
    let value = Int64(bitPattern: clock | UInt64(bitPattern: serverID) << 56)
    // The one value that would read as the mark of a container.
    return SessionID(rawValue: value == .min ? value + 1 : value)
  }

  /// The 16 bytes that prove a session: those of `java.util.Random` seeded with its id. No secret.
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

  /// Whether a client that shows `password` may have the session.
  package static func isValid(_ password: [UInt8]?, for session: SessionID) -> Bool {
    session != .none && password == Self.password(of: session)
  }
}
