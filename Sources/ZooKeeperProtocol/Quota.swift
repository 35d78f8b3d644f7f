/// What a quota allows or what a subtree uses: counts of znodes and bytes, -1 meaning no limit.
///
/// *Shape*: `count=N,bytes=M`, and with hard limits `count=N,bytes=M=;byteHardLimit=X;countHardLimit=Y`.
/// Servers of 3.4 cannot read the text without the stray `=`. Both `,` and `;` separate on reading.
///
/// *Source*: `org.apache.zookeeper.StatsTrack`; `ClientProtocol` 4.13.
public struct QuotaLimits: Hashable, Sendable {
  /// The number of znodes, that of the quota's path included, over which servers log a warning; -1 for no limit.
  public var count: Int64
  /// The bytes of data over which servers log a warning; -1 for no limit.
  public var bytes: Int64
  /// The number of znodes over which servers that enforce quotas refuse a create; nil if the text does not name it.
  public var countHardLimit: Int64?
  /// The bytes of data over which servers that enforce quotas refuse a write; nil if the text does not name it.
  public var bytesHardLimit: Int64?

  public init(count: Int64 = -1, bytes: Int64 = -1, countHardLimit: Int64? = nil, bytesHardLimit: Int64? = nil) {
    self.count = count
    self.bytes = bytes
    self.countHardLimit = countHardLimit
    self.bytesHardLimit = bytesHardLimit
  }

  /// Reads the text of a `zookeeper_limits` or `zookeeper_stats` znode. Missing counts are -1, and unknown keys are
  /// skipped.
  ///
  /// - Returns: nil if a value is not a number.
  public init?(parsing text: String) {
    self.init()
    for pair in text.split(whereSeparator: { $0 == "," || $0 == ";" }) {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard let key = parts.first else { continue }
      // `bytes=-1=` has a second, empty value.
      let digits = parts.count > 1 ? parts[1].prefix { $0 != "=" } : ""
      guard let value = digits.isEmpty ? -1 : Int64(digits) else { return nil }
      switch key {
      case "count": count = value
      case "bytes": bytes = value
      case "countHardLimit": countHardLimit = value
      case "byteHardLimit": bytesHardLimit = value
      default: continue
      }
    }
  }

  /// The text that servers and zkCli.sh store.
  public var text: String {
    var text = "count=\(count),bytes=\(bytes)"
    if countHardLimit != nil || bytesHardLimit != nil { text += "=" }
    if let bytesHardLimit { text += ";byteHardLimit=\(bytesHardLimit)" }
    if let countHardLimit { text += ";countHardLimit=\(countHardLimit)" }
    return text
  }
}

/// Where the quota of a path is kept.
///
/// *Source*: `org.apache.zookeeper.Quotas`.
public enum QuotaPaths {
  /// The root of all quotas.
  public static let root = "/zookeeper/quota"
  /// The name of the znode with the limits.
  public static let limitsName = "zookeeper_limits"
  /// The name of the znode with the present use.
  public static let statsName = "zookeeper_stats"

  /// The parent of the two znodes of the quota of `path`.
  public static func directory(of path: String) -> String { path == "/" ? root : root + path }

  /// The znode with the limits of `path`.
  public static func limits(of path: String) -> String { directory(of: path) + "/" + limitsName }

  /// The znode with the use of `path`.
  public static func stats(of path: String) -> String { directory(of: path) + "/" + statsName }
}
