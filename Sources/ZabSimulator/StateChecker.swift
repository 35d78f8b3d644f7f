import Jute
import Zab
import ZooKeeperProtocol

/// What must hold across all servers, whatever fails. It sees what they do, and shares no code with how they decide.
///
/// *Source*: `QuorumProtocol` F.1, F.2.
struct StateChecker {
  /// A transaction as the first server that delivered it had it.
  private struct Delivered {
    var hash: UInt64
    var previous: Zxid
    var digest: UInt64?
  }

  /// The largest transaction that servers may make of what clients ask, or of the end of a session.
  static let maximumTxnBytes = 600

  private var delivered: [Zxid: Delivered] = [:]
  private var lastDelivered: [ServerID: Zxid] = [:]
  /// Who led an epoch.
  private var leaders: [Epoch: ServerID] = [:]
  /// What a server has promised to follow, and what it had then.
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

  /// Notes the first rule that was broken.
  mutating func fail(_ text: String) {
    if violation == nil { violation = text }
  }

  /// A server delivers a transaction: agreement, total order, and no holes.
  mutating func onDelivery(_ server: ServerID, _ entry: TxnHistory.Entry) {
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

  /// A configuration is committed: a server has delivered its transaction, or taken it up.
  mutating func noteConfiguration(_ zxid: Zxid, _ configuration: QuorumConfiguration) {
    guard !reconfigurations.contains(where: { $0.zxid == zxid }) else { return }
    reconfigurations.append((zxid, configuration))
    reconfigurations.sort { $0.zxid < $1.zxid }
  }

  /// The configurations of which a transaction needs a quorum: the one in force, and for one that brings another, both.
  ///
  /// *Source*: `QuorumProtocol` B.14.
  func configurations(for zxid: Zxid, first: QuorumConfiguration) -> [QuorumConfiguration] {
    let before = reconfigurations.last { $0.zxid < zxid }?.configuration ?? first
    guard let own = reconfigurations.first(where: { $0.zxid == zxid })?.configuration else { return [before] }
    return [before, own]
  }

  /// The tree's digest behind a transaction is the same everywhere.
  mutating func onDigest(_ server: ServerID, _ zxid: Zxid, _ digest: UInt64) {
    guard let known = delivered[zxid] else { return }
    guard let expected = known.digest else {
      delivered[zxid]?.digest = digest
      return
    }
    if expected != digest { fail("server \(server) has another tree behind \(zxid) than others") }
  }

  /// A server has read its disk: what was ever delivered there must be what others delivered.
  mutating func onRecovery(_ server: ServerID, _ history: TxnHistory, digest: UInt64) {
    for entry in history.entries(after: history.base, through: history.last) {
      if let known = delivered[entry.zxid], known.hash != Self.hash(entry.bytes) {
        fail("server \(server) recovers another transaction \(entry.zxid) than was delivered")
      }
    }
    onPlace(server, history.last)
    onDigest(server, history.last, digest)
  }

  /// A server's tree is now what a leader or its own disk says.
  mutating func onPlace(_ server: ServerID, _ zxid: Zxid) { lastDelivered[server] = zxid }

  /// A server has established its leadership: nobody else has of that epoch, and everything that was ever delivered in
  /// earlier ones is in its history.
  mutating func onLeading(_ server: ServerID, _ epoch: Epoch) {
    if let other = leaders[epoch], other != server { fail("servers \(other) and \(server) both led epoch \(epoch)") }
    // An epoch may be established late, by a server that does not know of the next one: it can commit nothing.
    leaders[epoch] = server
    let earlier = delivered.keys.lazy.filter { Int64($0.epoch) < epoch.rawValue }.max() ?? .zero
    let has = lastDelivered[server] ?? .zero
    if has < earlier { fail("server \(server) leads epoch \(epoch) with \(has), but \(earlier) was delivered") }
  }

  /// A follower acknowledges a transaction.
  mutating func onAck(_ server: ServerID, _ zxid: Zxid, durable: Zxid) {
    if zxid > durable { fail("server \(server) acknowledges \(zxid), durable is \(durable)") }
  }

  /// A learner acknowledges NEWLEADER.
  mutating func onNewLeaderAck(_ server: ServerID, _ epoch: Epoch, last: Zxid, durable: Zxid, savedEpoch: Int64) {
    if last > durable { fail("server \(server) acknowledges NEWLEADER with \(last), durable is \(durable)") }
    if savedEpoch != epoch.rawValue {
      fail("server \(server) acknowledges epoch \(epoch), on disk is \(savedEpoch)")
    }
  }

  /// A learner promises to follow an epoch: once at the most, and never before it is on its disk.
  mutating func onPromise(_ server: ServerID, _ epoch: Epoch, savedEpoch: Int64, current: Epoch, last: Zxid) {
    if savedEpoch < epoch.rawValue { fail("server \(server) promises epoch \(epoch), on disk is \(savedEpoch)") }
    if let earlier = promises[server]?.keys.max(), earlier >= epoch {
      fail("server \(server) promises epoch \(epoch) after \(earlier)")
    }
    promises[server, default: [:]][epoch] = Promise(currentEpoch: current, last: last)
  }

  /// A leader takes up an epoch: a quorum has promised to follow it, the leader among them, and none of that quorum has
  /// a newer history.
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

  /// A leader commits a transaction: a quorum has it on its disks.
  mutating func onCommit(_ server: ServerID, _ zxid: Zxid, _ configuration: QuorumConfiguration, holders: [ServerID]) {
    guard !configuration.isQuorum({ holders.contains($0) }) else { return }
    fail("server \(server) commits \(zxid), which is on the disks of \(holders), no quorum of \(configuration.voters)")
  }

  /// A server's log has nothing to do: the member knows that all of its history is durable. If it did not, it might
  /// never acknowledge a history that nothing is added to.
  mutating func onIdleLog(_ server: ServerID, known: Zxid, durable: Zxid) {
    guard known != durable else { return }
    fail("server \(server) takes \(known) for durable, and its log is durable up to \(durable)")
  }

  /// A snapshot gets its name: the log has everything that is in it, or an older snapshot could not be followed by the
  /// log any more.
  mutating func onSnapshot(_ server: ServerID, _ zxid: Zxid, durable: Zxid) {
    guard zxid > durable else { return }
    fail("server \(server) has a snapshot of \(zxid), and its log is durable up to \(durable)")
  }

  /// The epochs on a disk never go back.
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
