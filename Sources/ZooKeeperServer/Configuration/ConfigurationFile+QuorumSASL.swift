import SASL
import ZooKeeperProtocol

/// The keys about SASL between servers.
///
/// *Source*: `QuorumPeerConfig.parseProperties`, `QuorumAuth`, `SaslQuorumAuthServer`, `SaslQuorumAuthLearner`.
extension ConfigurationFile {
  /// The keys that have been read. They are interpreted together.
  struct QuorumSASLLines {
    /// `quorum.auth.enableSasl`, if it is true.
    var enabled: PropertiesText.Entry?
    var serverRequires: PropertiesText.Entry?
    var learnerRequires: PropertiesText.Entry?
    var serverSection = "QuorumServer"
    var learnerSection = "QuorumLearner"
    var servicePrincipal: PropertiesText.Entry?
  }

  /// Takes a key about SASL between servers.
  ///
  /// - Returns: whether it is one.
  mutating func takeQuorumSASL(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "quorum.auth.enableSasl":
      boolean(entry) { _, _ in }
      quorumSASL.enabled = isTrue(entry) ? entry : nil
    case "quorum.auth.serverRequireSasl":
      boolean(entry) { _, _ in }
      quorumSASL.serverRequires = isTrue(entry) ? entry : nil
    case "quorum.auth.learnerRequireSasl":
      boolean(entry) { _, _ in }
      quorumSASL.learnerRequires = isTrue(entry) ? entry : nil
    case "quorum.auth.server.saslLoginContext": quorumSASL.serverSection = entry.value
    case "quorum.auth.learner.saslLoginContext": quorumSASL.learnerSection = entry.value
    case "quorum.auth.kerberos.servicePrincipal": quorumSASL.servicePrincipal = entry
    default: return false
    }
    return true
  }

  private func isTrue(_ entry: PropertiesText.Entry) -> Bool { entry.value.lowercased() == "true" }

  /// Checks the keys together, and reads the two sections of the login configuration.
  mutating func checkQuorumSASL(_ login: LoginConfiguration?) {
    guard let enabled = quorumSASL.enabled else {
      for entry in [quorumSASL.serverRequires, quorumSASL.learnerRequires] {
        if let entry { fail(entry, "quorum.auth.enableSasl is not true, so \(entry.key) cannot be") }
      }
      if let entry = quorumSASL.servicePrincipal {
        warn(entry, "\(entry.key) has no effect without quorum.auth.enableSasl=true")
      }
      return
    }
    if let entry = quorumSASL.serverRequires, quorumSASL.learnerRequires == nil {
      fail(entry, "\(entry.key) is true, so quorum.auth.learnerRequireSasl must be true: servers log in to each other")
    }
    guard let file = sasl.file else {
      return fail(enabled, "quorum.auth.enableSasl needs java.security.auth.login.config, the file with its sections")
    }
    guard let login else { return }
    guard let server = section(quorumSASL.serverSection, of: login, enabled, file.value),
      let learner = section(quorumSASL.learnerSection, of: login, enabled, file.value),
      let accepting = serverMethod(server, file.value), let loggingIn = learnerMethod(learner, file.value)
    else { return }
    var authentication = ServerConfiguration.QuorumAuthentication(server: accepting, learner: loggingIn)
    authentication.isRequiredOfOthers = quorumSASL.serverRequires != nil
    authentication.logsIn = quorumSASL.learnerRequires != nil
    if let principal = quorumSASL.servicePrincipal?.value { authentication.servicePrincipal = principal }
    configuration.quorumAuthentication = authentication
  }

  private mutating func section(
    _ name: String, of login: LoginConfiguration, _ entry: PropertiesText.Entry, _ file: String
  ) -> LoginConfiguration.Section? {
    let section = login.section(name)
    if section == nil { fail(entry, "\(file) has no section \(name), which \(entry.key) needs") }
    return section
  }

  /// How this server logs in to others.
  private mutating func learnerMethod(_ section: LoginConfiguration.Section, _ file: String) -> LoginMethod? {
    do throws(LoginConfigurationError) {
      let method = try LoginMethod(section)
      if case .digest(let login) = method, login.username == nil || login.password == nil {
        throw LoginConfigurationError(
          line: section.line, reason: "the section \(section.name) has no username and password")
      }
      return method
    } catch {
      problems.append(ConfigurationProblem(file: file, line: error.line, message: error.reason))
      return nil
    }
  }
}
