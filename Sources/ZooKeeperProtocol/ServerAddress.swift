/// Where a server listens: a host and a port.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
  /// A name, an IPv4 address, or an IPv6 address without brackets.
  public var host: String
  /// 0 to 65535. A client cannot connect to port 0; a server that listens on it takes any free one.
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port` or `[IPv6 address]:port`; nil if the text is neither.
  public init?(parsing text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port), let host = Self.host(text[..<colon]), !host.contains(":") || text.hasPrefix("[")
    else { return nil }
    self.init(host: host, port: port)
  }

  /// A host without a port: a name, an IPv4 address, or an IPv6 address, whose brackets are removed if it has any; nil
  /// if the text is none of these.
  public static func host(_ text: some StringProtocol) -> String? {
    if text.hasPrefix("["), text.hasSuffix("]") {
      let inner = text.dropFirst().dropLast()
      return IPv6Literal(parsing: inner) == nil ? nil : String(inner)
    }
    if text.contains(":") { return IPv6Literal(parsing: text) == nil ? nil : String(text) }
    let others = "[];,|/=".unicodeScalars
    let isName = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && !others.contains($0) }
    return isName ? String(text) : nil
  }

  /// The host that stands for any address of a machine.
  package static let anyAddress = "0.0.0.0"

  /// Whether the host stands for any address of a machine.
  public var isWildcard: Bool {
    host == "0.0.0.0" || (IPv6Literal(parsing: host)?.bytes.allSatisfy { $0 == 0 } ?? false)
  }

  /// Whether the host is this machine's loopback interface, by its number or its usual name.
  package var isLoopback: Bool {
    // A name may begin with the same digits.
    let isNumber = host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    return host.hasPrefix("127.") && isNumber || host == "::1" || host == "localhost"
  }

  /// `host:port`, with brackets around a host with colons.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
