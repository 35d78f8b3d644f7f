import ZooKeeperClient
import ZooKeeperProtocol

/// Estimates the sizes of replies about znodes from earlier replies.
///
/// Znodes of the same depth are mostly similar: folders with many children at one depth, their contents at the next.
/// After small contents, a reader must not ask for a thousand folders at once, because the names of their children
/// would fill its memory.
struct ReplySizes {
  /// The average of the last replies by depth. It decreases at most by half each time.
  private var known: [Int?] = []
  /// The replies since then by depth.
  private var sums: [(bytes: Int, count: Int)] = []

  /// The memory for one name in a list of children: the name in a growing array, and later its path.
  static let bytesOfName = 48
  /// Depths from here on are treated as one.
  private static let depthLimit = 32

  /// The expected size of the replies about a znode; nil if nothing is known of its depth.
  func bytes(about path: String) -> Int? { bytes(at: Self.depth(of: path)) }

  /// The same for a child of a znode.
  func bytes(aboutChildrenOf path: String) -> Int? { bytes(at: min(Self.depth(of: path) + 1, Self.depthLimit)) }

  /// Adds the replies about a znode.
  mutating func add(_ replies: ArraySlice<Result<ZnodeReading, ZooKeeperError>>, about path: String) {
    var bytes = 0
    for case .success(let reading) in replies {
      switch reading {
      case .data(let data, _): bytes += data?.count ?? 0
      case .children(let names, _): bytes += names.count * Self.bytesOfName
      case .stat, .acl: break
      }
    }
    let depth = Self.depth(of: path)
    while sums.count <= depth { sums.append((0, 0)) }
    sums[depth].bytes += bytes
    sums[depth].count += 1
  }

  /// Ends a batch of replies.
  mutating func finish() {
    while known.count < sums.count { known.append(nil) }
    for depth in sums.indices where sums[depth].count > 0 {
      known[depth] = max(sums[depth].bytes / sums[depth].count, (known[depth] ?? 0) / 2)
      sums[depth] = (0, 0)
    }
  }

  private func bytes(at depth: Int) -> Int? { depth < known.count ? known[depth] : nil }

  private static func depth(of path: String) -> Int {
    path.utf8.count == 1 ? 0 : min(path.utf8.count { $0 == UInt8(ascii: "/") }, depthLimit)
  }
}
