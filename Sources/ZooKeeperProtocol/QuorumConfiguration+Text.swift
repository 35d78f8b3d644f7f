/// `server.N=…` lines, and the whole as servers send it to each other.
extension QuorumConfiguration.Member {
  /// Reads the value of a `server.N` key.
  ///
  /// *Shape*: `host:quorumPort:electionPort[:role]`, several with `|` between, then `;[host:]clientPort`.
  ///
  /// - Throws: `QuorumConfigurationError`, with Apache's message where Apache has one.
  public init(id: ServerID, parsing text: String) throws(QuorumConfigurationError) {
    let halves = text.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmingBlanks)
    guard (1...2).contains(halves.count) else { throw Self.badForm(text) }
    var addresses: [QuorumConfiguration.Address] = []
    var isObserver: Bool?
    for part in halves[0].split(separator: "|", omittingEmptySubsequences: false) {
      let (address, role) = try Self.address(String(part.trimmingBlanks), text: text)
      addresses.append(address)
      if let role, let isObserver, role != isObserver {
        throw QuorumConfigurationError(message: "Multiple addresses should have similar roles: \(text)")
      }
      isObserver = role ?? isObserver
    }
    var client: ServerAddress?
    if halves.count == 2 {
      let value = String(halves[1])
      let parsed = value.contains(":") ? ServerAddress(parsing: value) : ServerAddress(parsing: "0.0.0.0:\(value)")
      guard let parsed else { throw Self.badForm(text) }
      client = parsed
    }
    self.init(id: id, addresses: addresses, isObserver: isObserver ?? false, client: client)
  }

  private static func address(
    _ part: String, text: String
  ) throws(QuorumConfigurationError) -> (QuorumConfiguration.Address, isObserver: Bool?) {
    var host: Substring
    var rest: Substring
    if part.hasPrefix("[") {
      guard let end = part.firstRange(of: "]:") else {
        throw QuorumConfigurationError(message: "\(part) starts with '[' but has no matching ']:'")
      }
      host = part[part.index(after: part.startIndex)..<end.lowerBound]
      guard IPv6Literal(parsing: host) != nil else {
        throw QuorumConfigurationError(message: "\(host) is not an IPv6 address, as brackets say it is: \(text)")
      }
      rest = part[end.upperBound...]
    } else {
      guard let colon = part.firstIndex(of: ":") else { throw badForm(text) }
      host = part[..<colon]
      rest = part[part.index(after: colon)...]
    }
    let fields = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(fields.count), ServerAddress.host(host) != nil else { throw badForm(text) }
    var ports: [Int] = []
    for field in fields.prefix(2) {
      guard let port = Int(field), (0...65535).contains(port) else {
        throw QuorumConfigurationError(message: "Address unresolved: \(host):\(field)")
      }
      ports.append(port)
    }
    guard ports[0] != ports[1] else {
      throw QuorumConfigurationError(
        message: "Client and election port must be different! Please update the configuration file on \(text)")
    }
    let role = try fields.count == 3 ? isObserver(String(fields[2])) : nil
    return (.init(host: String(host), quorumPort: ports[0], electionPort: ports[1]), role)
  }

  private static func isObserver(_ role: String) throws(QuorumConfigurationError) -> Bool {
    switch role.lowercased() {
    case "participant": return false
    case "observer": return true
    default: throw QuorumConfigurationError(message: "Unrecognised peertype: \(role)")
    }
  }

  private static func badForm(_ text: String) -> QuorumConfigurationError {
    QuorumConfigurationError(
      message: "\(text) does not have the form server_config or server_config;client_config where server_config is "
        + "the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port")
  }

  /// The value of the key `server.N` in the one form in which servers send it.
  public var text: String {
    let servers = addresses.map { address in
      let host = address.host.contains(":") ? "[\(address.host)]" : address.host
      return "\(host):\(address.quorumPort):\(address.electionPort)"
    }
    let role = isObserver ? "observer" : "participant"
    return servers.joined(separator: "|") + ":\(role)" + (client.map { ";\($0)" } ?? "")
  }
}

extension QuorumConfiguration {
  /// Reads the lines `server.N=…`, `group.N=…`, `weight.N=…` and `version=…`, in any order; others are not looked at.
  ///
  /// - Throws: `QuorumConfigurationError` for a line that cannot be read, and for groups that do not contain every
  ///   voter exactly once.
  public init(parsing text: String) throws(QuorumConfigurationError) {
    try self.init(entries: PropertiesText(parsing: text).entries.map { ($0.key, $0.value) })
  }

  /// Reads keys with their values. Of a server, group or weight that comes more than once, the last counts.
  ///
  /// - Throws: as `init(parsing:)`.
  ///
  /// *Source*: `java.util.Properties`, and the maps of `QuorumMaj` and `QuorumHierarchical`.
  public init(entries: [(key: String, value: String)]) throws(QuorumConfigurationError) {
    var members: [ServerID: Member] = [:]
    var groups: [Int64: [ServerID]] = [:]
    var weights: [ServerID: Int64] = [:]
    var version: Int64 = 0
    for (key, value) in entries {
      let words = key.split(separator: ".", maxSplits: 1).map(String.init)
      switch (words.first, words.count) {
      case ("server", 2):
        let id = ServerID(rawValue: try Self.number(words[1]))
        guard id.isAssignable else { throw QuorumConfigurationError(message: "\(id) is not a valid server id: \(key)") }
        members[id] = try Member(id: id, parsing: value)
      case ("group", 2):
        var ids: [ServerID] = []
        for id in value.split(separator: ":") { ids.append(ServerID(rawValue: try Self.number(String(id)))) }
        groups[try Self.number(words[1])] = ids
      case ("weight", 2):
        let weight = try Self.number(value)
        // Java adds up longs, which wrap around; a sum of these cannot overflow.
        guard (0...Int64(Int32.max)).contains(weight) else {
          throw QuorumConfigurationError(message: "\(key)=\(value): a weight is a number from 0 to \(Int32.max)")
        }
        weights[ServerID(rawValue: try Self.number(words[1]))] = weight
      case ("version", 1): version = Int64(value, radix: 16) ?? 0
      default: break
      }
    }
    let sortedGroups = groups.sorted { $0.key < $1.key }.map(\.value)
    self.init(members: Array(members.values), groups: sortedGroups, weights: weights, version: version)
    try checkGroups()
  }

  /// The text in which servers send it: a line for each server, group and weight, and the version in hexadecimal.
  public var text: String {
    var lines = members.map { "server.\($0.id)=\($0.text)" }
    for (index, group) in groups.enumerated() {
      lines.append("group.\(index + 1)=" + group.map { "\($0)" }.joined(separator: ":"))
    }
    for (id, weight) in weights.sorted(by: { $0.key < $1.key }) { lines.append("weight.\(id)=\(weight)") }
    lines.append("version=" + String(UInt64(bitPattern: version), radix: 16))
    return lines.joined(separator: "\n")
  }

  private func checkGroups() throws(QuorumConfigurationError) {
    guard !groups.isEmpty || !weights.isEmpty else { return }
    for id in voters {
      let count = groups.count { $0.contains(id) }
      guard count >= 1 else { throw QuorumConfigurationError(message: "Server \(id) is not in a group") }
      guard count == 1 else { throw QuorumConfigurationError(message: "Server \(id) is in multiple groups") }
    }
  }

  private static func number(_ text: String) throws(QuorumConfigurationError) -> Int64 {
    guard let number = Int64(text) else {
      throw QuorumConfigurationError(message: "For input string: \"\(text)\"")
    }
    return number
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
