import ZooKeeperClient
import ZooKeeperProtocol

/// Findings about single servers.
extension HealthRules {
  /// All findings about a server.
  func memberFindings(_ member: MemberReport) -> [Finding] {
    switch member.state {
    case .unreachable(let reason):
      return [
        Finding(.fault, .reachable, of: member.address, "it cannot be reached: \(reason.message)", hint: reason.hint)
      ]
    case .notServing:
      return [
        Finding(
          .fault, .serving, of: member.address, "it is up, and serves no clients: it belongs to no quorum",
          hint: "see its log for the reason; other servers may be down, or not reach it")
      ] + wordFindings(member)
    case .serving:
      return belongingFindings(member) + figureFindings(member) + diskFindings(member) + wordFindings(member)
    }
  }

  private func belongingFindings(_ member: MemberReport) -> [Finding] {
    var findings: [Finding] = []
    if member.session == nil {
      let reason = member.sessionFailure.map { ": \($0.summary)" } ?? ""
      findings.append(
        Finding(.fault, .serving, of: member.address, "it answers, and grants this client no session\(reason)"))
    }
    if member.role == "read-only" {
      findings.append(
        Finding(.fault, .serving, of: member.address, "it is read-only: it has lost the quorum"))
    }
    if member.role == "standalone", report.members.contains(where: { $0.role != "standalone" && $0.role != nil }) {
      findings.append(
        Finding(
          .fault, .ensemble, of: member.address, "it is a standalone server, and no member of the ensemble",
          hint: "remove it from the connect string, or give it the server lines of the ensemble"))
    } else if member.role == "standalone", report.members.count > 1 {
      findings.append(
        Finding(
          .fault, .ensemble, of: member.address, "it is a standalone server: clients of this list see different trees"))
    } else if let own = EnsembleReport.configuration(of: member), let agreed = report.configuration, own != agreed {
      findings.append(configurationFinding(member, own, agreed))
    }
    let lag = report.lag(of: member)
    if lag > 0 {
      let isAncient = member.status?.zxid?.epoch != report.newestZxid?.epoch
      findings.append(
        Finding(
          .warning, .lag, of: member.address,
          "it lags by \(isAncient ? "at least " : "")\(lag) \(lag == 1 ? "transaction" : "transactions")",
          hint: "its disk or its network is slow, or it was away"))
    }
    return findings
  }

  /// The finding about a server whose configuration differs from that of most servers.
  private func configurationFinding(
    _ member: MemberReport, _ own: QuorumConfiguration, _ agreed: QuorumConfiguration
  ) -> Finding {
    let ids = Set(own.members.flatMap { $0.addresses.map(\.quorum) })
    let others = Set(agreed.members.flatMap { $0.addresses.map(\.quorum) })
    if ids.isDisjoint(with: others) {
      return Finding(
        .fault, .ensemble, of: member.address,
        "it is a member of another ensemble: no server is in both configurations",
        hint: "remove it from the connect string")
    }
    let difference =
      own.hasSameMembers(as: agreed)
      ? "its version is \(Self.hex(own.version)), and that of the others \(Self.hex(agreed.version))"
      : "it has other servers than most"
    return Finding(
      .fault, .configuration, of: member.address, "its configuration differs: \(difference)",
      hint: "compare `zkcli -s \(member.address) config` with that of another server")
  }

  private static func hex(_ number: Int64) -> String { "0x" + String(UInt64(bitPattern: number), radix: 16) }

  private func figureFindings(_ member: MemberReport) -> [Finding] {
    var findings: [Finding] = []
    func warn(_ check: Finding.Check, _ message: String, hint: String? = nil) {
      findings.append(Finding(.warning, check, of: member.address, message, hint: hint))
    }
    if let count = member.outstandingCount, count > limits.outstandingCount {
      warn(.outstanding, "\(count) requests wait in it", hint: "see `zkcli top` for the clients that send the most")
    }
    guard let metrics = member.metrics else { return findings }
    if let latency = metrics.number("avg_latency"), latency > limits.latencyMilliseconds {
      warn(.latency, "its average latency is \(Self.figure(latency)) ms")
    }
    if let sync = metrics.number("avg_fsynctime"), sync > limits.averageSyncMilliseconds {
      warn(.sync, "a sync of its log takes \(Self.figure(sync)) ms on average", hint: Self.diskAdvice)
    } else if let sync = metrics.number("max_fsynctime"), sync > limits.longestSyncMilliseconds {
      warn(.sync, "a sync of its log has taken \(Self.figure(sync)) ms", hint: Self.diskAdvice)
    }
    if let open = metrics.number("open_file_descriptor_count"), let most = metrics.number("max_file_descriptor_count"),
      most > 0, open > most * limits.descriptorShare
    {
      warn(
        .descriptors, "\(Int64(clamping: open)) of \(Int64(clamping: most)) file descriptors are in use",
        hint: "raise the limit of the process, or close connections")
    }
    if member.role == "leader", let quorum = metrics.count("quorum_size"),
      let synced = metrics.count("synced_followers"),
      quorum > 0, synced < quorum - 1
    {
      warn(.quorum, "it leads with \(synced) of \(quorum - 1) followers in sync")
    }
    return findings
  }

  private static let diskAdvice = "give the log a separate disk (dataLogDir)"

  private func diskFindings(_ member: MemberReport) -> [Finding] {
    guard let disk = disks[member.address] ?? DiskSpace(member.metrics) else { return [] }
    let isLow = disk.freeBytes < limits.freeDiskBytes || disk.freeShare < limits.freeDiskShare
    guard isLow else { return [] }
    return [
      Finding(
        disk.freeBytes < DiskSpace.logFileBytes ? .fault : .warning, .disk, of: member.address,
        "its disk has \(disk.freeBytes >> 20) MiB left, \(Self.figure(disk.freeShare * 100)) % of it",
        hint: "a server ends when it cannot write its log: remove old snapshots and logs, or enlarge the disk")
    ]
  }

  private func wordFindings(_ member: MemberReport) -> [Finding] {
    guard member.metrics == nil || member.status == nil else { return [] }
    let refused = member.words.filter { $0.value == .notAllowed }.map(\.key)
    guard !refused.isEmpty else { return [] }
    let wanted = Set(refused).union(["srvr"]).sorted().joined(separator: ", ")
    return [
      Finding(
        .note, .words, of: member.address,
        "it does not allow \(refused.sorted().joined(separator: ", ")), so that not all could be looked at",
        hint: "add 4lw.commands.whitelist=\(wanted) to its zoo.cfg, or enable its AdminServer")
    ]
  }

  /// A number without superfluous digits.
  static func figure(_ number: Double) -> String {
    let tenths = (number * 10).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int64(clamping: tenths))" : "\(tenths)"
  }
}

extension ACL {
  /// Whether it lets any client change something.
  var isOpenToAll: Bool {
    scheme == "world" && !permissions.intersection([.create, .delete, .write, .admin]).isEmpty
  }
}

extension ZooKeeperError {
  /// The error as the end of a sentence.
  var summary: String {
    switch code {
    case .cannotConnect(let failures): failures.first.map(\.reason.message) ?? "it cannot be reached"
    case .timedOut: "it took too long"
    case .authFailed: "it refuses the identity"
    case .saslFailed(let reason): reason
    case .server(let error): error.name
    default: "\(code)"
    }
  }
}
