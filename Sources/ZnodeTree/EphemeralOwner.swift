package import ZooKeeperProtocol

/// What a znode's stored `ephemeralOwner` says about it.
///
/// *Source*: `org.apache.zookeeper.server.EphemeralType`; `StorageFormat` C.7.
package enum EphemeralOwner: Hashable, Sendable {
  case persistent
  case session(SessionID)
  case container
  case ttl(milliseconds: Int64)

  /// The stored mark of a container.
  package static let containerMark = Int64.min
  private static let ttlMark: UInt64 = 0xff00_0000_0000_0000
  private static let markMask: UInt64 = 0xffff_ff00_0000_0000

  /// Reads a stored value. TTL znodes exist only if extended types are enabled; otherwise their mark reads as the id of
  /// a session that does not exist.
  package init(stored: Int64, extendedTypesEnabled: Bool) {
    if stored == 0 {
      self = .persistent
    } else if stored == Self.containerMark {
      self = .container
    } else if extendedTypesEnabled, UInt64(bitPattern: stored) & Self.markMask == Self.ttlMark {
      self = .ttl(milliseconds: stored & CreateMode.maximumTTLMilliseconds)
    } else {
      self = .session(SessionID(rawValue: stored))
    }
  }

  /// The value to store.
  package var stored: Int64 {
    switch self {
    case .persistent: 0
    case .session(let session): session.rawValue
    case .container: Self.containerMark
    case .ttl(let milliseconds): Int64(bitPattern: Self.ttlMark | UInt64(bitPattern: milliseconds))
    }
  }

  /// Whether a session owns the znode, which then cannot have children.
  package var isSession: Bool {
    if case .session = self { true } else { false }
  }

  /// The owner that a create transaction gives its znode.
  ///
  /// A TTL out of range cannot come from this implementation, and Apache's servers crash on it. Here such a znode is
  /// persistent, so that a log with such a transaction can be read.
  package init(of txn: Txn, sessionID: SessionID) {
    switch txn {
    case .create(let body) where body.isEphemeral, .create2(let body) where body.isEphemeral:
      self = sessionID == .none ? .persistent : .session(sessionID)
    case .createContainer: self = .container
    case .createTTL(_, let ttl) where (1...CreateMode.maximumTTLMilliseconds).contains(ttl):
      self = .ttl(milliseconds: ttl)
    default: self = .persistent
    }
  }
}
