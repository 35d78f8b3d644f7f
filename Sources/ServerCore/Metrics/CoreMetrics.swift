internal import ZooKeeperProtocol

/// What a server counts and measures while it handles requests.
///
/// It outlives the core: a server whose role changes gets another core, and its counters must not go back. All of it is
/// fixed storage, so that counting costs an addition. Durations are in microseconds.
///
/// Which family of metrics each of these is, and what it means exactly, is in the table of the `ZooKeeperServer`
/// target.
///
/// The runtime does not check that accesses to a variable do not overlap: each is one addition, and the check would
/// cost four times as much as that.
///
/// *Thread*: that of the core.
package final class CoreMetrics {
  // MARK: Requests

  @exclusivity(unchecked) package internal(set) var readLatency = Histogram()
  @exclusivity(unchecked) package internal(set) var updateLatency = Histogram()
  /// From the time in a transaction's header, of the leader's wall clock, to its application here.
  @exclusivity(unchecked) package internal(set) var propagationLatency = Histogram()
  /// The same on a leader only, which applies a transaction when a quorum has acknowledged it.
  @exclusivity(unchecked) package internal(set) var quorumAckLatency = Histogram()
  /// The same on a learner only.
  @exclusivity(unchecked) package internal(set) var commitPropagationLatency = Histogram()
  @exclusivity(unchecked) package internal(set) var bytesReceived = 0
  @exclusivity(unchecked) package internal(set) var responseBytes = 0
  @exclusivity(unchecked) package internal(set) var watchBytes = 0
  /// Transactions that were prepared here.
  @exclusivity(unchecked) package internal(set) var preparedCount = 0
  /// Transactions that were applied here.
  @exclusivity(unchecked) package internal(set) var appliedCount = 0
  @exclusivity(unchecked) package internal(set) var changesQueued = 0
  @exclusivity(unchecked) package internal(set) var changesRemoved = 0

  // MARK: Requests that wait for a write of their session

  /// The requests that wait on a connection, each time one is added.
  @exclusivity(unchecked) package internal(set) var requestsInSessionQueue = Histogram()
  /// The reads that a write has held up, for each write after which some were answered.
  @exclusivity(unchecked) package internal(set) var readsAfterWrite = Histogram()
  /// How long reads waited for a write.
  @exclusivity(unchecked) package internal(set) var waitingReadTime = Histogram()

  // MARK: Limits

  /// How long requests waited until fewer were unanswered; of all requests, if their number is limited.
  @exclusivity(unchecked) package internal(set) var requestWaitTime = Histogram()
  /// How often the next request had to wait further.
  @exclusivity(unchecked) package internal(set) var requestWaits = 0
  /// Requests that were refused because they had waited for too long.
  @exclusivity(unchecked) package internal(set) var refusedRequests = 0
  /// Requests that were handled although they were stale.
  @exclusivity(unchecked) package internal(set) var staleRequests = 0
  @exclusivity(unchecked) package internal(set) var staleRequestsDropped = 0
  @exclusivity(unchecked) package internal(set) var largeRequestsRejected = 0

  // MARK: Watches

  /// The connections that were sent an event, for each event that a client watched for.
  @exclusivity(unchecked) package internal(set) var createdWatchers = Histogram()
  @exclusivity(unchecked) package internal(set) var deletedWatchers = Histogram()
  @exclusivity(unchecked) package internal(set) var changedWatchers = Histogram()
  @exclusivity(unchecked) package internal(set) var childrenWatchers = Histogram()

  // MARK: Connections and sessions

  @exclusivity(unchecked) package internal(set) var connectRequests = 0
  /// Handshakes for which there were too few tokens.
  @exclusivity(unchecked) package internal(set) var throttledConnections = 0
  /// The tokens that were missing, at each handshake.
  @exclusivity(unchecked) package internal(set) var tokenDeficit = Histogram()
  /// Sessions that a client wanted to resume on another connection.
  @exclusivity(unchecked) package internal(set) var connectionRevalidations = 0
  /// Questions of learners whether such a session is alive.
  @exclusivity(unchecked) package internal(set) var revalidations = 0
  @exclusivity(unchecked) package internal(set) var sessionsExpired = 0
  @exclusivity(unchecked) package internal(set) var ensembleAuthSuccesses = 0
  @exclusivity(unchecked) package internal(set) var ensembleAuthFailures = 0
  @exclusivity(unchecked) package internal(set) var ensembleAuthSkips = 0
  @exclusivity(unchecked) package internal(set) var digestMismatches = 0

  // MARK: By the first component of the path

  @exclusivity(unchecked) package internal(set) var writtenBytes = NamespaceHistograms()
  @exclusivity(unchecked) package internal(set) var quotaExceeded: [String: Int] = [:]

  package init() {}

  /// Forgets everything that was measured, for `srst`. Counters stay, because those who read them expect that they only
  /// grow.
  package func resetDistributions() {
    readLatency.reset()
    updateLatency.reset()
    propagationLatency.reset()
    quorumAckLatency.reset()
    commitPropagationLatency.reset()
    requestsInSessionQueue.reset()
    readsAfterWrite.reset()
    waitingReadTime.reset()
    requestWaitTime.reset()
    createdWatchers.reset()
    deletedWatchers.reset()
    changedWatchers.reset()
    childrenWatchers.reset()
    tokenDeficit.reset()
    writtenBytes = NamespaceHistograms()
  }

  /// Records that an event has gone to `count` connections.
  func noteEvent(_ type: EventType, watchers count: Int) {
    guard count > 0 else { return }
    switch type {
    case .nodeCreated: createdWatchers.add(count)
    case .nodeDeleted: deletedWatchers.add(count)
    case .nodeDataChanged: changedWatchers.add(count)
    case .nodeChildrenChanged: childrenWatchers.add(count)
    default: break
    }
  }

  /// Records that a quota has refused a write under `path`.
  func noteQuotaExceeded(_ path: String) {
    let namespace = NamespaceHistograms.namespace(of: path)
    // Quotas are few, but those who set and delete them could make any number of names.
    if quotaExceeded[namespace] == nil, quotaExceeded.count >= NamespaceHistograms.limitCount { return }
    quotaExceeded[namespace, default: 0] += 1
  }
}

