public import ZooKeeperClient
public import ZooKeeperProtocol

/// The properties of a znode that can be copied to another place.
public struct TreeEntry: Hashable, Sendable {
  /// The path below the root of the subtree, `a/b`; empty for the root.
  public var path: String
  /// nil for null, which servers distinguish from empty.
  public var data: [UInt8]?
  /// nil if it is unknown, as in a file that was written by hand.
  public var acl: [ACL]?
  /// The stat of a znode on a server; nil for one in a file.
  public var stat: Stat?
  /// Whether the data is unknown, as for a directory that was not written from a znode. A new znode gets null, and an
  /// existing one keeps its data.
  public var lacksData = false
  /// The mode of a copy. Servers do not report which znodes are containers or have a time to live; their logs do.
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

  /// The znode's path on an ensemble on which the subtree begins at `root`.
  public func absolutePath(under root: String) -> String { Self.absolute(path, under: root) }

  /// The path on an ensemble of a znode with a path below `root`.
  static func absolute(_ path: String, under root: String) -> String {
    path.isEmpty ? root : ZnodePath.child(path, of: root)
  }

  /// The path of a znode at `path` in the subtree at `base`, relative to an enclosing subtree.
  static func joined(_ base: String, _ path: String) -> String {
    base.isEmpty || path.isEmpty ? base + path : "\(base)/\(path)"
  }

  /// The path below `root` of a znode in that subtree.
  package static func relative(_ path: String, to root: String) -> String {
    guard path != root else { return "" }
    return String(path.utf8.dropFirst(root == "/" ? 1 : root.utf8.count + 1)) ?? ""
  }

  /// Whether two ACLs have the same entries in any order. An unknown one is equal to any.
  static func areEqual(_ left: [ACL]?, _ right: [ACL]?) -> Bool {
    guard let left, let right, left != right else { return true }
    return Set(left) == Set(right)
  }

  /// Whether another znode has the same data and the same ACL.
  func hasSameContent(as other: TreeEntry) -> Bool { hasSameData(as: other) && Self.areEqual(acl, other.acl) }

  /// Whether another znode has the same data, or the data of one of them is unknown.
  func hasSameData(as other: TreeEntry) -> Bool { lacksData || other.lacksData || data == other.data }
}

/// A subtree that is read from its root on, in the order of `ZnodePath.precedes`.
public protocol TreeSource {
  /// The next znode; nil at the end.
  mutating func next() async throws -> TreeEntry?

  /// What the source has left out.
  var omissions: TreeOmissions { get }
}

/// The parts of a subtree that were left out.
public struct TreeOmissions: Hashable, Sendable {
  /// Ephemeral znodes, which belong to sessions and are not copied.
  public var ephemeralCount = 0
  /// Znodes that were deleted while the subtree was read.
  public var vanishedCount = 0
  /// Znodes that could not be read, by their paths on the ensemble, with the reasons.
  public var failures: [String: ZooKeeperError] = [:]

  public init() {}

  /// Whether a znode may exist although the source did not return it, because it or an ancestor could not be read.
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
  ///   - client: the session, whose time limit applies to each request.
  ///   - readsACLs: whether ACLs are read too.
  ///   - includesEphemerals: whether ephemeral znodes are returned instead of counted and left out.
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

/// A subtree in memory.
public struct ListedTree: TreeSource {
  private var entries: ArraySlice<TreeEntry>
  public let omissions = TreeOmissions()

  /// A subtree of znodes in any order.
  public init(_ entries: [TreeEntry]) {
    self.entries = entries.sorted { ZnodePath.precedes($0.path, $1.path) }[...]
  }

  public mutating func next() async throws(ZooKeeperError) -> TreeEntry? { entries.popFirst() }
}
