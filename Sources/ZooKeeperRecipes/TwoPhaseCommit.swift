public import ZooKeeperClient
import ZooKeeperProtocol

/// A decision that all of a number of participants must agree to.
///
/// The coordinator creates the transaction, its data what is proposed, with a child for each participant, at once. Each
/// writes its vote into its child. The coordinator alone watches them, and writes what is decided into `.decision`, in
/// one transaction with a check that the votes are what it has read: commit when all have voted for it, abort as soon
/// as one has voted against or the time is up. Whoever decides first decides for all; another coordinator can take over
/// at any moment.
///
/// *Source*: ZooKeeper's documentation, "Two-phased Commit", with the coordinator as the only watcher of votes.
public struct TwoPhaseCommit: Sendable {
  public let path: String
  private let recipe: RecipeClient

  private var decisionPath: String { ZnodePath.child(".decision", of: path) }

  /// What a participant is for, and what is decided.
  public enum Verdict: String, CaseIterable, Hashable, Sendable {
    case commit, abort
  }

  /// Where a transaction stands.
  public struct Status: Hashable, Sendable {
    /// What is proposed; nil for no data.
    public var proposal: [UInt8]?
    /// The votes by participant, sorted by name; nil for one that has not voted.
    public var votes: [Vote]
    /// nil while nothing is decided.
    public var decision: Verdict?
  }

  /// A participant and its vote.
  public struct Vote: Hashable, Sendable {
    public var participant: String
    /// nil for none yet.
    public var verdict: Verdict?
    /// Of the participant's znode.
    var version: Int32
  }

