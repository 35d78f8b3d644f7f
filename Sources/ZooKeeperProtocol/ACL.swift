public import Jute

/// What an ACL entry allows.
///
/// Servers keep bits that have no meaning, so that any value can come from the wire.
///
/// *Source*: `org.apache.zookeeper.ZooDefs.Perms`; `ClientProtocol` 4.7.
public struct Permissions: OptionSet, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Reading data and the list of children, and setting watches on them.
  public static let read = Permissions(rawValue: 1)
  /// Setting data.
  public static let write = Permissions(rawValue: 2)
  /// Creating children.
  public static let create = Permissions(rawValue: 4)
  /// Deleting children; the znode's own deletion depends on its parent's ACL.
  public static let delete = Permissions(rawValue: 8)
  /// Setting the ACL.
  public static let admin = Permissions(rawValue: 16)
  /// All five permissions.
  public static let all = Permissions(rawValue: 31)

  /// The letters in the order in which `getAcl` prints them.
  public static let letters: [(letter: Character, permission: Permissions)] = [
    ("c", .create), ("d", .delete), ("r", .read), ("w", .write), ("a", .admin),
  ]

  /// The letters of the set, as in `cdrwa`.
  public var text: String { String(Self.letters.filter { contains($0.permission) }.map(\.letter)) }
}

/// One entry of an access control list: who (`scheme` and `id`) may do what.
///
/// An operation is allowed if any entry of the znode's list matches an identity of the connection and has the
/// permission. Lists are not inherited: a new znode has exactly the list that its create names.
public struct ACL: JuteRecord, Hashable, Sendable {
  /// What the identity may do.
  public var permissions: Permissions
  /// What kind of identity the id names: `world`, `auth`, `digest`, `ip`, and others that a server may have.
  public var scheme: String
  /// Who has the permissions, in the form that the scheme prescribes: `anyone`, `user:hash`, `10.0.0.0/8`.
  public var id: String

  public init(permissions: Permissions, scheme: String, id: String) {
    self.permissions = permissions
    self.scheme = scheme
    self.id = id
  }

  /// Anyone may do anything: Apache's `OPEN_ACL_UNSAFE`, the default of `create`.
  public static let openUnsafe = [ACL(permissions: .all, scheme: "world", id: "anyone")]
  /// The identities of the connection may do anything: Apache's `CREATOR_ALL_ACL`.
  public static let creatorAll = [ACL(permissions: .all, scheme: "auth", id: "")]
  /// Anyone may read: Apache's `READ_ACL_UNSAFE`.
  public static let readUnsafe = [ACL(permissions: .read, scheme: "world", id: "anyone")]

  public init(from reader: inout JuteReader) throws(JuteError) {
    permissions = Permissions(rawValue: try reader.readInt())
    // A server may hold a null scheme or id from an old client; it is shown as empty.
    scheme = try reader.readOptionalString() ?? ""
    id = try reader.readOptionalString() ?? ""
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(permissions.rawValue)
    writer.writeString(scheme)
    writer.writeString(id)
  }
}

/// An identity that a connection has proved: an answer of `whoAmI`.
public struct ClientInfo: JuteRecord, Hashable, Sendable {
  /// The scheme of the proof, such as `ip` or `digest`.
  public var scheme: String
  /// What was proved: an address, a user's name. It never contains a password.
  public var user: String

  public init(scheme: String, user: String) {
    self.scheme = scheme
    self.user = user
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    scheme = try reader.readOptionalString() ?? ""
    user = try reader.readOptionalString() ?? ""
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(scheme)
    writer.writeString(user)
  }
}
