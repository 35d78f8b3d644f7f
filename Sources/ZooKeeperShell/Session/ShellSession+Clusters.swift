import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// The commands use and clusters, and aliases.
extension ShellSession {
  /// Changes to another cluster of the configuration file, or opens an additional session with it.
  func use(_ invocation: Invocation) async throws {
    let next = try settings.using(cluster: invocation.arguments[0], from: "use", environment)
    try output.write(next.notes)
    try await enter(next, as: invocation.value(.label))
  }

  /// Lists the clusters of the configuration file.
  func listClusters(_ settings: ShellSettings) throws {
    guard let file = try ClusterFile.open(settings.origin.location, environment) else {
      throw ShellError(
        .localInputOutput, "File", "there is no configuration file",
        hint: "create \(settings.origin.location?.path ?? "~/.config/zkcli/config.toml"); see help clusters")
    }
    let answer = AnswerWriter(Renderer(renderContext(settings)), output, isListing: true)
    let width = file.names.map(\.utf8.count).max() ?? 0
    for cluster in file.clusters {
      let isCurrent = cluster.name == self.settings.cluster?.name
      let isDefault = cluster.name == file.defaultName?.text
      let servers = cluster.values[.server]?.text ?? ""
      let remarks =
        (isDefault ? ["default"] : []) + (cluster.isProtected ? ["protected"] : [])
        + (cluster.isReadOnly ? ["read-only"] : [])
      let name = cluster.name + String(repeating: " ", count: width - cluster.name.utf8.count)
      let line =
        ["\(isCurrent ? "*" : " ") \(name)", servers] + (remarks.isEmpty ? [] : [remarks.joined(separator: ",")])
      try answer.emit(
        .record(
          Record(
            line.joined(separator: "  "),
            [
              "name": .text(cluster.name), "servers": .text(servers), "current": .flag(isCurrent),
              "default": .flag(isDefault), "protected": .flag(cluster.isProtected),
              "readOnly": .flag(cluster.isReadOnly),
            ])))
    }
    try answer.finish()
  }

  /// Opens an additional session with a cluster of the configuration file, with the cluster's identities.
  func openCluster(_ name: String) async throws -> (ZooKeeperClient, NamedCluster, ConnectString) {
    let chosen = try settings.using(cluster: Word(name), from: "\(name):/", environment)
    if let mistake = chosen.clusterMistake { throw mistake }
    let next = try await withPassword(chosen)
    let client = try await others.open(next, mode: mode)
    for identity in next.identities {
      try await client.addAuth(scheme: identity.scheme, auth: try await secret(of: identity))
    }
    return (client, next.cluster ?? NamedCluster(name: name), next.connectString)
  }

  /// The line with an alias of the configuration file expanded; scripts do not have aliases.
  ///
  /// - Throws: a usage error for a mistake in the file.
  func expandingAlias(_ words: [Word]) throws(ShellError) -> [Word] {
    guard mode != .script, settings.dialect.hasExtras, let command = words.first?.exactText,
      CommandTable.find(command) == nil,
      let expansion = try ClusterFile.open(settings.origin.location, environment)?.expansion(of: command),
      case .words(let expanded) = Tokenizer.tokenize(expansion)
    else { return words }
    return expanded + words.dropFirst()
  }
}
