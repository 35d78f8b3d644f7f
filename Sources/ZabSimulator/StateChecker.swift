import Jute
import Zab
import ZooKeeperProtocol

/// Checks the rules that must hold across all servers, whatever fails. It observes what servers do, and shares no code
/// with the members that decide it.
///
/// *Source*: `QuorumProtocol` F.1, F.2.
struct StateChecker {
  /// A transaction as it was delivered by the first server that did so.
  private struct Delivered {
    var hash: UInt64
    var previous: Zxid
    var digest: UInt64?
  }

  /// The largest transaction that servers may make from a request or from the end of a session.
  static let maximumTxnBytes = 600

  private var delivered: [Zxid: Delivered] = [:]
  private var lastDelivered: [ServerID: Zxid] = [:]
  /// What servers have applied while they were brought up to date. Once they serve with it, it must be committed.
  private var caughtUp: [ServerID: [TxnHistory.Entry]] = [:]
  /// The leader of each epoch.
  private var leaders: [Epoch: ServerID] = [:]
  /// The history that a server had when it promised to follow an epoch.
  private struct Promise {
    var currentEpoch: Epoch
    var last: Zxid
  }

  private var promises: [ServerID: [Epoch: Promise]] = [:]
  private var durableEpochs: [ServerID: (accepted: Int64, current: Int64)] = [:]
  private(set) var maxDelivered = Zxid.zero
  /// The configurations that were delivered, with their transactions, in order.
  private var reconfigurations: [(zxid: Zxid, configuration: QuorumConfiguration)] = []

  var reconfigurationCount: Int { reconfigurations.count }
  private(set) var violation: String?

  var transactionCount: Int { delivered.count }
  var epochCount: Int { leaders.count }

  /// Records a broken rule. Only the first one is kept.
  mutating func fail(_ text: String) {
    if violation == nil { violation = text }
  }

  /// Checks agreement, total order and the absence of holes when a server delivers a transaction.
  mutating func onDelivery(_ server: ServerID, _ entry: TxnHistory.Entry) {
    onServing(server)
    deliver(server, entry)
  }

  /// Records what a server applies while it is brought up to date. It may be truncated again.
  mutating func onCatchUp(_ server: ServerID, _ entries: ArraySlice<TxnHistory.Entry>) {
    caughtUp[server, default: []] += entries
  }

  /// Checks what a server has applied to be brought up to date, as soon as it serves clients or delivers what follows.
  mutating func onServing(_ server: ServerID) {
    for entry in caughtUp.removeValue(forKey: server) ?? [] { deliver(server, entry) }
  }

  private mutating func deliver(_ server: ServerID, _ entry: TxnHistory.Entry) {
    let previous = lastDelivered[server] ?? .zero
    guard entry.zxid > previous else {
      return fail("server \(server) delivers \(entry.zxid) after \(previous)")
    }
    if entry.bytes.count > Self.maximumTxnBytes {
      fail("transaction \(entry.zxid) has \(entry.bytes.count) bytes, more than servers may send each other")
    }
    lastDelivered[server] = entry.zxid
    maxDelivered = max(maxDelivered, entry.zxid)
    let hash = Self.hash(entry.bytes)
    guard let known = delivered[entry.zxid] else {
      delivered[entry.zxid] = Delivered(hash: hash, previous: previous)
      noteConfiguration(entry)
      return
    }
    if known.hash != hash { fail("server \(server) delivers another transaction \(entry.zxid) than others") }
    if known.previous != previous {
      fail("server \(server) delivers \(entry.zxid) after \(previous), others after \(known.previous)")
    }
  }

  private mutating func noteConfiguration(_ entry: TxnHistory.Entry) {
    guard case .reconfig(let body)? = (try? TxnEntry(decoding: entry.bytes, allowingTrailingBytes: true))?.txn,
      let configuration = try? QuorumConfiguration(parsing: String(decoding: body.data ?? [], as: UTF8.self))
    else { return }
    noteConfiguration(entry.zxid, configuration)
  }

  /// Records a committed configuration: a server has delivered its transaction, or has activated it.
  mutating func noteConfiguration(_ zxid: Zxid, _ configuration: QuorumConfiguration) {
    guard !reconfigurations.contains(where: { $0.zxid == zxid }) else { return }
    reconfigurations.append((zxid, configuration))
    reconfigurations.sort { $0.zxid < $1.zxid }
  }

  /// The configurations of which a transaction needs a quorum: the active one and, for a transaction that contains a
  /// configuration, that one too.
  ///
  /// *Source*: `QuorumProtocol` B.14.
  func configurations(for zxid: Zxid, first: QuorumConfiguration) -> [QuorumConfiguration] {
    let before = reconfigurations.last { $0.zxid < zxid }?.configuration ?? first
    guard let own = reconfigurations.first(where: { $0.zxid == zxid })?.configuration else { return [before] }
    return [before, own]
  }

  /// Checks that the digest of the tree after a transaction is the same on all servers.
  mutating func onDigest(_ server: ServerID, _ zxid: Zxid, _ digest: UInt64) {
    guard let known = delivered[zxid] else { return }
    guard let expected = known.digest else {
      delivered[zxid]?.digest = digest
      return
    }
    if expected != digest { fail("server \(server) has another tree after \(zxid) than others") }
  }

