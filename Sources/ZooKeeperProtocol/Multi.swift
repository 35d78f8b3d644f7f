public import Jute

/// What precedes every operation and every result of a multi and, with `done`, follows the last.
///
/// *Source*: `ClientProtocol` 4.9.
public struct MultiHeader: JuteRecord, Hashable, Sendable {
  /// The operation's number; -1 in the header that ends the list, and for a failed operation's result.
  public var type: Int32
  /// Whether this header ends the list.
  public var done: Bool
  /// -1 in requests; in results the operation's error code, 0 for success.
  public var error: Int32

  public init(type: Int32, done: Bool, error: Int32) {
    self.type = type
    self.done = done
    self.error = error
  }

  /// The header that ends the list.
  public static let end = MultiHeader(type: -1, done: true, error: -1)

  public init(from reader: inout JuteReader) throws(JuteError) {
    type = try reader.readInt()
    done = try reader.readBool()
    error = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(type)
    writer.writeBool(done)
    writer.writeInt(error)
  }
}

/// One operation of a multi (the writes and check) or of a multiRead (the two reads).
public enum MultiOperation: Hashable, Sendable {
  case create(CreateRequest)
  case create2(CreateRequest)
  case createContainer(CreateRequest)
  case createTTL(CreateTTLRequest)
  case delete(PathVersionRequest)
  case setData(SetDataRequest)
  case check(PathVersionRequest)
  case getData(PathWatchRequest)
  case getChildren(PathWatchRequest)

  /// The operation's number on the wire.
  public var opCode: OpCode {
    switch self {
    case .create: .create
    case .create2: .create2
    case .createContainer: .createContainer
    case .createTTL: .createTTL
    case .delete: .delete
    case .setData: .setData
    case .check: .check
    case .getData: .getData
    case .getChildren: .getChildren
    }
  }

  /// The znode that the operation is about.
  public var path: String {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): body.path
    case .createTTL(let body): body.create.path
    case .delete(let body), .check(let body): body.path
    case .setData(let body): body.path
    case .getData(let body), .getChildren(let body): body.path
    }
  }

  init(type: Int32, from reader: inout JuteReader) throws(JuteError) {
    switch OpCode(rawValue: type) {
    case .create: self = .create(try CreateRequest(from: &reader))
    case .create2: self = .create2(try CreateRequest(from: &reader))
    case .createContainer: self = .createContainer(try CreateRequest(from: &reader))
    case .createTTL: self = .createTTL(try CreateTTLRequest(from: &reader))
    case .delete: self = .delete(try PathVersionRequest(from: &reader))
    case .setData: self = .setData(try SetDataRequest(from: &reader))
    case .check: self = .check(try PathVersionRequest(from: &reader))
    case .getData: self = .getData(try PathWatchRequest(from: &reader))
    case .getChildren: self = .getChildren(try PathWatchRequest(from: &reader))
    default: throw JuteError(.unknownValue(Int(type)), offset: reader.offset)
    }
  }

  func encode(into writer: inout JuteWriter) {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): body.encode(into: &writer)
    case .createTTL(let body): body.encode(into: &writer)
    case .delete(let body), .check(let body): body.encode(into: &writer)
    case .setData(let body): body.encode(into: &writer)
    case .getData(let body), .getChildren(let body): body.encode(into: &writer)
    }
  }
}

/// The body of multi and multiRead.
public struct MultiRequest: JuteRecord, Hashable, Sendable {
  /// In the order in which they take effect.
  public var operations: [MultiOperation]

  public init(operations: [MultiOperation]) { self.operations = operations }

  public init(from reader: inout JuteReader) throws(JuteError) {
    operations = []
    while true {
      let header = try MultiHeader(from: &reader)
      if header.done { return }
      operations.append(try MultiOperation(type: header.type, from: &reader))
    }
  }

  public func encode(into writer: inout JuteWriter) {
    for operation in operations {
      MultiHeader(type: operation.opCode.rawValue, done: false, error: -1).encode(into: &writer)
      operation.encode(into: &writer)
    }
    MultiHeader.end.encode(into: &writer)
  }
}

/// The result of one operation of a multi or multiRead.
public enum MultiResult: Hashable, Sendable {
  case create(path: String)
  /// Also the result of createContainer and createTTL.
  case create2(path: String, stat: Stat)
  case delete
  case setData(Stat)
  case check
  case getData(GetDataResponse)
  case getChildren([String])
  /// In a failed multi, every operation has this: `ok` before the one that failed, then its code, and
  /// `runtimeInconsistency` after it.
  case error(KeeperError)
}

/// The answer to multi and multiRead.
public struct MultiResponse: JuteRecord, Hashable, Sendable {
  /// One for each operation, in the same order.
  public var results: [MultiResult]

  public init(results: [MultiResult]) { self.results = results }

  /// The code of the operation because of which the multi failed; nil if it succeeded.
  public var firstError: KeeperError? {
    for case .error(let code) in results where code != .ok { return code }
    return nil
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    results = []
    while true {
      let header = try MultiHeader(from: &reader)
      if header.done { return }
      results.append(try MultiResult(header: header, from: &reader))
    }
  }

  public func encode(into writer: inout JuteWriter) {
    for result in results { result.encode(into: &writer) }
    MultiHeader.end.encode(into: &writer)
  }
}

extension MultiResult {
  init(header: MultiHeader, from reader: inout JuteReader) throws(JuteError) {
    switch OpCode(rawValue: header.type) {
    case .create: self = .create(path: try reader.readString())
    case .create2, .createContainer, .createTTL:
      self = .create2(path: try reader.readString(), stat: try Stat(from: &reader))
    case .delete: self = .delete
    case .check: self = .check
    case .setData: self = .setData(try Stat(from: &reader))
    case .getData: self = .getData(try GetDataResponse(from: &reader))
    case .getChildren: self = .getChildren(try reader.readStrings())
    case .error: self = .error(KeeperError(rawValue: try reader.readInt()))
    default: throw JuteError(.unknownValue(Int(header.type)), offset: reader.offset)
    }
  }

  func encode(into writer: inout JuteWriter) {
    func header(_ opCode: OpCode, _ error: Int32 = 0) {
      MultiHeader(type: opCode.rawValue, done: false, error: error).encode(into: &writer)
    }
    switch self {
    case .create(let path):
      header(.create)
      writer.writeString(path)
    case .create2(let path, let stat):
      header(.create2)
      writer.writeString(path)
      stat.encode(into: &writer)
    case .delete: header(.delete)
    case .check: header(.check)
    case .setData(let stat):
      header(.setData)
      stat.encode(into: &writer)
    case .getData(let response):
      header(.getData)
      response.encode(into: &writer)
    case .getChildren(let children):
      header(.getChildren)
      writer.writeVector(children) { $0.writeString($1) }
    case .error(let code):
      header(.error, code.rawValue)
      writer.writeInt(code.rawValue)
    }
  }
}
