import ZooKeeperClient
public import ZooKeeperProtocol

/// Finds problems of an ensemble in the reports of its servers.
///
/// It does no I/O: the same report always has the same findings.
public struct HealthRules: Sendable {
  public let report: EnsembleReport
  public var limits = HealthLimits()
  /// The space on the disks of servers that run on this machine, by their addresses.
  public var disks: [ServerAddress: DiskSpace] = [:]

  public init(_ report: EnsembleReport) { self.report = report }

  /// All findings, those of the whole ensemble first, then by member.
  public var findings: [Finding] {
    quorumFindings + ensembleFindings + report.members.flatMap(memberFindings)
  }

  /// The overall verdict.
  ///
  /// - Parameter isStrict: whether notes count as well.
  public func verdict(isStrict: Bool = false) -> Verdict {
    let findings = findings
    if !report.hasQuorum { return .down }
    return findings.contains { $0.severity > .note || isStrict } ? .degraded : .healthy
  }

  // MARK: The ensemble

  private var quorumFindings: [Finding] {
    var findings: [Finding] = []
    guard report.hasQuorum else {
      let up = report.members.filter { if case .unreachable = $0.state { false } else { true } }
      findings.append(
        Finding(
          .fault, .quorum,
          up.isEmpty ? "no server can be reached" : "no server serves clients: the ensemble has no quorum",
          hint: up.isEmpty
            ? "check the addresses and the network, then the servers" : "start the servers that are not running"))
      return findings
    }
    let isEnsemble = report.configuration != nil || report.members.contains { $0.role == "follower" }
    let knowsRoles = !report.members.contains { $0.state == .serving && $0.role == nil }
    if isEnsemble, report.leaders.isEmpty, knowsRoles, report.missingMembers.isEmpty {
      findings.append(Finding(.fault, .leader, "no server says that it leads"))
    }
    if report.leaders.count > 1 {
      let names = report.leaders.map(\.address.description).joined(separator: " and ")
      findings.append(
        Finding(
          .fault, .ensemble, "\(names) both lead: they belong to different ensembles",
          hint: "compare the server lines of their configurations, and the connect string"))
    }
    guard let configuration = report.configuration else { return findings }
    let voters = configuration.voters.count
    if voters > 1, voters.isMultiple(of: 2), configuration.groups.isEmpty {
      findings.append(
        Finding(
          .warning, .voters, "\(voters) servers vote, which tolerate only as many failures as \(voters - 1)",
          hint: "add a voter, or make one an observer"))
    }
    if let left = report.failuresLeft, left == 0, voters > 2 {
      findings.append(
        Finding(.warning, .margin, "one more failure stops the ensemble", hint: "bring the failed servers back"))
    }
    return findings
  }

  private var ensembleFindings: [Finding] {
    var findings: [Finding] = []
    for member in report.missingMembers {
      let host = member.addresses.first?.host ?? "?"
      findings.append(
        Finding(
          .note, .configuration,
          "server.\(member.id) on \(host) was not asked: the configuration does not contain its client address",
          hint: "name it with --server"))
    }
    let versions = Set(report.members.compactMap(\.version))
    if versions.count > 1 {
      findings.append(
        Finding(
          .note, .version, "the servers have different versions: \(versions.sorted().joined(separator: ", "))",
          hint: "finish the upgrade"))
    }
    if let writable = report.members.compactMap(\.session?.rootACL).first?.filter(\.isOpenToAll), !writable.isEmpty {
      findings.append(
        Finding(
          .note, .rootACL, "any client can change the root: its ACL is \(writable.map(\.text).joined(separator: ","))",
          hint: "restrict it with setAcl / once an administrator's identity is in it"))
    }
    for member in report.members {
      guard let dump = member.dump, !dump.sessions.isEmpty || dump.ephemerals.isEmpty else { continue }
      let orphans = dump.ephemerals.filter { !dump.sessions.contains($0.key) }
      guard let orphan = orphans.min(by: { $0.key.rawValue < $1.key.rawValue }) else { continue }
      let count = orphans.reduce(0) { $0 + $1.value.count }
      findings.append(
        Finding(
          .warning, .ephemerals, of: member.address,
          "\(count) ephemeral \(count == 1 ? "znode belongs" : "znodes belong") to sessions that have ended, such as"
            + " \(orphan.value.first ?? "?") of \(orphan.key)",
          hint: "delete them, if their programs are gone"))
    }
    return findings + clockFindings
  }

  /// Findings about clocks, which are compared with the median, including this machine's, so that a single wrong one is
  /// identified.
  private var clockFindings: [Finding] {
    let offsets = report.members.compactMap { member in
      member.session?.clockOffsetMilliseconds.map { (member.address, $0) }
    }
    let all = ([0] + offsets.map(\.1)).sorted()
    guard !offsets.isEmpty else { return [] }
    let middle = all[all.count / 2]
    var findings = offsets.filter { abs($0.1 - middle) > limits.clockMilliseconds }.map { address, offset in
      Finding(
        .warning, .clock, of: address,
        "its clock is \(Self.time(abs(offset - middle))) \(offset > middle ? "ahead of" : "behind") the others",
        hint: "check the time synchronization of its machine")
    }
    if abs(middle) > limits.clockMilliseconds, findings.count < offsets.count {
      findings.append(
        Finding(
          .note, .clock,
          "this machine's clock is \(Self.time(abs(middle))) \(middle < 0 ? "ahead of" : "behind")"
            + " those of the servers"))
    }
    return findings
  }

  /// A time span for people.
  static func time(_ milliseconds: Int64) -> String {
    milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1000) s"
  }
}
