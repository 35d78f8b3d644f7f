public import ZooKeeperClient
import ZooKeeperProtocol

/// Reads a subtree in the order in which people read it: a znode, then its children by name, each with all below it.
///
/// Many znodes are asked about at once, those that are needed next first, so that a subtree costs a few round trips
/// rather than one for each znode, while znodes still come out in order and as soon as they can. In memory are the
/// names of the siblings on the way down, and what was read ahead, which is bounded in bytes.
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
  private let inFlight: Int
  private let maximumDepth: Int
  private let skipsServersOwn: Bool
  /// The top of the stack, its end, is the next to be returned.
  private var stack: [Entry]
  /// How many bytes of data a znode had on average when some were last read.
  private var averageBytes = 0
  /// What was asked again because connections were lost.
  private var repetitions = Repetitions()
  /// How many znodes went away while the subtree was read.
  public private(set) var vanishedCount = 0

  /// As many znodes are asked about in one go, if their data is small.
  private static let largestBatch = 2048
  /// So many bytes of data are read ahead, unless single znodes have more.
  private static let readAheadBytes = 16 << 20

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
    self.inFlight = inFlight
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
    while let top = stack.last {
      switch top {
      case .unknown, .lacksChildren: try await resolve()
      case .ready(let node):
        stack.removeLast()
        return .node(node)
      case .failed(let path, let error):
        guard path != root, error.concernsOneZnode else { throw ZooKeeperError(error.code, path: path) }
        stack.removeLast()
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
        case .unknown(let path), .failed(let path, _): path
        case .lacksChildren(let node), .ready(let node): node.path
        }
      if !ZnodePath.isWithin(next, path) { return ZnodePath.parent(of: next) == ZnodePath.parent(of: path) }
    }
    return false
  }

  /// Asks about those of the topmost znodes of which something is unknown, and puts their children below them.
  private mutating func resolve() async throws(ZooKeeperError) {
    let batch = min(Self.largestBatch, max(inFlight, Self.readAheadBytes / max(averageBytes, 1)))
    var reads: [ZnodeRead] = []
    var lowest = stack.endIndex
    while lowest > stack.startIndex, reads.count < batch {
      lowest -= 1
      reads += self.reads(for: stack[lowest])
    }
    var readings = try await readAll(reads)[...]
    // A slice would share the stack's memory, which would be copied whole with the next change.
    var top: [Entry] = []
    top.reserveCapacity(stack.count - lowest)
    while stack.count > lowest { top.append(stack.removeLast()) }
    // From the bottom up, while the answers came for the top first.
    while let entry = top.popLast() {
      let count = self.reads(for: entry).count
      take(readings.suffix(count), about: entry)
      readings.removeLast(count)
    }
    let nodes = stack.suffix(batch).compactMap { entry in
      switch entry {
      case .lacksChildren(let node), .ready(let node): node.data?.count ?? 0
      default: nil
      }
    }
    if !nodes.isEmpty { averageBytes = nodes.reduce(0, +) / nodes.count }
  }

  /// What must be asked about a znode.
  private func reads(for entry: Entry) -> [ZnodeRead] {
    switch entry {
    case .unknown(let path):
      let first: ZnodeRead =
        if details.contains(.data) {
          .data(path: path)
        } else if depth(of: path) < maximumDepth {
          .children(path: path)
        } else {
          .stat(path: path)
        }
      return details.contains(.acl) ? [first, .acl(path: path)] : [first]
    case .lacksChildren(let node): return [.children(path: node.path)]
    case .ready, .failed: return []
    }
  }

  private mutating func readAll(
    _ reads: [ZnodeRead]
  ) async throws(ZooKeeperError) -> [Result<ZnodeReading, ZooKeeperError>] {
    // The client may be quicker with the replies than a cancelled task with its cancellation.
    if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false), path: root) }
    return try await client.readAllDespiteLoss(reads, inFlight: inFlight, &repetitions)
  }

  /// Puts a znode back on the stack with what was read, its children below it.
  private mutating func take(
    _ readings: ArraySlice<Result<ZnodeReading, ZooKeeperError>>, about entry: Entry
  ) {
    var node: TreeNode
    switch entry {
    case .ready, .failed:
      stack.append(entry)
      return
    case .unknown(let path): node = TreeNode(path: path, stat: .zero)
    case .lacksChildren(let known): node = known
    }
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
        if case .lacksChildren = entry {
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
      names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      stack += names.reversed().map { .unknown(path: ZnodePath.child($0, of: node.path)) }
    }
    stack.append(.ready(node))
  }

  private func depth(of path: String) -> Int {
    guard maximumDepth != .max else { return 0 }
    func slashes(_ path: String) -> Int { path == "/" ? 0 : path.utf8.count { $0 == UInt8(ascii: "/") } }
    return slashes(path) - slashes(root)
  }
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
