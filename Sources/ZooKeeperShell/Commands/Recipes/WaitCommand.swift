import ZooKeeperClient
import ZooKeeperRecipes

/// wait.
extension CommandContext {
  /// Waits until a znode is as it should be.
  func wait(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let condition = try await condition()
    let fulfilled = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await condition.awaited(client, at: path, limit: limit)
    }
    guard let (fulfilment, _) = fulfilled else {
      throw ShellError(.timedOut, "TimedOut", path: path, "the condition was not met before the timeout")
    }
    try emit(.recipe(.conditionMet(path: path, stat: fulfilment.stat)))
    return .success
  }

  private func condition() async throws(ShellError) -> Condition {
    let given = [OptionName.exists, .absent, .equals, .children].filter(invocation.flag)
    guard given.count <= 1 else {
      throw .usage("--exists, --absent, --equals and --children cannot be combined")
    }
    switch given.first {
    case .absent: return .absent
    case .equals: return .equals(try await data(invocation.value(.equals)!))
    case .children: return try Self.childrenCondition(invocation.value(.children)!)
    default: return .exists
    }
  }

  private static func childrenCondition(_ word: Word) throws(ShellError) -> Condition {
    let text = word.text.filter { $0 != " " }
    // The longer spellings come first in the list: `>` begins `>=`.
    for comparison in Condition.Comparison.allCases where text.hasPrefix(comparison.rawValue) {
      guard let number = Int(text.dropFirst(comparison.rawValue.count)), number >= 0 else { break }
      return .children(comparison, number)
    }
    if let number = Int(text), number >= 0 { return .children(.equal, number) }
    throw .usage(
      "--children \(Tokenizer.quote(word)) is not a condition", hint: "write it as '>=3', '==0', '<10' or '!=1'")
  }
}
