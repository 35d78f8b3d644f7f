import ZooKeeperProtocol

/// The flags that Apache's scripts pass to `java`: variables, and the files `zookeeper-env.sh` and `java.env` in the
/// directory of configurations, which set such variables.
///
/// *Source*: `bin/zkEnv.sh`, `bin/zkCli.sh`, `bin/zkServer.sh`.
struct JavaEnvironment: Sendable {
  /// The properties of one variable.
  struct Source: Sendable {
    /// The variable's name with its dollar sign, for messages.
    var name: String
    var flags: JavaFlags
  }

  /// In the order in which the script passes them; later ones take precedence.
  var sources: [Source] = []
  /// Statements of the files that only a shell can evaluate, and that affect one of the variables.
  var notUnderstood: [(place: String, text: String)] = []

  /// Reads the variables and the existing files.
  ///
  /// - Parameters:
  ///   - names: the variables that the script passes, in its order.
  ///   - readFile: the content of a file; nil if there is none.
  init(_ names: [String], of environment: ShellEnvironment, readFile: (String) -> [UInt8]?) {
    let directory = environment.value("ZOOCFGDIR") ?? "/etc/zookeeper/conf"
    var variables = environment.variables
    variables["ZOOCFGDIR"] = directory
    for file in ["zookeeper-env.sh", "java.env"] {
      let path = "\(directory)/\(file)"
      guard let bytes = readFile(path) else { continue }
      let read = JavaEnvironmentFile(parsing: String(decoding: bytes, as: UTF8.self), variables: variables)
      variables = read.variables
      for statement in read.notUnderstood where names.contains(where: statement.text.contains) {
        notUnderstood.append(("\(path):\(statement.line)", statement.text))
      }
    }
    for name in names {
      guard let text = variables[name], !text.isEmpty else { continue }
      sources.append(Source(name: "$\(name)", flags: JavaFlags(parsing: text)))
    }
  }

  /// The variables of `zkCli.sh`.
  static let clientVariables = ["CLIENT_JVMFLAGS", "JVMFLAGS"]

  /// A statement for messages, without the assigned value if it may contain a secret.
  static func masked(_ statement: String) -> String {
    let lower = statement.lowercased()
    guard ["password", "digest", "secret", "credential"].contains(where: lower.contains) else { return statement }
    return statement.prefix { $0 != "=" } + "=***"
  }

  /// The content of a local file, for `init`.
  static func read(_ path: String) -> [UInt8]? {
    // A missing or unreadable file sets nothing in Apache's scripts either.
    do throws(ShellError) { return try FileIO.read(path) } catch { return nil }
  }
}
