package import SASL

/// The server's side of the mechanism GSSAPI, with Kerberos 5.
///
/// *Source*: RFC 4752, section 3.2; `com.sun.security.sasl.gsskerb.GssKrb5Server`.
///
/// *Thread*: one at a time, which may block: steps read and write files.
package final class GSSAPIServer: @unchecked Sendable {
  // @unchecked: the owner makes no two calls at the same time.

  private enum State {
    case opening
    /// The context is open, and the client's last token of it was answered with the server's.
    case open
    /// The layers were offered.
    case offered
    case ended
  }

  private let login: KerberosLogin
  private var credential: GSSCredential?
  private var context: GSSContext?
  private var state = State.opening
  /// The principal that has proved its identity; nil before the end.
  package private(set) var principal: String?
  /// The principal that the client asks to act as; nil before the end.
  package private(set) var authorizationID: String?

  package init(_ login: KerberosLogin) { self.login = login }

  /// Handles a message of the client.
  ///
  /// - Throws: the reason why the exchange has failed.
  package func step(_ message: [UInt8]) throws(SASLError) -> SASLStep {
    let before = state
    state = .ended
    defer { if case .ended = state { release() } }
    guard message.count <= GSSAPIClient.tokenLimitBytes else { throw .tokenTooLong(message.count) }
    switch before {
    case .opening:
      let context = try opened()
      guard let credential else { preconditionFailure("a context has credentials") }
      let reply = try context.accept(credential, message)
      if context.isOpen, reply.isEmpty { return .reply(try offer(context)) }
      state = context.isOpen ? .open : .opening
      return .reply(reply)
    case .open:
      guard let context, message.isEmpty else {
        throw SASLError(.malformed, "the client sent a token after the context was open")
      }
      return .reply(try offer(context))
    case .offered:
      guard let context else { preconditionFailure("layers were offered in a context") }
      let choice = try context.unwrap(message)
      guard choice.count >= 4 else { throw SASLError(.malformed, "the client's choice has less than 4 bytes") }
      guard choice[0] == 1 else {
        throw SASLError(.unsupported, "the client asks for sealed messages, which ZooKeeper never has")
      }
      let initiator = try context.initiator()
      authorizationID = choice.count > 4 ? String(validating: choice[4...], as: UTF8.self) : initiator
      principal = initiator
      return .complete(nil)
    case .ended: throw SASLError(.outOfOrder, "the client sent a message after the end of the exchange")
    }
  }

  /// The context, which is made for the first message.
  private func opened() throws(SASLError) -> GSSContext {
    if let context { return context }
    let library = try GSSLibrary.shared()
    let context = GSSContext(library)
    self.context = context
    credential = try GSSCredential(library, login, .accept)
    return context
  }

  /// Releases the objects of the library as soon as they are not needed.
  private func release() {
    context = nil
    credential = nil
  }

  /// Offers no security layer but none, so that the largest message is 0 bytes.
  private func offer(_ context: GSSContext) throws(SASLError) -> [UInt8] {
    state = .offered
    return try context.wrap([1, 0, 0, 0])
  }
}
