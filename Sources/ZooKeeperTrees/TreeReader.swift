public import ZooKeeperClient
import ZooKeeperProtocol

/// Reads a subtree in depth-first order: a znode, then its children by name, each with its descendants.
///
/// Many znodes are requested at once, those that are needed next first, so that a subtree takes a few round trips
/// instead of one for each znode, while znodes are still returned in order and as soon as possible. The next ones are
/// read while the caller processes the previous ones. The names of the siblings on the way down are in memory, and
/// znodes that were read ahead, which are bounded in bytes.
public struct TreeReader {
  /// The properties to read in addition to the stat.
  public struct Details: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let data = Details(rawValue: 1)
    public static let acl = Details(rawValue: 2)
  }

  /// A znode of the subtree, in order.
  public enum Item: Sendable {
    case node(TreeNode)
    /// A znode that cannot be read, or whose children cannot be listed.
    case failed(path: String, ZooKeeperError)

    /// The znode.
    public var path: String {
      switch self {
      case .node(let node): node.path
      case .failed(let path, _): path
      }
    }
  }

  /// The known part of a znode that has not been returned yet. When its children are known, they are below it on the
  /// stack, so that they can be requested before their turn.
  private enum Entry {
    /// Znodes that have not been requested; the last one is the next. They are kept as names until they are requested,
    /// because a name takes a fraction of the memory of its path, and a wide tree has many of them.
    case siblings(parent: String, names: [String])
    case unknown(path: String)
    /// Everything is known except for the names of the children.
    case lacksChildren(TreeNode)
    case ready(TreeNode)
    case failed(path: String, ZooKeeperError)
  }

  /// The znode at which the subtree begins.
  public let root: String
  private let client: ZooKeeperClient
  private let details: Details
  private let window: RequestWindow
  private let inFlight: Int
  private let maximumDepth: Int
  private let skipsServersOwn: Bool
  /// The top of the stack, which is its end, is the next znode to return.
  private var stack: [Entry]
  /// The requests in flight, in the order of the stack: the last is the topmost. While the replies to one are put on
  /// the stack, the servers answer the next.
  private var pending: [PendingReads] = []
  /// The expected sizes of replies.
  private var expectation = ReplySizes()
  /// The requests that were repeated because connections were lost.
  private var repetitions = Repetitions()
  /// The number of znodes that were deleted while the subtree was read.
  public private(set) var vanishedCount = 0

  /// The maximum number of requests in one batch, if the replies are small.
  private static let largestBatch = 1024
  /// The maximum number of batches in flight: two that are needed next, and others further down.
  private static let largestPending = 4
  /// The maximum expected size of the replies to one batch.
  private static let batchBytes = 4 << 20

  /// - Parameters:
  ///   - client: the session; the time limit that it has is for each request.
  ///   - inFlight: the maximum number of requests in flight.
  ///   - maximumDepth: the number of levels below the root to read; nil for all.
  ///   - skipsServersOwn: whether `/zookeeper` is left out, which belongs to the servers.
  public init(
    client: ZooKeeperClient, root: String, reading details: Details = [], inFlight: Int = 64,
    maximumDepth: Int? = nil, skipsServersOwn: Bool = false
  ) {
    self.client = client
    self.root = root
    self.details = details
    window = RequestWindow(inFlight)
    self.inFlight = max(1, inFlight)
    self.maximumDepth = maximumDepth ?? .max
    self.skipsServersOwn = skipsServersOwn
    stack = [.unknown(path: root)]
  }

  /// The next znode; nil at the end.
  ///
  /// A znode that is deleted meanwhile is left out and counted. Requests whose connection is lost are repeated.
  ///
  /// - Throws: `ZooKeeperError` if the root cannot be read, or the session fails.
  public mutating func next() async throws(ZooKeeperError) -> Item? {
    // An entry is moved off the stack, because a copy would cost as much as all other work on it.
    while let top = stack.popLast() {
      switch consume top {
      case .ready(let node): return .node(node)
      case .siblings(let parent, let names):
        stack.append(.siblings(parent: parent, names: names))
        try await resolve()
      case .unknown(let path):
        stack.append(.unknown(path: path))
        try await resolve()
      case .lacksChildren(let node):
        stack.append(.lacksChildren(node))
        try await resolve()
      case .failed(let path, let error):
        guard path != root, error.concernsOneZnode else {
          stack.append(.failed(path: path, error))
          throw ZooKeeperError(error.code, path: path)
        }
        if error.code == .server(.noNode) { vanishedCount += 1 } else { return .failed(path: path, error) }
      }
    }
    return nil
  }

  /// Whether the znode that was just returned has a sibling after all its descendants.
  public func hasSibling(after path: String) -> Bool {
    for entry in stack.reversed() {
      let next =
        switch entry {
        case .siblings(let parent, let names): ZnodePath.child(names[names.endIndex - 1], of: parent)
        case .unknown(let path), .failed(let path, _): path
        case .lacksChildren(let node), .ready(let node): node.path
        }
      if !ZnodePath.isWithin(next, path) { return ZnodePath.parent(of: next) == ZnodePath.parent(of: path) }
    }
    return false
  }

  /// Waits for the replies about the topmost znodes, puts their children below them, and requests the next ones.
  private mutating func resolve() async throws(ZooKeeperError) {
    // The replies can arrive before the cancellation of the task takes effect.
    if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false), path: root) }
    askAboutNext()
    guard let asked = pending.popLast() else { return }
    let answer = await asked.answer()
    repetitions.merge(answer.repetitions)
    var readings = try answer.readings.get()[...]
    // A slice would share the stack's memory, which the next change would copy completely.
    var top: [Entry] = []
    top.reserveCapacity(max(0, stack.count - asked.lowest))
    while stack.count > asked.lowest { top.append(stack.removeLast()) }
    // From the bottom up, whereas the replies are for the top first.
    while let entry = top.popLast() {
      let answers = readings.suffix(readCount(for: entry))
      readings.removeLast(answers.count)
      take(answers, about: entry)
    }
    expectation.finish()
    askAboutNext()
  }

  /// Requests the topmost znodes, and the next ones below those in flight.
  ///
  /// Requests further down, such as those for the last folders of many, do not count, because they may be needed late,
  /// and until then servers and caller would wait for each other in turns.
  private mutating func askAboutNext() {
    // Znodes above the others have come with the last replies, and are needed first.
    if let reads = ask(below: stack.endIndex, downTo: pending.last?.end ?? stack.startIndex) { pending.append(reads) }
    guard let top = pending.last, pending.count < Self.largestPending else { return }
    let floor = pending.dropLast().last?.end ?? stack.startIndex
    let count = stack.count
    guard let reads = ask(below: top.lowest, downTo: floor) else { return }
    // The positions of entries above have changed if siblings were expanded.
    pending[pending.endIndex - 1].move(by: stack.count - count)
    pending.insert(reads, at: pending.endIndex - 1)
  }

  /// Requests the incomplete znodes in a part of the stack, the upper ones first.
  ///
  /// - Returns: nil if all of these znodes are complete.
  private mutating func ask(below end: Int, downTo floor: Int) -> PendingReads? {
    var reads: [ZnodeRead] = []
    var bytes = Self.batchBytes
    // Entries are not copied here, because that would cost more than all other work.
    var bytesOfUnknown = 0
    var end = end
    var lowest = end
    var next = end
    // Complete znodes are skipped; the caller gets them meanwhile.
    let last = max(floor, end - 2 * Self.largestBatch)
    while next > last, reads.count < Self.largestBatch, bytes > 0 {
      next -= 1
      if case .siblings = stack[next] {
        let added = takeApart(next, bytes: bytes, count: Self.largestBatch - reads.count, each: &bytesOfUnknown)
        end += added
        next += added + 1
        continue
      }
      let count = reads.count
      bytes -= appendReads(for: stack[next], bytesOfUnknown: bytesOfUnknown, to: &reads)
      if reads.count > count { lowest = next }
    }
    guard !reads.isEmpty else { return nil }
    return PendingReads(reads, from: client, in: window, repetitions, lowest: lowest, end: end)
  }

  /// Expands the next few of the siblings at an index of the stack into entries above the remaining ones.
  ///
  /// - Parameters:
  ///   - bytes: the maximum total size of the replies about them.
  ///   - count: the maximum number of entries.
  ///   - each: set to the expected size of the reply about one of them.
  /// - Returns: the number of entries by which the stack has grown; -1 is possible.
  private mutating func takeApart(_ place: Int, bytes: Int, count: Int, each: inout Int) -> Int {
    let before = stack.count
    let entry = stack[place]
    // There must be no other reference to the names, or they would be copied before some are removed.
    stack[place] = .siblings(parent: "", names: [])
    guard case .siblings(let parent, var names) = consume entry else { return 0 }
    each = expectation.bytes(aboutChildrenOf: parent) ?? Self.batchBytes / inFlight
    let count = min(count, bytes / max(each, 1) + 1)
    let taken = names.suffix(count).map { Entry.unknown(path: ZnodePath.child($0, of: parent)) }
    names.removeLast(taken.count)
    if names.isEmpty {
      stack.replaceSubrange(place...place, with: taken)
    } else {
      stack[place] = .siblings(parent: parent, names: names)
      stack.insert(contentsOf: taken, at: place + 1)
    }
    return stack.count - before
  }

  /// The number of requests that a znode needs.
  private func readCount(for entry: borrowing Entry) -> Int {
    switch entry {
    case .unknown: details.contains(.acl) ? 2 : 1
    case .lacksChildren: 1
    case .siblings, .ready, .failed: 0
    }
  }

  /// Adds the requests that a znode needs.
  ///
  /// - Returns: the expected size of the replies in bytes.
  private func appendReads(for entry: borrowing Entry, bytesOfUnknown: Int, to reads: inout [ZnodeRead]) -> Int {
    switch entry {
    case .unknown(let path):
      if details.contains(.data) {
        reads.append(.data(path: path))
      } else if depth(of: path) < maximumDepth {
        reads.append(.children(path: path))
      } else {
        reads.append(.stat(path: path))
      }
      if details.contains(.acl) { reads.append(.acl(path: path)) }
      return bytesOfUnknown
    case .lacksChildren(let node):
      reads.append(.children(path: node.path))
      return Int(node.stat.numChildren) * ReplySizes.bytesOfName
    case .siblings, .ready, .failed: return 0
    }
  }

  /// Puts a znode back on the stack with the data that was read, and its children below it.
  private mutating func take(
    _ readings: ArraySlice<Result<ZnodeReading, ZooKeeperError>>, about entry: consuming Entry
  ) {
    var node: TreeNode
    var isKnown = false
    switch consume entry {
    case .siblings(let parent, let names):
      stack.append(.siblings(parent: parent, names: names))
      return
    case .ready(let node):
      stack.append(.ready(node))
      return
    case .failed(let path, let error):
      stack.append(.failed(path: path, error))
      return
    case .unknown(let path): node = TreeNode(path: path, stat: .zero)
    case .lacksChildren(let known):
      node = known
      isKnown = true
    }
    if !isKnown { expectation.add(readings, about: node.path) }
    var names: [String]?
    for reading in readings {
      switch reading {
      case .success(.stat(let stat)): node.stat = stat
      case .success(.data(let data, let stat)): (node.data, node.stat) = (data, stat)
      case .success(.acl(let acl, _)): node.acl = acl
      case .success(.children(let children, let stat)):
        names = children
        if !details.contains(.data) { node.stat = stat }
      case .failure(let error):
        if isKnown {
          // The data was read, and is returned even if the children cannot be listed.
          stack += [.failed(path: node.path, error), .ready(node)]
        } else {
          stack.append(.failed(path: node.path, error))
        }
        return
      }
    }
    if names == nil, details.contains(.data), node.stat.numChildren > 0, depth(of: node.path) < maximumDepth {
      stack.append(.lacksChildren(node))
      return
    }
    if var names {
      if skipsServersOwn, node.path == "/" { names.removeAll { $0 == "zookeeper" } }
      names.sort { $1.utf8.lexicographicallyPrecedes($0.utf8) }
      if !names.isEmpty { stack.append(.siblings(parent: node.path, names: names)) }
    }
    stack.append(.ready(node))
  }

  private func depth(of path: String) -> Int {
    guard maximumDepth != .max else { return 0 }
    func slashes(_ path: String) -> Int { path == "/" ? 0 : path.utf8.count { $0 == UInt8(ascii: "/") } }
    return slashes(path) - slashes(root)
  }
}

