public import ZooKeeperProtocol

/// The reports of the servers of an ensemble.
public struct EnsembleReport: Sendable {
  /// In the order in which they were asked.
  public var members: [MemberReport]
  /// The transaction that each server must have applied by the end of the probe; nil if none was determined.
  public var goal: Zxid?

  /// The time in which servers can catch up before they are reported to lag.
  public static let lagPatience = Duration.milliseconds(200)

  public init(members: [MemberReport]) { self.members = members }

  // MARK: Configuration

  /// The configuration that a server reports; nil if it reports none, as a standalone server does.
  public static func configuration(of member: MemberReport) -> QuorumConfiguration? {
    guard let text = member.session?.configuration, !text.isEmpty else { return nil }
    let parsed = try? QuorumConfiguration(parsing: text)
    return parsed?.members.isEmpty == false ? parsed : nil
  }

  /// The configuration that most servers report; the newest version in case of a tie.
  public var configuration: QuorumConfiguration? {
    var counts: [QuorumConfiguration: Int] = [:]
    for member in members {
      if let configuration = Self.configuration(of: member) { counts[configuration, default: 0] += 1 }
    }
    return counts.max { ($0.value, $0.key.version) < ($1.value, $1.key.version) }?.key
  }

  /// The id of a server in the ensemble, from any source.
  public func id(of member: MemberReport) -> ServerID? {
    if let id = member.id { return id }
    guard let configuration = Self.configuration(of: member) ?? configuration else { return nil }
    if let own = configuration.members.first(where: { $0.clientAddress == member.address }) { return own.id }
    guard member.role != "standalone", let session = member.session?.id else { return nil }
    let byte = UInt8(truncatingIfNeeded: session.rawValue >> 56)
    let candidates = configuration.members.filter { UInt8(truncatingIfNeeded: $0.id.rawValue) == byte }
    return candidates.count == 1 ? candidates[0].id : nil
  }

  /// The client addresses in the configuration of servers that were not asked.
  var unaskedClients: [ServerAddress] { missingMembers.compactMap(\.clientAddress) }

  /// The servers of the configuration that were not asked.
  public var missingMembers: [QuorumConfiguration.Member] {
    let known = Set(members.compactMap { id(of: $0) })
    return (configuration?.members ?? []).filter { member in
      !known.contains(member.id) && !members.contains { $0.address == member.clientAddress }
    }
  }

  // MARK: Progress

  /// The newest transaction that any member of the ensemble has.
  public var newestZxid: Zxid? { members.filter(isComparable).compactMap(\.zxid).max() }

  /// Whether a server lags.
  public func isBehind(_ member: MemberReport) -> Bool { lag(of: member) > 0 }

  /// The number of transactions that a server lacks. Of earlier epochs only one is counted, because their number is
  /// unknown.
  public func lag(of member: MemberReport) -> Int {
    guard isComparable(member), let zxid = member.status?.zxid, let goal = goal ?? newestZxid, zxid < goal else {
      return 0
    }
    return zxid.epoch == goal.epoch ? Int(goal.counter - zxid.counter) : Int(goal.counter) + 1
  }

  private func isComparable(_ member: MemberReport) -> Bool {
    member.state == .serving && member.role != "standalone"
  }

  // MARK: Quorum

  /// The leaders.
  public var leaders: [MemberReport] { members.filter { $0.state == .serving && $0.role == "leader" } }

  /// Whether the ensemble serves. A server grants sessions only as part of a quorum, so a single one proves it.
  public var hasQuorum: Bool { members.contains { $0.state == .serving && $0.role != "read-only" } }

  /// The number of serving voters that can fail without a loss of the quorum; nil if the voters are unknown.
  public var failuresLeft: Int? {
    guard let configuration, !configuration.voters.isEmpty else { return nil }
    let down = members.filter { $0.state != .serving }
    let known = Set(members.compactMap { id(of: $0) })
    // Static configurations do not contain client addresses, so a server that does not answer can be any member that no
    // other server is.
    let anonymous = down.filter { id(of: $0) == nil }.count
    let others = configuration.voters.filter { !known.contains($0) }.prefix(anonymous)
    let lost = Set(down.compactMap { id(of: $0) }).union(others)
    let up = configuration.voters.filter { !lost.contains($0) }
    // By descending weight, which is the worst case also with groups.
    let ordered = up.sorted { configuration.weight(of: $0) > configuration.weight(of: $1) }
    for count in ordered.indices {
      let left = Set(ordered.dropFirst(count + 1))
      if !configuration.isQuorum(left.contains) { return count }
    }
    return ordered.count
  }
}

extension QuorumConfiguration.Member {
  /// The client address, if its line contains one; a wildcard is replaced by the host of its other ports.
  public var clientAddress: ServerAddress? {
    guard let client, client.port > 0 else { return nil }
    let host = client.isWildcard ? addresses.first?.host ?? client.host : client.host
    return ServerAddress(host: host, port: client.port)
  }
}
