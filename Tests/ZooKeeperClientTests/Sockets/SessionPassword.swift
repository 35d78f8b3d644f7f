/// The password that every server gives to a session: a function of its id, the same in all versions.
///
/// Source: `client-protocol` 2.4.
func sessionPassword(_ sessionID: Int64) -> [UInt8] {
  let mask: UInt64 = 0xffff_ffff_ffff
  var seed = (UInt64(bitPattern: sessionID) ^ 0xb341_5c00 ^ 0x5_deec_e66d) & mask
  return (0..<4).flatMap { _ in
    seed = (seed &* 0x5_deec_e66d &+ 0xb) & mask
    let word = seed >> 16
    return (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
  }
}
