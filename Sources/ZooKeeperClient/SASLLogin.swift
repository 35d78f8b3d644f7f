internal import SASL

/// How a client proves its identity by SASL, on every connection before anything else is sent.
///
/// ```swift
/// var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: "zk1,zk2"))
/// configuration.sasl = .digest(user: "bob", password: password)
/// ```
public struct SASLLogin: Hashable, Sendable {
  /// The mechanism and what it needs.
  enum Method: Hashable, Sendable {
    case digest(user: String, password: String)
    case kerberos(KerberosLogin)
  }

  let method: Method
  /// The first part of the name of the servers' principals. Only for Kerberos.
  public var service = "zookeeper"
  /// The principal of all servers, `service/host` or `service/host@REALM`; nil makes it of `service` and the host that
  /// is connected to. Only for Kerberos.
  public var servicePrincipal: String?
  /// Whether the host in the principal is the one that the server's address belongs to by the DNS, and not the one in
  /// the connect string. Java's client does so too by default. Only for Kerberos.
  public var canonicalizesHostName = true

  /// The mechanism DIGEST-MD5: a user and a password that the servers know.
  public static func digest(user: String, password: String) -> SASLLogin {
    SASLLogin(method: .digest(user: user, password: password))
  }

  /// Kerberos, by the mechanism GSSAPI.
  ///
  /// MIT's library `libgssapi_krb5.so.2` is loaded for the first connection.
  ///
  /// - Parameters:
  ///   - principal: the client's name; nil for the default of the key table or cache.
  ///   - keytab: a file with the client's keys. Tickets are got with it whenever they are needed.
  ///   - ticketCache: a cache of tickets, such as that of `kinit`, if there is no key table; nil for the default one.
  public static func kerberos(
    principal: String? = nil, keytab: String? = nil, ticketCache: String? = nil
  ) -> SASLLogin {
    SASLLogin(method: .kerberos(KerberosLogin(principal: principal, keytab: keytab, ticketCache: ticketCache)))
  }
}

extension SASLLogin: CustomStringConvertible, CustomReflectable {
  /// The mechanism, without secrets.
  public var description: String {
    switch method {
    case .digest(let user, _): "DIGEST-MD5 as \(user)"
    case .kerberos(let login): "GSSAPI as \(login.principal ?? "the default principal")"
    }
  }

  /// Nothing but the description, so that no dump of a configuration shows a password.
  public var customMirror: Mirror { Mirror(self, children: ["login": description]) }
}
