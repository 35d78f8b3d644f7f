import LineEditor

/// Reads the settings from the tables of a configuration file, and refuses unknown keys.
struct ClusterFileReader {
  let path: String
  let home: String?
  let mayRunCommands: Bool

  /// The meaning of a key.
  private enum Meaning {
    /// The value of an option, as text.
    case option(OptionName, Form)
    case auth, sasl, tls, promptColor, protected, readOnly
  }

  /// The form of an option's value.
  private enum Form {
    case servers, duration, file, text, boolean
    case choice([String])
  }

  private static let keys: [(String, Meaning)] = [
    ("servers", .option(.server, .servers)), ("timeout", .option(.timeout, .duration)),
    ("connect-timeout", .option(.connectTimeout, .duration)),
    ("session-timeout", .option(.sessionTimeout, .duration)), ("tls", .tls), ("auth", .auth), ("sasl", .sasl),
    ("prompt-color", .promptColor), ("protected", .protected), ("read-only", .readOnly),
  ]

  private static let tlsKeys: [(String, Meaning)] = [
    ("enable", .option(.tls, .boolean)), ("cacert", .option(.cacert, .file)), ("cert", .option(.cert, .file)),
    ("key", .option(.key, .file)), ("key-password-file", .option(.keyPasswordFile, .file)),
    ("server-name", .option(.tlsServerName, .text)), ("insecure", .option(.insecure, .boolean)),
  ]

  private static let saslKeys: [(String, Meaning)] = [
    ("mechanism", .option(.sasl, .choice(["digest", "gssapi"]))), ("user", .option(.user, .text)),
    ("principal", .option(.principal, .text)), ("keytab", .option(.keytab, .file)),
    ("service", .option(.service, .text)),
  ]

  private static let secretKeys = ["password-file", "password-env", "password-command"]

  /// The colours of the prompt.
  static let colors: [(name: String, style: Prompt.Style)] = [
    ("red", .red), ("green", .green), ("yellow", .yellow), ("blue", .blue), ("magenta", .magenta), ("cyan", .cyan),
  ]

  /// Reads the root table.
  mutating func read(_ root: TOMLTable, into file: inout ClusterFile) throws(ShellError) {
    for entry in root.entries {
      switch entry.key {
      case "default":
        file.defaultName = ClusterFile.Setting(text: try string(entry), source: place(entry.line))
      case "clusters":
        for entry in try table(entry).entries { file.clusters.append(try cluster(entry)) }
      case "aliases":
        for entry in try table(entry).entries { file.aliases.append(try alias(entry)) }
      default: throw unknown(entry, ["default", "clusters", "aliases"])
      }
    }
    if let name = file.defaultName { _ = try file.cluster(name.text, from: name.source) }
  }

  private func cluster(_ entry: TOMLTable.Entry) throws(ShellError) -> ClusterFile.Cluster {
    let isName = entry.key.utf8.first.map { $0 != UInt8(ascii: "-") } ?? false
    guard isName, entry.key.unicodeScalars.allSatisfy({ Self.isOfName($0) }) else {
      throw mistake(entry, "the name of a cluster can contain only letters, digits and the characters . _ -")
    }
    var cluster = ClusterFile.Cluster(name: entry.key)
    let table = try table(entry)
    try read(table, Self.keys, into: &cluster)
    guard cluster.values[.server] != nil else {
      throw mistake(entry, "the cluster \(entry.key) has no servers")
    }
    return cluster
  }

