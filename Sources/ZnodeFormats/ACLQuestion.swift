package import ZooKeeperProtocol

/// Whether an ACL allows an operation, evaluated as a server does it.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer.checkACL`, and the authentication providers for matching.
package struct ACLQuestion: Sendable {
  /// The operations of a client on a znode.
  package enum Operation: String, CaseIterable, Hashable, Sendable {
    case get, ls, set, create, delete, setAcl, getAcl, stat

    /// The permissions of which one is enough; empty if none is needed.
    package var needs: Permissions {
      switch self {
      case .get, .ls: .read
      case .set: .write
      case .create: .create
      case .delete: .delete
      case .setAcl: .admin
      case .getAcl: [.read, .admin]
      case .stat: []
      }
    }

    /// Whether the ACL of the parent decides.
    package var concernsParent: Bool { self == .create || self == .delete }
  }

  package let operation: Operation
  /// The identities that the client has proved.
  package let identities: [ClientInfo]

  package init(operation: Operation, identities: [ClientInfo]) {
    self.operation = operation
    self.identities = identities
  }

  /// The first entry that allows it.
  package func grantor(in acl: [ACL]) -> ACL? {
    acl.first { entry in
      !entry.permissions.isDisjoint(with: operation.needs)
        && (entry.scheme == "world" && entry.id == "anyone" || identities.contains { Self.matches($0, entry) })
    }
  }

  /// Whether the client may do everything: the super user.
  package var isSuper: Bool { identities.contains { $0.scheme == "super" } }

  /// Whether an entry is about an identity.
  package static func matches(_ identity: ClientInfo, _ entry: ACL) -> Bool {
    guard identity.scheme == entry.scheme else { return false }
    if identity.user == entry.id { return true }
    switch entry.scheme {
    case "ip": return IPNetwork(parsing: entry.id)?.contains(identity.user) ?? false
    case "digest":
      // A user without a hash, or with the placeholder that servers send to clients without permission to set the ACL.
      let user = entry.id.prefix { $0 != ":" }
      return identity.user == user || entry.id == "\(user):x" && identity.user.hasPrefix("\(user):")
    default: return false
    }
  }
}

/// A network as an ACL names it: an address, and how many of its bits count.
package struct IPNetwork: Hashable, Sendable {
  private let address: [UInt8]
  private let bits: Int

  /// Reads `10.0.0.0/8`, `10.0.0.1` or an IPv6 address.
  package init?(parsing text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = Self.bytes(of: String(parts[0])) else { return nil }
    guard let bits = parts.count == 2 ? Int(parts[1]) : address.count * 8, (0...(address.count * 8)).contains(bits)
    else { return nil }
    self.address = address
    self.bits = bits
  }

  /// Whether an address is of the network.
  package func contains(_ text: String) -> Bool {
    guard let other = Self.bytes(of: text), other.count == address.count else { return false }
    return (0..<bits).allSatisfy { bit in
      (address[bit / 8] ^ other[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
    }
  }

  private static func bytes(of text: String) -> [UInt8]? {
    if text.contains(":") { return ipv6(text) }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt8($0) : nil }
    return parts.count == 4 && bytes.count == 4 ? bytes : nil
  }

  private static func ipv6(_ text: String) -> [UInt8]? {
    let halves = text.split(separator: "%", maxSplits: 1)[0].replacing("::", with: "|", maxReplacements: 1)
      .split(separator: "|", omittingEmptySubsequences: false)
    let groups = halves.map { half in
      half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false).map { UInt16($0, radix: 16) }
    }
    let count = groups.reduce(0) { $0 + $1.count }
    guard groups.joined().allSatisfy({ $0 != nil }), halves.count == 2 ? count < 8 : count == 8 else { return nil }
    let zeros = [UInt16](repeating: 0, count: 8 - count)
    let head = groups[0].compactMap(\.self)
    let tail = halves.count == 2 ? groups[1].compactMap(\.self) : []
    return (head + zeros + tail).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
  }
}
