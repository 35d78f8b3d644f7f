internal import Jute
internal import ZnodeTree
package import ZooKeeperProtocol

/// A transaction in the form in which it is logged and sent to other servers.
package struct Proposal: Hashable, Sendable {
  package var zxid: Zxid
  /// Header, body, digest: encoded once.
  package var bytes: [UInt8]
}

/// What is kept of a transaction until it is applied.
///
/// It is a class because a queue copies the structs that it takes and gives, with a reference count for each of their
/// parts.
final class TxnInFlight {
  let entry: TxnEntry
  let digests: KnownDigests

  init(entry: consuming TxnEntry, digests: KnownDigests) {
    self.entry = entry
    self.digests = digests
  }
}

/// A new transaction: decoded for this server, which will apply it, and encoded for the log and the other servers.
struct PreparedTxn {
  var inFlight: TxnInFlight
  var proposal: Proposal
}

/// Where a write comes from, as far as its checks are concerned.
package struct RequestOrigin: Hashable, Sendable {
  package var sessionID: SessionID
  package var xid: Xid
  package var identities: [Identity]
  /// The server that the client is connected to; see `SessionTracker.check`.
  package var owner: UInt64

  package init(sessionID: SessionID, xid: Xid, identities: [Identity], owner: UInt64) {
    self.sessionID = sessionID
    self.xid = xid
    self.identities = identities
    self.owner = owner
  }
}

/// Turns requests into transactions, which are checked against the tree and all outstanding changes.
///
/// A request that fails its checks becomes a transaction of type error, which has a zxid and is logged like any other.
/// Its client can then be answered in the same order as all others, on every server.
///
/// Overlapping accesses are not looked for at run time; `ServerCore` says why.
///
/// *Source*: `org.apache.zookeeper.server.PrepRequestProcessor`; `ClientProtocol` 4.
final class RequestPreparer {
  let tree: DataTree
  let settings: ServerSettings
  let access: AccessControl
  @exclusivity(unchecked) var sessions: SessionTracker
  /// The sessions that only this server knows; see `LocalSessions.swift`.
  @exclusivity(unchecked) var localSessions: SessionTracker
  let outstanding: OutstandingChanges
  private let metrics: CoreMetrics
  /// The last zxid that was given to a transaction. The leader of an ensemble sets it when its epoch begins.
  @exclusivity(unchecked) var lastZxid: Zxid
  /// The bytes that the transaction being prepared may still take.
  @exclusivity(unchecked) var budget: TxnBudget
  /// The digests after the transaction being prepared.
  @exclusivity(unchecked) var digests = KnownDigests()
  /// What the client of the present request may do, by the slot of the ACL. The parts of a multi often have the same
  /// ACL, and with many identities and entries the check takes time.
  @exclusivity(unchecked) private var grants: [ACLSlot: Permissions] = [:]
  /// The same for the ACL of an outstanding change that was checked last.
  @exclusivity(unchecked) private var lastGrant: (acl: [ACL], granted: Permissions)?
  /// What transactions are encoded into; its memory is used again.
  @exclusivity(unchecked) private var writer = JuteWriter()
  /// The memory of the writer that is kept, at most.
  private static let keptBytes = 64 << 10
  /// The ensemble that this server leads; nil for a standalone server.
  var ensembleView: (() -> EnsembleView)?

  /// What the parts of one transaction share.
  struct Context {
    let origin: RequestOrigin
    let zxid: Zxid
    let timeMilliseconds: Int64
  }

  /// A preparer whose first transaction follows the last one of `tree`.
  ///
  /// - Parameter expiresSessions: whether the sessions of the ensemble are ended here.
  init(tree: DataTree, settings: ServerSettings, expiresSessions: Bool, _ metrics: CoreMetrics) {
    self.metrics = metrics
    self.tree = tree
    self.settings = settings
    access = AccessControl(settings: settings)
    budget = TxnBudget(settings)
    sessions = SessionTracker(tickMilliseconds: settings.tickTimeMilliseconds, expires: expiresSessions)
    localSessions = SessionTracker(tickMilliseconds: settings.tickTimeMilliseconds, areLocal: true)
    outstanding = OutstandingChanges(tree, metrics)
    lastZxid = tree.lastProcessedZxid
  }

