// MARK: Documentation

extension MetricTable {
  /// The tables of the page about metrics: a test compares them with it.
  static var page: String {
    let own = reported.filter { $0.origin == .own }
    let same = reported.filter { $0.origin == .apache }
    return """
      ### Those of Apache's servers

      | name | kind | meaning |
      | --- | --- | --- |
      \(rows(same) { $0.help })

      ### Those that Apache's servers do not have

      | name | kind | meaning |
      | --- | --- | --- |
      \(rows(own) { $0.help })

      ### Those of Apache's servers that are not reported

      | name | kind | reason |
      | --- | --- | --- |
      \(rows(families) { if case .meaningless(let reason) = $0.source { reason } else { nil } })

      """
  }

  private static func rows(_ families: [MetricFamily], _ text: (MetricFamily) -> String?) -> String {
    families.compactMap { family in text(family).map { "| `\(family.name)` | \(family.kindText) | \($0) |" } }
      .joined(separator: "\n")
  }
}

extension MetricFamily {
  /// The kind, as the page has it.
  var kindText: String {
    switch kind {
    case .gauge: "gauge"
    case .counter: "counter"
    case .summary(let quantiles): "summary \(quantiles ? "advanced" : "basic")"
    case .gaugeSet: "gaugeSet"
    case .counterSet: "counterSet"
    case .summarySet(let quantiles): "summarySet \(quantiles ? "advanced" : "basic")"
    }
  }
}
