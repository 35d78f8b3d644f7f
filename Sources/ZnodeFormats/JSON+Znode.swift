package import JSONFormat
package import ZooKeeperProtocol

/// The JSON documents of znodes' properties, for `-o json` and the web server's API.
///
/// The structure is a contract: keys can be added, but not renamed or removed. Zxids and session ids are strings in
/// hexadecimal, because they do not fit into a double; times are ISO 8601 in UTC; what is absent is null.
extension JSON {
  /// Data as text where it is UTF-8, else, or where base64 is asked for, in base64.
  package static func encoded(_ data: [UInt8]?, isBase64: Bool = false) -> [(key: String, value: JSON)] {
    guard let data else { return [("data", .null), ("encoding", .null)] }
    if !isBase64, let text = String(validating: data, as: UTF8.self) {
      return [("data", .string(text)), ("encoding", .string("utf8"))]
    }
    return [("data", .string(Base64.encode(data))), ("encoding", .string("base64"))]
  }

  /// The document of a stat.
  package static func of(_ stat: Stat) -> JSON {
    func time(_ milliseconds: Int64) -> JSON { .string(TimeStyle.iso.text(milliseconds: milliseconds)) }
    return .object([
      ("czxid", .string("\(stat.czxid)")), ("mzxid", .string("\(stat.mzxid)")), ("pzxid", .string("\(stat.pzxid)")),
      ("ctime", time(stat.ctimeMilliseconds)), ("mtime", time(stat.mtimeMilliseconds)),
      ("version", .number(stat.version)), ("cversion", .number(stat.cversion)), ("aversion", .number(stat.aversion)),
      ("ephemeralOwner", .string("\(stat.ephemeralOwner)")), ("dataLength", .number(stat.dataLength)),
      ("numChildren", .number(stat.numChildren)),
    ])
  }

  /// The document of an entry of an ACL.
  package static func of(_ entry: ACL) -> JSON {
    .object([
      ("scheme", .string(entry.scheme)), ("id", .string(entry.id)), ("permissions", .string(entry.permissions.text)),
    ])
  }
}
