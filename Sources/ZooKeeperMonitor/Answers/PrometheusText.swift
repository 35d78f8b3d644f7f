/// The metrics of servers in Prometheus's text format, with the names of Apache's endpoint.
///
/// Four-letter words give a summary as five or more lines, `zk_cnt_X`, `zk_sum_X`, `zk_p99_X` and so on, which are
/// converted back to `X_count`, `X_sum` and `X{quantile="0.99"}`. Averages and extremes cannot be part of a summary,
/// and become gauges named `avg_X`, `min_X` and `max_X`.
///
/// *Source*: Prometheus, "Exposition formats"; `PrometheusMetricsProvider`.
public enum PrometheusText {
  private static let quantiles = [
    (prefix: "p50_", quantile: "0.5"), (prefix: "p95_", quantile: "0.95"), (prefix: "p99_", quantile: "0.99"),
    (prefix: "p999_", quantile: "0.999"),
  ]

  /// The lines of a family.
  private struct Family {
    var type: String
    var lines: [String] = []
  }

  /// Writes the metrics of several servers, each sample with a label that names the server.
  ///
  /// - Parameter members: the value of the label and the metrics; nil for no label.
  public static func write(_ members: [(label: String?, metrics: ServerMetrics)]) -> String {
    var order: [String] = []
    var families: [String: Family] = [:]
    func add(_ family: String, type: String, _ line: String) {
      if families[family] == nil {
        order.append(family)
        families[family] = Family(type: type)
      }
      families[family]?.lines.append(line)
    }
    for (label, metrics) in members {
      let own = label.map { [("member", $0)] } ?? []
      for figure in metrics.figures {
        let name = self.name(figure.name)
        if figure.name == "version" || figure.name.hasSuffix("_state") {
          add(name, type: "gauge", "\(name)\(text(of: own + [("value", figure.text)])) 1")
        } else if metrics.number(figure.name) != nil {
          let sample = sample(name, in: metrics)
          add(sample.family, type: sample.type, "\(sample.name)\(text(of: own + sample.labels)) \(figure.text)")
        }
      }
    }
    return order.map { name in
      let family = families[name]!
      return "# TYPE \(name) \(family.type)\n" + family.lines.map { $0 + "\n" }.joined()
    }.joined()
  }

  private typealias Label = (name: String, value: String)
  private typealias Sample = (family: String, type: String, name: String, labels: [Label])

  /// The Prometheus sample for a line of `mntr`.
  private static func sample(_ name: String, in metrics: ServerMetrics) -> Sample {
    func isSummary(_ base: Substring) -> Bool { metrics["cnt_\(base)"] != nil && metrics["sum_\(base)"] != nil }
    for (prefix, suffix) in [("cnt_", "_count"), ("sum_", "_sum")] where name.hasPrefix(prefix) {
      let base = name.dropFirst(prefix.count)
      if isSummary(base) { return (String(base), "summary", base + suffix, []) }
    }
    for (prefix, quantile) in quantiles where name.hasPrefix(prefix) {
      let base = name.dropFirst(prefix.count)
      if isSummary(base) { return (String(base), "summary", String(base), [("quantile", quantile)]) }
    }
    return (name, "untyped", name, [])
  }

  /// A name that Prometheus allows: letters, digits, underscores and colons, not a digit first.
  private static func name(_ text: String) -> String {
    let mapped = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
    return mapped.first.map(\.isNumber) ?? true ? "_" + mapped : mapped
  }

  private static func text(of labels: [Label]) -> String {
    guard !labels.isEmpty else { return "" }
    let parts = labels.map { label in
      let value = label.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
      return "\(label.name)=\"\(value)\""
    }
    return "{\(parts.joined(separator: ","))}"
  }
}
