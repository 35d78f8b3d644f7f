import ZnodeFormats
import ZooKeeperProtocol

/// A stat as eleven lines with zkCli.sh's keys, in its order.
enum StatBlock {
  /// The lines, each with a line end.
  static func text(_ stat: Stat, times: TimeStyle) -> String {
    let fields: [(key: String, value: String)] = [
      ("cZxid", "\(stat.czxid)"),
      ("ctime", times.text(milliseconds: stat.ctimeMilliseconds)),
      ("mZxid", "\(stat.mzxid)"),
      ("mtime", times.text(milliseconds: stat.mtimeMilliseconds)),
      ("pZxid", "\(stat.pzxid)"),
      ("cversion", "\(stat.cversion)"),
      ("dataVersion", "\(stat.version)"),
      ("aclVersion", "\(stat.aversion)"),
      ("ephemeralOwner", "\(stat.ephemeralOwner)"),
      ("dataLength", "\(stat.dataLength)"),
      ("numChildren", "\(stat.numChildren)"),
    ]
    return fields.map { "\($0.key) = \($0.value)\n" }.joined()
  }
}
