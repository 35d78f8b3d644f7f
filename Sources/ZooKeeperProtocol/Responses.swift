public import Jute

/// The answer to getData and reconfig.
public struct GetDataResponse: JuteRecord, Hashable, Sendable {
  /// nil is null, which servers keep apart from empty.
  public var data: [UInt8]?
  /// The stat that belongs to the data.
  public var stat: Stat

  public init(data: [UInt8]?, stat: Stat) {
    self.data = data
    self.stat = stat
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    data = try reader.readBuffer()
    stat = try Stat(from: &reader)
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeBuffer(data)
    stat.encode(into: &writer)
  }
}

/// The answer to create2, createContainer and createTTL.
public struct Create2Response: JuteRecord, Hashable, Sendable {
  /// The path with its sequence number, where the mode asks for one.
  public var path: String
  /// The new znode's stat.
  public var stat: Stat

  public init(path: String, stat: Stat) {
    self.path = path
    self.stat = stat
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    stat = try Stat(from: &reader)
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    stat.encode(into: &writer)
  }
}

/// The answer to getACL.
public struct GetACLResponse: JuteRecord, Hashable, Sendable {
  /// The whole list.
  public var acl: [ACL]
  /// The stat that belongs to the list.
  public var stat: Stat

  public init(acl: [ACL], stat: Stat) {
    self.acl = acl
    self.stat = stat
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    acl = try reader.readACLs()
    stat = try Stat(from: &reader)
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeVector(acl) { $1.encode(into: &$0) }
    stat.encode(into: &writer)
  }
}

/// The answer to getChildren2.
public struct GetChildren2Response: JuteRecord, Hashable, Sendable {
  /// Names, in no order.
  public var children: [String]
  /// The parent's stat.
  public var stat: Stat

  public init(children: [String], stat: Stat) {
    self.children = children
    self.stat = stat
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    children = try reader.readStrings()
    stat = try Stat(from: &reader)
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeVector(children) { $0.writeString($1) }
    stat.encode(into: &writer)
  }
}

/// The answer to getChildren and getEphemerals.
public struct StringsResponse: JuteRecord, Hashable, Sendable {
  /// Names of children, or paths of ephemeral znodes, in no order.
  public var strings: [String]

  public init(strings: [String]) { self.strings = strings }

  public init(from reader: inout JuteReader) throws(JuteError) { strings = try reader.readStrings() }

  public func encode(into writer: inout JuteWriter) { writer.writeVector(strings) { $0.writeString($1) } }
}

/// The answer to create and sync.
public struct PathResponse: JuteRecord, Hashable, Sendable {
  /// The path of the new znode with its sequence number, or the path of the sync.
  public var path: String

  public init(path: String) { self.path = path }

  public init(from reader: inout JuteReader) throws(JuteError) { path = try reader.readString() }

  public func encode(into writer: inout JuteWriter) { writer.writeString(path) }
}

/// The answer to getAllChildrenNumber (a count) and addWatch (an error code, always 0).
public struct IntResponse: JuteRecord, Hashable, Sendable {
  /// The count, or the error code.
  public var value: Int32

  public init(value: Int32) { self.value = value }

  public init(from reader: inout JuteReader) throws(JuteError) { value = try reader.readInt() }

  public func encode(into writer: inout JuteWriter) { writer.writeInt(value) }
}

/// The answer to whoAmI.
public struct WhoAmIResponse: JuteRecord, Hashable, Sendable {
  /// Everything that the connection has proved; its address is always among it.
  public var identities: [ClientInfo]

  public init(identities: [ClientInfo]) { self.identities = identities }

  public init(from reader: inout JuteReader) throws(JuteError) {
    identities = try reader.readVector { (reader) throws(JuteError) in try ClientInfo(from: &reader) }
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeVector(identities) { $1.encode(into: &$0) }
  }
}

/// The answer to operations whose reply has no body, such as delete.
public struct EmptyResponse: JuteRecord, Hashable, Sendable {
  public init() {}

  public init(from _: inout JuteReader) throws(JuteError) {}

  public func encode(into _: inout JuteWriter) {}
}
