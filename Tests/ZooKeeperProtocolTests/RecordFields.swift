import Jute
import ZooKeeperProtocol

/// What the vectors call the fields of each record.
extension JSONValue {
  static func fields(_ request: ConnectRequest) -> JSONValue {
    var members: [String: JSONValue] = [
      "protocolVersion": .int(request.protocolVersion), "lastZxidSeen": .int(request.lastZxidSeen.rawValue),
      "timeOut": .int(request.timeoutMilliseconds), "sessionId": .int(request.sessionID.rawValue),
      "passwd": .buffer(request.password),
    ]
    if let readOnly = request.readOnly { members["readOnly"] = .bool(readOnly) }
    return .object(members)
  }

  static func fields(_ response: ConnectResponse) -> JSONValue {
    var members: [String: JSONValue] = [
      "protocolVersion": .int(response.protocolVersion), "timeOut": .int(response.timeoutMilliseconds),
      "sessionId": .int(response.sessionID.rawValue), "passwd": .buffer(response.password),
    ]
    if let readOnly = response.readOnly { members["readOnly"] = .bool(readOnly) }
    return .object(members)
  }

  static func fields(_ header: RequestHeader) -> JSONValue {
    .object(["xid": .int(header.xid.rawValue), "type": .int(header.type)])
  }

  static func fields(_ header: ReplyHeader) -> JSONValue {
    var members: [String: JSONValue] = [
      "xid": .int(header.xid.rawValue), "zxid": .int(header.zxid.rawValue), "err": .int(header.error.rawValue),
    ]
    if header.error != .ok { members["errName"] = .string(header.error.name) }
    return .object(members)
  }

  static func fields(_ event: WatcherEvent) -> JSONValue {
    .object(["type": .int(event.type.rawValue), "state": .int(event.state.rawValue), "path": .string(event.path)])
  }

  static func fields(_ stat: Stat) -> JSONValue {
    .object([
      "czxid": .int(stat.czxid.rawValue), "mzxid": .int(stat.mzxid.rawValue), "ctime": .int(stat.ctimeMilliseconds),
      "mtime": .int(stat.mtimeMilliseconds), "version": .int(stat.version), "cversion": .int(stat.cversion),
      "aversion": .int(stat.aversion), "ephemeralOwner": .int(stat.ephemeralOwner.rawValue),
      "dataLength": .int(stat.dataLength), "numChildren": .int(stat.numChildren), "pzxid": .int(stat.pzxid.rawValue),
    ])
  }

  static func fields(_ acl: [ACL]) -> JSONValue {
    .array(
      acl.map {
        .object(["perms": .int($0.permissions.rawValue), "scheme": .string($0.scheme), "id": .string($0.id)])
      })
  }

  static func fields(_ body: CreateRequest, ttl: Int64? = nil) -> JSONValue {
    var members: [String: JSONValue] = [
      "path": .string(body.path), "data": .buffer(body.data), "acl": fields(body.acl), "flags": .int(body.flags),
    ]
    if let ttl { members["ttl"] = .int(ttl) }
    return .object(members)
  }

  static func fields(_ body: PathVersionRequest) -> JSONValue {
    .object(["path": .string(body.path), "version": .int(body.version)])
  }

  static func fields(_ body: PathWatchRequest) -> JSONValue {
    .object(["path": .string(body.path), "watch": .bool(body.watch)])
  }

  static func fields(_ body: SetDataRequest) -> JSONValue {
    .object(["path": .string(body.path), "data": .buffer(body.data), "version": .int(body.version)])
  }

  static func fields(_ body: SetWatches, withPersistent: Bool) -> JSONValue {
    var members: [String: JSONValue] = [
      "relativeZxid": .int(body.relativeZxid.rawValue), "dataWatches": .strings(body.dataWatches),
      "existWatches": .strings(body.existWatches), "childWatches": .strings(body.childWatches),
    ]
    if withPersistent {
      members["persistentWatches"] = .strings(body.persistentWatches)
      members["persistentRecursiveWatches"] = .strings(body.persistentRecursiveWatches)
    }
    return .object(members)
  }

  static func fields(_ header: MultiHeader) -> JSONValue {
    .object(["type": .int(header.type), "done": .bool(header.done), "err": .int(header.error)])
  }

  private static let multiEnd = JSONValue.object(["header": fields(MultiHeader.end)])

  static func fields(_ body: MultiRequest) -> JSONValue {
    let operations = body.operations.map { operation -> JSONValue in
      .object([
        "header": fields(MultiHeader(type: operation.opCode.rawValue, done: false, error: -1)),
        "op": .string("\(operation.opCode)"), "request": fields(operation),
      ])
    }
    return .object(["ops": .array(operations + [multiEnd])])
  }

