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
}