  private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII
      && (Character(scalar).isLetter || Character(scalar).isNumber || "._-".unicodeScalars.contains(scalar))
  }

  private func read(
    _ table: TOMLTable, _ keys: [(String, Meaning)], into cluster: inout ClusterFile.Cluster
  ) throws(ShellError) {
    for entry in table.entries {
      guard let meaning = keys.first(where: { $0.0 == entry.key })?.1 else { throw unknown(entry, keys.map(\.0)) }
      switch meaning {
      case .option(let name, let form):
        cluster.values[name] = ClusterFile.Setting(
          text: try text(entry, form), source: "\(place(entry.line)) \(entry.key)")
      case .protected: cluster.isProtected = try boolean(entry)
      case .readOnly: cluster.isReadOnly = try boolean(entry)
      case .promptColor:
        let name = try choice(entry, Self.colors.map(\.name))
        cluster.promptColor = Self.colors.first { $0.name == name }?.style
      case .tls: try readTLS(entry, into: &cluster)
      case .auth: cluster.identities = try identities(entry)
      case .sasl: try readSASL(entry, into: &cluster)
      }
    }
  }

  private func readTLS(_ entry: TOMLTable.Entry, into cluster: inout ClusterFile.Cluster) throws(ShellError) {
    if case .boolean(let isOn) = entry.value.content {
      cluster.values[.tls] = ClusterFile.Setting(text: "\(isOn)", source: "\(place(entry.line)) tls")
      return
    }
    guard case .table(let table) = entry.value.content else { throw expected("true or a table", entry) }
    // Naming certificates implies TLS.
    cluster.values[.tls] = ClusterFile.Setting(text: "true", source: "\(place(entry.line)) tls")
    try read(table, Self.tlsKeys, into: &cluster)
    if cluster.values[.insecure]?.text == "true", cluster.values[.cacert] != nil {
      throw mistake(entry, "insecure and cacert contradict each other")
    }
  }

  private func readSASL(_ entry: TOMLTable.Entry, into cluster: inout ClusterFile.Cluster) throws(ShellError) {
    let (table, secret) = try separateSecret(try table(entry))
    try read(table, Self.saslKeys, into: &cluster)
    cluster.saslPassword = secret
    guard let mechanism = cluster.values[.sasl]?.text else { throw mistake(entry, "sasl needs a mechanism") }
    let foreign: [OptionName] = mechanism == "digest" ? [.principal, .keytab, .service] : [.user]
    for name in foreign where cluster.values[name] != nil {
      throw mistake(entry, "\(name.rawValue) cannot be combined with the mechanism \(mechanism)")
    }
    if mechanism == "digest", cluster.values[.user] == nil { throw mistake(entry, "the mechanism digest needs a user") }
    if mechanism != "digest", secret != nil {
      throw mistake(entry, "a password cannot be combined with the mechanism \(mechanism)")
    }
  }

  // MARK: Identities

  private func identities(_ entry: TOMLTable.Entry) throws(ShellError) -> [ShellSettings.Identity] {
    let tables: [(line: Int, table: TOMLTable)]
    switch entry.value.content {
    case .tables(let all): tables = all.map { ($0.line, $0) }
    case .array(let items):
      tables = try items.map { item throws(ShellError) in
        guard case .table(let table) = item.content else { throw expected("an array of tables", entry) }
        return (item.line, table)
      }
    default: throw expected("an array of tables", entry)
    }
    return try tables.map { line, table throws(ShellError) in
      let (rest, secret) = try separateSecret(table)
      var scheme = "digest"
      var user: String?
      for entry in rest.entries {
        switch entry.key {
        case "scheme": scheme = try string(entry)
        case "user": user = try string(entry)
        default: throw unknown(entry, ["scheme", "user"] + Self.secretKeys)
        }
      }
      guard scheme != "digest" || user != nil else {
        throw ShellError.usage("\(place(line)): an identity of the scheme digest needs a user")
      }
      return ShellSettings.Identity(scheme: scheme, secret: nil, user: user ?? "", reference: secret)
    }
  }

  /// Splits a table into its reference to a secret and the rest.
  private func separateSecret(_ table: TOMLTable) throws(ShellError) -> (TOMLTable, SecretReference?) {
    let rest = TOMLTable(line: table.line, .header)
    var secret: SecretReference?
    for entry in table.entries {
      if ["password", "secret"].contains(entry.key) {
        throw mistake(
          entry, "this file cannot contain passwords", hint: "use \(Self.secretKeys.joined(separator: ", "))"
        )
      }
      guard Self.secretKeys.contains(entry.key) else {
        rest.set(entry.key, to: entry.value, line: entry.line)
        continue
      }
      if secret != nil { throw mistake(entry, "there are two passwords: choose one") }
      let text = try string(entry)
      switch entry.key {
      case "password-file": secret = .file(expandingHome(text))
      case "password-env": secret = .variable(text)
      default:
        guard mayRunCommands else {
          throw mistake(
            entry, "other users can change this file, so its commands are not run", hint: "use chmod go-w")
        }
        secret = .command(text)
      }
    }
    return (rest, secret)
  }

  // MARK: Aliases

  private func alias(_ entry: TOMLTable.Entry) throws(ShellError) -> ClusterFile.Alias {
    let text = try string(entry)
    if CommandTable.find(entry.key) != nil { throw mistake(entry, "\(entry.key) is a command already") }
    guard !entry.key.isEmpty, !entry.key.hasPrefix("-"),
      case .words(let typed) = Tokenizer.tokenize(entry.key), typed.map(\.text) == [entry.key]
    else { throw mistake(entry, "\(Tokenizer.quote(entry.key)) cannot be typed as a command") }
    guard case .words(let words) = Tokenizer.tokenize(text), let command = words.first else {
      throw mistake(entry, "an alias is a command with arguments")
    }
    do throws(ShellError) {
      _ = try CommandTable.lookUp(command)
    } catch {
      throw mistake(entry, error.message, hint: error.hint)
    }
    return ClusterFile.Alias(name: entry.key, expansion: text)
  }

  // MARK: Values

  private func text(_ entry: TOMLTable.Entry, _ form: Form) throws(ShellError) -> String {
    switch form {
    case .text: return try string(entry)
    case .file: return expandingHome(try string(entry))
    case .boolean: return "\(try boolean(entry))"
    case .choice(let choices): return try choice(entry, choices)
    case .duration:
      let text = try string(entry)
      _ = try ValueParser.duration(Word(text), of: "\(place(entry.line)): \(entry.key)")
      return text
    case .servers:
      var text: String
      if case .array(let items) = entry.value.content {
        text = try items.map { item throws(ShellError) in
          try string(TOMLTable.Entry(key: entry.key, line: item.line, value: item))
        }.joined(separator: ",")
      } else {
        text = try string(entry)
      }
      _ = try ShellSettings.connectString(text, from: "\(place(entry.line)): servers")
      return text
    }
  }

  private func string(_ entry: TOMLTable.Entry) throws(ShellError) -> String {
    guard case .string(let text) = entry.value.content, !text.isEmpty else {
      throw expected("a text in quotes", entry)
    }
    return text
  }

  private func boolean(_ entry: TOMLTable.Entry) throws(ShellError) -> Bool {
    guard case .boolean(let value) = entry.value.content else { throw expected("true or false", entry) }
    return value
  }

  private func table(_ entry: TOMLTable.Entry) throws(ShellError) -> TOMLTable {
    guard case .table(let table) = entry.value.content else { throw expected("a table", entry) }
    return table
  }

  private func choice(_ entry: TOMLTable.Entry, _ choices: [String]) throws(ShellError) -> String {
    try ValueParser.choice(Word(try string(entry)), of: "\(place(entry.line)): \(entry.key)", among: choices)
  }

  /// The path of a file, with `~/` replaced by the home directory. Relative paths start at the directory of this file.
  private func expandingHome(_ name: String) -> String {
    if name.hasPrefix("~/"), let home { return home + name.dropFirst() }
    guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
    return String(path[...slash]) + name
  }

  // MARK: Mistakes

  private func place(_ line: Int) -> String { "\(path):\(line)" }

  private func mistake(_ entry: TOMLTable.Entry, _ reason: String, hint: String? = nil) -> ShellError {
    .usage("\(place(entry.line)): \(reason)", hint: hint ?? "see help clusters")
  }

  private func expected(_ kind: String, _ entry: TOMLTable.Entry) -> ShellError {
    let actual = if case .string("") = entry.value.content { "empty" } else { entry.value.kind }
    return mistake(entry, "\(entry.key) must be \(kind), and is \(actual)")
  }

  private func unknown(_ entry: TOMLTable.Entry, _ known: [String]) -> ShellError {
    let hint = Suggestions.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
    return mistake(
      entry, "unknown key \(Tokenizer.quote(entry.key))", hint: hint ?? "the keys are \(known.joined(separator: ", "))")
  }
}