  /// A transaction at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Proposes a transaction; one that exists already is left as it is, and so taken over.
  ///
  /// - Throws: `RecipeError` with `refused` when something else is there, or a transaction of other participants.
  public func propose(_ proposal: [UInt8], to participants: [String]) async throws {
    let create = { (path: String, data: [UInt8]?) in
      MultiOperation.create(CreateRequest(path: path, data: data, acl: ACL.openUnsafe, flags: 0))
    }
    let operations =
      [create(path, proposal)] + participants.map { create(ZnodePath.child($0, of: path), nil) }
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // Repeated after a lost answer it finds itself, which is what is wanted.
        try await recipe.retrying { client throws(ZooKeeperError) in try await client.multi(operations) }
        return
      } catch {
        switch error.failedOperation?.error {
        case .nodeExists: break
        case .noNode where attempt < 10:
          try await recipe.ensureParent(of: path)
          continue
        default: throw error
        }
      }
      break
    }
    // With nobody to vote, whatever is there would be decided at once.
    guard try await self.participants() == participants.sorted() else {
      throw RecipeError(.refused("it exists already, and is no transaction of these participants"), path: path)
    }
  }

  /// Waits, as the coordinator, for the votes, and decides.
  ///
  /// - Parameter limit: how long to wait; the decision is then abort. nil waits without end.
  /// - Returns: what is decided, and whether the time was up.
  public func decide(limit: Duration? = nil) async throws -> (verdict: Verdict, wasLate: Bool) {
    if let verdict = try await within(limit, { try await awaitVotes() }) { return (verdict, false) }
    // A decision that was made at the last moment stands.
    if let verdict = try await record(.abort, checking: []) { return (verdict, true) }
    return (try await decision() ?? .abort, true)
  }

  private func awaitVotes() async throws -> Verdict {
    while true {
      var watches: [WatchEvents] = []
      var votes: [Vote] = []
      if let decision = try await decision() { return decision }
      for participant in try await participants() {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchData(ZnodePath.child(participant, of: path))
        }
        votes.append(Vote(participant: participant, verdict: Self.verdict(watch.data), version: watch.stat.version))
        if votes.last?.verdict == nil { watches.append(watch.events) }
      }
      if votes.contains(where: { $0.verdict == .abort }) {
        if let verdict = try await record(.abort, checking: []) { return verdict }
      } else if watches.isEmpty {
        if let verdict = try await record(.commit, checking: votes) { return verdict }
      } else {
        try await awaitChange(ofAny: watches)
      }
    }
  }

  /// Writes the decision down, unless there is one.
  ///
  /// - Returns: what is decided; nil when the votes have changed since they were read.
  private func record(_ verdict: Verdict, checking votes: [Vote]) async throws -> Verdict? {
    let checks = votes.map { vote in
      MultiOperation.check(
        PathVersionRequest(path: ZnodePath.child(vote.participant, of: path), version: vote.version))
    }
    let create = CreateRequest(path: decisionPath, data: [UInt8](verdict.rawValue.utf8), acl: ACL.openUnsafe, flags: 0)
    do throws(ZooKeeperError) {
      try await recipe.retrying { client throws(ZooKeeperError) in try await client.multi(checks + [.create(create)]) }
      return verdict
    } catch {
      guard let failed = error.failedOperation?.error else { throw error }
      if failed == .nodeExists { return try await decision() }
      guard failed == .badVersion else { throw error }
      return nil
    }
  }

  /// Votes, once: the same vote again changes nothing. A vote that comes before its proposal waits for that.
  ///
  /// - Parameter limit: how long to wait for the proposal; nil without end, zero not at all.
  /// - Returns: false when nothing was proposed in time.
  /// - Throws: `RecipeError` with `refused` for one who is no participant or has voted otherwise, or when the decision
  ///   is there already; `ZooKeeperError`.
  @discardableResult
  public func vote(_ verdict: Verdict, as participant: String, limit: Duration? = .zero) async throws -> Bool {
    // The participants come into being together with the transaction.
    guard try await Condition.exists.awaited(recipe.client, at: path, limit: limit) != nil else { return false }
    let own = ZnodePath.child(participant, of: path)
    while true {
      guard let (data, stat) = try await recipe.data(of: own), participant != ".decision" else {
        throw RecipeError(.refused("it is no participant's"), path: own)
      }
      if let former = Self.verdict(data) {
        if former == verdict { return true }
        throw RecipeError(.refused("the vote was \(former.rawValue), and cannot be changed"), path: own)
      }
      if let decision = try await decision() {
        throw RecipeError(.refused("the decision is \(decision.rawValue) already"), path: path)
      }
      do throws(ZooKeeperError) {
        try await recipe.retrying { client throws(ZooKeeperError) in
          try await client.setData(own, data: [UInt8](verdict.rawValue.utf8), version: stat.version)
        }
        return true
      } catch {
        // Its own vote, the answer to which was lost, or another process of that name.
        guard error.code == .server(.badVersion) else { throw error }
      }
    }
  }

  /// Waits for the decision, as a participant.
  ///
  /// - Returns: nil when there was none in time.
  public func decision(limit: Duration?) async throws -> Verdict? {
    if limit != .zero, try await Condition.exists.awaited(recipe.client, at: decisionPath, limit: limit) == nil {
      return nil
    }
    return try await decision()
  }

  /// Where the transaction stands.
  ///
  /// - Throws: NoNode when there is none.
  public func status() async throws -> Status {
    guard let (proposal, _) = try await recipe.data(of: path) else {
      throw ZooKeeperError(.server(.noNode), path: path)
    }
    var votes: [Vote] = []
    for participant in try await participants() {
      guard let (data, stat) = try await recipe.data(of: ZnodePath.child(participant, of: path)) else { continue }
      votes.append(Vote(participant: participant, verdict: Self.verdict(data), version: stat.version))
    }
    return Status(proposal: proposal, votes: votes, decision: try await decision())
  }

  private func decision() async throws(ZooKeeperError) -> Verdict? {
    try await recipe.data(of: decisionPath).flatMap { Self.verdict($0.data) }
  }

  private func participants() async throws(ZooKeeperError) -> [String] {
    try await recipe.children(of: path).filter { $0 != ".decision" }.sorted()
  }

  private static func verdict(_ data: [UInt8]?) -> Verdict? {
    data.flatMap { Verdict(rawValue: String(decoding: $0, as: UTF8.self)) }
  }
}
