import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

/// The settings of a run of the shell. Options take precedence over the environment, and that over built-in values.
struct ShellSettings: Sendable {
  var connectString: ConnectString
  /// nil chooses by the mode: it is short for a single command, which closes its session anyway.
  var sessionTimeout: Duration?
  var connectTimeout: Duration = .seconds(5)
  var timeLimit: Duration = .seconds(10)
  /// Whether the time limit was given by the user, so that it applies to waiting for events too.
  var limitsWaiting = false
  var allowsReadOnly = false
  var waitsForConnection = false
  var identities: [Identity] = []
  /// The cluster that determines the servers; nil if they were given by their addresses.
  var cluster: NamedCluster?
  /// Why the requested cluster cannot be used, so that no session is opened.
  var clusterMistake: ShellError?
  var tls = TLSChoice()
  /// How the client logs in by SASL; nil if it does not.
  var sasl: SASLOptions?
  /// The properties of Java about SASL.
  var javaSASL = JavaSASL()
  /// The inputs of these settings.
  var origin = Origin()
  var format = OutputFormat.text
  var isQuiet = false
  var isVerbose = false
  /// How lines are read and answers are written.
  var dialect: any Dialect = NativeDialect()
  var keepsGoing = false
  /// The maximum number of writes of a script that are sent together.
  var pipelineCount = 1
  var keepsHistory = true
  /// Whether long answers are shown in a pager.
  var usesPager = true
  var colorWhen = "auto"
  var maximumFrameBytes = 0xfffff
  /// A file of commands; `-` is stdin.
  var script: String?
  /// Warnings about the settings.
  var warnings: [String] = []
  var remarks: [String] = []

  /// All messages to print first.
  var notes: Rendered {
    var renderer = Renderer(renderContext)
    return (remarks.map(CommandResult.remark) + warnings.map(CommandResult.warning))
      .reduce(Rendered()) { $0 + renderer.emit($1) }
  }

  /// The context for rendering messages outside a session.
  var renderContext: RenderContext { RenderContext(format: format, isVerbose: isVerbose, isQuiet: isQuiet) }

  /// An identity to authenticate with on every connection.
  struct Identity: Hashable, Sendable {
    var scheme: String
    /// nil to ask the user for it.
    var secret: [UInt8]?
    /// The user's name, which is known when the secret is asked for.
    var user = ""
    /// The reference to the secret, if it was not given.
    var reference: SecretReference?
  }

  /// The servers of a command line that names none.
  static let defaultServer = "localhost:2181"

  /// Reads the options of the program from the whole command line.
  ///
  /// - Parameter clusterSource: where the cluster was named; nil for the option.
  /// - Throws: a usage error for an invalid value; exit code 12 for a file that cannot be read.
  init(
    _ options: [OptionName: [Word]], environment: ShellEnvironment, dialect: any Dialect = NativeDialect(),
    clusterSource: String? = nil
  ) throws(ShellError) {
    connectString = ConnectString(servers: [])
    self.dialect = dialect
    let chosen = try chooseCluster(options, environment, from: clusterSource)
    try readConnection(options, environment, chosen)
    if dialect.readsJavaEnvironment {
      try apply(
        JavaEnvironment(JavaEnvironment.clientVariables, of: environment, readFile: JavaEnvironment.read))
    }
    try readLimits(options, environment, chosen)
    try readIdentities(options, environment)
    if identities.isEmpty { identities = chosen?.identities ?? [] }
    try readOutput(options, environment)
    if let file = options[.clientConfiguration]?.last {
      try apply(JavaProperties(file: try ValueParser.text(file, of: "--client-configuration")))
    }
    try tls.read(options, environment, chosen?.values ?? [:])
    if connectString.requiresTLS { tls.isWanted = true }
    connectString.requiresTLS = tls.isWanted
    warnings += tls.warnings
    try readSASL(options, environment, chosen)
    if sasl == nil { sasl = try javaSASL.options(warnings: &warnings) }
  }

  /// The same settings with the options on one line of a script or of the interactive shell.
  ///
  /// - Throws: a usage error for an invalid value.
  func applying(_ invocation: Invocation) throws(ShellError) -> ShellSettings {
    var settings = self
    let options = invocation.globals
    if let word = options[.timeout]?.last {
      settings.timeLimit = try ValueParser.duration(word, of: "--timeout")
      settings.limitsWaiting = true
    }
    if let word = options[.output]?.last { settings.format = try Self.format(word, of: "--output") }
    if options[.quiet] != nil { settings.isQuiet = true }
    if options[.noPager] != nil { settings.usesPager = false }
    if options[.verbose] != nil { settings.isVerbose = true }
    return settings
  }

  private static func format(_ word: Word, of name: String) throws(ShellError) -> OutputFormat {
    OutputFormat(rawValue: try ValueParser.choice(word, of: name, among: OutputFormat.allCases.map(\.rawValue)))!
  }

  private mutating func readOutput(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment
  ) throws(ShellError) {
    if let word = options[.output]?.last {
      format = try Self.format(word, of: "--output")
    } else if let value = environment.value("ZKCLI_OUTPUT") {
      format = try Self.format(Word(value), of: "$ZKCLI_OUTPUT")
    }
    if let word = options[.color]?.last {
      colorWhen = try ValueParser.choice(word, of: "--color", among: ["auto", "always", "never"])
    }
    isQuiet = options[.quiet] != nil
    isVerbose = options[.verbose] != nil
    keepsGoing = options[.keepGoing] != nil
    if let word = options[.pipeline]?.last {
      let count = Int(try ValueParser.integer(word, of: "--pipeline", in: 1...100_000))
      if dialect.pipelinesWrites { pipelineCount = count }
    }
    keepsHistory = options[.noHistory] == nil
    usesPager = options[.noPager] == nil
    if let word = options[.script]?.last { script = try ValueParser.text(word, of: "--script") }
  }

