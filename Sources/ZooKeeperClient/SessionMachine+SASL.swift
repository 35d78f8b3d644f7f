import Jute
import ZooKeeperProtocol

/// Authentication by SASL, between the handshake and everything else.
///
/// ```
/// ConnectResponse ─→ authenticate ─token→ request 102 ─reply→ authenticate ─ … ─→ connected
/// ```
///
/// A failure ends the session, as in Apache's client: another connection would fail in the same way, and each attempt
/// may count as one against an account.
///
/// *Source*: `org.apache.zookeeper.client.ZooKeeperSaslClient`.
extension SessionMachine {
  /// What the mechanism has made of the server's token.
  enum SASLOutcome: Equatable {
    /// Send the token, and pass the reply to the mechanism.
    case reply([UInt8])
    /// The server has proved its identity. If there is a last token, the server may still refuse it.
    case complete([UInt8]?)
    /// The reason why the exchange has failed.
    case failed(String)
  }

  /// The state of an exchange.
  struct SASLState: Equatable {
    /// The request whose reply is expected; nil while the mechanism has the server's token.
    var xid: Xid?
    /// Whether the mechanism needs no further token.
    var isLast = false
    /// Whether the server has replied once.
    var hasReply = false
  }

  /// The longest token of a server that is passed to the mechanism, in bytes.
  static var saslTokenLimitBytes: Int { 256 << 10 }

  /// Begins the exchange on a new connection.
  mutating func beginSASL(readOnly: Bool, now: Int64, into actions: inout [Action]) {
    phase = .authenticating(readOnly: readOnly)
    sasl = SASLState()
    attemptDeadline = now + settings.authenticationMilliseconds
    actions.append(.authenticate(servers[serverIndex], attempt: attempt, token: nil))
  }

  /// Handles what the mechanism has made of a token.
  mutating func onSASL(attempt: Int, _ outcome: SASLOutcome, now: Int64, into actions: inout [Action]) {
    guard attempt == self.attempt, case .authenticating(let readOnly) = phase else { return }
    switch outcome {
    case .reply(let token): sendSASL(token)
    case .complete(let token?):
      sasl.isLast = true
      sendSASL(token)
    case .complete(nil): establish(readOnly: readOnly, now: now, into: &actions)
    case .failed(let reason): end(.saslFailed(reason), into: &actions)
    }
  }

  /// Handles a frame from the server during the exchange.
  ///
  /// - Throws: `JuteError` if it is not the reply that is expected.
  mutating func onSASLReply(
    _ header: ReplyHeader, _ reader: inout JuteReader, now: Int64, into actions: inout [Action]
  ) throws(JuteError) {
    guard case .authenticating(let readOnly) = phase, header.xid == sasl.xid else {
      throw JuteError(.unknownValue(Int(header.xid.rawValue)), offset: 0)
    }
    sasl.xid = nil
    guard header.error == .ok else {
      return end(.saslFailed("the server refuses the login (\(header.error.name))"), into: &actions)
    }
    let token = try SASLToken(from: &reader).token
    guard token?.count ?? 0 <= Self.saslTokenLimitBytes else {
      return end(.saslFailed("the server sent a token of \(token?.count ?? 0) bytes"), into: &actions)
    }
    if sasl.isLast { return establish(readOnly: readOnly, now: now, into: &actions) }
    guard let token else {
      let reason =
        sasl.hasReply
        ? "the server has not accepted the login, and would go on without it"
        : "the server does not use SASL"
      return end(.saslFailed(reason), into: &actions)
    }
    sasl.hasReply = true
    actions.append(.authenticate(servers[serverIndex], attempt: attempt, token: token))
  }

  private mutating func sendSASL(_ token: [UInt8]) {
    sasl.xid = nextXid
    nextXid = nextXid.next
    ClientRequest.sasl(SASLToken(token: token)).encodeFrame(xid: sasl.xid!, into: &outbound)
  }
}
