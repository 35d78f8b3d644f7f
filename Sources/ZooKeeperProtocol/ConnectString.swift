/// Why a text does not name an ensemble.
public struct ConnectStringError: Error, Hashable, Sendable {
  /// What is wrong, for people: the end of a sentence that begins with "the connect string is not valid:".
  public let reason: String
  /// The text as it was given.
  public let text: String
}

/// The servers of an ensemble and the path that a client takes for its root:
/// `host[:port][,host[:port]...][/chroot]`.
///
/// ```swift
/// let ensemble = try ConnectString(parsing: "zk1,zk2:2182,[fd00::3]:2181/app")
/// // ensemble.servers[0].port == 2181, ensemble.chroot == "/app"
/// ```
///
/// `zks://` in front asks for connections with TLS, `zk://` says nothing.
///
/// *Source*: `org.apache.zookeeper.client.ConnectStringParser`; `ClientProtocol` 8.1.
public struct ConnectString: Hashable, Sendable {
  /// The port of an address that names none.
  public static let defaultPort = 2181

  /// At least one, in the order given.
  public var servers: [ServerAddress]
  /// An absolute path, or nil for the server's own root.
  public var chroot: String?
  /// Whether connections must be encrypted with TLS.
  public var requiresTLS = false

  public init(servers: [ServerAddress], chroot: String? = nil) {
    self.servers = servers
    self.chroot = chroot
  }

  /// Reads a connect string. Blanks around commas and empty parts are ignored, and `zk://` or `zks://` may be in
  /// front.
  ///
  /// - Throws: `ConnectStringError` for an address without a host, a port that is not 1 to 65535, a chroot that is not
  ///   a valid path, or a list without a server.
  public init(parsing text: String) throws(ConnectStringError) {
    func fail(_ reason: String) -> ConnectStringError { ConnectStringError(reason: reason, text: text) }
    requiresTLS = text.hasPrefix("zks://")
    let rest = requiresTLS ? text.dropFirst(6) : text.hasPrefix("zk://") ? text.dropFirst(5) : text[...]
    // Searched by bytes: as a character, a slash with a combining mark after it would be another one.
    let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
    let path = String(rest[slash...])
    do throws(ZnodePathError) {
      if !path.isEmpty { try ZnodePath.validate(path) }
    } catch {
      throw fail("its chroot \(path) is not a valid path")
    }
    chroot = path.isEmpty || path == "/" ? nil : path
    servers = []
    for part in rest[..<slash].split(separator: ",") {
      let address = part.trimmingBlanks
      if !address.isEmpty { servers.append(try ServerAddress(parsing: address, fail)) }
    }
    guard !servers.isEmpty else { throw fail("it names no server") }
  }
}

extension ConnectString: CustomStringConvertible {
  /// The text that is parsed to the same value.
  public var description: String {
    (requiresTLS ? "zks://" : "") + servers.map(\.description).joined(separator: ",") + (chroot ?? "")
  }
}

extension ServerAddress {
  fileprivate init(
    parsing text: Substring, _ fail: (String) -> ConnectStringError
  ) throws(ConnectStringError) {
    var host = text
    var portText: Substring?
    if text.hasPrefix("[") {
      guard let bracket = text.firstIndex(of: "]") else { throw fail("\(text) has no closing bracket") }
      host = text[text.index(after: text.startIndex)..<bracket]
      let rest = text[text.index(after: bracket)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw fail("\(text) has \(rest) after the bracket") }
      portText = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      // More than one colon is a bare IPv6 address, which has no room for a port.
      if text.lastIndex(of: ":") == colon {
        host = text[..<colon]
        portText = text[text.index(after: colon)...]
      }
    }
    guard !host.isEmpty else { throw fail("\(text) has no host") }
    if text.hasPrefix("[") || host.contains(":"), IPv6Literal(parsing: host) == nil {
      throw fail("\(host) is not an IPv6 address")
    }
    guard ServerAddress.host(host) != nil else { throw fail("\(host) is neither a host's name nor an address") }
    var port = ConnectString.defaultPort
    if let portText {
      guard let number = Int(portText), (1...65535).contains(number) else {
        throw fail("\(portText.isEmpty ? "an empty text" : String(portText)) is not a port from 1 to 65535")
      }
      port = number
    }
    self.init(host: String(host), port: port)
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var rest = self
    while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return rest
  }
}
