import LineEditor
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// Renders the state of an ensemble.
struct HealthText {
  private let report: EnsembleReport
  private let findings: [Finding]
  private let verdict: Verdict

  init(_ report: EnsembleReport, _ findings: [Finding], _ verdict: Verdict) {
    self.report = report
    self.findings = findings
    self.verdict = verdict
  }

  /// The whole state as one document, which is printed to people as a table, the findings, and the verdict.
  var record: Record {
    let table = Self.table(report)
    return Record(
      (table.lines(withHead: true) + lines + [summary]).joined(separator: "\n"),
      [
        "verdict": .text(verdict.rawValue), "summary": .text(summary), "members": .records(table.records),
        "findings": .records(findings.map(Self.record)),
      ])
  }

  private static func record(_ finding: Finding) -> Record {
    Record([
      "severity": .text(finding.severity.rawValue), "check": .text(finding.check.rawValue),
      "server": .optional(finding.member?.description), "message": .text(finding.message),
      "hint": .optional(finding.hint),
    ])
  }

  private var lines: [String] {
    findings.sorted { $0.severity > $1.severity }.flatMap { finding in
      let place = finding.member.map { "\($0): " } ?? ""
      let head = finding.severity.rawValue.padding(to: 8) + place + finding.message
      return [TerminalText([UInt8](head.utf8)).text]
        + (finding.hint.map { [TerminalText([UInt8]("        \($0)".utf8)).text] } ?? [])
    }
  }

  /// The last line.
  private var summary: String {
    let serving = report.members.filter { $0.state == .serving }.count
    var parts = ["\(serving) of \(report.members.count) \(report.members.count == 1 ? "server" : "servers") serve"]
    if report.members.count == 1, serving == 1 { parts = ["1 server serves"] }
    if let leader = report.leaders.first, report.leaders.count == 1 { parts.append("\(leader.address) leads") }
    if let left = report.failuresLeft, (report.configuration?.voters.count ?? 0) > 1, report.hasQuorum {
      parts.append(left == 1 ? "one more failure is tolerated" : "\(left) more failures are tolerated")
    }
    for severity in [Finding.Severity.fault, .warning] {
      let count = findings.filter { $0.severity == severity }.count
      if count > 0 { parts.append("\(count) \(severity.rawValue)\(count == 1 ? "" : "s")") }
    }
    return "\(verdict.rawValue): \(parts.joined(separator: ", "))"
  }

  // MARK: Members

  /// A row for each server.
  static func table(_ report: EnsembleReport) -> RecordTable {
    let asked = report.members.map { row($0, in: report) }
    let others = report.missingMembers.map { member in
      Record([
        "server": .optional(member.clientAddress?.description ?? member.addresses.first?.quorum.description),
        "id": .number(member.id.rawValue), "state": .text("not asked"), "role": .missing,
        "votes": .flag(!member.isObserver),
      ])
    }
    return RecordTable(
      asked + others,
      columns: [
        .init("server"), .init("id"), .init("role"), .init("zxid"), .init("lag"), .init("sessions"),
        .init("clients"), .init("watches"), .init("outstanding", "waiting"), .init("latencyMs", "latency"),
        .init("syncMs", "sync"), .init("clockOffsetMs", "clock"), .init("version"),
      ])
  }

  private static func row(_ member: MemberReport, in report: EnsembleReport) -> Record {
    let id = report.id(of: member)
    let votes = id.flatMap { id in report.configuration?.member(id) }.map { !$0.isObserver }
    let isKnown = member.state == .serving && member.zxid != nil
    return Record([
      "server": .text(member.address.description), "id": .optional(id?.rawValue),
      "state": .text(state(member)), "role": .text(member.state == .serving ? member.role ?? "unknown" : state(member)),
      "votes": votes.map { .flag($0) } ?? .missing, "zxid": .optional(member.zxid.map { "\($0)" }),
      "lag": isKnown ? .number(Int64(report.lag(of: member))) : .missing, "sessions": .optional(member.sessionCount),
      "clients": .optional(member.connectionCount), "watches": .optional(member.watchCount),
      "outstanding": .optional(member.outstandingCount), "znodes": .optional(member.znodeCount),
      "latencyMs": .optional(member.metrics?.number("avg_latency")),
      "syncMs": .optional(member.metrics?.number("avg_fsynctime")),
      "handshakeMs": .optional(member.session?.handshakeMilliseconds),
      "clockOffsetMs": .optional(member.session?.clockOffsetMilliseconds), "version": .optional(member.version),
      "askedBy": .list(ways(member)),
    ])
  }

  private static func state(_ member: MemberReport) -> String {
    switch member.state {
    case .serving: "serving"
    case .notServing: "not serving"
    case .unreachable: "unreachable"
    }
  }

  /// The sources of information that have answered.
  private static func ways(_ member: MemberReport) -> [String] {
    member.words.filter { $0.value == .answered }.map(\.key).sorted()
      + (member.admin == .answered ? ["AdminServer"] : []) + (member.session == nil ? [] : ["session"])
  }
}

extension Record.Value {
  /// A text, or a missing value.
  static func optional(_ text: String?) -> Record.Value { text.map { .text($0) } ?? .missing }
  /// A number, or that there is none.
  static func optional(_ number: Int64?) -> Record.Value { number.map { .number($0) } ?? .missing }
  /// A number, or that there is none.
  static func optional(_ number: Double?) -> Record.Value { number.map { .decimal($0) } ?? .missing }
}

extension String {
  /// The text, padded with blanks to a width.
  func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
