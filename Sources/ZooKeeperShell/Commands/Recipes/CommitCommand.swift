import ZooKeeperClient
import ZooKeeperRecipes

/// commit.
extension CommandContext {
  /// Takes part in a two-phase commit.
  func commit(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["propose", "vote", "status"])
    let path = try path(at: 1)
    let transaction = TwoPhaseCommit(client, path: path)
    switch action {
    case "propose": return try await propose(path, client)
    case "vote": return try await vote(in: path, client)
    default:
      let status = try await transaction.status()
      try emit(.recipe(.transaction(path: path, status)))
      return Self.exitCode(of: status.decision)
    }
  }

  private func propose(_ path: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    guard let names = invocation.value(.participants), let word = invocation.argument(2) else {
      throw ShellError.usage(
        "commit propose needs --participants and data", hint: "usage: \(invocation.spec.synopsis)")
    }
    let participants = try ValueParser.text(names, of: "--participants").split(separator: ",").map(String.init)
    guard !participants.isEmpty, Set(participants).count == participants.count,
      participants.allSatisfy({ !$0.contains("/") && !$0.hasPrefix(".") })
    else { throw ShellError.usage("--participants is not a list of distinct names", hint: "write it as a,b,c") }
    let proposal = try await data(word)
    let decided = try await waiting(client, limit: try waitingLimit()) { client, limit in
      let transaction = TwoPhaseCommit(client, path: path)
      try await transaction.propose(proposal, to: participants)
      return try await transaction.decide(limit: limit)
    }
    guard let (verdict, wasLate) = decided?.value else {
      throw ShellError(.timedOut, "TimedOut", path: path, "no decision was made before the timeout")
    }
    try emit(.recipe(.decision(path: path, verdict)))
    return wasLate && verdict == .abort ? .timedOut : Self.exitCode(of: verdict)
  }

  private func vote(in path: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    guard let name = invocation.argument(2), let vote = invocation.argument(3) else {
      throw ShellError.usage("commit vote needs a name and a vote", hint: "usage: \(invocation.spec.synopsis)")
    }
    let verdict = TwoPhaseCommit.Verdict(
      rawValue: try ValueParser.choice(vote, of: "vote", among: ["commit", "abort"]))!
    let participant = try ValueParser.text(name, of: "name")
    let limit = try waitingLimit()
    let deadline = limit.map { ContinuousClock.now + $0 }
    let voted = try await waiting(client, limit: limit) { client, limit in
      try await TwoPhaseCommit(client, path: path).vote(verdict, as: participant, limit: limit) ? client : nil
    }
    guard let (_, client) = voted else {
      throw ShellError(
        .timedOut, "TimedOut", path: path, "nothing was proposed before the timeout; the vote was not cast")
    }
    if invocation.flag(.tryOnce) { return .success }
    let decided = try await waiting(client, limit: deadline.map { max($0 - .now, .zero) }) { client, limit in
      try await TwoPhaseCommit(client, path: path).decision(limit: limit)
    }
    guard let decision = decided?.value else {
      throw ShellError(
        .timedOut, "TimedOut", path: path, "no decision was made before the timeout; the vote remains cast")
    }
    try emit(.recipe(.decision(path: path, decision)))
    return Self.exitCode(of: decision)
  }

  private static func exitCode(of decision: TwoPhaseCommit.Verdict?) -> ExitCode {
    switch decision {
    case .commit: .success
    case .abort: .no
    case nil: .timedOut
    }
  }
}
