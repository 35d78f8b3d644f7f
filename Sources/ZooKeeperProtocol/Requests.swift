public import Jute

/// The body of create, create2 and createContainer.
public struct CreateRequest: JuteRecord, Hashable, Sendable {
  /// The path; the server appends the sequence number of a sequential znode.
  public var path: String
  /// nil is null, which servers keep apart from empty.
  public var data: [UInt8]?
  /// Who may do what with the znode; empty is refused.
  public var acl: [ACL]
  /// `CreateMode.flags`.
  public var flags: Int32

  public init(path: String, data: [UInt8]?, acl: [ACL], flags: Int32) {
    self.path = path
    self.data = data
    self.acl = acl
    self.flags = flags
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    data = try reader.readBuffer()
    acl = try reader.readACLs()
    flags = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeBuffer(data)
    writer.writeVector(acl) { $1.encode(into: &$0) }
    writer.writeInt(flags)
  }
}

/// The body of createTTL.
public struct CreateTTLRequest: JuteRecord, Hashable, Sendable {
  /// The fields that all creates have.
  public var create: CreateRequest
  /// The time to live, in milliseconds: 1 to `CreateMode.maximumTTLMilliseconds`.
  public var ttlMilliseconds: Int64

  public init(create: CreateRequest, ttlMilliseconds: Int64) {
    self.create = create
    self.ttlMilliseconds = ttlMilliseconds
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    create = try CreateRequest(from: &reader)
    ttlMilliseconds = try reader.readLong()
  }

  public func encode(into writer: inout JuteWriter) {
    create.encode(into: &writer)
    writer.writeLong(ttlMilliseconds)
  }
}

/// The body of delete and check: a path and the version it must have, -1 for any.
public struct PathVersionRequest: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// The version that the data must have, -1 for any.
  public var version: Int32

  public init(path: String, version: Int32) {
    self.path = path
    self.version = version
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    version = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeInt(version)
  }
}

/// The body of exists, getData, getChildren and getChildren2.
public struct PathWatchRequest: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// Whether the server sets a watch: it then reports the next change, once.
  public var watch: Bool

  public init(path: String, watch: Bool = false) {
    self.path = path
    self.watch = watch
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    watch = try reader.readBool()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeBool(watch)
  }
}

/// The body of getACL, sync, getAllChildrenNumber and getEphemerals.
public struct PathRequest: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String

  public init(path: String) { self.path = path }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
  }

  public func encode(into writer: inout JuteWriter) { writer.writeString(path) }
}

/// The body of setData.
public struct SetDataRequest: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// nil is null, which servers keep apart from empty.
  public var data: [UInt8]?
  /// The version that the data must have, -1 for any.
  public var version: Int32

  public init(path: String, data: [UInt8]?, version: Int32) {
    self.path = path
    self.data = data
    self.version = version
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    data = try reader.readBuffer()
    version = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeBuffer(data)
    writer.writeInt(version)
  }
}

/// The body of setACL.
public struct SetACLRequest: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// The whole new list; empty is refused.
  public var acl: [ACL]
  /// The *aversion* that the znode must have, -1 for any.
  public var version: Int32

  public init(path: String, acl: [ACL], version: Int32) {
    self.path = path
    self.acl = acl
    self.version = version
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    acl = try reader.readACLs()
    version = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeVector(acl) { $1.encode(into: &$0) }
    writer.writeInt(version)
  }
}

/// The body of reconfig: joining and leaving servers, or a whole new membership.
public struct ReconfigRequest: JuteRecord, Hashable, Sendable {
  /// `server.N=...` entries, comma separated.
  public var joiningServers: String?
  /// Server ids, comma separated.
  public var leavingServers: String?
  /// A full membership instead of the two above.
  public var newMembers: String?
  /// The version that the active configuration must have, -1 for any.
  public var configVersion: Int64

  public init(joiningServers: String?, leavingServers: String?, newMembers: String?, configVersion: Int64) {
    self.joiningServers = joiningServers
    self.leavingServers = leavingServers
    self.newMembers = newMembers
    self.configVersion = configVersion
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    joiningServers = try reader.readOptionalString()
    leavingServers = try reader.readOptionalString()
    newMembers = try reader.readOptionalString()
    configVersion = try reader.readLong()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(joiningServers)
    writer.writeString(leavingServers)
    writer.writeString(newMembers)
    writer.writeLong(configVersion)
  }
}

/// One step of a SASL exchange, in either direction.
public struct SASLToken: JuteRecord, Hashable, Sendable {
  /// The mechanism's message.
  public var token: [UInt8]?

  public init(token: [UInt8]?) { self.token = token }

  public init(from reader: inout JuteReader) throws(JuteError) { token = try reader.readBuffer() }

  public func encode(into writer: inout JuteWriter) { writer.writeBuffer(token) }
}

extension JuteReader {
  /// Reads an access control list. Null becomes empty: servers refuse both alike.
  ///
  /// - Throws: `JuteError` if the bytes are not such a list.
  public mutating func readACLs() throws(JuteError) -> [ACL] {
    try readOptionalVector { (reader) throws(JuteError) in try ACL(from: &reader) } ?? []
  }

  /// Reads a vector of strings, none of which may be null.
  mutating func readStrings() throws(JuteError) -> [String] {
    try readVector { (reader) throws(JuteError) in try reader.readString() }
  }
}
