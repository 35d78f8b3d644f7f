internal import ZnodeTree
package import ZooKeeperProtocol

/// The state of the ensemble, as far as a reconfiguration must check it.
package struct EnsembleView: Sendable {
  /// The active configuration.
  package var configuration: QuorumConfiguration
  /// Whether another one has been proposed.
  package var hasPending: Bool
  /// The leader, and the learners that are up to date.
  package var synced: [ServerID]

  package init(configuration: QuorumConfiguration, hasPending: Bool, synced: [ServerID]) {
    self.configuration = configuration
    self.hasPending = hasPending
    self.synced = synced
  }
}

extension RequestPreparer {
  static let configurationPath = "/zookeeper/config"

  /// Prepares a reconfig, with the checks in Apache's order.
  ///
  /// - Throws: the error of the first check that fails.
  ///
  /// *Source*: `PrepRequestProcessor.pRequest2Txn`, case reconfig; `ClientProtocol` 4.
  func reconfig(_ body: ReconfigRequest, _ context: Context) throws(KeeperError) -> Txn {
    guard settings.reconfigEnabled else { throw .reconfigDisabled }
    try checkSession(context)
    guard let view = ensembleView?() else { throw .unimplemented }
    guard !view.hasPending, !isReconfigUnderWay else { throw .reconfigInProgress }
    guard body.configVersion == -1 || body.configVersion == view.configuration.version else { throw .badVersion }
    let next = try members(body, view.configuration, version: context.zxid.rawValue)
    guard next.voters.count >= 2 else { throw .badArguments }
    guard next.isQuorum({ view.synced.contains($0) }) else { throw .newConfigNoQuorum }
    var record = try find(Self.configurationPath)
    try checkAccess(.write, record, context)
    let data = Array(next.text.utf8)
    try budget.charge(path: Self.configurationPath, data: data)
    record.stat.mtimeMilliseconds = context.timeMilliseconds
    record.stat.mzxid = context.zxid
    // The znode's version is never compared: the configuration contains its version.
    record.stat.version = -1
    outstanding.update(record, data: data, zxid: context.zxid)
    return .reconfig(SetDataTxn(path: Self.configurationPath, data: data, version: -1))
  }

  /// Whether a change of the configuration has been prepared and not applied.
  private var isReconfigUnderWay: Bool {
    guard let record = outstanding.find(Self.configurationPath), let id = tree.find(Self.configurationPath) else {
      return false
    }
    return record.stat.mzxid != tree.storedStat(of: id).mzxid
  }

  /// The members that a request asks for.
  private func members(
    _ body: ReconfigRequest, _ present: QuorumConfiguration, version: Int64
  ) throws(KeeperError) -> QuorumConfiguration {
    if let all = body.newMembers {
      let text = String(all.map { $0 == "," ? "\n" : $0 })
      do throws(QuorumConfigurationError) {
        var next = try QuorumConfiguration(parsing: text)
        next.version = version
        return next
      } catch {
        throw .badArguments
      }
    }
    var members = present.members
    for word in (body.leavingServers ?? "").split(separator: ",") {
      guard let id = Int64(word.filter { !$0.isWhitespace }) else { throw .badArguments }
      members.removeAll { $0.id.rawValue == id }
    }
    for word in (body.joiningServers ?? "").split(separator: ",") {
      let member = try joiner(String(word))
      members.removeAll { $0.id == member.id }
      members.append(member)
    }
    guard present.groups.isEmpty else { throw .badArguments }
    return QuorumConfiguration(members: members, version: version)
  }

  /// Reads `server.N=…` or `N=…`, which must have an address for clients.
  private func joiner(_ text: String) throws(KeeperError) -> QuorumConfiguration.Member {
    guard let equals = text.firstIndex(of: "=") else { throw .badArguments }
    var key = text[..<equals].filter { !" \t\r\n".contains($0) }
    if key.hasPrefix("server.") { key.removeFirst("server.".count) }
    guard let id = Int64(key).map(ServerID.init(rawValue:)), id.isAssignable else { throw .badArguments }
    do throws(QuorumConfigurationError) {
      var value = text[text.index(after: equals)...]
      while value.first?.isWhitespace == true { value.removeFirst() }
      while value.last?.isWhitespace == true { value.removeLast() }
      let member = try QuorumConfiguration.Member(id: id, parsing: String(value))
      guard member.client != nil else { throw QuorumConfigurationError(message: "no address for clients") }
      return member
    } catch {
      throw .badArguments
    }
  }
}
