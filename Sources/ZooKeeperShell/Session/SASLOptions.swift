import SASL
import ZooKeeperClient
import ZooKeeperProtocol

/// The login by SASL, as given by options, the environment and Java's properties.
struct SASLOptions: Sendable {
  /// The mechanism.
  enum Mechanism: Sendable {
    /// DIGEST-MD5; if the password is nil, it is read from `passwordReference`, or the user is asked for it.
    case digest(user: String, password: String?)
    case kerberos(KerberosLogin)
  }

  var mechanism: Mechanism
  var service = "zookeeper"
  var passwordReference: SecretReference?
  var servicePrincipal: String?
  var canonicalizesHostName = true

  /// The login for the client library.
  ///
  /// - Returns: nil if the password is not known yet.
  var login: SASLLogin? {
    var login: SASLLogin
    switch mechanism {
    case .digest(_, nil): return nil
    case .digest(let user, let password?): login = .digest(user: user, password: password)
    case .kerberos(let options):
      login = .kerberos(principal: options.principal, keytab: options.keytab, ticketCache: options.ticketCache)
    }
    login.service = service
    login.servicePrincipal = servicePrincipal
    login.canonicalizesHostName = canonicalizesHostName
    return login
  }
}

/// The options and variables about SASL.
extension ShellSettings {
  private static let mechanisms = ["digest", "gssapi"]

  /// Reads `--sasl` and its options, or their variables.
  ///
  /// - Throws: a usage error if an option is missing or belongs to another mechanism; exit code 12 for a file that
  ///   cannot be read.
  mutating func readSASL(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, _ chosen: ClusterFile.Cluster? = nil
  ) throws(ShellError) {
    let isChosenHere = options[.sasl] != nil || environment.value("ZKCLI_SASL") != nil
    let cluster = isChosenHere ? nil : chosen
    func text(_ name: OptionName, _ variable: String) throws(ShellError) -> String? {
      if let word = options[name]?.last { return try ValueParser.text(word, of: "--\(name.rawValue)") }
      return environment.value(variable) ?? cluster?.values[name]?.text
    }
    let mechanism: String
    if let word = options[.sasl]?.last {
      mechanism = try ValueParser.choice(word, of: "--sasl", among: Self.mechanisms)
    } else if let value = environment.value("ZKCLI_SASL") {
      mechanism = try ValueParser.choice(Word(value), of: "$ZKCLI_SASL", among: Self.mechanisms)
    } else if let setting = cluster?.values[.sasl] {
      mechanism = setting.text
    } else {
      for name in [OptionName.user, .passwordFile, .principal, .keytab, .service] where options[name] != nil {
        throw .usage("--\(name.rawValue) belongs to --sasl, which is missing", hint: "help sasl has examples")
      }
      return
    }
    let foreign: [OptionName] = mechanism == "digest" ? [.principal, .keytab, .service] : [.user, .passwordFile]
    for name in foreign where options[name] != nil {
      throw .usage("--\(name.rawValue) does not belong to --sasl \(mechanism)", hint: "help sasl has examples")
    }
    if mechanism == "digest" {
      guard let user = try text(.user, "ZKCLI_USER") else {
        throw .usage(
          "--sasl digest needs --user",
          hint: "the password is read from --password-file, or zkcli asks for it")
      }
      let password = try text(.passwordFile, "ZKCLI_PASSWORD_FILE").map { (path) throws(ShellError) in
        try readPassword(path)
      }
      sasl = SASLOptions(mechanism: .digest(user: user, password: password))
      sasl?.passwordReference = cluster?.saslPassword
    } else {
      let login = KerberosLogin(
        principal: try text(.principal, "ZKCLI_PRINCIPAL"), keytab: try text(.keytab, "ZKCLI_KEYTAB"))
      sasl = SASLOptions(mechanism: .kerberos(login))
      if let service = try text(.service, "ZKCLI_SERVICE") {
        if service.contains("/") { sasl?.servicePrincipal = service } else { sasl?.service = service }
      }
    }
    let source = options[.sasl] != nil ? "--sasl" : cluster?.values[.sasl]?.source ?? "$ZKCLI_SASL"
    remarks.append("SASL \(mechanism) from \(source)")
  }

  /// The first line of a file, which is a password.
  private mutating func readPassword(_ path: String) throws(ShellError) -> String {
    let (bytes, warning) = try FileIO.readSecret(path)
    if let warning { warnings.append(warning) }
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return try Self.password(Array(line), from: path)
  }

  /// A password as text.
  ///
  /// - Throws: a usage error if it is not UTF-8, or empty.
  static func password(_ bytes: [UInt8], from source: String) throws(ShellError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
      throw .usage("\(source): the password is empty, or not valid UTF-8")
    }
    return text
  }
}

/// Java's properties about SASL, as far as they have been read.
struct JavaSASL: Sendable {
  /// The login configuration, and where it was given.
  var file: (path: String, source: String)?
  var isOff = false
  var section: String?
  var user: String?
  var principal: String?
  var realm: String?
  var canonicalizes = true

  /// Applies a property.
  ///
  /// - Returns: whether it concerns SASL.
  mutating func take(_ key: String, _ value: String, from source: String) -> Bool {
    let given = value.isEmpty ? nil : value
    switch key {
    case "java.security.auth.login.config": file = given.map { ($0, source) }
    case "zookeeper.sasl.client": isOff = value.lowercased() == "false"
    case "zookeeper.sasl.clientconfig": section = given
    case "zookeeper.sasl.client.username": user = given
    case "zookeeper.server.principal": principal = given
    case "zookeeper.server.realm": realm = given
    case "zookeeper.sasl.client.canonicalize.hostname": canonicalizes = value.lowercased() == "true"
    case "zookeeper.sasl.client.allowReverseDnsLookup": break
    default: return false
    }
    return true
  }

  /// The login that the properties ask for; nil if they do not ask for SASL.
  ///
  /// Apache's client continues without SASL if it does not find its section; here that is an error.
  ///
  /// - Throws: a usage error if the file cannot be used; exit code 12 if it cannot be read.
  func options(warnings: inout [String]) throws(ShellError) -> SASLOptions? {
    if isOff { return nil }
    guard let file else {
      guard let section else { return nil }
      throw .usage("zookeeper.sasl.clientconfig names the section \(section), but no login configuration is given")
    }
    let (bytes, warning) = try FileIO.readSecret(file.path)
    let method: LoginMethod
    do throws(LoginConfigurationError) {
      let configuration = try LoginConfiguration(parsing: bytes)
      let name = section ?? "Client"
      guard let section = configuration.section(name) else {
        throw LoginConfigurationError(line: nil, reason: "there is no section \(name)")
      }
      method = try LoginMethod(section)
    } catch {
      throw .usage(
        "\(file.path)\(error.line.map { ":\($0)" } ?? ""): \(error.reason)",
        hint: "\(file.source) names the file; -Dzookeeper.sasl.client=false connects without SASL")
    }
    var options: SASLOptions
    switch method {
    case .digest(let login):
      guard let user = login.username, let password = login.password else {
        throw .usage("\(file.path): the section has no username and password")
      }
      if let warning { warnings.append(warning) }
      options = SASLOptions(mechanism: .digest(user: user, password: password))
    case .kerberos(let login): options = SASLOptions(mechanism: .kerberos(login))
    }
    if let user { options.service = user }
    options.canonicalizesHostName = canonicalizes
    options.servicePrincipal = principal.map { $0.contains("@") ? $0 : $0 + (realm.map { "@" + $0 } ?? "") }
    return options
  }
}
