import ServerCore
import ZooKeeperProtocol

/// The figures that `mntr`, `/commands/monitor` and Prometheus report: the families of `MetricTable`.
///
/// *Source*: `ClientProtocol` 7.1, 7.3; names without the prefix `zk_`. The names of summaries and sets are those of
/// `AvgMinMaxCounter`, `AvgMinMaxPercentileCounter` and `SimpleCounterSet`.
enum Monitor {
  /// A figure.
  enum Value: Hashable, Sendable {
    case integer(Int)
    case double(Double)
    case text(String)
  }

  /// A figure and its name.
  struct Entry: Hashable, Sendable {
    let key: String
    let value: Value

    /// As `mntr` writes it.
    var text: String {
      switch value {
      case .integer(let number): "\(number)"
      case .double(let number): FourLetterWords.rounded(number)
      case .text(let text): text
      }
    }
  }

  /// All figures, the version and the state first.
  static func entries(_ report: ServerReport) -> [Entry] {
    var entries = [
      Entry(key: "version", value: .text(FourLetterWords.versionText)),
      Entry(key: "server_state", value: .text(report.mode)),
    ]
    if let ensemble = report.ensemble {
      entries.append(
        Entry(key: "peer_state", value: .text("\(ensemble.part.participle) - \(ensemble.zabState)")))
    }
    return entries + samples(report).flatMap { self.entries($0) }
  }

  /// The families that the report has values for, in the order of the table.
  private static func samples(_ report: ServerReport) -> [MetricSample] {
    var measured = report.samples[...]
    return MetricTable.families.compactMap { family in
      switch family.source {
      case .reported(let read): return read(report).map { MetricSample(family: family, value: $0) }
      case .measured:
        guard measured.first?.family.name == family.name else { return nil }
        return measured.popFirst()
      case .meaningless: return nil
      }
    }
  }

  /// The figures of a family in `mntr`.
  static func entries(_ sample: MetricSample) -> [Entry] {
    let family = sample.family
    switch sample.value {
    case .number(let number): return [Entry(key: family.name, value: .integer(number))]
    case .fraction(let number): return [Entry(key: family.name, value: .double(number))]
    case .distribution(let distribution): return entries(distribution, family.name, family)
    case .numbers(let numbers): return numbers.map { Entry(key: "\($0.key)_\(family.name)", value: .integer($0.1)) }
    case .distributions(let all): return all.flatMap { entries($0.1, "\($0.key)_\(family.name)", family) }
    }
  }

  private static func entries(_ distribution: Distribution, _ name: String, _ family: MetricFamily) -> [Entry] {
    let scale = family.scale
    var entries = [
      Entry(key: "avg_\(name)", value: .double(distribution.mean / Double(scale))),
      Entry(key: "min_\(name)", value: .integer(distribution.minimum / scale)),
      Entry(key: "max_\(name)", value: .integer(distribution.maximum / scale)),
      Entry(key: "cnt_\(name)", value: .integer(distribution.count)),
      Entry(key: "sum_\(name)", value: .integer(distribution.sum / scale)),
    ]
    guard family.hasQuantiles else { return entries }
    for (level, prefix) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (0.999, "p999")] {
      entries.append(Entry(key: "\(prefix)_\(name)", value: .integer(distribution.quantile(level) / scale)))
    }
    return entries
  }
}

// MARK: Prometheus

extension Monitor {
  /// Prometheus' text format, version 0.0.4.
  ///
  /// *Source*: `PrometheusMetricsProvider`: the label of sets is `key`, counters have no suffix, and summaries have the
  /// median only, or also the 90th and 99th percentile.
  static func prometheus(_ report: ServerReport) -> String {
    samples(report).map { sample in
      let family = sample.family
      let lines = prometheus(sample)
      guard !lines.isEmpty else { return "" }
      let header = "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.typeName)\n"
      return header + lines.map { $0 + "\n" }.joined()
    }.joined()
  }

  /// The lines of a family, without its header.
  static func prometheus(_ sample: MetricSample) -> [String] {
    let family = sample.family
    switch sample.value {
    case .number(let number): return ["\(family.name) \(number)"]
    case .fraction(let number): return ["\(family.name) \(number)"]
    case .distribution(let distribution): return prometheus(distribution, family, key: nil)
    case .numbers(let numbers): return numbers.map { "\(family.name){\(label($0.key))} \($0.1)" }
    case .distributions(let all): return all.flatMap { prometheus($0.1, family, key: $0.key) }
    }
  }

  private static func prometheus(_ distribution: Distribution, _ family: MetricFamily, key: String?) -> [String] {
    let scale = family.scale
    func text(_ number: Int) -> String { scale == 1 ? "\(number)" : "\(Double(number) / Double(scale))" }
    let labels = key.map { label($0) }
    var lines = (family.hasQuantiles ? [0.5, 0.9, 0.99] : [0.5]).map { level in
      // A quantile of nothing is not a number, as Prometheus' own libraries write it.
      let value = distribution.count == 0 ? "NaN" : text(distribution.quantile(level))
      return "\(family.name){\((labels.map { $0 + "," }) ?? "")quantile=\"\(level)\"} \(value)"
    }
    let suffix = labels.map { "{\($0)}" } ?? ""
    lines.append("\(family.name)_count\(suffix) \(distribution.count)")
    lines.append("\(family.name)_sum\(suffix) \(text(distribution.sum))")
    return lines
  }

  /// The label of a member of a set. Namespaces are names of znodes, which may contain anything.
  private static func label(_ key: String) -> String {
    var text = "key=\""
    for scalar in key.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

extension MetricFamily {
  /// What a measured number is divided by to be reported.
  fileprivate var scale: Int { unit == .milliseconds ? 1000 : 1 }

  fileprivate var hasQuantiles: Bool {
    switch kind {
    case .summary(let quantiles), .summarySet(let quantiles): quantiles
    default: false
    }
  }

  /// Prometheus' name of the kind.
  var typeName: String {
    switch kind {
    case .gauge, .gaugeSet: "gauge"
    case .counter, .counterSet: "counter"
    case .summary, .summarySet: "summary"
    }
  }
}