  static func fields(_ operation: MultiOperation) -> JSONValue {
    switch operation {
    case .create(let body), .create2(let body), .createContainer(let body): fields(body)
    case .createTTL(let body): fields(body.create, ttl: body.ttlMilliseconds)
    case .delete(let body), .check(let body): fields(body)
    case .setData(let body): fields(body)
    case .getData(let body), .getChildren(let body): fields(body)
    }
  }

  static func fields(_ request: ClientRequest) -> JSONValue {
    switch request {
    case .create(let body), .create2(let body), .createContainer(let body): fields(body)
    case .createTTL(let body): fields(body.create, ttl: body.ttlMilliseconds)
    case .delete(let body), .check(let body): fields(body)
    case .exists(let body), .getData(let body), .getChildren(let body), .getChildren2(let body): fields(body)
    case .setData(let body): fields(body)
    case .setACL(let body):
      .object(["path": .string(body.path), "acl": fields(body.acl), "version": .int(body.version)])
    case .getACL(let body), .sync(let body), .getAllChildrenNumber(let body): .object(["path": .string(body.path)])
    case .getEphemerals(let body): .object(["prefixPath": .string(body.path)])
    case .multi(let body), .multiRead(let body): fields(body)
    case .reconfig(let body):
      .object([
        "joiningServers": body.joiningServers.map { .string($0) } ?? .null,
        "leavingServers": body.leavingServers.map { .string($0) } ?? .null,
        "newMembers": body.newMembers.map { .string($0) } ?? .null, "curConfigId": .int(body.configVersion),
      ])
    case .checkWatches(let body), .removeWatches(let body):
      .object(["path": .string(body.path), "type": .int(body.type.rawValue)])
    case .auth(let body):
      .object(["type": .int(body.type), "scheme": .string(body.scheme), "auth": .buffer(body.auth)])
    case .setWatches(let body): fields(body, withPersistent: false)
    case .setWatches2(let body): fields(body, withPersistent: true)
    case .sasl(let body): .object(["token": .buffer(body.token)])
    case .addWatch(let body): .object(["path": .string(body.path), "mode": .int(body.mode.rawValue)])
    case .ping, .whoAmI, .closeSession: .object([:])
    }
  }

  static func fields(_ reply: ServerReply, to opCode: OpCode) -> JSONValue {
    switch reply {
    case .empty: .object([:])
    case .path(let body): .object(["path": .string(body.path)])
    case .created(let body): .object(["path": .string(body.path), "stat": fields(body.stat)])
    case .stat(let stat): .object(["stat": fields(stat)])
    case .data(let body): .object(["data": .buffer(body.data), "stat": fields(body.stat)])
    case .acl(let body): .object(["acl": fields(body.acl), "stat": fields(body.stat)])
    case .strings(let body): .object([opCode == .getEphemerals ? "ephemerals" : "children": .strings(body.strings)])
    case .children(let body): .object(["children": .strings(body.children), "stat": fields(body.stat)])
    case .multi(let body): .object(["results": .array(body.results.map(fields) + [multiEnd])])
    case .int(let body): .object([opCode == .addWatch ? "err" : "totalNumber": .int(body.value)])
    case .identities(let body):
      .object([
        "clientInfo": .array(
          body.identities.map { .object(["authScheme": .string($0.scheme), "user": .string($0.user)]) })
      ])
    case .token(let body): .object(["token": .buffer(body.token)])
    }
  }

  static func fields(_ result: MultiResult) -> JSONValue {
    let (opCode, error, body): (OpCode, Int32, JSONValue) =
      switch result {
      case .create(let path): (.create, 0, .object(["path": .string(path)]))
      case .create2(let path, let stat): (.create2, 0, .object(["path": .string(path), "stat": fields(stat)]))
      case .delete: (.delete, 0, .object([:]))
      case .check: (.check, 0, .object([:]))
      case .setData(let stat): (.setData, 0, .object(["stat": fields(stat)]))
      case .getData(let body): (.getData, 0, .object(["data": .buffer(body.data), "stat": fields(body.stat)]))
      case .getChildren(let children): (.getChildren, 0, .object(["children": .strings(children)]))
      case .error(let code): (.error, code.rawValue, .object(["err": .int(code.rawValue)]))
      }
    let header = MultiHeader(type: opCode.rawValue, done: false, error: error)
    return .object(["header": fields(header), "result": body])
  }
}
