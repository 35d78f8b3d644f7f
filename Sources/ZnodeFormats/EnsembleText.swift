package import JSONFormat

/// The configuration of an ensemble, parsed from its text.
///
/// *Shape*: lines `server.ID=host:port:port[:role];[address:]port`, then `version=HEX`. A standalone server's text is
/// empty.
package struct EnsembleText: Sendable {
  /// The members as the text names them, in its order.
  package var servers: [(id: String, address: String)] = []
  /// Hexadecimal, without `0x`; empty if there is none.
  package var version = ""

  /// Reads the text of the configuration znode; lines of other kinds are skipped.
  package init(parsing text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let value = String(line[line.index(after: equals)...])
      if line.hasPrefix("server.") {
        servers.append((String(line[..<equals].dropFirst("server.".count)), value))
      } else if line[..<equals] == "version" {
        version = value
      }
    }
  }

  /// The connect string for clients: `host:port` of each member that has one, with the member's own host for a
  /// wildcard.
  package var connectString: String {
    Self.join(servers.map { Self.clientAddress($0.address, keepingWildcard: false) })
  }

  /// The members for programs.
  package var document: JSON {
    .array(
      servers.map { server in
        let id = Int64(server.id).map { JSON.number($0) } ?? .string(server.id)
        return .object([("id", id), ("address", .string(server.address))])
      })
  }

  /// The line of zkCli.sh's `config -c`: version and addresses, in the order in which Java's hash table has them.
  ///
  /// *Source*: `ConfigUtils.getClientConfigStr`; the order is that of `java.util.concurrent.ConcurrentHashMap`.
  package var compatLine: String {
    var capacity = 16
    while (servers.count + 1) * 4 > capacity * 3 { capacity *= 2 }
    let order = servers.indices.sorted { left, right in
      (Self.bucket("server.\(servers[left].id)", capacity), left)
        < (Self.bucket("server.\(servers[right].id)", capacity), right)
    }
    return version + " " + Self.join(order.map { Self.clientAddress(servers[$0].address, keepingWildcard: true) })
  }

  private static func join(_ addresses: [String?]) -> String { addresses.compactMap(\.self).joined(separator: ",") }

  private static func clientAddress(_ address: String, keepingWildcard: Bool) -> String? {
    guard let semicolon = address.firstIndex(of: ";") else { return nil }
    let client = address[address.index(after: semicolon)...]
    let colon = client.lastIndex(of: ":")
    var host = colon.map { String(client[..<$0]) } ?? "0.0.0.0"
    let port = colon.map { client[client.index(after: $0)...] } ?? client
    if !keepingWildcard, ["0.0.0.0", "[::]", "[0:0:0:0:0:0:0:0]"].contains(host) { host = memberHost(address) }
    return "\(host):\(port)"
  }

  private static func memberHost(_ address: String) -> String {
    if address.hasPrefix("["), let bracket = address.firstIndex(of: "]") { return String(address[...bracket]) }
    return String(address.prefix { $0 != ":" })
  }

  private static func bucket(_ key: String, _ capacity: Int) -> Int {
    let hash = key.utf16.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
    return Int(hash ^ hash >> 16) & (capacity - 1)
  }
}
