/// How one side of an exchange logs in, as a section of a login configuration says.
package enum LoginMethod: Hashable, Sendable {
  /// DIGEST-MD5.
  case digest(DigestLogin)
  /// Kerberos, by GSSAPI.
  case kerberos(KerberosLogin)

  /// The method of the first supported module of `section`.
  ///
  /// - Throws: the reason why the section cannot be used, with the line.
  package init(_ section: LoginConfiguration.Section) throws(LoginConfigurationError) {
    guard let module = section.modules.first else {
      throw LoginConfigurationError(line: section.line, reason: "the section \(section.name) has no login module")
    }
    guard section.modules.count == 1 else {
      throw LoginConfigurationError(
        line: section.modules[1].line, reason: "the section \(section.name) has several login modules; leave one")
    }
    switch module.className {
    case "org.apache.zookeeper.server.auth.DigestLoginModule": self = .digest(DigestLogin(module))
    case "com.sun.security.auth.module.Krb5LoginModule": self = .kerberos(try KerberosLogin(module))
    default:
      throw LoginConfigurationError(
        line: module.line,
        reason: "the login module \(module.className) is not supported; there are "
          + "org.apache.zookeeper.server.auth.DigestLoginModule and com.sun.security.auth.module.Krb5LoginModule")
    }
  }
}

/// The options of `DigestLoginModule`.
package struct DigestLogin: Hashable, Sendable {
  /// The client's user, and the password.
  package var username: String?
  package var password: String?
  /// The passwords of a server's users.
  package var users: [String: String] = [:]

  init(_ module: LoginConfiguration.Module) {
    username = module["username"]
    password = module["password"]
    for option in module.options where option.key.hasPrefix("user_") {
      users[String(option.key.dropFirst("user_".count))] = option.value
    }
  }

  package init(username: String, password: String) {
    self.username = username
    self.password = password
  }

  package init(users: [String: String]) { self.users = users }
}

/// The options of `Krb5LoginModule`.
package struct KerberosLogin: Hashable, Sendable {
  /// nil for the default of the cache or key table.
  package var principal: String?
  /// The file with the keys; nil if a cache of tickets is used instead.
  package var keytab: String?
  /// The cache with the tickets of `kinit`; nil for the default cache. A key table takes precedence.
  package var ticketCache: String?

  package init(principal: String? = nil, keytab: String? = nil, ticketCache: String? = nil) {
    self.principal = principal
    self.keytab = keytab
    self.ticketCache = ticketCache
  }

  init(_ module: LoginConfiguration.Module) throws(LoginConfigurationError) {
    principal = module["principal"]
    if Self.isOn(module["useKeyTab"]) {
      guard let path = module["keyTab"] else {
        throw LoginConfigurationError(line: module.line, reason: "useKeyTab is true, and keyTab is missing")
      }
      guard principal != nil else {
        throw LoginConfigurationError(line: module.line, reason: "useKeyTab is true, and principal is missing")
      }
      keytab = Self.path(path)
    } else if Self.isOn(module["useTicketCache"]) {
      ticketCache = module["ticketCache"].map(Self.path)
    } else {
      throw LoginConfigurationError(
        line: module.line,
        reason: "neither useKeyTab nor useTicketCache is true, so that there is nothing to log in with")
    }
  }

  private static func isOn(_ value: String?) -> Bool { value?.lowercased() == "true" }

  /// Java accepts a path as a URL too.
  private static func path(_ text: String) -> String {
    for prefix in ["file://", "file:", "FILE:"] where text.hasPrefix(prefix) {
      return String(text.dropFirst(prefix.count))
    }
    return text
  }
}
