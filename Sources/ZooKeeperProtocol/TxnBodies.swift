public import Jute

/// A znode that was created.
///
/// *Source*: Jute records `CreateTxn`, `CreateTxnV0`, `CreateContainerTxn`, `CreateTTLTxn`.
public struct CreateTxn: Hashable, Sendable {
  /// With the sequence number, if there is one.
  public var path: String
  /// nil is null, which servers keep apart from empty.
  public var data: [UInt8]?
  /// The list after `auth` was replaced by the identities of the connection.
  public var acl: [ACL]
  /// Whether the session of the header owns the znode. Containers and TTL znodes have no such field.
  public var isEphemeral: Bool
  /// The parent's stored cversion after the create; -1 means one more than before (the form of 3.3).
  public var parentCVersion: Int32

  public init(path: String, data: [UInt8]?, acl: [ACL], isEphemeral: Bool, parentCVersion: Int32) {
    self.path = path
    self.data = data
    self.acl = acl
    self.isEphemeral = isEphemeral
    self.parentCVersion = parentCVersion
  }

  /// Decodes the body of create and create2.
  ///
  /// - Parameter allowingV0: whether the last field may be missing, as in logs of 3.3.
  /// - Throws: `JuteError` if the bytes are not such a body.
  public init(from reader: inout JuteReader, allowingV0: Bool = false) throws(JuteError) {
    path = try reader.readString()
    data = try reader.readBuffer()
    acl = try reader.readACLs()
    isEphemeral = try reader.readBool()
    parentCVersion = allowingV0 && reader.remainingBytes < 4 ? -1 : try reader.readInt()
  }

  /// Decodes the body of createContainer, and that of createTTL but for its last field.
  init(containerFrom reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    data = try reader.readBuffer()
    acl = try reader.readACLs()
    isEphemeral = false
    parentCVersion = try reader.readInt()
  }

  /// Appends the body of create and create2.
  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeBuffer(data)
    writer.writeVector(acl) { $1.encode(into: &$0) }
    writer.writeBool(isEphemeral)
    writer.writeInt(parentCVersion)
  }

  /// Appends the body of createContainer.
  func encodeContainer(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeBuffer(data)
    writer.writeVector(acl) { $1.encode(into: &$0) }
    writer.writeInt(parentCVersion)
  }
}

/// Data that was set, with the version that it then has.
public struct SetDataTxn: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// nil is null, which servers keep apart from empty.
  public var data: [UInt8]?
  /// The version after the change.
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

/// An ACL that was set, with the aversion that the znode then has.
public struct SetACLTxn: JuteRecord, Hashable, Sendable {
  /// The znode.
  public var path: String
  /// The whole new list.
  public var acl: [ACL]
  /// The aversion after the change.
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