/// Distributions by namespace, which is the first component of a path.
///
/// Clients choose the names, so only the first `limitCount` get a distribution; what is written elsewhere is not
/// counted here. A name is looked up by its bytes, where they lie in the path: a string would be allocated for each.
package struct NamespaceHistograms: ~Copyable {
  static let limitCount = 100
  /// A power of two, and more than twice as many as there are names, so that a free slot is never far.
  private static let slotCount = 256

  /// By the hash of a name: where it is in `names`, -1 for a free slot. A name whose slot is taken is in the next one
  /// that was free.
  private var slots = [Int](repeating: -1, count: slotCount)
  private var names: [[UInt8]] = []
  private var histograms = HistogramList()

  init() {}

  /// The first component of a path; empty for the root.
  static func namespace(of path: String) -> String {
    let name = path.utf8.dropFirst()
    return String(name[..<(name.firstIndex(of: UInt8(ascii: "/")) ?? name.endIndex)]) ?? ""
  }

  /// Adds the bytes of a write.
  mutating func add(_ bytes: Int, under path: String) {
    _ = path.utf8.withContiguousStorageIfAvailable { add(bytes, UnsafeRawBufferPointer($0)) }
  }

  private mutating func add(_ bytes: Int, _ path: UnsafeRawBufferPointer) {
    // FNV-1a. Names that collide on purpose cost at most `limitCount` comparisons.
    var hash: UInt32 = 0x811c_9dc5
    var end = 1
    while end < path.count, path[end] != UInt8(ascii: "/") {
      hash = (hash ^ UInt32(path[end])) &* 0x0100_0193
      end += 1
    }
    guard end > 1 else { return }
    let name = UnsafeRawBufferPointer(rebasing: path[1..<end])
    var slot = Int(hash) & (Self.slotCount - 1)
    while slots[slot] >= 0 {
      if names[slots[slot]].elementsEqual(name) { return histograms.add(bytes, at: slots[slot]) }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    guard names.count < Self.limitCount else { return }
    slots[slot] = names.count
    names.append([UInt8](name))
    histograms.append()
    histograms.add(bytes, at: names.count - 1)
  }

  /// The name and the distribution of each namespace, in the order in which they were first written to.
  package var distributions: [(name: String, Distribution)] {
    names.indices.map { (String(decoding: names[$0], as: UTF8.self), histograms.distribution(at: $0)) }
  }
}

/// Histograms that are added one by one: an array cannot have elements that cannot be copied.
package struct HistogramList: ~Copyable {
  private var pointers: [UnsafeMutablePointer<Histogram>] = []

  package init() {}

  deinit {
    for pointer in pointers {
      pointer.deinitialize(count: 1)
      pointer.deallocate()
    }
  }

  /// Adds an empty histogram at the end.
  package mutating func append() {
    let pointer = UnsafeMutablePointer<Histogram>.allocate(capacity: 1)
    pointer.initialize(to: Histogram())
    pointers.append(pointer)
  }

  /// Adds a number to one of them.
  package mutating func add(_ number: Int, at index: Int) { pointers[index].pointee.add(number) }

  /// What was added to one of them so far.
  package func distribution(at index: Int) -> Distribution { pointers[index].pointee.distribution }
}
