import Digests
import NIOHTTP1
import Platform
import ZooKeeperProtocol

/// Checks the head of a request for signs that it was not sent by the page of this server.
///
/// A page of another origin can make a browser send requests here. Such requests are recognized by the host name, which
/// a page that was bound to this address by DNS rebinding cannot choose; by the headers in which browsers report the
/// origin; and, if they change something, by a token that only the page can read.
struct RequestGuard: Sendable {
  /// The allowed host names, in lower case.
  let names: Set<String>
  /// Whether the server listens on other than loopback addresses, so that any numeric address is allowed.
  let acceptsAddresses: Bool
  let port: Int
  /// The token that requests must have if they change something.
  let token: String

  /// The header with the token.
  static let tokenHeader = "X-Zkcli-Token"

  init(host: String, port: Int, names: [String], token: String) {
    let listening = ServerAddress(host: host, port: port)
    var known: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
    acceptsAddresses = !listening.isLoopback
    if acceptsAddresses { known.insert(HostInfo.name.lowercased()) }
    if !listening.isWildcard { known.insert((host.contains(":") ? "[\(host)]" : host).lowercased()) }
    for name in names { known.insert((name.contains(":") ? "[\(name)]" : name).lowercased()) }
    self.names = known
    self.port = port
    self.token = token
  }

  /// Refuses a request with a host name that is not allowed.
  func checkHost(_ request: WebRequest) throws(WebError) {
    guard let text = try request.header("Host") else { throw .badInput("the header Host is missing") }
    let defaultPort = request.client.isEncrypted ? 443 : 80
    let (name, ownPort) = Self.split(text)
    guard let name, (ownPort ?? defaultPort) == port, names.contains(name) || acceptsAddresses && Self.isAddress(name)
    else {
      throw .forbidden(
        "WrongHost", "this server does not have that name and port",
        hint:
          "open the address that was printed when it was started, or name others with --allow-host (in zoo.cfg,"
          + " web.hostNames)"
      )
    }
  }

  /// Refuses a request from a page of another origin.
  func checkOrigin(_ request: WebRequest) throws(WebError) {
    if let site = try request.header("Sec-Fetch-Site"), site != "same-origin", site != "none" {
      throw .forbidden("WrongOrigin", "the request comes from a page of another origin")
    }
    guard let origin = try request.header("Origin") else { return }
    let host = try request.header("Host") ?? ""
    let own = (request.client.isEncrypted ? "https://" : "http://") + host
    guard origin.lowercased() == own.lowercased() else {
      throw .forbidden("WrongOrigin", "the request comes from a page of another origin")
    }
  }

  /// Refuses a request without the token.
  func checkToken(_ request: WebRequest) throws(WebError) {
    let given = try request.header(Self.tokenHeader) ?? ""
    guard MessageDigest.areEqual([UInt8](given.utf8), [UInt8](token.utf8)) else {
      throw .forbidden(
        "WrongToken", "the header \(Self.tokenHeader) is missing or not the token of GET /api/v1/session",
        hint: "load the page again; the token changes with each start")
    }
  }

  /// The name in lower case, and the port if there is one.
  private static func split(_ text: String) -> (name: String?, port: Int?) {
    let text = text.lowercased()
    let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map { text.index(after: $0) } : text.firstIndex(of: ":")
    guard let end, end < text.endIndex else { return (text, nil) }
    guard text[end] == ":", let port = Int(text[text.index(after: end)...]) else { return (nil, nil) }
    return (String(text[..<end]), port)
  }

  /// Whether a name is a numeric address, which does not depend on DNS.
  private static func isAddress(_ name: String) -> Bool {
    if name.hasPrefix("[") { return name.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }
}
