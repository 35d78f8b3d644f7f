internal import DequeModule
internal import Jute
internal import ZnodeTree
internal import ZooKeeperProtocol

/// The requests for changes whose transactions are awaited, with what their lines in the audit log need.
///
/// They are kept by session and not by connection: a client that goes away without waiting for the answer has made its
/// change nevertheless.
struct AuditTrail {
  /// A request as the audit log describes it.
  struct Request {
    var xid: Xid
    var operation: AuditEvent.Operation
    var user: String?
    var address: String
    var path: String?
    var znodeType: String?
    var acl: String?
    /// The modes of the znodes that a multi creates, by path.
    var modes: [String: String] = [:]
  }

  private var requests: [SessionID: Deque<Request>] = [:]

  /// Adds a request that was taken.
  mutating func add(_ request: Request, of session: SessionID) { requests[session, default: []].append(request) }

  /// Removes and returns the request that a transaction came from; nil if it came from another server's client.
  ///
  /// Transactions come in the order of their requests, so that those before it never became one.
  mutating func take(_ xid: Xid, of session: SessionID) -> Request? {
    guard let index = requests[session]?.firstIndex(where: { $0.xid == xid }) else { return nil }
    let request = requests[session]?[index]
    requests[session]?.removeFirst(index + 1)
    if requests[session]?.isEmpty == true { requests[session] = nil }
    return request
  }

  /// Forgets a session that has ended.
  mutating func remove(_ session: SessionID) { requests[session] = nil }
}

/// What is reported to the audit log: every change that a client asked this server for, and every ephemeral znode that
/// ends with its session. Requests that were passed on by other servers are reported by those.
///
/// *Source*: `org.apache.zookeeper.audit.AuditHelper`, `DataTree#deleteNodes`.
extension ServerCore {
  /// Remembers a request for a change until its transaction is applied. Called only if there is an audit log.
  func expectAudit(_ xid: Xid, _ opCode: OpCode, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) {
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    let body: ClientRequest?
    do throws(JuteError) { body = try ClientRequest(opCode: opCode, from: &reader) } catch { body = nil }
    guard let operation = AuditEvent.Operation(opCode), body != nil || opCode == .multi else { return }
    var request = AuditTrail.Request(
      xid: xid, operation: operation, user: connection.auditedUsers, address: connection.address)
    switch body {
    case .create(let create), .create2(let create), .createContainer(let create):
      guard let mode = create.auditedMode else { return }
      (request.path, request.znodeType) = (create.path, mode)
    case .createTTL(let ttl):
      guard let mode = ttl.create.auditedMode else { return }
      (request.path, request.znodeType) = (ttl.create.path, mode)
    case .delete(let delete): request.path = delete.path
    case .setData(let set): request.path = set.path
    case .setACL(let set):
      request.path = set.path
      request.acl = set.acl.map { "\($0.scheme):\($0.id):\($0.permissions.text)" }.joined()
    case .multi(let multi): request.modes = Self.modes(multi)
    default: break
    }
    auditTrail.add(request, of: connection.sessionID)
  }

  /// Reports a transaction that was just applied. Called only if there is an audit log.
  func audit(_ entry: TxnEntry, _ result: TxnResult, _ report: (AuditEvent) -> Void) {
    let session = entry.header.sessionID
    if case .closeSession = entry.txn {
      auditTrail.remove(session)
      for change in changes where change.kind == .deleted {
        var event = AuditEvent(.ephemeralZNodeDeletionOnSessionCloseOrExpire, .success)
        (event.session, event.path) = (session, change.path)
        report(event)
      }
      return
    }
    guard let request = auditTrail.take(entry.header.cxid, of: session) else { return }
    var event = AuditEvent(request.operation, result.error == .ok ? .success : .failure)
    (event.session, event.user, event.address) = (session, request.user, request.address)
    // Of an error transaction, only the request knows the path, and of reconfigurations not even that.
    let hasFailed = entry.txn.opCode == .error
    if request.operation == .multiOperation, !hasFailed { return audit(result.parts, request.modes, event, report) }
    event.path = hasFailed ? request.path : result.path
    (event.znodeType, event.acl) = (request.znodeType, request.acl)
    report(event)
  }

  private func audit(
    _ parts: [TxnResult], _ modes: [String: String], _ multi: AuditEvent, _ report: (AuditEvent) -> Void
  ) {
    for part in parts where part.opCode != .error {
      guard let operation = AuditEvent.Operation(part.opCode) else { continue }
      var event = multi
      (event.operation, event.result, event.path) = (operation, .success, part.path)
      if operation == .create { event.znodeType = part.path.flatMap { modes[$0] } }
      report(event)
    }
    guard parts.contains(where: { $0.opCode == .error }) else { return }
    var event = multi
    event.result = .failure
    report(event)
  }

  private static func modes(_ multi: MultiRequest) -> [String: String] {
    var modes: [String: String] = [:]
    for operation in multi.operations {
      switch operation {
      case .create(let create), .create2(let create), .createContainer(let create):
        modes[create.path] = create.auditedMode
      default: break
      }
    }
    return modes
  }
}

extension AuditEvent.Operation {
  /// The operation that an operation code is audited as; nil for those that are not.
  fileprivate init?(_ opCode: OpCode) {
    switch opCode {
    case .create, .create2, .createContainer, .createTTL: self = .create
    case .delete, .deleteContainer: self = .delete
    case .setData: self = .setData
    case .setACL: self = .setAcl
    case .multi: self = .multiOperation
    case .reconfig: self = .reconfig
    default: return nil
    }
  }
}

extension CreateRequest {
  /// The mode as Java names it; nil for unknown flags.
  fileprivate var auditedMode: String? {
    switch flags {
    case 0: "persistent"
    case 1: "ephemeral"
    case 2: "persistent_sequential"
    case 3: "ephemeral_sequential"
    case 4: "container"
    case 5: "persistent_with_ttl"
    case 6: "persistent_sequential_with_ttl"
    default: nil
    }
  }
}

extension ClientConnection {
  /// The names of the identities, separated by commas: nil without any, and without that of the superuser, which has
  /// none.
  ///
  /// *Source*: `org.apache.zookeeper.server.util.AuthUtil#getUsers`.
  fileprivate var auditedUsers: String? {
    let names = identities.inReportedOrder.compactMap { identity in
      identity.scheme == "super" ? nil : identity.clientInfo.user
    }
    let users = names.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: ",")
    return users.isEmpty ? nil : users
  }
}

extension [Identity] {
  /// Apache's servers keep a set, in which the identities of addauth mostly precede the address. Scripts that read the
  /// first line of zkCli.sh's output depend on that.
  var inReportedOrder: [Identity] { filter { $0.scheme != "ip" } + filter { $0.scheme == "ip" } }
}
