import ServerCore
import ZooKeeperProtocol

/// A family of metrics: one row of `MetricTable`, from which `mntr`, the AdminServer, Prometheus and the documentation
/// have its name, its kind and its meaning.
struct MetricFamily: Sendable {
  /// What kind of numbers it has, and so which names and labels they get.
  enum Kind: Sendable {
    /// A number that goes up and down.
    case gauge
    /// A number that only grows, until the server is started again.
    case counter
    /// Count, sum, minimum, maximum and quantiles of numbers: the median only, or `quantiles` in addition.
    case summary(quantiles: Bool)
    /// The same, one for each key.
    case gaugeSet, counterSet
    case summarySet(quantiles: Bool)
  }

  /// In what it is measured.
  enum Unit: Sendable {
    case none
    case bytes
    /// What is measured is in microseconds, and reported in milliseconds, as Apache's servers report it.
    case milliseconds
  }

  /// Whose name it is.
  enum Origin: Sendable {
    case apache
    /// Apache's servers have nothing like it.
    case own
  }

  /// Where its value comes from.
  enum Source: Sendable {
    /// From what every report has.
    case reported(@Sendable (ServerReport) -> MetricValue?)
    /// From what is gathered on the loop for this purpose.
    case measured(@Sendable (MetricSources) -> MetricValue?)
    /// It is not reported, for this reason.
    case meaningless(String)
  }

  let name: String
  let kind: Kind
  let unit: Unit
  let origin: Origin
  let help: String
  let source: Source
}

/// The value of a family.
enum MetricValue: Sendable {
  case number(Int)
  case fraction(Double)
  case distribution(Distribution)
  case numbers([(key: String, Int)])
  case distributions([(key: String, Distribution)])
}

/// What the values of families are read from, on the event loop.
struct MetricSources {
  let metrics: ServerMetrics
  let log: LogMetrics.Values
  let core: ServerCore
  let driver: EnsembleDriver?
  let encryption: ServerEncryption

  /// The most quotas that are looked at for one report, because that is done on the event loop.
  private static let quotaLimitCount = 1000

  init(_ metrics: ServerMetrics, _ core: ServerCore, _ driver: EnsembleDriver?, _ encryption: ServerEncryption) {
    self.metrics = metrics
    log = metrics.log.values
    self.core = core
    self.driver = driver
    self.encryption = encryption
  }

  /// The values of all families that are measured.
  var samples: [MetricSample] {
    MetricTable.families.compactMap { family in
      guard case .measured(let read) = family.source, let value = read(self) else { return nil }
      return MetricSample(family: family, value: value)
    }
  }

  /// A sum over the quotas at and under each first component of a path.
  func quotas(_ number: (_ limits: QuotaLimits, _ use: QuotaLimits) -> Int64?) -> MetricValue {
    var sums: [String: Int] = [:]
    for path in core.tree.quotaPaths(limit: Self.quotaLimitCount) {
      guard let quota = core.tree.quota(of: path), let number = number(quota.limits, quota.use) else { continue }
      let key = String(path.dropFirst().prefix { $0 != "/" })
      sums[key] = Int(clamping: Int64(sums[key] ?? 0).addingReportingOverflow(number).partialValue)
    }
    return .numbers(sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }
}

/// A family and its value at one moment.
struct MetricSample: Sendable {
  let family: MetricFamily
  let value: MetricValue
}

// MARK: Rows

extension MetricFamily {
  /// A gauge of Apache's that every report has.
  static func gauge(
    _ name: String, _ help: String, unit: Unit = .none, origin: Origin = .apache,
    _ read: @escaping @Sendable (ServerReport) -> Int?
  ) -> MetricFamily {
    MetricFamily(
      name: name, kind: .gauge, unit: unit, origin: origin, help: help,
      source: .reported { read($0).map(MetricValue.number) })
  }

  /// A gauge that is gathered for reports of metrics.
  static func measuredGauge(
    _ name: String, _ help: String, unit: Unit = .none, origin: Origin = .apache,
    _ read: @escaping @Sendable (MetricSources) -> Int?
  ) -> MetricFamily {
    MetricFamily(
      name: name, kind: .gauge, unit: unit, origin: origin, help: help,
      source: .measured { read($0).map(MetricValue.number) })
  }

  /// A counter.
  static func counter(
    _ name: String, _ help: String, unit: Unit = .none, origin: Origin = .apache,
    _ read: @escaping @Sendable (MetricSources) -> Int?
  ) -> MetricFamily {
    MetricFamily(
      name: name, kind: .counter, unit: unit, origin: origin, help: help,
      source: .measured { read($0).map(MetricValue.number) })
  }

  /// A summary of numbers.
  static func summary(
    _ name: String, _ help: String, unit: Unit = .none, quantiles: Bool = false, origin: Origin = .apache,
    _ read: @escaping @Sendable (MetricSources) -> Distribution?
  ) -> MetricFamily {
    MetricFamily(
      name: name, kind: .summary(quantiles: quantiles), unit: unit, origin: origin, help: help,
      source: .measured { read($0).map(MetricValue.distribution) })
  }

  /// A duration.
  static func time(
    _ name: String, _ help: String, quantiles: Bool = false, origin: Origin = .apache,
    _ read: @escaping @Sendable (MetricSources) -> Distribution?
  ) -> MetricFamily {
    summary(name, help, unit: .milliseconds, quantiles: quantiles, origin: origin, read)
  }

  /// A family with a value for each key.
  static func set(
    _ name: String, _ kind: Kind, _ help: String, unit: Unit = .none, origin: Origin = .apache,
    _ read: @escaping @Sendable (MetricSources) -> MetricValue?
  ) -> MetricFamily {
    MetricFamily(name: name, kind: kind, unit: unit, origin: origin, help: help, source: .measured(read))
  }

  /// A family of Apache's that is not reported.
  static func absent(_ name: String, _ kind: Kind, _ reason: String) -> MetricFamily {
    MetricFamily(name: name, kind: kind, unit: .none, origin: .apache, help: "", source: .meaningless(reason))
  }
}
