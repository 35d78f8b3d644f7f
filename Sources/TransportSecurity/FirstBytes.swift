/// What bytes at the start of a connection show of TLS.
///
/// *Source*: RFC 8446, section 5.1.
package enum FirstBytes {
  /// Whether bytes are a TLS alert, which a server that expects TLS sends on a connection in the clear.
  package static func areAlert(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 2 && bytes[0] == 0x15 && bytes[1] == 0x03
  }

  /// Whether a connection that begins with a byte is encrypted: the type of a record with a handshake. As the first
  /// byte of a frame's length it would mean more than 369 million bytes, and no four-letter word begins with it.
  package static func isHandshake(_ first: UInt8) -> Bool { first == 0x16 }
}
