internal import CGSSAPI
internal import SASL

/// A security context between two sides.
///
/// *Thread*: one at a time.
final class GSSContext {
  let library: GSSLibrary
  private var handle: zk_gss_handle?
  /// Whether both sides have authenticated each other.
  private(set) var isOpen = false

  init(_ library: GSSLibrary) { self.library = library }

  deinit {
    var minor: UInt32 = 0
    if handle != nil { _ = library.deleteContext(&minor, &handle, nil) }
  }

  /// The client's next token.
  ///
  /// - Returns: what must be sent; empty if the context is open and nothing is left to send.
  func initiate(
    _ credential: GSSCredential, target: zk_gss_handle?, _ token: [UInt8]
  ) throws(SASLError) -> [UInt8] {
    var minor: UInt32 = 0
    var output = zk_gss_buffer()
    var flags: UInt32 = 0
    let wanted = Flag.mutual | Flag.replay | Flag.sequence | Flag.integrity
    let major = GSSLibrary.withBuffer(token) { input in
      GSSLibrary.withKerberos { mechanism in
        library.initContext(
          &minor, credential.handle, &handle, target, mechanism, wanted, 0, nil, input, nil, &output, &flags, nil)
      }
    }
    let reply = library.take(&output)
    guard !GSSLibrary.isError(major) else {
      throw library.failure(major, minor, doing: "Kerberos does not accept the server, or has no ticket for it")
    }
    isOpen = !GSSLibrary.needsMore(major)
    guard !isOpen || flags & Flag.mutual != 0 else {
      throw SASLError(.notAuthentic, "the server has not proved its identity")
    }
    return reply
  }

  /// The server's next token.
  ///
  /// - Returns: what must be sent; empty if the context is open and nothing is left to send.
  func accept(_ credential: GSSCredential, _ token: [UInt8]) throws(SASLError) -> [UInt8] {
    var minor: UInt32 = 0
    var output = zk_gss_buffer()
    var flags: UInt32 = 0
    let major = GSSLibrary.withBuffer(token) { input in
      library.acceptContext(
        &minor, &handle, credential.handle, input, nil, nil, nil, &output, &flags, nil, nil)
    }
    let reply = library.take(&output)
    guard !GSSLibrary.isError(major) else {
      throw library.failure(major, minor, doing: "Kerberos does not accept the client")
    }
    isOpen = !GSSLibrary.needsMore(major)
    return reply
  }

  /// The name of the side that began the context.
  func initiator() throws(SASLError) -> String {
    var minor: UInt32 = 0
    var name: zk_gss_handle?
    let major = library.inquireContext(&minor, handle, &name, nil, nil, nil, nil, nil, nil)
    defer { library.release(name: &name) }
    if GSSLibrary.isExpired(major) {
      // A server accepts a ticket for some minutes after its end, in case the clocks differ.
      throw SASLError(.notAuthentic, "the Kerberos ticket has expired; get a new one with kinit, or use a key table")
    }
    guard !GSSLibrary.isError(major) else { throw library.failure(major, minor, doing: "the client has no name") }
    return try library.text(of: name)
  }

  /// A sealed message.
  func wrap(_ message: [UInt8]) throws(SASLError) -> [UInt8] {
    var minor: UInt32 = 0
    var output = zk_gss_buffer()
    let major = GSSLibrary.withBuffer(message) { library.wrap(&minor, handle, 0, 0, $0, nil, &output) }
    let sealed = library.take(&output)
    guard !GSSLibrary.isError(major) else { throw library.failure(major, minor, doing: "a message cannot be sealed") }
    return sealed
  }

  /// The content of a sealed message.
  func unwrap(_ sealed: [UInt8]) throws(SASLError) -> [UInt8] {
    var minor: UInt32 = 0
    var output = zk_gss_buffer()
    let major = GSSLibrary.withBuffer(sealed) { library.unwrap(&minor, handle, $0, &output, nil, nil) }
    let message = library.take(&output)
    guard !GSSLibrary.isError(major) else {
      throw library.failure(major, minor, doing: "a message of the peer is not sealed by it")
    }
    return message
  }

  private enum Flag {
    static let mutual: UInt32 = 2
    static let replay: UInt32 = 4
    static let sequence: UInt32 = 8
    static let integrity: UInt32 = 32
  }
}
