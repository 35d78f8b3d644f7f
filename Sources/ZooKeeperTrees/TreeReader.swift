public import ZooKeeperClient
import ZooKeeperProtocol

/// Reads a subtree in the order in which people read it: a znode, then its children by name, each with all below it.
///
/// Many znodes are asked about at once, those that are needed next first, so that a subtree costs a few round trips
/// rather than one for each znode, while znodes still come out in order and as soon as they can. The next ones are read
/// while the caller looks at those before. In memory are the names of the siblings on the way down, as they came, and
/// what was read ahead, which is bounded in bytes.
public struct TreeReader {
  /// What is read of each znode beside its stat.
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

  /// What is known of a znode that has not been returned yet. Once its children are known they are below it on the
  /// stack, so that they can be asked about before they are the next.
  private enum Entry {
    /// Znodes that nothing was asked about; the last is the next. As many are taken out as are asked about: a name
    /// alone takes a fraction of what its path does, and a wide tree has many that wait.
    case siblings(parent: String, names: [String])
    case unknown(path: String)
    /// Everything but the names of the children is known.
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
  /// The top of the stack, its end, is the next to be returned.
  private var stack: [Entry]
  /// What is on the way, in the order of the stack: the last is the topmost. While what one has brought is put on the
  /// stack, the servers answer the next.
  private var pending: [PendingReads] = []
  /// What a reply is expected to bring.
  private var expectation = ReplySizes()
  /// What was asked again because connections were lost.
  private var repetitions = Repetitions()
  /// How many znodes went away while the subtree was read.
  public private(set) var vanishedCount = 0

  /// As many things are asked in one go, if the replies are small.
  private static let largestBatch = 1024
  /// So many may be on the way: two that are needed next, and others farther down.
  private static let largestPending = 4
  /// So many bytes of data and names are asked for in one go, as far as their sizes can be foreseen.
  private static let batchBytes = 4 << 20

  /// - Parameters:
  ///   - client: the session; the time limit that it has is for each request.
  ///   - inFlight: the most requests whose replies are waited for at a time.
  ///   - maximumDepth: how many levels below the root are read; nil for all.
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
  /// A znode that goes away meanwhile is left out and counted. One whose connection is lost is asked about again.
  ///
  /// - Throws: `ZooKeeperError` if the root cannot be read, or the session fails.
  public mutating func next() async throws(ZooKeeperError) -> Item? {
    // An entry is moved off the stack: to copy one costs as much as all else that is done with it here.
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

  /// Whether a znode that was just returned has a sibling that comes after all that is under it.
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

  /// Waits for what was asked about the topmost znodes, puts their children below them, and asks about the next ones.
  private mutating func resolve() async throws(ZooKeeperError) {
    // The client may be quicker with the replies than a cancelled task with its cancellation.
    if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false), path: root) }
    askAboutNext()
    guard let asked = pending.popLast() else { return }
    let answer = await asked.answer()
    repetitions.merge(answer.repetitions)
    var readings = try answer.readings.get()[...]
    // A slice would share the stack's memory, which would be copied whole with the next change.
    var top: [Entry] = []
    top.reserveCapacity(max(0, stack.count - asked.lowest))
    while stack.count > asked.lowest { top.append(stack.removeLast()) }
    // From the bottom up, while the answers came for the top first.
    while let entry = top.popLast() {
      let answers = readings.suffix(readCount(for: entry))
      readings.removeLast(answers.count)
      take(answers, about: entry)
    }
    expectation.finish()
    askAboutNext()
  }

  /// Asks about the topmost znodes, and about the next ones below those that are on the way.
  ///
  /// What was asked about farther down, such as the last folders of many, does not count: it may be needed late, and
  /// until then the servers would wait for the caller and the caller for the servers, in turns.
  private mutating func askAboutNext() {
    // What is above the others has come with the last answers, and is needed first.
    if let reads = ask(below: stack.endIndex, downTo: pending.last?.end ?? stack.startIndex) { pending.append(reads) }
    guard let top = pending.last, pending.count < Self.largestPending else { return }
    let floor = pending.dropLast().last?.end ?? stack.startIndex
    let count = stack.count
    guard let reads = ask(below: top.lowest, downTo: floor) else { return }
    // The places of what is above have changed if siblings were taken apart.
    pending[pending.endIndex - 1].move(by: stack.count - count)
    pending.insert(reads, at: pending.endIndex - 1)
  }

  /// Asks about those znodes in a part of the stack of which something is unknown, the upper ones first.
  ///
  /// - Returns: nil if everything is known of all znodes that it looked at.
  private mutating func ask(below end: Int, downTo floor: Int) -> PendingReads? {
    var reads: [ZnodeRead] = []
    var bytes = Self.batchBytes
    // An entry is not looked into for this: to copy one costs more than all else here.
    var bytesOfUnknown = 0
    var end = end
    var lowest = end
    var next = end
    // What is ready is passed over: these are the znodes that the caller gets meanwhile.
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

  /// Makes entries of the next few of the siblings at a place of the stack, above those that are left.
  ///
  /// - Parameters:
  ///   - bytes: what the replies about them may bring, all together.
  ///   - count: how many entries are made at most.
  ///   - each: becomes what a reply about one of them is expected to bring.
  /// - Returns: by how many entries the stack has grown; -1 is possible.
  private mutating func takeApart(_ place: Int, bytes: Int, count: Int, each: inout Int) -> Int {
    let before = stack.count
    let entry = stack[place]
    // Nothing else may hold the names, or they would be copied before some are removed.
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

  /// How many things must be asked about a znode.
  private func readCount(for entry: borrowing Entry) -> Int {
    switch entry {
    case .unknown: details.contains(.acl) ? 2 : 1
    case .lacksChildren: 1
    case .siblings, .ready, .failed: 0
    }
  }

  /// Adds what must be asked about a znode.
  ///
  /// - Returns: how many bytes the replies are expected to bring.
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

  /// Puts a znode back on the stack with what was read, its children below it.
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
          // Its data was read, and is worth something even if the children cannot be listed.
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

/// Reads that are on the way to the servers, or their answers.
private struct PendingReads {
  /// The lowest entry of the stack that was asked about.
  private(set) var lowest: Int
  /// The place above the highest one.
  private(set) var end: Int
  private let task: OwnedTask<Answer, Never>

  /// The answers, in the order of the reads, and what was repeated up to then.
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

  /// Notes that entries were put below those that were asked about.
  mutating func move(by count: Int) {
    lowest += count
    end += count
  }

  /// Waits for the answers.
  func answer() async -> Answer { await task.value }
}

extension ZooKeeperError {
  /// Whether the failure is of one znode, so that a longer operation can go on with others.
  package var concernsOneZnode: Bool {
    switch code {
    case .server(let code): ![.sessionExpired, .authFailed, .sessionClosedRequireSaslAuth].contains(code)
    case .replyTooLarge, .requestTooLarge, .malformedReply, .badPath, .rolledBack: true
    default: false
    }
  }
}

extension Stat {
  /// Before anything is known.
  static let zero = Stat(
    czxid: Zxid(rawValue: 0), mzxid: Zxid(rawValue: 0), ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0,
    cversion: 0, aversion: 0, ephemeralOwner: .none, dataLength: 0, numChildren: 0, pzxid: Zxid(rawValue: 0))
}
