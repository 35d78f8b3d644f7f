public import Jute

/// What an ACL entry allows.
///
/// *Source*: `org.apache.zookeeper.ZooDefs.Perms`. Servers keep bits that have no meaning, so any
/// value can come from the wire.
public struct Permissions: OptionSet, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let read = Permissions(rawValue: 1)
  public static let write = Permissions(rawValue: 2)
  public static let create = Permissions(rawValue: 4)
  public static let delete = Permissions(rawValue: 8)
  public static let admin = Permissions(rawValue: 16)
  public static let all = Permissions(rawValue: 31)

  /// The letters in the order in which `getAcl` prints them.
  public static let letters: [(letter: Character, permission: Permissions)] = [
    ("c", .create), ("d", .delete), ("r", .read), ("w", .write), ("a", .admin),
  ]

  /// The letters of the set, as in `cdrwa`.
  public var text: String { String(Self.letters.filter { contains($0.permission) }.map(\.letter)) }
}

/// One entry of an access control list: who (`scheme` and `id`) may do what.
public struct ACL: JuteRecord, Hashable, Sendable {
  public var permissions: Permissions
  public var scheme: String
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
  public var scheme: String
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
