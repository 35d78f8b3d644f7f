import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// config and reconfig.
extension CommandContext {
  /// Prints the ensemble's configuration.
  func config(_ client: ZooKeeperClient) async throws -> ExitCode {
    let (data, stat) = try await client.getConfig(watch: invocation.flag(.watch))
    try emit(
      .config(
        text: String(decoding: data ?? [], as: UTF8.self), stat: invocation.flag(.stat) ? stat : nil,
        clientOnly: invocation.flag(.client)))
    return .success
  }

  /// Changes the ensemble's members.
  func reconfig(_ client: ZooKeeperClient) async throws -> ExitCode {
    let isWhole = invocation.flag(.file) || invocation.flag(.members)
    let isIncremental = invocation.flag(.add) || invocation.flag(.remove)
    guard isWhole || isIncremental else {
      throw ShellError.missing("option", "-file, -members, -add or -remove", of: invocation.spec)
    }
    if isWhole, isIncremental {
      throw ShellError.usage("-file and -members replace all members, so they cannot be combined with -add and -remove")
    }
    if invocation.flag(.file), invocation.flag(.members) {
      throw ShellError.usage("-file and -members cannot be combined")
    }
    // Servers compare names case-sensitively. zkCli.sh sends them in lower case, and so do we.
    func text(_ option: OptionName) -> String? { invocation.value(option)?.text.lowercased() }
    var members = text(.members)
    if let file = invocation.value(.file) { members = try membersOfFile(file.text) }
    let version = try invocation.value(.version).map { word throws(ShellError) in
      try ValueParser.hexVersion(word, of: "--version")
    }
    let change = MemberChange(joining: text(.add), leaving: text(.remove), members: members)
    if invocation.flag(.dryRun) {
      let (data, _) = try await client.getConfig()
      let outcome = change.applied(to: EnsembleText(parsing: String(decoding: data ?? [], as: UTF8.self)))
      try emit(.config(text: outcome, stat: nil, clientOnly: false))
      return .success
    }
    try await allow(change.description, count: change.count)
    let request = ReconfigRequest(
      joiningServers: text(.add), leavingServers: text(.remove), newMembers: members, configVersion: version ?? -1)
    let (data, stat) = try await client.reconfig(request)
    try emit(
      .reconfigured(
        text: String(decoding: data ?? [], as: UTF8.self), stat: invocation.flag(.stat) ? stat : nil))
    return .success
  }

  /// The `server.N=...` lines of a configuration file, joined as the request needs them.
  private func membersOfFile(_ path: String) throws(ShellError) -> String {
    let lines = try TextLines.split(try FileIO.read(path), name: path)
    let members = lines.map { String(decoding: $0, as: UTF8.self) }.compactMap { line -> String? in
      let trimmed = line.drop { $0 == " " || $0 == "\t" }
      return trimmed.hasPrefix("server.") ? trimmed.filter { $0 != " " } : nil
    }
    guard !members.isEmpty else {
      throw ShellError(.localInputOutput, "File", "\(path) has no line that begins with server.N=")
    }
    return members.joined(separator: ",")
  }
}