  /// Prepares a client's request, which must be a write.
  func prepare(_ request: ClientRequest, _ origin: RequestOrigin, wallMilliseconds: Int64) -> PreparedTxn {
    let context = begin(origin, wallMilliseconds)
    do throws(KeeperError) {
      return seal(try txn(for: request, context), context)
    } catch {
      return seal(.error(error), context)
    }
  }

  /// The transaction for a write that cannot be decoded.
  func prepareError(_ error: KeeperError, _ origin: RequestOrigin, wallMilliseconds: Int64) -> PreparedTxn {
    seal(.error(error), begin(origin, wallMilliseconds))
  }

  /// The transaction for a new session.
  func prepareCreateSession(
    _ session: SessionID, timeoutMilliseconds: Int32, owner: UInt64, time: ServerTime
  ) -> PreparedTxn {
    let record = sessions.track(session, timeoutMilliseconds: timeoutMilliseconds, now: time.monotonicMilliseconds)
    record.owner = owner
    let origin = RequestOrigin(sessionID: session, xid: Xid(rawValue: 0), identities: [], owner: owner)
    return seal(.createSession(timeoutMilliseconds: timeoutMilliseconds), begin(origin, time.wallMilliseconds))
  }

  /// The transaction for the end of a session, whether its client has asked for it or it has expired.
  ///
  /// It cannot be refused, however many ephemerals there are. Paths for which there is no room are left out, because
  /// all servers delete everything else that belongs to the session.
  func prepareCloseSession(_ session: SessionID, xid: Xid, wallMilliseconds: Int64) -> PreparedTxn {
    let origin = RequestOrigin(sessionID: session, xid: xid, identities: [], owner: 0)
    let context = begin(origin, wallMilliseconds)
    let paths = outstanding.endSession(session, zxid: context.zxid)
    sessions.sessions[session]?.isClosing = true
    return seal(.closeSession(paths: budget.fitting(paths)), context)
  }

  /// The transaction that deletes a container or TTL znode; an error if it has got children meanwhile.
  func prepareDeleteContainer(_ path: String, wallMilliseconds: Int64) -> PreparedTxn {
    let origin = RequestOrigin(sessionID: .none, xid: Xid(rawValue: 0), identities: [], owner: 0)
    let context = begin(origin, wallMilliseconds)
    do throws(KeeperError) {
      return seal(try deleteContainer(path, context), context)
    } catch {
      return seal(.error(error), context)
    }
  }

  /// The transaction of one request, or of one part of a multi.
  private func txn(for request: ClientRequest, _ context: Context) throws(KeeperError) -> Txn {
    switch request {
    case .create(let body): try create(CreateForm(.create, body), context)
    case .create2(let body): try create(CreateForm(.create2, body), context)
    case .createContainer(let body): try create(CreateForm(.createContainer, body), context)
    case .createTTL(let body): try create(CreateForm(.createTTL, body.create, ttl: body.ttlMilliseconds), context)
    case .delete(let body): try delete(body, context)
    case .setData(let body): try setData(body, context)
    case .setACL(let body): try setACL(body, context)
    case .multi(let body): try multi(body, context)
    case .reconfig(let body): try reconfig(body, context)
    default: throw .unimplemented
    }
  }

  private func begin(_ origin: RequestOrigin, _ wallMilliseconds: Int64) -> Context {
    lastZxid = lastZxid.next
    budget = TxnBudget(settings)
    digests = KnownDigests()
    if !grants.isEmpty { grants.removeAll(keepingCapacity: true) }
    lastGrant = nil
    return Context(origin: origin, zxid: lastZxid, timeMilliseconds: wallMilliseconds)
  }

  private func seal(_ txn: consuming Txn, _ context: Context) -> PreparedTxn {
    let opCode = txn.opCode
    let header = TxnHeader(
      sessionID: context.origin.sessionID, cxid: context.origin.xid, zxid: context.zxid,
      timeMilliseconds: context.timeMilliseconds, opCode: opCode)
    let hasDigest = tree.digestEnabled && opCode != .error
    let entry = TxnEntry(
      header: header, txn: txn, digest: hasDigest ? TxnDigest(treeDigest: outstanding.treeDigest) : nil)
    entry.encode(into: &writer)
    let proposal = Proposal(zxid: context.zxid, bytes: writer.bytes)
    if writer.count > Self.keptBytes { writer = JuteWriter() } else { writer.removeAll() }
    return PreparedTxn(inFlight: TxnInFlight(entry: entry, digests: digests), proposal: proposal)
  }
}

