import ZooKeeperRecipes

/// Conditions on a znode, as the arguments of wait and watch spell them.
extension CommandContext {
  /// What `--until` spells before a value; `ValueKind.condition` completes them.
  package static let conditionForms = ["exists", "absent", "equals=", "children>="]

  /// The condition of wait's options; by default that the znode exists.
  func conditionOfOptions() async throws(ShellError) -> Condition {
    let given = [OptionName.exists, .absent, .equals, .children].filter(invocation.flag)
    guard given.count <= 1 else {
      throw .usage("--exists, --absent, --equals and --children cannot be combined")
    }
    if let word = invocation.value(.equals) { return .equals(try await data(word)) }
    if let word = invocation.value(.children) {
      guard let condition = Self.childrenCondition(word.text) else {
        throw .usage(
          "--children \(Tokenizer.quote(word)) is not a condition", hint: "write it as '>=3', '==0', '<10' or '!=1'")
      }
      return condition
    }
    return invocation.flag(.absent) ? .absent : .exists
  }

  /// The condition of `--until`; nil if the option is not given.
  func conditionOfUntil() async throws(ShellError) -> Condition? {
    guard let word = invocation.value(.until) else { return nil }
    let equals = Array("equals=".utf8)
    if word.bytes.starts(with: equals) {
      return .equals(try await data(Word(bytes: [UInt8](word.bytes.dropFirst(equals.count)))))
    }
    let text = word.text.filter { $0 != " " }
    if text == "exists" { return .exists }
    if text == "absent" { return .absent }
    if text.hasPrefix("children"), let condition = Self.childrenCondition(String(text.dropFirst("children".count))) {
      return condition
    }
    throw .usage(
      "--until \(Tokenizer.quote(word)) is not a condition",
      hint: "write it as exists, absent, equals=DATA or 'children>=3'")
  }

  private static func childrenCondition(_ spelling: String) -> Condition? {
    let text = spelling.filter { $0 != " " }
    // The longer spellings come first in the list: `>` begins `>=`.
    for comparison in Condition.Comparison.allCases where text.hasPrefix(comparison.rawValue) {
      guard let number = Int(text.dropFirst(comparison.rawValue.count)), number >= 0 else { return nil }
      return .children(comparison, number)
    }
    guard let number = Int(text), number >= 0 else { return nil }
    return .children(.equal, number)
  }
}
