/// Why the description of an ensemble cannot be used.
public struct QuorumConfigurationError: Error, Hashable, Sendable {
  /// What is wrong, in Apache's wording where Apache reports the same error.
  public var message: String

  public init(message: String) { self.message = message }
}

/// Who belongs to an ensemble, and which of them are a quorum.
///
/// A static configuration comes from `zoo.cfg` and has version 0. A dynamic one is a transaction, has its zxid as
/// version, and replaces the previous one on all members.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumPeer.QuorumServer`, `flexible.QuorumMaj`,
/// `flexible.QuorumHierarchical`; `QuorumProtocol` A.9, `StorageFormat` E.2.
public struct QuorumConfiguration: Hashable, Sendable {
  /// One address of a server, with its two ports.
  public struct Address: Hashable, Sendable {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    public var host: String
    /// Where the server listens for learners when it leads.
    public var quorumPort: Int
    /// Where it listens for the other servers' votes.
    public var electionPort: Int

    public init(host: String, quorumPort: Int, electionPort: Int) {
      self.host = host
      self.quorumPort = quorumPort
      self.electionPort = electionPort
    }

    /// The host with the quorum port.
    public var quorum: ServerAddress { ServerAddress(host: host, port: quorumPort) }
    /// The host with the election port.
    public var election: ServerAddress { ServerAddress(host: host, port: electionPort) }
  }

  /// One server.
  public struct Member: Hashable, Sendable {
    /// The N of `server.N`.
    public var id: ServerID
    /// At least one.
    public var addresses: [Address]
    /// Whether it is an observer: it learns what was committed, and has no vote.
    public var isObserver: Bool
    /// Where it listens for clients, if its line says so.
    public var client: ServerAddress?

    public init(id: ServerID, addresses: [Address], isObserver: Bool = false, client: ServerAddress? = nil) {
      self.id = id
      self.addresses = addresses
      self.isObserver = isObserver
      self.client = client
    }
  }

  /// By id, ascending.
  public private(set) var members: [Member]
  /// The groups of a hierarchical quorum; empty for majorities.
  public private(set) var groups: [[ServerID]]
  /// Weights that are not 1.
  public private(set) var weights: [ServerID: Int64]
  /// The zxid of the transaction that made it; 0 for a static one.
  public var version: Int64

  public init(
    members: [Member], groups: [[ServerID]] = [], weights: [ServerID: Int64] = [:], version: Int64 = 0
  ) {
    self.members = members.sorted { $0.id < $1.id }
    self.groups = groups
    self.weights = weights
    self.version = version
  }

  /// The server with an id; nil if there is none.
  public func member(_ id: ServerID) -> Member? { members.first { $0.id == id } }

  /// The servers that vote.
  public var voters: [ServerID] { members.lazy.filter { !$0.isObserver }.map(\.id) }

  /// Whether a server votes.
  public func isVoter(_ id: ServerID) -> Bool { members.contains { $0.id == id && !$0.isObserver } }

  /// The weight of a server's vote. A server of weight 0 is never elected.
  public func weight(of id: ServerID) -> Int64 {
    guard !groups.isEmpty else { return isVoter(id) ? 1 : 0 }
    return weights[id] ?? 1
  }

  /// Whether the voters for which `contains` is true are a quorum.
  ///
  /// More than half of the voters; or, with groups, more than half of the groups that weigh anything, each with more
  /// than half of its weight.
  public func isQuorum(_ contains: (ServerID) -> Bool) -> Bool {
    guard !groups.isEmpty else {
      var (total, found) = (0, 0)
      for member in members where !member.isObserver {
        total += 1
        if contains(member.id) { found += 1 }
      }
      return found > total / 2
    }
    var (counted, won) = (0, 0)
    for group in groups {
      let total = group.reduce(0) { $0 + (isVoter($1) ? weight(of: $1) : 0) }
      guard total > 0 else { continue }
      counted += 1
      let found = group.reduce(0) { $0 + (isVoter($1) && contains($1) ? weight(of: $1) : 0) }
      if found > total / 2 { won += 1 }
    }
    return won > counted / 2
  }

  /// Whether two configurations have the same members with the same votes, whatever their versions.
  public func hasSameMembers(as other: QuorumConfiguration) -> Bool {
    members == other.members && groups == other.groups && weights == other.weights
  }
}
