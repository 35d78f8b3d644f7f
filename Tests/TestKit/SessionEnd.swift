/// The password that every server gives to a session: a function of its id, the same in all versions.
///
/// *Source*: `ClientProtocol` 2.4.
public func sessionPassword(_ sessionID: Int64) -> [UInt8] {
  let mask: UInt64 = 0xffff_ffff_ffff
  var seed = (UInt64(bitPattern: sessionID) ^ 0xb341_5c00 ^ 0x5_deec_e66d) & mask
  return (0..<4).flatMap { _ in
    seed = (seed &* 0x5_deec_e66d &+ 0xb) & mask
    let word = seed >> 16
    return (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
  }
}

/// Ends a session as its expiry would, but at once and however busy the machine is: resumes it by its password and
/// closes it.
///
/// Its client must not be able to reach the server meanwhile, or it would resume the session again.
///
/// - Throws: `TestKitError`.
public func endSession(_ sessionID: Int64, on port: UInt16) throws(TestKitError) {
  func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
  let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
  // ConnectRequest: version, last zxid, timeout, session, password, without the byte that allows a read-only server.
  let password = sessionPassword(sessionID)
  try socket.writeFrame(
    bytes(Int32(0)) + bytes(Int64(0)) + bytes(Int32(10_000)) + bytes(sessionID) + bytes(Int32(password.count))
      + password)
  let answer = try socket.readFrame()
  guard answer.count >= 8, answer[4..<8] != [0, 0, 0, 0] else { throw TestKitError(.ended, "the session is over") }
  // RequestHeader: the first xid, and the operation closeSession.
  try socket.writeFrame(bytes(Int32(1)) + bytes(Int32(-11)))
  _ = try socket.readToEnd()
}