extension RequestPreparer {
  /// Refuses the write of a session that has ended or moved to another server.
  ///
  /// - Throws: `sessionExpired` or `sessionMoved`.
  func checkSession(_ context: Context) throws(KeeperError) {
    if settings.hasLocalSessions, mayBeLocal(context.origin.sessionID) { return }
    try sessions.check(context.origin.sessionID, owner: context.origin.owner)
  }

  /// Refuses a path that is not valid.
  ///
  /// - Throws: `badArguments`.
  func checkPath(_ path: String) throws(KeeperError) {
    do throws(ZnodePathError) { try ZnodePath.validate(path) } catch { throw .badArguments }
  }

  /// The path up to its last slash, which is empty for the children of the root. Names are not checked.
  ///
  /// - Throws: `badArguments` if there is no slash, or a zero byte.
  func parentPath(of path: String) throws(KeeperError) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), !path.utf8.contains(0) else { throw .badArguments }
    return String(path[..<slash])
  }

  /// The znode at `path`, as it will be.
  ///
  /// - Throws: `noNode`.
  func find(_ path: String) throws(KeeperError) -> ChangeRecord {
    guard let record = outstanding.find(path) else { throw .noNode }
    return record
  }

  /// Refuses a client that has none of the permissions `wanted` for the znode.
  ///
  /// - Throws: `noAuth`.
  func checkAccess(_ wanted: Permissions, _ record: ChangeRecord, _ context: Context) throws(KeeperError) {
    if settings.skipACL { return }
    let granted =
      switch record.access {
      case .slot(let slot):
        if tree.worldPermissions(in: slot).isDisjoint(with: wanted) { self.granted(slot, context) } else { wanted }
      case .list(let acl): self.granted(acl, context)
      }
    if granted.isDisjoint(with: wanted) { throw .noAuth }
  }

  private func granted(_ slot: ACLSlot, _ context: Context) -> Permissions {
    if let known = grants[slot] { return known }
    let granted = access.granted(by: tree.acl(in: slot), to: context.origin.identities)
    grants[slot] = granted
    return granted
  }

  private func granted(_ acl: [ACL], _ context: Context) -> Permissions {
    if acl == ACL.openUnsafe { return .all }
    // The comparison takes no time if the arrays share their storage, as they mostly do.
    if let lastGrant, lastGrant.acl == acl { return lastGrant.granted }
    let granted = access.granted(by: acl, to: context.origin.identities)
    lastGrant = (acl, granted)
    return granted
  }

  /// The version after this change.
  ///
  /// - Throws: `badVersion` if `expected` is neither -1 nor the present version.
  func nextVersion(_ present: Int32, expected: Int32) throws(KeeperError) -> Int32 {
    guard expected == -1 || expected == present else { throw .badVersion }
    return present &+ 1
  }

  /// What the lifetime of a znode depends on.
  func owner(_ record: ChangeRecord) -> EphemeralOwner {
    EphemeralOwner(stored: record.stat.ephemeralOwner, extendedTypesEnabled: tree.extendedTypesEnabled)
  }

  /// Whether a change takes a quota's use over its limit. Clients can write any number as the use.
  private func isOver(_ use: Int64, _ change: Int, _ limit: Int64) -> Bool {
    let (sum, overflows) = use.addingReportingOverflow(Int64(change))
    return overflows ? use > 0 : sum > limit
  }

  /// Refuses what exceeds the hard limits of the nearest quota. As in Apache's servers, outstanding changes are not
  /// taken into account.
  ///
  /// - Throws: `quotaExceeded`.
  func checkQuota(_ path: String, bytes: Int, znodes: Int) throws(KeeperError) {
    guard settings.enforceQuota, let quotaPath = tree.quotaPath(covering: path), let quota = tree.quota(of: quotaPath)
    else { return }
    if znodes != 0, let limit = quota.limits.countHardLimit, limit > -1, isOver(quota.use.count, znodes, limit) {
      metrics.noteQuotaExceeded(path)
      throw .quotaExceeded
    }
    if bytes != 0, let limit = quota.limits.bytesHardLimit, limit > -1, isOver(quota.use.bytes, bytes, limit) {
      metrics.noteQuotaExceeded(path)
      throw .quotaExceeded
    }
  }
}
