package import ZooKeeperProtocol

/// The names of the files of a data directory.
///
/// *Source*: `org.apache.zookeeper.server.persistence.Util.getZxidFromName`; `StorageFormat` D.1.
package enum FileName {
  /// The name of the segment whose first transaction is `zxid`.
  package static func log(_ zxid: Zxid) -> String { "log." + digits(zxid) }

  /// The name of the snapshot taken when `zxid` was the last transaction applied.
  package static func snapshot(_ zxid: Zxid) -> String { "snapshot." + digits(zxid) }

  /// The zxid in the name of a log segment; nil for any other name.
  package static func zxid(ofLog name: String) -> Zxid? { zxid(of: name, prefix: "log") }

  /// The zxid in the name of a snapshot, compressed or not; nil for any other name and for unfinished files.
  package static func zxid(ofSnapshot name: String) -> Zxid? {
    name.hasSuffix(".tmp") ? nil : zxid(of: name, prefix: "snapshot")
  }

  private static func digits(_ zxid: Zxid) -> String { String(UInt64(bitPattern: zxid.rawValue), radix: 16) }

  /// Java parses a signed number, so that the name for -1 is not read as one, there as here.
  private static func zxid(of name: String, prefix: String) -> Zxid? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[0] == prefix, parts[1].first != "-", parts[1].first != "+" else { return nil }
    return Int64(parts[1], radix: 16).map(Zxid.init(rawValue:))
  }
}
