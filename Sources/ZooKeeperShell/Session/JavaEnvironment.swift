import ZooKeeperProtocol

/// What the environment hands to `java` where Apache's scripts run: variables with flags, and the files
/// `zookeeper-env.sh` and `java.env` in the directory of configurations, which set such variables.
///
/// *Source*: `bin/zkEnv.sh`, `bin/zkCli.sh`, `bin/zkServer.sh`.
struct JavaEnvironment: Sendable {
  /// The properties of one variable.
  struct Source: Sendable {
    /// The variable's name with its dollar sign, for messages.
    var name: String
    var flags: JavaFlags
  }

  /// In the order in which the script hands them over: what comes later counts.
  var sources: [Source] = []
  /// Statements of the files that only a shell can work out, and that touch one of the variables.
  var notUnderstood: [(place: String, text: String)] = []

  /// Reads the variables, and the files as far as there are any.
  ///
  /// - Parameters:
  ///   - names: the variables that the script hands over, in its order.
  ///   - readFile: the content of a file; nil where there is none.
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

  /// A statement for messages: without what it assigns, if there may be a secret in that.
  static func masked(_ statement: String) -> String {
    let lower = statement.lowercased()
    guard ["password", "digest", "secret", "credential"].contains(where: lower.contains) else { return statement }
    return statement.prefix { $0 != "=" } + "=***"
  }

  /// The content of a file of this machine, for `init`.
  static func read(_ path: String) -> [UInt8]? {
    // One that is missing, or that this user may not read, sets nothing in Apache's scripts either.
    do throws(ShellError) { return try FileIO.read(path) } catch { return nil }
  }
}
