import Testing
import Zab
import ZooKeeperProtocol

@testable import ZabSimulator

/// Each rule of the checker, with a hand-made history that breaks it: a checker that cannot fail proves nothing.
struct StateCheckerTests {
  private static let one = ServerID(rawValue: 1)
  private static let two = ServerID(rawValue: 2)
  private static let three = ServerID(rawValue: 3)
  private static let configuration = QuorumConfiguration(
    members: (1...3).map {
      .init(id: ServerID(rawValue: $0), addresses: [.init(host: "s\($0)", quorumPort: 1, electionPort: 2)])
    })

  private static func zxid(_ epoch: Int64, _ counter: Int64) -> Zxid { Zxid(rawValue: epoch << 32 | counter) }

  private static func entry(_ epoch: Int64, _ counter: Int64, _ bytes: [UInt8] = [1]) -> TxnHistory.Entry {
    TxnHistory.Entry(zxid: zxid(epoch, counter), bytes: bytes)
  }

  /// A history, with a text that the violation contains; nil for a history without a violation.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let complaint: String?
    let events: @Sendable (inout StateChecker) -> Void

    var testDescription: String { name }

    init(_ name: String, _ complaint: String?, _ events: @escaping @Sendable (inout StateChecker) -> Void) {
      self.name = name
      self.complaint = complaint
      self.events = events
    }
  }

  private static let deliveries = [
    Case("the same transactions everywhere", nil) {
      for server in [one, two] {
        $0.onDelivery(server, entry(1, 1))
        $0.onDelivery(server, entry(1, 2))
      }
    },
    Case("a server that is brought up to date", nil) {
      $0.onDelivery(one, entry(1, 1))
      $0.onDelivery(one, entry(1, 2))
      $0.onCatchUp(two, [entry(1, 1)])
      $0.onCatchUp(two, [entry(1, 2)])
      $0.onServing(two)
      $0.onDelivery(two, entry(1, 3))
    },
    Case("a server that is brought up to date and truncated", nil) {
      $0.onDelivery(one, entry(1, 1))
      $0.onCatchUp(two, [entry(1, 1), entry(1, 2, [1])])
      $0.onPlace(two, zxid(1, 1))
      $0.onDelivery(one, entry(1, 2, [2]))
      $0.onDelivery(two, entry(1, 2, [2]))
    },
    Case("a server that serves with what was never committed", "another transaction") {
      $0.onDelivery(one, entry(1, 1, [1]))
      $0.onCatchUp(two, [entry(1, 1, [2])])
      $0.onServing(two)
    },
    Case("a server that delivers after what was never committed", "another transaction") {
      $0.onDelivery(one, entry(1, 1, [1]))
      $0.onCatchUp(two, [entry(1, 1, [2])])
      $0.onDelivery(two, entry(1, 2))
    },
    Case("observers that are told of what is committed", nil) {
      $0.onDelivery(one, entry(1, 1))
      $0.onInform(two, zxid(1, 1))
    },
    Case("observers that are told of a proposal", "informs observers") {
      $0.onDelivery(one, entry(1, 1))
      $0.onInform(two, zxid(1, 2))
    },
    Case("an earlier transaction", "after") {
      $0.onDelivery(one, entry(1, 2))
      $0.onDelivery(one, entry(1, 1))
    },
    Case("a transaction twice", "after") {
      $0.onDelivery(one, entry(1, 1))
      $0.onDelivery(one, entry(1, 1))
    },
    Case("another transaction under a number", "another transaction") {
      $0.onDelivery(one, entry(1, 1, [1]))
      $0.onDelivery(two, entry(1, 1, [2]))
    },
    Case("a hole", "others after") {
      $0.onDelivery(one, entry(1, 1))
      $0.onDelivery(one, entry(1, 2))
      $0.onDelivery(two, entry(1, 2))
    },
    Case("a transaction that is too large", "bytes") {
      $0.onDelivery(one, entry(1, 1, [UInt8](repeating: 0, count: StateChecker.maximumTxnBytes + 1)))
    },
    Case("another tree after a transaction", "another tree") {
      $0.onDelivery(one, entry(1, 1))
      $0.onDigest(one, zxid(1, 1), 7)
      $0.onDigest(two, zxid(1, 1), 8)
    },
    Case("another transaction on a disk", "recovers another") {
      $0.onDelivery(one, entry(1, 1, [1]))
      var history = TxnHistory(base: .zero)
      history.append(entry(1, 1, [2]))
      $0.onRecovery(two, history, digest: 7)
    },
  ]

  private static let leadership = [
    Case("one leader an epoch", nil) {
      $0.onLeading(one, Epoch(rawValue: 1))
      $0.onLeading(two, Epoch(rawValue: 2))
    },
    Case("two leaders of an epoch", "both led") {
      $0.onLeading(one, Epoch(rawValue: 1))
      $0.onLeading(two, Epoch(rawValue: 1))
    },
    Case("a leader that lacks what was delivered", "was delivered") {
      $0.onDelivery(one, entry(1, 1))
      $0.onLeading(two, Epoch(rawValue: 2))
    },
    Case("a promise before it is on disk", "on disk is") {
      $0.onPromise(one, Epoch(rawValue: 2), savedEpoch: 1, current: .zero, last: .zero)
    },
    Case("a promise of an older epoch", "after") {
      $0.onPromise(one, Epoch(rawValue: 2), savedEpoch: 2, current: .zero, last: .zero)
      $0.onPromise(one, Epoch(rawValue: 1), savedEpoch: 2, current: .zero, last: .zero)
    },
    Case("an epoch that a quorum has promised to follow", nil) {
      $0.onPromise(two, Epoch(rawValue: 2), savedEpoch: 2, current: Epoch(rawValue: 1), last: zxid(1, 1))
      $0.onEpochTaken(one, Epoch(rawValue: 2), current: Epoch(rawValue: 1), last: zxid(1, 1), configuration)
    },
    Case("an epoch without promises", "no quorum") {
      $0.onEpochTaken(one, Epoch(rawValue: 2), current: .zero, last: .zero, configuration)
    },
    Case("an epoch that only those with newer histories have promised to follow", "no quorum") {
      $0.onPromise(two, Epoch(rawValue: 2), savedEpoch: 2, current: Epoch(rawValue: 1), last: zxid(1, 2))
      $0.onEpochTaken(one, Epoch(rawValue: 2), current: Epoch(rawValue: 1), last: zxid(1, 1), configuration)
    },
    Case("a commit without a quorum", "no quorum") { $0.onCommit(one, zxid(1, 1), configuration, holders: [one]) },
    Case("a commit of a quorum without the leader", nil) {
      $0.onCommit(one, zxid(1, 1), configuration, holders: [two, three])
    },
  ]

  private static let disks = [
    Case("an acknowledgement of what is durable", nil) { $0.onAck(one, zxid(1, 1), durable: zxid(1, 1)) },
    Case("an acknowledgement of more than is durable", "durable is") {
      $0.onAck(one, zxid(1, 2), durable: zxid(1, 1))
    },
    Case("NEWLEADER acknowledged before the history is durable", "NEWLEADER") {
      $0.onNewLeaderAck(one, Epoch(rawValue: 1), last: zxid(1, 2), durable: zxid(1, 1), savedEpoch: 1)
    },
    Case("NEWLEADER acknowledged before the epoch is saved", "acknowledges epoch") {
      $0.onNewLeaderAck(one, Epoch(rawValue: 2), last: .zero, durable: .zero, savedEpoch: 1)
    },
    Case("an accepted epoch that goes back", "went from") {
      $0.onEpochs(one, accepted: 3, current: 2)
      $0.onEpochs(one, accepted: 2, current: 2)
    },
    Case("a current epoch that goes back", "went from") {
      $0.onEpochs(one, accepted: 3, current: 2)
      $0.onEpochs(one, accepted: 3, current: 1)
    },
    Case("an idle log that is known to be durable", nil) {
      $0.onIdleLog(one, known: zxid(1, 1), durable: zxid(1, 1))
    },
    Case("an idle log of which less is known to be durable", "takes") {
      $0.onIdleLog(one, known: zxid(1, 1), durable: zxid(1, 2))
    },
    Case("a snapshot ahead of the log", "snapshot") { $0.onSnapshot(one, zxid(1, 2), durable: zxid(1, 1)) },
    Case("a snapshot that the log has reached", nil) { $0.onSnapshot(one, zxid(1, 1), durable: zxid(1, 2)) },
  ]

  @Test(arguments: deliveries + leadership + disks)
  func violationsAreFoundAndNothingElse(_ example: Case) {
    var checker = StateChecker()
    example.events(&checker)
    guard let complaint = example.complaint else {
      #expect(checker.violation == nil)
      return
    }
    #expect(checker.violation?.contains(complaint) == true, "\(checker.violation ?? "no complaint")")
  }

  /// A change of the members needs a quorum of the previous and of the new configuration.
  @Test func reconfigurationsNeedBothQuorums() {
    var checker = StateChecker()
    var next = QuorumConfiguration(members: Array(Self.configuration.members.prefix(1)))
    next.version = Self.zxid(1, 5).rawValue
    checker.noteConfiguration(Self.zxid(1, 5), next)
    #expect(checker.configurations(for: Self.zxid(1, 4), first: Self.configuration) == [Self.configuration])
    #expect(checker.configurations(for: Self.zxid(1, 5), first: Self.configuration) == [Self.configuration, next])
    #expect(checker.configurations(for: Self.zxid(1, 6), first: Self.configuration) == [next])
  }
}