  private mutating func readConnection(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, _ chosen: ClusterFile.Cluster?
  ) throws(ShellError) {
    var text = Self.defaultServer
    var source = "the built-in default"
    if let word = options[.server]?.last {
      text = try ValueParser.text(word, of: "--server")
      source = "--server"
    } else if let setting = chosen?.values[.server] {
      (text, source) = (setting.text, setting.source)
    } else {
      for name in ["ZKCLI_SERVER", "ZOOKEEPER_SERVERS", "ZK_HOSTS"] {
        guard let value = environment.value(name) else { continue }
        text = value
        source = "$\(name)"
        break
      }
    }
    connectString = try Self.connectString(text, from: source)
    remarks.append("servers \(connectString) from \(source)")
    allowsReadOnly = options[.readOnly] != nil
    waitsForConnection = options[.waitForConnection] != nil
  }

  /// Reads a connect string.
  ///
  /// - Throws: a usage error that names the source of the text.
  static func connectString(_ text: String, from source: String) throws(ShellError) -> ConnectString {
    do throws(ConnectStringError) {
      return try ConnectString(parsing: text)
    } catch {
      throw .usage(
        "\(source) \(Tokenizer.quote(error.text)) is not a list of servers: \(error.reason)",
        hint: "write it as host:port,host:port/chroot")
    }
  }

  private mutating func readLimits(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, _ chosen: ClusterFile.Cluster?
  ) throws(ShellError) {
    func duration(_ name: OptionName, _ variable: String) throws(ShellError) -> Duration? {
      if let word = options[name]?.last { return try ValueParser.duration(word, of: "--\(name.rawValue)") }
      if let value = environment.value(variable) {
        return try ValueParser.duration(Word(value), of: "$\(variable)")
      }
      guard let setting = chosen?.values[name] else { return nil }
      remarks.append("\(name.rawValue) \(setting.text) from \(setting.source)")
      return try ValueParser.duration(Word(setting.text), of: setting.source)
    }
    if let limit = try duration(.timeout, "ZKCLI_TIMEOUT") { timeLimit = limit }
    limitsWaiting = options[.timeout] != nil
    if let limit = try duration(.connectTimeout, "ZKCLI_CONNECT_TIMEOUT") { connectTimeout = limit }
    sessionTimeout = try duration(.sessionTimeout, "ZKCLI_SESSION_TIMEOUT")
    if let word = options[.oldTimeout]?.last {
      sessionTimeout = .milliseconds(try ValueParser.milliseconds(word, of: "-timeout"))
      // zkCli.sh waits for a connection for the same time.
      if waitsForConnection { connectTimeout = sessionTimeout! }
    }
    if let word = options[.maxBuffer]?.last {
      maximumFrameBytes = try ValueParser.sizeBytes(word, of: "--max-buffer")
    }
  }

  private mutating func readIdentities(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment
  ) throws(ShellError) {
    for word in options[.auth] ?? [] {
      let identity = try Self.identity(word.bytes, from: "--auth")
      if identity.secret != nil, dialect.mindsSecrets {
        warnings.append("--auth exposes the secret to everyone who can list processes; use --auth-file or ZKCLI_AUTH")
      }
      identities.append(identity)
    }
    for word in options[.authFile] ?? [] {
      let path = try ValueParser.text(word, of: "--auth-file")
      let (bytes, warning) = try FileIO.readSecret(path)
      if let warning { warnings.append(warning) }
      for line in try TextLines.split(bytes, name: path) where !line.isEmpty && line.first != UInt8(ascii: "#") {
        identities.append(try Self.identity(line, from: path))
      }
    }
    if let value = environment.value("ZKCLI_AUTH") {
      identities.append(try Self.identity([UInt8](value.utf8), from: "$ZKCLI_AUTH"))
    }
  }

  /// Reads `scheme:auth`. For digest, the user is asked for the password if the text has only a name.
  static func identity(_ text: [UInt8], from source: String) throws(ShellError) -> Identity {
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
      throw .usage("\(source) is not of the form SCHEME:AUTH", hint: "write it as digest:user:password")
    }
    let scheme = String(decoding: text[..<colon], as: UTF8.self)
    let auth = [UInt8](text[(colon + 1)...])
    if scheme == "digest", !auth.contains(UInt8(ascii: ":")) {
      return Identity(scheme: scheme, secret: nil, user: String(decoding: auth, as: UTF8.self))
    }
    return Identity(scheme: scheme, secret: auth)
  }

  /// The configuration of the client library.
  func clientConfiguration(
    mode: RunMode, tls: TLSContext?, defaultWatcher: @escaping @Sendable (WatchEvent) -> Void
  ) -> ZooKeeperClient.Configuration {
    var configuration = ZooKeeperClient.Configuration(connectString)
    configuration.tls = tls
    configuration.sessionTimeout = sessionTimeout ?? (mode == .oneShot ? .seconds(10) : .seconds(30))
    configuration.connectTimeout = connectTimeout
    configuration.requestTimeLimit = timeLimit
    configuration.allowsReadOnly = allowsReadOnly
    configuration.maximumFrameBytes = maximumFrameBytes
    configuration.sasl = sasl?.login
    configuration.defaultWatcher = defaultWatcher
    return configuration
  }
}
