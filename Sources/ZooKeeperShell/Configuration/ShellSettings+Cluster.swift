/// The choice of a cluster of the configuration file.
///
/// A cluster is used as a whole or not at all: if the servers are given in another way, neither its secrets nor its
/// protection apply.
extension ShellSettings {
  /// The inputs of the settings, from which they can be derived again for another cluster.
  struct Origin: Sendable {
    var options: [OptionName: [Word]] = [:]
    /// Where the configuration file is.
    var location: ClusterFile.Location?
  }

  /// Selects the cluster that the options, the environment or the configuration file choose.
  ///
  /// A mistake in the file, or an unknown cluster, is stored in `clusterMistake`, so that commands that need no
  /// servers, such as help, still run.
  ///
  /// - Parameter source: where the cluster was named; nil for the option.
  /// - Throws: a usage error for options that contradict each other.
  mutating func chooseCluster(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, from source: String? = nil
  ) throws(ShellError) -> ClusterFile.Cluster? {
    origin = Origin(options: options, location: try ClusterFile.Location(options[.config]?.last, environment))
    guard var wanted = try Self.wantedCluster(options, environment, dialect) else { return nil }
    if let source, let name = wanted.name { wanted.name = ClusterFile.Setting(text: name.text, source: source) }
    do throws(ShellError) {
      return try readCluster(wanted.name, environment)
    } catch {
      clusterMistake = error
      return nil
    }
  }

  /// Reads a cluster, or the default of the file if no name is given.
  private mutating func readCluster(
    _ wanted: ClusterFile.Setting?, _ environment: ShellEnvironment
  ) throws(ShellError) -> ClusterFile.Cluster? {
    guard let file = try ClusterFile.open(origin.location, environment) else {
      guard let wanted else { return nil }
      throw .usage(
        "\(wanted.source): there is no cluster \(Tokenizer.quote(wanted.text)), because there is no configuration file",
        hint: "create \(origin.location?.path ?? "~/.config/zkcli/config.toml"); see help clusters")
    }
    guard let name = wanted ?? file.defaultName else { return nil }
    let chosen = try file.cluster(name.text, from: name.source)
    cluster = NamedCluster(
      name: chosen.name, isProtected: chosen.isProtected, isReadOnly: chosen.isReadOnly, color: chosen.promptColor)
    remarks.append("cluster \(chosen.name) from \(name.source)")
    return chosen
  }

  /// The requested name; without one, the default of the file is used.
  ///
  /// - Returns: nil if the servers are given in another way.
  private static func wantedCluster(
    _ options: [OptionName: [Word]], _ environment: ShellEnvironment, _ dialect: any Dialect
  ) throws(ShellError) -> (name: ClusterFile.Setting?, Void)? {
    if let word = options[.cluster]?.last {
      for other in [OptionName.server, .local] where options[other] != nil {
        throw .usage("--cluster cannot be combined with --\(other.rawValue)", hint: "the cluster names its servers")
      }
      return (ClusterFile.Setting(text: try ValueParser.text(word, of: "--cluster"), source: "--cluster"), ())
    }
    if options[.server] != nil || options[.local] != nil || environment.value("ZKCLI_SERVER") != nil { return nil }
    if let name = environment.value("ZKCLI_CLUSTER") {
      return (ClusterFile.Setting(text: name, source: "$ZKCLI_CLUSTER"), ())
    }
    if ["ZOOKEEPER_SERVERS", "ZK_HOSTS"].contains(where: { environment.value($0) != nil }) { return nil }
    return dialect.hasExtras ? (nil, ()) : nil
  }

  /// The settings for another cluster of the file, without the connection options of the start, because the secrets of
  /// one ensemble must not be sent to another.
  ///
  /// - Parameter source: where the cluster was named, for messages.
  /// - Throws: a usage error for a value that is not valid.
  func using(
    cluster name: Word, from source: String, _ environment: ShellEnvironment
  ) throws(ShellError) -> ShellSettings {
    let dropped: Set<OptionName> = [
      .server, .auth, .authFile, .tls, .cacert, .cert, .key, .keyPasswordFile, .tlsServerName, .insecure, .sasl, .user,
      .passwordFile, .principal, .keytab, .service, .clientConfiguration, .local,
    ]
    var options = origin.options.filter { !dropped.contains($0.key) }
    options[.cluster] = [name]
    return try ShellSettings(options, environment: environment, dialect: dialect, clusterSource: source)
  }
}
