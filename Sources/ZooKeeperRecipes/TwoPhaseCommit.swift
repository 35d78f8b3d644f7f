public import ZooKeeperClient
import ZooKeeperProtocol

/// A decision to which all of a number of participants must agree.
///
/// The coordinator creates the transaction, with the proposal as its data, together with a child for each participant.
/// Each participant writes its vote into its child. Only the coordinator watches the votes. It writes the decision into
/// `.decision`, in one transaction with a check that the votes are still as it has read them: commit if all have voted
/// for it, abort as soon as one has voted against it or the time limit has passed. The first decision is final for all,
/// so that another coordinator can take over at any moment.
///
/// *Source*: ZooKeeper's documentation, "Two-phased Commit", with the coordinator as the only watcher of votes.
public struct TwoPhaseCommit: Sendable {
  /// The znode of the transaction.
  public let path: String
  private let recipe: RecipeClient

  private var decisionPath: String { ZnodePath.child(".decision", of: path) }

  /// A participant's vote, or the decision.
  public enum Verdict: String, CaseIterable, Hashable, Sendable {
    /// Carry out what is proposed.
    case commit
    /// Do not carry it out.
    case abort
  }

  /// The state of a transaction.
  public struct Status: Hashable, Sendable {
    /// What is proposed; nil for null.
    public var proposal: [UInt8]?
    /// One for each participant, sorted by name.
    public var votes: [Vote]
    /// nil until it is decided.
    public var decision: Verdict?
  }

  /// A participant and its vote.
  public struct Vote: Hashable, Sendable {
    /// The name of the participant.
    public var participant: String
    /// nil if it has not voted yet.
    public var verdict: Verdict?
    /// The version of the participant's znode.
    var version: Int32
  }

  /// A transaction at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Proposes a transaction. If it exists already, it is left as it is, so that a new coordinator can take it over.
  ///
  /// - Parameters:
  ///   - proposal: the data of the transaction's znode, for the participants to read.
  ///   - participants: the names of those who must agree.
  /// - Throws: `RecipeError` with `refused` if the znode is something else, or a transaction of other participants;
  ///   `ZooKeeperError`.
  public func propose(_ proposal: [UInt8], to participants: [String]) async throws {
    let create = { (path: String, data: [UInt8]?) in
      MultiOperation.create(CreateRequest(path: path, data: data, acl: ACL.openUnsafe, flags: 0))
    }
    let operations =
      [create(path, proposal)] + participants.map { create(ZnodePath.child($0, of: path), nil) }
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // A repetition after a lost reply fails with NodeExists, and is then recognised as this transaction.
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
    // A znode without participants must not pass for a transaction: it would be decided at once.
    guard try await self.participants() == participants.sorted() else {
      throw RecipeError(.refused("it exists already and is not a transaction of these participants"), path: path)
    }
  }

  /// Waits, as the coordinator, for the votes, and decides.
  ///
  /// - Parameter limit: how long to wait for the votes; if some are missing then, the decision is abort. nil waits
  ///   indefinitely.
  /// - Returns: the decision, and whether the limit had passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func decide(limit: Duration? = nil) async throws -> (verdict: Verdict, wasLate: Bool) {
    if let verdict = try await withTimeout(limit, { try await awaitVotes() }) { return (verdict, false) }
    // A decision that another coordinator made at the last moment is final.
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

  /// Writes the decision, unless there is one already.
  ///
  /// - Returns: the decision; nil if the votes have changed since they were read.
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

  /// Votes, once; the same vote again changes nothing. If the transaction does not exist yet, waits for it.
  ///
  /// - Parameter limit: how long to wait for the proposal; nil waits indefinitely, zero not at all.
  /// - Returns: false if nothing was proposed before the limit passed.
  /// - Throws: `RecipeError` with `refused` if the name is not a participant's, if the participant has voted otherwise,
  ///   or if it is decided already; `ZooKeeperError`; `CancellationError`.
  @discardableResult
  public func vote(_ verdict: Verdict, as participant: String, limit: Duration? = .zero) async throws -> Bool {
    // The participants' znodes are created together with the transaction.
    guard try await Condition.exists.awaited(recipe.client, at: path, limit: limit) != nil else { return false }
    let own = ZnodePath.child(participant, of: path)
    while true {
      guard let (data, stat) = try await recipe.data(of: own), participant != ".decision" else {
        throw RecipeError(.refused("the transaction has no such participant"), path: own)
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
        // This vote was written and the reply was lost, or another process has voted under the same name.
        guard error.code == .server(.badVersion) else { throw error }
      }
    }
  }

  /// Waits for the decision, as a participant.
  ///
  /// - Parameter limit: how long to wait; nil waits indefinitely, zero reads once.
  /// - Returns: nil if it was not decided when the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func decision(limit: Duration?) async throws -> Verdict? {
    if limit != .zero, try await Condition.exists.awaited(recipe.client, at: decisionPath, limit: limit) == nil {
      return nil
    }
    return try await decision()
  }

  /// The state of the transaction.
  ///
  /// - Throws: NoNode if there is no such transaction.
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