  /// Checks the recovered history of a server: transactions that were ever delivered must be the same as those.
  mutating func onRecovery(_ server: ServerID, _ history: TxnHistory, digest: UInt64) {
    for entry in history.entries(after: history.base, through: history.last) {
      if let known = delivered[entry.zxid], known.hash != Self.hash(entry.bytes) {
        fail("server \(server) recovers another transaction \(entry.zxid) than was delivered")
      }
    }
    onPlace(server, history.last)
    onDigest(server, history.last, digest)
  }

  /// Records the last transaction of a tree that a server has recovered, or has got from a leader.
  mutating func onPlace(_ server: ServerID, _ zxid: Zxid) {
    lastDelivered[server] = zxid
    caughtUp[server] = nil
  }

  /// Checks a server that has established its leadership: no other server led the same epoch, and everything that was
  /// delivered in earlier epochs is in its history.
  mutating func onLeading(_ server: ServerID, _ epoch: Epoch) {
    if let other = leaders[epoch], other != server { fail("servers \(other) and \(server) both led epoch \(epoch)") }
    // An epoch may be established late, by a server that does not know of a later one and cannot commit anything.
    leaders[epoch] = server
    let earlier = delivered.keys.lazy.filter { Int64($0.epoch) < epoch.rawValue }.max() ?? .zero
    let has = lastDelivered[server] ?? .zero
    if has < earlier { fail("server \(server) leads epoch \(epoch) with \(has), but \(earlier) was delivered") }
  }

  /// Checks, when an observer master informs its observers of a transaction, that it is committed.
  mutating func onInform(_ server: ServerID, _ zxid: Zxid) {
    if delivered[zxid] == nil { fail("server \(server) informs observers of \(zxid), which no server has delivered") }
  }

  /// Checks that a transaction is durable when a follower acknowledges it.
  mutating func onAck(_ server: ServerID, _ zxid: Zxid, durable: Zxid) {
    if zxid > durable { fail("server \(server) acknowledges \(zxid), durable is \(durable)") }
  }

  /// Checks that the history and the epoch are durable when a learner acknowledges NEWLEADER.
  mutating func onNewLeaderAck(_ server: ServerID, _ epoch: Epoch, last: Zxid, durable: Zxid, savedEpoch: Int64) {
    if last > durable { fail("server \(server) acknowledges NEWLEADER with \(last), durable is \(durable)") }
    if savedEpoch != epoch.rawValue {
      fail("server \(server) acknowledges epoch \(epoch), on disk is \(savedEpoch)")
    }
  }

  /// Checks that a learner promises to follow an epoch at most once, and only when the epoch is on its disk.
  mutating func onPromise(_ server: ServerID, _ epoch: Epoch, savedEpoch: Int64, current: Epoch, last: Zxid) {
    if savedEpoch < epoch.rawValue { fail("server \(server) promises epoch \(epoch), on disk is \(savedEpoch)") }
    if let earlier = promises[server]?.keys.max(), earlier >= epoch {
      fail("server \(server) promises epoch \(epoch) after \(earlier)")
    }
    promises[server, default: [:]][epoch] = Promise(currentEpoch: current, last: last)
  }

  /// Checks that a quorum, with the leader among them, has promised to follow an epoch when its leader takes it, and
  /// that none of that quorum has a newer history.
  mutating func onEpochTaken(
    _ server: ServerID, _ epoch: Epoch, current: Epoch, last: Zxid, _ configuration: QuorumConfiguration
  ) {
    let isQuorum = configuration.isQuorum { voter in
      if voter == server { return true }
      guard let promise = promises[voter]?[epoch] else { return false }
      return (promise.currentEpoch, promise.last) <= (current, last)
    }
    guard !isQuorum else { return }
    fail("server \(server) takes up epoch \(epoch), which no quorum with as old a history has promised to follow")
  }

  /// Checks that a quorum has a transaction on disk when a leader commits it.
  mutating func onCommit(_ server: ServerID, _ zxid: Zxid, _ configuration: QuorumConfiguration, holders: [ServerID]) {
    guard !configuration.isQuorum({ holders.contains($0) }) else { return }
    fail("server \(server) commits \(zxid), which is on the disks of \(holders), no quorum of \(configuration.voters)")
  }

  /// Checks, when a server's log is idle, that the member knows that all of its history is durable. Otherwise it might
  /// never acknowledge a history that does not grow.
  mutating func onIdleLog(_ server: ServerID, known: Zxid, durable: Zxid) {
    guard known != durable else { return }
    fail("server \(server) takes \(known) for durable, and its log is durable up to \(durable)")
  }

  /// Checks that the log has everything that is in a snapshot when the snapshot gets its name. Otherwise a start could
  /// find a hole between the snapshot and the log.
  mutating func onSnapshot(_ server: ServerID, _ zxid: Zxid, durable: Zxid) {
    guard zxid > durable else { return }
    fail("server \(server) has a snapshot of \(zxid), and its log is durable up to \(durable)")
  }

  /// Checks that the epochs on a disk never decrease.
  mutating func onEpochs(_ server: ServerID, accepted: Int64, current: Int64) {
    if let before = durableEpochs[server], accepted < before.accepted || current < before.current {
      fail("the epochs of server \(server) went from \(before) to \((accepted, current))")
    }
    durableEpochs[server] = (accepted, current)
  }

  private static func hash(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
