public import Jute

/// Any request of the client protocol: the operation and its body.
///
/// The associated values are the records of the wire. Operations that share a record, such as `exists` and `getData`,
/// differ in the case alone. `ServerReply` has the answers.
///
/// *Source*: `ClientProtocol` 1.5.
public enum ClientRequest: Hashable, Sendable {
  case create(CreateRequest)
  case create2(CreateRequest)
  case createContainer(CreateRequest)
  case createTTL(CreateTTLRequest)
  case delete(PathVersionRequest)
  case exists(PathWatchRequest)
  case getData(PathWatchRequest)
  case setData(SetDataRequest)
  case getACL(PathRequest)
  case setACL(SetACLRequest)
  case getChildren(PathWatchRequest)
  case getChildren2(PathWatchRequest)
  case sync(PathRequest)
  case ping
  case check(PathVersionRequest)
  case multi(MultiRequest)
  case multiRead(MultiRequest)
  case reconfig(ReconfigRequest)
  case checkWatches(WatchesRequest)
  case removeWatches(WatchesRequest)
  case auth(AuthPacket)
  case setWatches(SetWatches)
  case setWatches2(SetWatches)
  case sasl(SASLToken)
  case getEphemerals(PathRequest)
  case getAllChildrenNumber(PathRequest)
  case addWatch(AddWatchRequest)
  case whoAmI
  case closeSession
}

extension ClientRequest {
  /// Decodes the body of a request. Bytes after it are ignored, as servers ignore them.
  ///
  /// - Returns: nil for an operation that clients may not ask for, because servers use it among themselves or in
  ///   transactions only.
  /// - Throws: `JuteError` if the bytes are not the operation's record.
  public init?(opCode: OpCode, from reader: inout JuteReader) throws(JuteError) {
    switch opCode {
    case .create: self = .create(try CreateRequest(from: &reader))
    case .create2: self = .create2(try CreateRequest(from: &reader))
    case .createContainer: self = .createContainer(try CreateRequest(from: &reader))
    case .createTTL: self = .createTTL(try CreateTTLRequest(from: &reader))
    case .delete: self = .delete(try PathVersionRequest(from: &reader))
    case .exists: self = .exists(try PathWatchRequest(from: &reader))
    case .getData: self = .getData(try PathWatchRequest(from: &reader))
    case .setData: self = .setData(try SetDataRequest(from: &reader))
    case .getACL: self = .getACL(try PathRequest(from: &reader))
    case .setACL: self = .setACL(try SetACLRequest(from: &reader))
    case .getChildren: self = .getChildren(try PathWatchRequest(from: &reader))
    case .getChildren2: self = .getChildren2(try PathWatchRequest(from: &reader))
    case .sync: self = .sync(try PathRequest(from: &reader))
    case .ping: self = .ping
    case .check: self = .check(try PathVersionRequest(from: &reader))
    case .multi: self = .multi(try MultiRequest(from: &reader))
    case .multiRead: self = .multiRead(try MultiRequest(from: &reader))
    case .reconfig: self = .reconfig(try ReconfigRequest(from: &reader))
    case .checkWatches: self = .checkWatches(try WatchesRequest(from: &reader))
    case .removeWatches: self = .removeWatches(try WatchesRequest(from: &reader))
    case .auth: self = .auth(try AuthPacket(from: &reader))
    case .setWatches: self = .setWatches(try SetWatches(from: &reader, withPersistent: false))
    case .setWatches2: self = .setWatches2(try SetWatches(from: &reader, withPersistent: true))
    case .sasl: self = .sasl(try SASLToken(from: &reader))
    case .getEphemerals: self = .getEphemerals(try PathRequest(from: &reader))
    case .getAllChildrenNumber: self = .getAllChildrenNumber(try PathRequest(from: &reader))
    case .addWatch: self = .addWatch(try AddWatchRequest(from: &reader))
    case .whoAmI: self = .whoAmI
    case .closeSession: self = .closeSession
    case .notification, .createSession, .deleteContainer, .error: return nil
    }
  }

  /// The operation's number on the wire.
  public var opCode: OpCode {
    switch self {
    case .create: .create
    case .create2: .create2
    case .createContainer: .createContainer
    case .createTTL: .createTTL
    case .delete: .delete
    case .exists: .exists
    case .getData: .getData
    case .setData: .setData
    case .getACL: .getACL
    case .setACL: .setACL
    case .getChildren: .getChildren
    case .getChildren2: .getChildren2
    case .sync: .sync
    case .ping: .ping
    case .check: .check
    case .multi: .multi
    case .multiRead: .multiRead
    case .reconfig: .reconfig
    case .checkWatches: .checkWatches
    case .removeWatches: .removeWatches
    case .auth: .auth
    case .setWatches: .setWatches
    case .setWatches2: .setWatches2
    case .sasl: .sasl
    case .getEphemerals: .getEphemerals
    case .getAllChildrenNumber: .getAllChildrenNumber
    case .addWatch: .addWatch
    case .whoAmI: .whoAmI
    case .closeSession: .closeSession
    }
  }

  /// Appends the body, without the header.
  public func encodeBody(into writer: inout JuteWriter) {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): body.encode(into: &writer)
    case .createTTL(let body): body.encode(into: &writer)
    case .delete(let body), .check(let body): body.encode(into: &writer)
    case .exists(let body), .getData(let body), .getChildren(let body), .getChildren2(let body):
      body.encode(into: &writer)
    case .setData(let body): body.encode(into: &writer)
    case .setACL(let body): body.encode(into: &writer)
    case .getACL(let body), .sync(let body), .getEphemerals(let body), .getAllChildrenNumber(let body):
      body.encode(into: &writer)
    case .multi(let body), .multiRead(let body): body.encode(into: &writer)
    case .reconfig(let body): body.encode(into: &writer)
    case .checkWatches(let body), .removeWatches(let body): body.encode(into: &writer)
    case .auth(let body): body.encode(into: &writer)
    case .setWatches(let body): body.encode(into: &writer, withPersistent: false)
    case .setWatches2(let body): body.encode(into: &writer, withPersistent: true)
    case .sasl(let body): body.encode(into: &writer)
    case .addWatch(let body): body.encode(into: &writer)
    case .ping, .whoAmI, .closeSession: break
    }
  }

  /// The znode that the request is about; nil for a request about several znodes or about the session.
  public var path: String? {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): body.path
    case .createTTL(let body): body.create.path
    case .delete(let body), .check(let body): body.path
    case .exists(let body), .getData(let body), .getChildren(let body), .getChildren2(let body): body.path
    case .setData(let body): body.path
    case .setACL(let body): body.path
    case .getACL(let body), .sync(let body), .getEphemerals(let body), .getAllChildrenNumber(let body): body.path
    case .checkWatches(let body), .removeWatches(let body): body.path
    case .addWatch(let body): body.path
    case .ping, .multi, .multiRead, .reconfig, .auth, .setWatches, .setWatches2, .sasl, .whoAmI, .closeSession: nil
    }
  }

  /// Appends a whole frame: length, header, body.
  public func encodeFrame(xid: Xid, into writer: inout JuteWriter) {
    let start = writer.reserveFrame()
    RequestHeader(xid: xid, opCode: opCode).encode(into: &writer)
    encodeBody(into: &writer)
    writer.finishFrame(at: start)
  }
}
