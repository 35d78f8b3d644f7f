import Synchronization
import ZooKeeperClient
import ZooKeeperRecipes

/// elect.
extension CommandContext {
  /// Runs for leadership, or prints who leads.
  func elect(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let election = Election(client, path: path)
    if invocation.flag(.list) { return try await list(try await election.participants()) }
    if invocation.flag(.observe) { return try await observe(path, client) }
    if invocation.flag(.release) {
      let count = try await election.resignOwn()
      try emit(.recipe(.released(path: path, count: count)))
      return count == 0 ? .no : .success
    }
    guard let word = invocation.argument(1) else {
      throw ShellError.missing("argument", "name", of: invocation.spec)
    }
    let name = try ValueParser.text(word, of: "name")
    let variables = ["ZKCLI_LEADER": name]
    if mode != .oneShot, let (hold, former) = try await election.own() {
      guard former == word.bytes else {
        throw ShellError.heldAlready(path, "this session is already the leader, under another name")
      }
      return try await keep(hold, name: name, variables: variables, client, letsGo: false)
    }
    let won = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await Election(client, path: path).lead(name: word.bytes, limit: limit)
    }
    guard let (hold, client) = won else { throw ShellError.notObtained(path) }
    return try await keep(hold, name: name, variables: variables, client)
  }

  private func observe(_ path: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    let countdown = try countdown()
    let last = Mutex<Election.Leader??>(nil)
    let hasEnded = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await Election(client, path: path).observe(limit: limit) { leader in
        // A new session starts to observe again.
        let isNews = last.withLock { last in
          defer { last = .some(leader) }
          return last != .some(leader)
        }
        guard isNews else { return true }
        try emit(.recipe(.leader(leader)))
        try flush()
        // The absence of a leader is printed, but not counted.
        return leader == nil || countdown.goesOn()
      }
    }
    guard hasEnded else { throw ShellError.timeIsUp(path) }
    return .success
  }

  /// A countdown from `--count`.
  func countdown() throws(ShellError) -> Countdown {
    guard let word = invocation.value(.count) else { return Countdown(nil) }
    return Countdown(Int(try ValueParser.integer(word, of: "--count", in: 1...Int64(Int32.max))))
  }
}

/// The number of records of a stream that are still to be printed.
final class Countdown: Sendable {
  private let rest: Mutex<Int?>

  /// A countdown from a number; nil for one without an end.
  init(_ count: Int?) { rest = Mutex(count) }

  /// Counts a record. Returns false if it was the last one.
  func goesOn() -> Bool {
    rest.withLock { rest in
      guard let count = rest else { return true }
      rest = count - 1
      return count > 1
    }
  }
}
