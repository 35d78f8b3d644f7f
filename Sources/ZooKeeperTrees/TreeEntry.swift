public import ZooKeeperClient
public import ZooKeeperProtocol

/// A znode of a subtree as copies and comparisons see it: what can be carried to another place.
public struct TreeEntry: Hashable, Sendable {
  /// The path below the root of the subtree, `a/b`; empty for the root.
  public var path: String
  /// nil for null, which servers distinguish from empty.
  public var data: [UInt8]?
  /// nil if it is not known, as in a file that was written by hand.
  public var acl: [ACL]?
  /// The stat where the znode is on a server; nil in a file.
  public var stat: Stat?
  /// Whether nothing is known of the data, as of a directory that was not made from a znode. A new znode gets null,
  /// and one that exists keeps what it has.
  public var lacksData = false
  /// How a copy is created. Servers do not tell which znodes are containers or have a time to live; their logs do.
  public var mode: CreateMode

  public init(
    path: String, data: [UInt8]?, acl: [ACL]? = nil, stat: Stat? = nil, mode: CreateMode = .persistent
  ) {
    self.path = path
    self.data = data
    self.acl = acl
    self.stat = stat
    self.mode = mode
  }

  /// The znode's path on an ensemble, where the subtree begins at `root`.
  public func absolutePath(under root: String) -> String { Self.absolute(path, under: root) }

  /// The path on an ensemble of a znode with that path below `root`.
  static func absolute(_ path: String, under root: String) -> String {
    path.isEmpty ? root : ZnodePath.child(path, of: root)
  }

  /// The path of a znode at `path` in the subtree at `base`, which is in another one itself.
  static func joined(_ base: String, _ path: String) -> String {
    base.isEmpty || path.isEmpty ? base + path : "\(base)/\(path)"
  }

  /// The path below `root` of a znode that is in that subtree.
  package static func relative(_ path: String, to root: String) -> String {
    guard path != root else { return "" }
    return String(path.utf8.dropFirst(root == "/" ? 1 : root.utf8.count + 1)) ?? ""
  }

  /// Whether two ACLs are the same list, in any order. One that is not known is equal to any.
  static func areEqual(_ left: [ACL]?, _ right: [ACL]?) -> Bool {
    guard let left, let right, left != right else { return true }
    return Set(left) == Set(right)
  }

  /// Whether another znode has the same data and the same ACL.
  func hasSameContent(as other: TreeEntry) -> Bool { hasSameData(as: other) && Self.areEqual(acl, other.acl) }

  /// Whether another znode has the same data, or nothing is known of one of the two.
  func hasSameData(as other: TreeEntry) -> Bool { lacksData || other.lacksData || data == other.data }
}

/// A subtree that is read from its root on, in the order of `ZnodePath.precedes`.
public protocol TreeSource {
  /// The next znode; nil at the end.
  mutating func next() async throws -> TreeEntry?

  /// What the source has, and did not return.
  var omissions: TreeOmissions { get }
}

/// What of a subtree was left out, and why.
public struct TreeOmissions: Hashable, Sendable {
  /// Ephemeral znodes: they belong to sessions, and no copy has them.
  public var ephemeralCount = 0
  /// Znodes that went away while the subtree was read.
  public var vanishedCount = 0
  /// Znodes that could not be read, and why; with their paths on the ensemble.
  public var failures: [String: ZooKeeperError] = [:]

  public init() {}

  /// Whether a znode may exist although the source did not return it: it, or one above it, could not be read.
  ///
  /// - Parameters:
  ///   - path: the path below the source's root.
  ///   - root: the source's root.
  func mayHave(_ path: String, under root: String) -> Bool {
    guard !failures.isEmpty else { return false }
    var next: String? = TreeEntry.absolute(path, under: root)
    while let current = next {
      if failures[current] != nil { return true }
      next = ZnodePath.parent(of: current)
    }
    return false
  }
}

/// A subtree of an ensemble.
public struct LiveTree: TreeSource {
  /// The znode at which it begins.
  public let root: String
  private var reader: TreeReader
  /// Whether there is no such subtree.
  private var isEmpty = false
  private let includesEphemerals: Bool
  private let readsACLs: Bool
  public private(set) var omissions = TreeOmissions()

  /// - Parameters:
  ///   - client: the session; the time limit that it has is for each request.
  ///   - readsACLs: whether ACLs are read too.
  ///   - includesEphemerals: whether ephemeral znodes are returned, rather than counted and left out.
  public init(
    client: ZooKeeperClient, root: String, readsACLs: Bool = true, includesEphemerals: Bool = false,
    inFlight: Int = 64
  ) {
    self.root = root
    self.includesEphemerals = includesEphemerals
    self.readsACLs = readsACLs
    reader = TreeReader(
      client: client, root: root, reading: readsACLs ? [.data, .acl] : .data, inFlight: inFlight,
      skipsServersOwn: true)
  }

  /// The subtree of a znode that does not exist.
  public static func none(at root: String, _ client: ZooKeeperClient) -> LiveTree {
    var tree = LiveTree(client: client, root: root)
    tree.isEmpty = true
    return tree
  }

  public mutating func next() async throws(ZooKeeperError) -> TreeEntry? {
    guard !isEmpty else { return nil }
    while let item = try await reader.next() {
      omissions.vanishedCount = reader.vanishedCount
      switch item {
      case .failed(let path, let error): omissions.failures[path] = error
      case .node(let node):
        if node.isEphemeral, !includesEphemerals {
          omissions.ephemeralCount += 1
          continue
        }
        return TreeEntry(
          path: TreeEntry.relative(node.path, to: root), data: node.data, acl: readsACLs ? node.acl : nil,
          stat: node.stat)
      }
    }
    omissions.vanishedCount = reader.vanishedCount
    return nil
  }
}

/// A subtree that is in memory.
public struct ListedTree: TreeSource {
  private var entries: ArraySlice<TreeEntry>
  public let omissions = TreeOmissions()

  /// Takes znodes in any order.
  public init(_ entries: [TreeEntry]) {
    self.entries = entries.sorted { ZnodePath.precedes($0.path, $1.path) }[...]
  }

  public mutating func next() async throws(ZooKeeperError) -> TreeEntry? { entries.popFirst() }
}
