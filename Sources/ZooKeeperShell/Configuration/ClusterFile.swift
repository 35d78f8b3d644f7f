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
  /// The value of a setting, as an option would have it.
  struct Setting: Hashable, Sendable {
    let text: String
    /// The file and the line.
    let source: String
  }

  /// One cluster.
  struct Cluster: Sendable {
    var name: String
    /// The values by the options that they stand for.
    var values: [OptionName: Setting] = [:]
    var identities: [ShellSettings.Identity] = []
    var saslPassword: SecretReference?
    var isProtected = false
    var isReadOnly = false
    var promptColor: Prompt.Style?
  }

  /// A command line of the user's own.
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

  /// The cluster of a name.
  ///
  /// - Parameter source: what gave the name, for the message.
  /// - Throws: a usage error with the nearest name, if there is no such cluster.
  func cluster(_ name: String, from source: String) throws(ShellError) -> Cluster {
    if let cluster = clusters.first(where: { $0.name == name }) { return cluster }
    let hint =
      Suggestions.nearest(to: name, among: names).map { "did you mean \($0)?" }
      ?? (names.isEmpty ? "\(path) names none" : "\(path) has \(names.joined(separator: ", "))")
    throw .usage("\(source): there is no cluster \(Tokenizer.quote(name))", hint: hint)
  }

  /// The command line that an alias is for.
  func expansion(of name: String) -> String? { aliases.first { $0.name == name }?.expansion }
}

/// Finding and opening the file.
extension ClusterFile {
  /// The most that a file may have.
  static let limitBytes = 1 << 20

  /// Where the file is expected, and what says so.
  struct Location: Hashable, Sendable {
    let path: String
    /// Whether the user has named it, so that it must exist.
    let isNamed: Bool

    /// The place that `--config` or the environment give; nil if there is no home directory, or `$ZKCLI_CONFIG` is
    /// empty.
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
  /// - Returns: nil if it does not exist and need not.
  /// - Throws: exit code 12 when it cannot be read; a usage error with file and line for a mistake in it.
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

  /// Reads the text of a file.
  ///
  /// - Parameters:
  ///   - home: what `~` in the name of a file is for.
  ///   - mayRunCommands: whether no other user can change the file, which runs commands for passwords.
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

/// A secret that is kept elsewhere.
enum SecretReference: Hashable, Sendable {
  /// The first line of a file.
  case file(String)
  case variable(String)
  /// The first line that a command of `/bin/sh` prints.
  case command(String)
}
