import LineEditor

/// The user's file of clusters and aliases, `~/.config/zkcli/config.toml`.
///
/// *Shape*:
///
///     default = "dev"
///     [clusters.prod]
///     servers = "zk1:2181,zk2:2181/app"
///     protected = true
///     auth = [{ scheme = "digest", user = "bob", password-file = "~/.secrets/bob" }]
///     [aliases]
///     ll = "ls -l"
struct ClusterFile: Sendable {
  /// The value of a setting, in the form that the option has.
  struct Setting: Hashable, Sendable {
    let text: String
    /// The file and the line.
    let source: String
  }

  /// One cluster.
  struct Cluster: Sendable {
    var name: String
    /// The values by the options that they correspond to.
    var values: [OptionName: Setting] = [:]
    var identities: [ShellSettings.Identity] = []
    var saslPassword: SecretReference?
    var isProtected = false
    var isReadOnly = false
    var promptColor: Prompt.Style?
  }

  /// A user-defined abbreviation of a command line.
  struct Alias: Hashable, Sendable {
    let name: String
    let expansion: String
  }

  let path: String
  var defaultName: Setting?
  /// In the order of the file.
  var clusters: [Cluster] = []
  var aliases: [Alias] = []

  /// The names of all clusters, in the order of the file.
  var names: [String] { clusters.map(\.name) }

  /// The cluster with a name.
  ///
  /// - Parameter source: where the name was given, for the message.
  /// - Throws: a usage error with the nearest name, if there is no such cluster.
  func cluster(_ name: String, from source: String) throws(ShellError) -> Cluster {
    if let cluster = clusters.first(where: { $0.name == name }) { return cluster }
    let hint =
      Suggestions.nearest(to: name, among: names).map { "did you mean \($0)?" }
      ?? (names.isEmpty ? "\(path) contains no clusters" : "\(path) has \(names.joined(separator: ", "))")
    throw .usage("\(source): there is no cluster \(Tokenizer.quote(name))", hint: hint)
  }

  /// The command line that an alias stands for.
  func expansion(of name: String) -> String? { aliases.first { $0.name == name }?.expansion }
}

/// Finds and opens the file.
extension ClusterFile {
  /// The maximum size of the file.
  static let limitBytes = 1 << 20

  /// The path of the file, and where the path was given.
  struct Location: Hashable, Sendable {
    let path: String
    /// Whether the user has given it, so that the file must exist.
    let isNamed: Bool

    /// The path from `--config` or the environment; nil if there is no home directory, or `$ZKCLI_CONFIG` is empty.
    init?(_ option: Word?, _ environment: ShellEnvironment) throws(ShellError) {
      if let option {
        self.init(path: try ValueParser.text(option, of: "--config"), isNamed: true)
      } else if let variable = environment.variables["ZKCLI_CONFIG"] {
        if variable.isEmpty { return nil }
        self.init(path: variable, isNamed: true)
      } else if let directory = environment.value("XDG_CONFIG_HOME"), directory.hasPrefix("/") {
        self.init(path: directory + "/zkcli/config.toml", isNamed: false)
      } else if let home = environment.value("HOME") {
        self.init(path: home + "/.config/zkcli/config.toml", isNamed: false)
      } else {
        return nil
      }
    }

    private init(path: String, isNamed: Bool) {
      self.path = path
      self.isNamed = isNamed
    }
  }

  /// Reads the file.
  ///
  /// - Returns: nil if the file does not exist and is not required.
  /// - Throws: exit code 12 if it cannot be read; a usage error with file and line for a mistake in it.
  static func open(_ location: Location?, _ environment: ShellEnvironment) throws(ShellError) -> ClusterFile? {
    guard let location else { return nil }
    guard location.isNamed || FileIO.exists(location.path) else { return nil }
    let bytes = try FileIO.read(location.path)
    guard bytes.count <= limitBytes else {
      throw ShellError(.overLimit, "TooLarge", "\(location.path) has more than \(limitBytes >> 20) MiB")
    }
    return try ClusterFile(
      parsing: bytes, path: location.path, home: environment.value("HOME"),
      mayRunCommands: !FileIO.isWritableByOthers(location.path))
  }

  /// Parses the text of a file.
  ///
  /// - Parameters:
  ///   - home: the directory that `~` in a file name stands for.
  ///   - mayRunCommands: whether commands that print passwords may be run: only if no other user can change the file.
  /// - Throws: a usage error with file and line.
  init(parsing bytes: [UInt8], path: String, home: String? = nil, mayRunCommands: Bool = true) throws(ShellError) {
    let root: TOMLTable
    do throws(TOMLError) {
      root = try TOMLReader.read(bytes)
    } catch {
      throw .usage("\(path):\(error.line): \(error.reason)", hint: "see help clusters")
    }
    self.path = path
    var reader = ClusterFileReader(path: path, home: home, mayRunCommands: mayRunCommands)
    try reader.read(root, into: &self)
  }
}

/// A reference to a secret.
enum SecretReference: Hashable, Sendable {
  /// The first line of a file.
  case file(String)
  case variable(String)
  /// The first line that a command of `/bin/sh` prints.
  case command(String)
}
