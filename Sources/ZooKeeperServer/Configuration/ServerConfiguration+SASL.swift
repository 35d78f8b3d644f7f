import SASL
import ServerCore

extension ServerConfiguration {
  /// How clients log in by SASL.
  package struct SASLLogin: Hashable, Sendable {
    /// The mechanism and its secrets.
    var method: LoginMethod
    /// Which parts of a principal's name become the identity.
    var names = KerberosNameRules()
    var settings = SASLSettings()
    /// `SASLAuthenticationProvider.superPassword`: that of the user `super`, in place of the one in the file.
    var superPassword: String?

    /// The password of a user; nil if there is no such user.
    func password(of user: String) -> String? {
      guard case .digest(let login) = method, let password = login.users[user] else { return nil }
      return user == "super" ? superPassword ?? password : password
    }
  }

  /// How members of an ensemble authenticate to each other, as `quorum.auth.*` says.
  package struct QuorumAuthentication: Hashable, Sendable {
    /// How this server accepts others.
    var server: LoginMethod
    /// How this server logs in to others.
    var learner: LoginMethod
    /// `quorum.auth.serverRequireSasl`: connections of others who do not log in are closed.
    var isRequiredOfOthers = false
    /// `quorum.auth.learnerRequireSasl`: this server logs in to others, and does not go on if it cannot.
    var logsIn = false
    /// `quorum.auth.kerberos.servicePrincipal`; `_HOST` is the host of the other server.
    var servicePrincipal = "zkquorum/localhost"

    /// The principal of the server on `host`.
    func principal(of host: String) -> String {
      let parts = servicePrincipal.split(separator: "/", omittingEmptySubsequences: false)
      return parts.count == 2 && parts[1] == "_HOST" ? "\(parts[0])/\(host.lowercased())" : servicePrincipal
    }
  }
}
