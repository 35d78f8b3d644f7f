import ZooKeeperProtocol

/// What must be true before a command deletes or overwrites many znodes.
extension CommandContext {
  /// The most znodes that a script may destroy without `--yes`.
  private static let defaultLimit: Int64 = 1000

  /// Asks on a terminal, with the number of znodes. In a script, which has no one to ask, more than `--max` znodes
  /// need `--yes`.
  ///
  /// - Parameter action: what is about to be done, as the beginning of a question: `Delete 12 znodes under /a`.
  /// - Throws: `Refused` with exit code 1 if the answer is no; a usage error in a script over the limit.
  func allow(_ action: String, count: Int) async throws(ShellError) {
    guard dialect.asksBeforeDestroying, !invocation.flag(.yes), !invocation.flag(.force) else { return }
    if values.asksBeforeDestroying {
      guard try await values.confirms("\(action)?") else {
        throw ShellError(.no, "Refused", "nothing was changed")
      }
      return
    }
    let limit = try invocation.value(.max).map { word throws(ShellError) in
      try ValueParser.integer(word, of: "--max", in: 0...Int64(Int32.max))
    }
    guard count > limit ?? Self.defaultLimit else { return }
    throw .usage(
      "\(action): more than \(limit ?? Self.defaultLimit) znodes need --yes in a script",
      hint: "--dry-run shows what would be done, and --max sets another limit")
  }
}
