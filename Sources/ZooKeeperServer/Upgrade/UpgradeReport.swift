/// What would be different if this server continued with the files of Apache's.
package struct UpgradeReport: Hashable, Sendable {
  /// What a finding means to the operator.
  package enum Weight: String, Hashable, Sendable {
    /// What is there.
    case fact
    /// What would be done or understood in another way.
    case change
    /// Why this server would not start.
    case obstacle
  }

  /// One line of the report.
  package struct Finding: Hashable, Sendable {
    package let weight: Weight
    package let text: String

    package init(_ weight: Weight, _ text: String) {
      self.weight = weight
      self.text = text
    }
  }

  package var findings: [Finding] = []

  package init() {}

  /// Whether this server would start.
  package var canStart: Bool { !findings.contains { $0.weight == .obstacle } }

  /// Adds a finding.
  package mutating func add(_ weight: Weight, _ text: String) { findings.append(Finding(weight, text)) }
}
