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
    case "propose": return try await propose(transaction)
    case "vote": return try await vote(in: transaction)
    default:
      let status = try await transaction.status()
      try emit(.recipe(.transaction(path: path, status)))
      return Self.exitCode(of: status.decision)
    }
  }

  private func propose(_ transaction: TwoPhaseCommit) async throws -> ExitCode {
    guard let names = invocation.value(.participants), let word = invocation.argument(2) else {
      throw ShellError.usage(
        "commit propose needs --participants and data", hint: "usage: \(invocation.spec.synopsis)")
    }
    let participants = try Values.text(names, of: "--participants").split(separator: ",").map(String.init)
    guard !participants.isEmpty, Set(participants).count == participants.count,
      participants.allSatisfy({ !$0.contains("/") && !$0.hasPrefix(".") })
    else { throw ShellError.usage("--participants is not a list of different names", hint: "write it as a,b,c") }
    try await transaction.propose(try await data(word), to: participants)
    let (verdict, wasLate) = try await transaction.decide(limit: try waitingLimit())
    try emit(.recipe(.verdict(path: transaction.path, verdict)))
    return wasLate && verdict == .abort ? .timedOut : Self.exitCode(of: verdict)
  }

  private func vote(in transaction: TwoPhaseCommit) async throws -> ExitCode {
    guard let name = invocation.argument(2), let vote = invocation.argument(3) else {
      throw ShellError.usage("commit vote needs a name and a vote", hint: "usage: \(invocation.spec.synopsis)")
    }
    let verdict = TwoPhaseCommit.Verdict(rawValue: try Values.choice(vote, of: "vote", among: ["commit", "abort"]))!
    try await transaction.vote(verdict, as: try Values.text(name, of: "name"))
    if invocation.flag(.tryOnce) { return .success }
    guard let decision = try await transaction.decision(limit: try waitingLimit()) else {
      throw ShellError(.timedOut, "TimedOut", path: transaction.path, "nothing was decided in time; the vote stands")
    }
    try emit(.recipe(.verdict(path: transaction.path, decision)))
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
