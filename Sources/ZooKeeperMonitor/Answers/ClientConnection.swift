import JSONFormat
public import ZooKeeperProtocol

/// A client's connection, as its server describes it.
///
/// *Shape*: lines ` /ADDRESS:PORT[OPS](queued=0,recved=4,sent=4,sid=0x…,lop=GETD,est=…,to=30000,…)`; a connection
/// without a session has the first three values only.
///
/// *Source*: `ServerCnxn.dumpConnectionInfo`; `ClientProtocol` 7.1.
public struct ClientConnection: Hashable, Sendable {
  /// The address of the client: `host:port`.
  public var client: String
  /// nil without a session, as for a connection with a four-letter word.
  public var session: SessionID?
  public var queuedCount: Int64 = 0
  public var receivedCount: Int64 = 0
  public var sentCount: Int64 = 0
  /// The last request, such as `GETD`.
  public var lastOperation: String?
  /// When the client connected, in milliseconds since 1970 by the server's clock.
  public var establishedMilliseconds: Int64?
  /// The session's timeout.
  public var timeoutMilliseconds: Int64?
  public var lastZxid: Zxid?
  public var lastLatencyMilliseconds: Int64?
  public var averageLatencyMilliseconds: Int64?
  public var maximumLatencyMilliseconds: Int64?

  /// A connection of which only the address is known.
  init(client: String) { self.client = client }

  /// Parses an answer to `cons`; other lines are skipped.
  public static func parse(cons answer: [UInt8]) -> [ClientConnection] {
    answer.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let slash = line.firstIndex(of: UInt8(ascii: "/")),
        let bracket = line[slash...].firstIndex(of: UInt8(ascii: "[")),
        let end = clientEnd(line, from: slash, firstBracket: bracket),
        let open = line[end...].firstIndex(of: UInt8(ascii: "(")), let close = line.lastIndex(of: UInt8(ascii: ")")),
        open < close
      else { return nil }
      var connection = ClientConnection(client: String(decoding: line[(slash + 1)..<end], as: UTF8.self))
      for field in line[(open + 1)..<close].split(separator: UInt8(ascii: ",")) {
        guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { continue }
        connection.set(field[..<equals], to: field[(equals + 1)...])
      }
      return connection
    }
  }

  /// The end of the address: the bracket of the operations, and not that of an IPv6 address.
  private static func clientEnd(_ line: ArraySlice<UInt8>, from slash: Int, firstBracket: Int) -> Int? {
    guard firstBracket == slash + 1 else { return firstBracket }
    guard let inner = line[firstBracket...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
    return line[inner...].firstIndex(of: UInt8(ascii: "["))
  }

  private mutating func set(_ name: ArraySlice<UInt8>, to value: ArraySlice<UInt8>) {
    var text: Substring { Substring(decoding: value, as: UTF8.self) }
    switch String(decoding: name, as: UTF8.self) {
    case "queued": queuedCount = Int64(text) ?? 0
    case "recved": receivedCount = Int64(text) ?? 0
    case "sent": sentCount = Int64(text) ?? 0
    case "sid": session = SessionID(hexadecimal: text)
    case "lop": lastOperation = String(text)
    case "est": establishedMilliseconds = Int64(text)
    case "to": timeoutMilliseconds = Int64(text)
    case "lzxid": lastZxid = Zxid(hexadecimal: text)
    case "llat": lastLatencyMilliseconds = Int64(text)
    case "avglat": averageLatencyMilliseconds = Int64(text)
    case "maxlat": maximumLatencyMilliseconds = Int64(text)
    default: break
    }
  }

  /// Parses an answer of the AdminServer's `connections`; nil if it is not one.
  static func parse(connections document: JSON) -> [ClientConnection]? {
    guard let plain = document["connections"]?.items else { return nil }
    return (plain + (document["secure_connections"]?.items ?? [])).compactMap { item in
      guard let client = item["remote_socket_address"]?.text else { return nil }
      var connection = ClientConnection(client: client)
      connection.session = item["session_id"]?.number.map { SessionID(rawValue: $0) }
      connection.queuedCount = item["outstanding_requests"]?.number ?? 0
      connection.receivedCount = item["packets_received"]?.number ?? 0
      connection.sentCount = item["packets_sent"]?.number ?? 0
      connection.lastOperation = item["last_operation"]?.text
      connection.establishedMilliseconds = item["established"]?.number
      connection.timeoutMilliseconds = item["session_timeout"]?.number
      connection.lastZxid = item["last_zxid"]?.number.map { Zxid(rawValue: $0) }
      connection.lastLatencyMilliseconds = item["last_latency"]?.number
      connection.averageLatencyMilliseconds = item["avg_latency"]?.number
      connection.maximumLatencyMilliseconds = item["max_latency"]?.number
      return connection
    }
  }
}
