internal import CGSSAPI
package import SASL

/// The client's side of the mechanism GSSAPI, with Kerberos 5.
///
/// ```
/// tokens of the context, until it is open → layers offered (sealed) → layer chosen (sealed), complete
/// ```
///
/// *Source*: RFC 4752, section 3.1; `com.sun.security.sasl.gsskerb.GssKrb5Client`.
///
/// *Thread*: one at a time, which may block: steps read files and ask the KDC.
package final class GSSAPIClient: @unchecked Sendable {
  // @unchecked: the owner makes no two calls at the same time.

  /// The longest token that either side accepts. A ticket with a large list of groups has some 64 KiB.
  package static let tokenLimitBytes = 256 << 10

  private let login: KerberosLogin
  private let service: KerberosService
  private var credential: GSSCredential?
  private var target: zk_gss_handle?
  private var context: GSSContext?
  private var isOver = false

  package init(_ login: KerberosLogin, _ service: KerberosService) {
    self.login = login
    self.service = service
  }

  deinit { release() }

  /// Handles a message of the server; the first one is empty, because the client begins.
  ///
  /// - Throws: the reason why the exchange has failed.
  package func step(_ message: [UInt8]) throws(SASLError) -> SASLStep {
    guard !isOver else { throw SASLError(.outOfOrder, "the server sent a message after the end of the exchange") }
    isOver = true
    defer { if isOver { release() } }
    guard message.count <= Self.tokenLimitBytes else { throw .tokenTooLong(message.count) }
    let context = try opened()
    guard !context.isOpen else { return .complete(try choice(message, context)) }
    guard let credential else { preconditionFailure("a context has credentials") }
    let reply = try context.initiate(credential, target: target, message)
    isOver = false
    return .reply(reply)
  }

  /// The context, which is made for the first message.
  private func opened() throws(SASLError) -> GSSContext {
    if let context { return context }
    let library = try GSSLibrary.shared()
    let context = GSSContext(library)
    self.context = context
    credential = try GSSCredential(library, login, .initiate)
    target = try library.name(service.text, service.isPrincipal ? .principal : .hostBasedService)
    return context
  }

  /// Releases the objects of the library as soon as they are not needed, because the process can end at any time, and
  /// the library must not be used then.
  private func release() {
    context?.library.release(name: &target)
    context = nil
    credential = nil
  }

  /// Chooses no security layer, and requests the identity of the ticket.
  private func choice(_ message: [UInt8], _ context: GSSContext) throws(SASLError) -> [UInt8] {
    let offer = try context.unwrap(message)
    guard offer.count == 4 else { throw SASLError(.malformed, "the server's offer has not 4 bytes") }
    guard offer[0] & 1 != 0 else {
      throw SASLError(.unsupported, "the server demands that messages are sealed, which ZooKeeper never does")
    }
    return try context.wrap([1, 0, 0, 0] + Array(try context.initiator().utf8))
  }
}

/// The service that a client wants to reach.
package struct KerberosService: Hashable, Sendable {
  /// Its name as the library parses it.
  let text: String
  let isPrincipal: Bool

  /// The service `service` on `host`; the library finds the host's realm and, as krb5.conf says, its canonical name.
  package static func onHost(_ service: String, _ host: String) -> KerberosService {
    KerberosService(text: service + "@" + host, isPrincipal: false)
  }

  /// A principal, `service/host` with or without `@REALM`. Without one, the KDC of the client's realm is asked.
  package static func principal(_ name: String) -> KerberosService {
    KerberosService(text: name.contains("@") ? name : name + "@", isPrincipal: true)
  }
}

extension SASLError {
  /// The error for a token over the limit.
  static func tokenTooLong(_ lengthBytes: Int) -> SASLError {
    SASLError(.malformed, "a token of \(lengthBytes) bytes; \(GSSAPIClient.tokenLimitBytes) are allowed")
  }
}
