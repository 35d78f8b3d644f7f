import ZooKeeperProtocol

/// The system properties that the environment hands to a server where Apache's script starts it: in `SERVER_JVMFLAGS`
/// and `JVMFLAGS`, and in what `zookeeper-env.sh` and `java.env` beside its configuration set these to.
///
/// *Source*: `bin/zkEnv.sh`, `bin/zkServer.sh`: of a property that comes more than once, the last counts, and
/// `JVMFLAGS` follows `SERVER_JVMFLAGS`.
struct ServerFlags: Sendable {
  /// Without `-D`.
  var properties: [String: String] = [:]
  /// What is worth a warning: statements that only a shell can work out.
  var warnings: [String] = []
  /// What was done, for `--verbose`.
  var remarks: [String] = []

  private static let variables = ["SERVER_JVMFLAGS", "JVMFLAGS"]

  /// Reads the variables, and the files as far as there are any.
  ///
  /// - Parameters:
  ///   - configurationFile: the server's `zoo.cfg`, beside which the files are unless `ZOOCFGDIR` says otherwise.
  ///   - readFile: what a file holds; nil where there is none.
  init(_ environment: ShellEnvironment, configurationFile: String, readFile: (String) -> [UInt8]?) {
    var variables = environment.variables
    let directory = environment.value("ZOOCFGDIR") ?? Self.directory(of: configurationFile)
    variables["ZOOCFGDIR"] = directory
    for name in ["zookeeper-env.sh", "java.env"] {
      let path = "\(directory)/\(name)"
      guard let bytes = readFile(path) else { continue }
      let read = JavaEnvironmentFile(parsing: PropertiesText.text(of: bytes), variables: variables)
      variables = read.variables
      for statement in read.notUnderstood where Self.variables.contains(where: statement.text.contains) {
        warnings.append(
          "\(path):\(statement.line): ignored, because only a shell can evaluate it: "
            + JavaEnvironment.masked(statement.text))
      }
    }
    for name in Self.variables {
      let flags = JavaFlags(parsing: variables[name] ?? "")
      for property in flags.properties {
        properties[property.key] = property.value
        remarks.append("used -D\(property.key) from $\(name)")
      }
      if !flags.passedOver.isEmpty {
        remarks.append("ignored \(flags.passedOver.map(JavaEnvironment.masked).joined(separator: " ")) from $\(name)")
      }
    }
    if let directory = variables["ZOO_LOG_DIR"], !directory.isEmpty, properties["zookeeper.log.dir"] == nil {
      properties["zookeeper.log.dir"] = directory
    }
    if variables["ZOO_DATADIR_AUTOCREATE_DISABLE"].map({ !$0.isEmpty }) == true {
      properties["zookeeper.datadir.autocreate"] = "false"
      remarks.append("used $ZOO_DATADIR_AUTOCREATE_DISABLE: missing directories are not created")
    }
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
