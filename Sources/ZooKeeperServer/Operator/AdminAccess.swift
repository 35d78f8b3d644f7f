import Logging
import NIOHTTP1
import ServerCore
import TransportSecurity

/// Checks the permission for commands of the AdminServer that concern all znodes.
///
/// They require all permissions on the root.
///
/// *Source*: `org.apache.zookeeper.server.admin.Commands.runCommand`; `ClientProtocol` 7.2.
///
/// *Thread*: the event loop.
final class AdminAccess: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private let identity: CertificateIdentity
  private let clients: ClientListener
  private let logger: Logger

  init(_ configuration: ServerConfiguration, _ clients: ClientListener, logger: Logger) {
    identity = configuration.features.x509Identity
    self.clients = clients
    self.logger = logger
  }

  /// Why a command is not carried out; nil if it may be. The statuses are those of Apache's server.
  ///
  /// - Parameters:
  ///   - command: the name with which it was asked for.
  ///   - danger: what an ACL that is open to everybody permits with it, for a warning.
  func refusal(of question: HTTPQuestion, _ command: String, danger: String) -> HTTPAnswer? {
    guard clients.served.audience == .everybody else { return .failure(.ok, AdminCommands.notServing, command) }
    let credentials = OperatorCredentials(
      authorization: question.authorization, address: question.address,
      certificateSubject: question.certificate.map(identity.identity(of:)))
    switch clients.served.core.authorizeOperator(credentials) {
    case .lacksCredentials: return .failure(.unauthorized, "Auth info is missing for the command", command)
    case .notAuthenticated: return deny(question, .unauthorized, "Not authenticated", command)
    case .notAuthorized: return deny(question, .forbidden, "Not authorized", command)
    case .allowed: return nil
    case .allowedToEverybody:
      logger.warning(
        "the ACL of / lets everybody who reaches the AdminServer \(danger)",
        metadata: ["client": "\(question.address)"])
      return nil
    }
  }

  private func deny(
    _ question: HTTPQuestion, _ status: HTTPResponseStatus, _ reason: String, _ command: String
  ) -> HTTPAnswer {
    logger.warning(
      "a command of the AdminServer was refused to a client",
      metadata: ["command": "\(command)", "client": "\(question.address)", "reason": "\(reason)"])
    return .failure(status, reason, command)
  }
}

extension HTTPAnswer {
  /// An answer that a command was not carried out.
  static func failure(_ status: HTTPResponseStatus, _ reason: String, _ command: String) -> HTTPAnswer {
    var answer = HTTPAnswer.json(AdminCommands.text(command, error: reason))
    answer.status = status
    return answer
  }
}
