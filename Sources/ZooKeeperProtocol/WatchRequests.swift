public import Jute

/// The body of addWatch.
public struct AddWatchRequest: JuteRecord, Hashable, Sendable {
  /// The znode; it need not exist.
  public var path: String
  /// Whether the descendants are watched as well.
  public var mode: AddWatchMode

  public init(path: String, mode: AddWatchMode) {
    self.path = path
    self.mode = mode
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    let start = reader.offset
    let raw = try reader.readInt()
    guard let mode = AddWatchMode(rawValue: raw) else { throw JuteError(.unknownValue(Int(raw)), offset: start) }
    self.mode = mode
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeInt(mode.rawValue)
  }
}

/// The body of checkWatches and removeWatches.
public struct WatchesRequest: JuteRecord, Hashable, Sendable {
  /// The znode that is watched.
  public var path: String
  /// Which of the watches on it are meant.
  public var type: WatcherType

  public init(path: String, type: WatcherType) {
    self.path = path
    self.type = type
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    path = try reader.readString()
    let start = reader.offset
    let raw = try reader.readInt()
    guard let type = WatcherType(rawValue: raw) else { throw JuteError(.unknownValue(Int(raw)), offset: start) }
    self.type = type
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(path)
    writer.writeInt(type.rawValue)
  }
}

/// The watches that a client registers again after a reconnect.
///
/// *Shape*: the first four fields are `SetWatches` (101); with the two persistent lists it is
/// `SetWatches2` (105), which servers know from 3.6 on.
///
/// *Source*: `ClientProtocol` 5.3.
public struct SetWatches: Hashable, Sendable {
  /// The newest transaction that the client has seen: what changed since then fires at once.
  public var relativeZxid: Zxid
  /// Znodes whose data is watched, once.
  public var dataWatches: [String]
  /// Paths at which a znode did not exist when they were watched, once.
  public var existWatches: [String]
  /// Znodes whose set of children is watched, once.
  public var childWatches: [String]
  /// Paths with persistent watches.
  public var persistentWatches: [String]
  /// Paths with persistent recursive watches.
  public var persistentRecursiveWatches: [String]

  public init(
    relativeZxid: Zxid, dataWatches: [String] = [], existWatches: [String] = [], childWatches: [String] = [],
    persistentWatches: [String] = [], persistentRecursiveWatches: [String] = []
  ) {
    self.relativeZxid = relativeZxid
    self.dataWatches = dataWatches
    self.existWatches = existWatches
    self.childWatches = childWatches
    self.persistentWatches = persistentWatches
    self.persistentRecursiveWatches = persistentRecursiveWatches
  }

  /// Whether only the newer operation can carry it.
  public var needsSetWatches2: Bool { !persistentWatches.isEmpty || !persistentRecursiveWatches.isEmpty }

  /// Decodes the body of `setWatches`, or of `setWatches2` when `withPersistent`.
  ///
  /// - Throws: `JuteError` if the bytes are not such a record.
  public init(from reader: inout JuteReader, withPersistent: Bool) throws(JuteError) {
    relativeZxid = Zxid(rawValue: try reader.readLong())
    dataWatches = try reader.readStrings()
    existWatches = try reader.readStrings()
    childWatches = try reader.readStrings()
    persistentWatches = withPersistent ? try reader.readStrings() : []
    persistentRecursiveWatches = withPersistent ? try reader.readStrings() : []
  }

  /// Appends the body of `setWatches`, or of `setWatches2` when `withPersistent`.
  public func encode(into writer: inout JuteWriter, withPersistent: Bool) {
    writer.writeLong(relativeZxid.rawValue)
    var lists = [dataWatches, existWatches, childWatches]
    if withPersistent { lists += [persistentWatches, persistentRecursiveWatches] }
    for list in lists { writer.writeVector(list) { $0.writeString($1) } }
  }
}
