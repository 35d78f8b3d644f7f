import ZooKeeperProtocol

/// The system properties that Apache's script would pass to a server from the environment: `SERVER_JVMFLAGS` and
/// `JVMFLAGS`, also as set by `zookeeper-env.sh` and `java.env` beside the configuration.
///
/// *Source*: `bin/zkEnv.sh`, `bin/zkServer.sh`: if a property is given more than once, the last one counts, and
/// `JVMFLAGS` follows `SERVER_JVMFLAGS`.
struct ServerFlags: Sendable {
  /// Without `-D`.
  var properties: [String: String] = [:]
  /// Warnings about statements that only a shell can evaluate.
  var warnings: [String] = []
  /// Remarks about what was done, for `--verbose`.
  var remarks: [String] = []

  private static let variables = ["SERVER_JVMFLAGS", "JVMFLAGS"]

  /// Reads the variables and the existing files.
  ///
  /// - Parameters:
  ///   - configurationFile: the server's `zoo.cfg`. The files are in the same directory unless `ZOOCFGDIR` is set.
  ///   - readFile: the contents of a file; nil if there is none.
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
