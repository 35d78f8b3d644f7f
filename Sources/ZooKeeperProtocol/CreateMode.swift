/// What kind of znode a create makes.
///
/// A sequential znode gets a number of ten digits appended to its name, by which recipes order their participants. The
/// server takes it from a counter of the parent, so that numbers grow but need not be consecutive.
///
/// *Source*: `org.apache.zookeeper.CreateMode`; `ClientProtocol` 4.3.
public enum CreateMode: Hashable, Sendable {
  /// Exists until it is deleted.
  case persistent
  /// Deleted by the server when the session that created it ends; cannot have children.
  case ephemeral
  /// As `persistent`, with a sequence number.
  case persistentSequential
  /// As `ephemeral`, with a sequence number.
  case ephemeralSequential
  /// Deleted by the server some time after its last child was deleted. Servers know it from 3.5 on.
  case container
  /// Deleted by the server once it has no children and `milliseconds` have passed since its last change: 1 to
  /// `maximumTTLMilliseconds`. Servers know it from 3.5.3 on, and only with extended types enabled.
  case persistentTTL(milliseconds: Int64)
  /// As `persistentTTL`, with a sequence number.
  case persistentSequentialTTL(milliseconds: Int64)

  /// The longest time to live that a server stores, in milliseconds: 40 bits.
  public static let maximumTTLMilliseconds: Int64 = 0xff_ffff_ffff

  /// The number in the request's `flags` field.
  public var flags: Int32 {
    switch self {
    case .persistent: 0
    case .ephemeral: 1
    case .persistentSequential: 2
    case .ephemeralSequential: 3
    case .container: 4
    case .persistentTTL: 5
    case .persistentSequentialTTL: 6
    }
  }

  /// Whether the server appends a sequence number to the name.
  public var isSequential: Bool {
    switch self {
    case .persistentSequential, .ephemeralSequential, .persistentSequentialTTL: true
    case .persistent, .ephemeral, .container, .persistentTTL: false
    }
  }

  /// Whether the znode is deleted when the session that created it ends.
  public var isEphemeral: Bool { self == .ephemeral || self == .ephemeralSequential }

  /// The time to live of the TTL modes, in milliseconds.
  public var ttlMilliseconds: Int64? {
    switch self {
    case .persistentTTL(let ttl), .persistentSequentialTTL(let ttl): ttl
    default: nil
    }
  }

  /// The operation that makes this kind of znode and answers with its stat.
  public var opCode: OpCode {
    switch self {
    case .container: .createContainer
    case .persistentTTL, .persistentSequentialTTL: .createTTL
    default: .create2
    }
  }
}
