import JSONFormat
public import ZooKeeperProtocol

/// A server's answer to `srvr` or `stat`.
///
/// *Shape*: lines `NAME: VALUE`; `ClientProtocol` 7.1.
public struct ServerStatus: Hashable, Sendable {
  public var version: String?
  /// `leader`, `follower`, `observer`, `standalone` or `read-only`.
  public var mode: String?
  /// The last transaction that the server has applied.
  public var zxid: Zxid?
  public var znodeCount: Int64?
  public var connectionCount: Int64?
  public var outstandingCount: Int64?

  /// Parses an answer to `srvr`; nil if it has no mode.
  public init?(srvr answer: [UInt8]) {
    for line in String(decoding: answer, as: UTF8.self).split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      switch line[..<colon] {
      case "Zookeeper version": version = String(value)
      case "Mode": mode = String(value)
      case "Zxid": zxid = Zxid(hexadecimal: value)
      case "Node count": znodeCount = Int64(value)
      case "Connections": connectionCount = Int64(value)
      case "Outstanding": outstandingCount = Int64(value)
      default: continue
      }
    }
    guard mode != nil else { return nil }
  }

  /// Parses an answer of the AdminServer's `server_stats`; nil if it has no state.
  init?(serverStats document: JSON) {
    guard let stats = document["server_stats"], let state = stats["server_state"]?.text else { return nil }
    mode = state
    version = document["version"]?.text
    zxid = stats["last_processed_zxid"]?.number.map { Zxid(rawValue: $0) }
    znodeCount = document["node_count"]?.number
    connectionCount = stats["num_alive_client_connections"]?.number
    outstandingCount = stats["outstanding_requests"]?.number
  }
}

extension Zxid {
  /// Reads `0x…`; nil if the text is nothing of the kind.
  init?(hexadecimal text: some StringProtocol) {
    guard text.hasPrefix("0x"), let bits = UInt64(text.dropFirst(2), radix: 16) else { return nil }
    self.init(rawValue: Int64(bitPattern: bits))
  }
}

extension SessionID {
  /// Reads `0x…`; nil if the text is nothing of the kind.
  public init?(hexadecimal text: some StringProtocol) {
    guard text.hasPrefix("0x"), let bits = UInt64(text.dropFirst(2), radix: 16) else { return nil }
    self.init(rawValue: Int64(bitPattern: bits))
  }
}

extension JSON {
  /// The value of a whole number; nil for anything else.
  var number: Int64? { if case .number(let number) = self { number } else { nil } }

  /// The items of an array; nil for anything else.
  var items: [JSON]? { if case .array(let items) = self { items } else { nil } }

  /// The members of an object; nil for anything else.
  var members: [(key: String, value: JSON)]? { if case .object(let members) = self { members } else { nil } }
}