/// Requests in flight, or their replies.
private struct PendingReads {
  /// The lowest entry of the stack that was requested.
  private(set) var lowest: Int
  /// The index above the highest one.
  private(set) var end: Int
  private let task: OwnedTask<Answer, Never>

  /// The replies in the order of the requests, and the repetitions so far.
  struct Answer: Sendable {
    var readings: Result<[Result<ZnodeReading, ZooKeeperError>], ZooKeeperError>
    var repetitions: Repetitions
  }

  init(
    _ reads: [ZnodeRead], from client: ZooKeeperClient, in window: RequestWindow, _ repetitions: Repetitions,
    lowest: Int, end: Int
  ) {
    self.lowest = lowest
    self.end = end
    task = OwnedTask(
      Task {
        var repetitions = repetitions
        do throws(ZooKeeperError) {
          let readings = try await client.readAllDespiteLoss(reads, in: window, &repetitions)
          return Answer(readings: .success(readings), repetitions: repetitions)
        } catch {
          return Answer(readings: .failure(error), repetitions: repetitions)
        }
      })
  }

  /// Adjusts the indices after entries were inserted below.
  mutating func move(by count: Int) {
    lowest += count
    end += count
  }

  /// Waits for the replies.
  func answer() async -> Answer { await task.value }
}

extension ZooKeeperError {
  /// Whether the failure concerns one znode only, so that a longer operation can continue with others.
  package var concernsOneZnode: Bool {
    switch code {
    case .server(let code): ![.sessionExpired, .authFailed, .sessionClosedRequireSaslAuth].contains(code)
    case .replyTooLarge, .requestTooLarge, .malformedReply, .badPath, .rolledBack: true
    default: false
    }
  }
}

extension Stat {
  /// The stat before the znode was read.
  static let zero = Stat(
    czxid: Zxid(rawValue: 0), mzxid: Zxid(rawValue: 0), ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0,
    cversion: 0, aversion: 0, ephemeralOwner: .none, dataLength: 0, numChildren: 0, pzxid: Zxid(rawValue: 0))
}
