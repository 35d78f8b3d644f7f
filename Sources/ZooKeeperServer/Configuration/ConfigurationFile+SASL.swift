import SASL
import ServerCore
import ZooKeeperProtocol

/// The keys about SASL between clients and server.
///
/// *Source*: `ServerCnxnFactory.configureSaslLogin`, `ZooKeeperSaslServer`, `SaslServerCallbackHandler`,
/// `AuthenticationHelper`, `KerberosName`.
extension ConfigurationFile {
  /// The keys about SASL that have been read. They are interpreted together.
  struct SASLLines {
    var file: PropertiesText.Entry?
    var section: PropertiesText.Entry?
    var settings = SASLSettings()
    var names = KerberosNameRules()
    var superPassword: String?
    /// The first line that makes no sense unless clients can log in.
    var needsLogin: PropertiesText.Entry?
    /// The line that refuses clients which have not logged in.
    var requiresLogin: PropertiesText.Entry?
  }

  /// Takes a key about SASL.
  ///
  /// - Returns: whether it is one.
  mutating func takeSASL(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "java.security.auth.login.config": sasl.file = entry.value.isEmpty ? nil : entry
    case "sasl.serverconfig": sasl.section = entry.value.isEmpty ? nil : entry
    case "superUser": addSuperUser(entry)
    case let key where key.hasPrefix("superUser."): addSuperUser(entry)
    case "letAnySaslUserDoX":
      sasl.settings.idOfEveryone = entry.value.isEmpty ? nil : entry.value
      need(entry)
    case "SASLAuthenticationProvider.superPassword":
      sasl.superPassword = entry.value.isEmpty ? nil : entry.value
      need(entry)
    case "allowSaslFailedClients": sasl.settings.keepsFailedClients = flag(entry, needsLogin: false)
    case "kerberos.removeHostFromPrincipal": sasl.names.removesHost = flag(entry)
    case "kerberos.removeRealmFromPrincipal": sasl.names.removesRealm = flag(entry)
    case "sessionRequireClientSASLAuth": if flag(entry) { sasl.requiresLogin = entry }
    case "requireClientAuthScheme": takeRequiredScheme(entry)
    case "security.auth_to_local": takeNameRules(entry)
    case "jaasLoginRenew": need(entry)
    case "kerberos.canonicalizeHostNames":
      if entry.value.lowercased() == "true" {
        fail(entry, "\(entry.key) is not supported: name the servers in server.N by the names of their principals")
      }
    // Tickets are requested when they are needed.
    case "requireKerberosConfig", "kinit", "kinit.command", "kerberos.minReLoginTimeMs": break
    // A client's properties, which an environment for both may contain.
    case let key where key.hasPrefix("sasl.client"): break
    case let key where key == "authProvider" || key.hasPrefix("authProvider."):
      guard entry.value.split(separator: ".").last == "SASLAuthenticationProvider" else { return false }
      need(entry)
    default: return false
    }
    return true
  }

  private mutating func takeNameRules(_ entry: PropertiesText.Entry) {
    do throws(AuthToLocalFault) {
      sasl.names.shortNames = try AuthToLocalRules(parsing: entry.value)
      if sasl.names.shortNames != AuthToLocalRules() { need(entry) }
    } catch {
      fail(entry, "\(entry.key): \(error.reason)")
    }
  }

  /// Takes `requireClientAuthScheme`, which Apache's guides name, and its servers ignore. Here it has its effect.
  private mutating func takeRequiredScheme(_ entry: PropertiesText.Entry) {
    switch entry.value.lowercased() {
    case "", "none": break
    case "sasl":
      sasl.requiresLogin = entry
      need(entry)
    default: fail(entry, "requireClientAuthScheme must be sasl or none, not \"\(entry.value)\"")
    }
  }

  private mutating func addSuperUser(_ entry: PropertiesText.Entry) {
    guard !entry.value.isEmpty else { return }
    sasl.settings.superUsers.insert(entry.value)
    need(entry)
  }

  private mutating func need(_ entry: PropertiesText.Entry) { sasl.needsLogin = sasl.needsLogin ?? entry }

  /// Whether an entry is true, which makes no sense unless clients can log in.
  private mutating func flag(_ entry: PropertiesText.Entry, needsLogin: Bool = true) -> Bool {
    var isTrue = false
    systemBoolean(entry) { isTrue = $1 }
    if isTrue, needsLogin { need(entry) }
    return isTrue
  }

  /// Reads the section for clients of the login configuration, and applies the keys about it.
  mutating func checkSASL(_ login: LoginConfiguration?) {
    if let requiring = sasl.requiresLogin {
      if seen.enforcesAuthentication?.value.lowercased() == "true" {
        warn(requiring, "enforce.auth.schemes has no effect beside \(requiring.key)")
      }
      configuration.features.requiredSchemes = ["sasl"]
    }
    guard let file = sasl.file else {
      if let entry = sasl.needsLogin ?? sasl.section {
        fail(entry, "\(entry.key) needs java.security.auth.login.config, the file with a section for clients")
      }
      return
    }
    guard let login else { return }
    let name = sasl.section?.value ?? "Server"
    guard let section = login.section(name) else {
      let message = "\(file.value) has no section \(name), so that clients cannot log in"
      // The file may be for the connections between servers only.
      if let entry = sasl.section ?? sasl.needsLogin {
        fail(entry, message)
      } else if quorumSASL.enabled == nil {
        warn(file, message)
      }
      return
    }
    guard let method = serverMethod(section, file.value) else { return }
    configuration.sasl = ServerConfiguration.SASLLogin(
      method: method, names: sasl.names, settings: sasl.settings, superPassword: sasl.superPassword)
  }

  /// The login configuration, if one is named.
  ///
  /// - Returns: nil if it cannot be used; the problem is recorded.
  mutating func readLogins() -> LoginConfiguration? {
    guard let entry = sasl.file else { return nil }
    guard let text = readBytes(entry.value) else {
      fail(entry, "the login configuration \(entry.value) cannot be read")
      return nil
    }
    do throws(LoginConfigurationError) { return try LoginConfiguration(parsing: text) } catch {
      problems.append(ConfigurationProblem(file: entry.value, line: error.line, message: error.reason))
      return nil
    }
  }

  /// What a section says, if the server can log in with it.
  mutating func serverMethod(_ section: LoginConfiguration.Section, _ file: String) -> LoginMethod? {
    let method: LoginMethod
    do throws(LoginConfigurationError) { method = try LoginMethod(section) } catch {
      problems.append(ConfigurationProblem(file: file, line: error.line, message: error.reason))
      return nil
    }
    switch method {
    case .digest(let login) where login.users.isEmpty:
      return refuse(section, file, "the section \(section.name) has no user: name one as user_NAME=\"password\"")
    case .kerberos(let login):
      guard let keytab = login.keytab, let principal = login.principal else {
        return refuse(
          section, file,
          "the section \(section.name) needs useKeyTab=true, keyTab and principal: a server has no tickets")
      }
      guard readBytes(keytab) != nil else {
        return refuse(section, file, "the key table \(keytab) cannot be read")
      }
      guard let name = KerberosName(parsing: principal), name.host != nil || name.service.contains("/") else {
        return refuse(section, file, "the principal \(principal) is not of the form service/host@REALM")
      }
    default: break
    }
    return method
  }

  private mutating func refuse(
    _ section: LoginConfiguration.Section, _ file: String, _ message: String
  ) -> LoginMethod? {
    problems.append(ConfigurationProblem(file: file, line: section.line, message: message))
    return nil
  }
}
