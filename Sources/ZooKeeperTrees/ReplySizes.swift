import ZooKeeperClient
import ZooKeeperProtocol

/// How many bytes the replies about znodes bring, learned from those before.
///
/// Znodes of one depth are mostly of one kind: folders with many children on one, their contents on the next. A reader
/// that has just read small contents must not ask for a thousand folders because of that: their names would fill its
/// memory.
struct ReplySizes {
  /// By depth: the average of the last replies. It falls by half at most from one time to the next.
  private var known: [Int?] = []
  /// By depth: what has come since.
  private var sums: [(bytes: Int, count: Int)] = []

  /// What one name in a list of children takes: itself in an array that may grow, and its path later.
  static let bytesOfName = 48
  /// Depths from here on are taken for one.
  private static let depthLimit = 32

  /// What the replies about a znode are expected to bring; nil if nothing is known of its depth.
  func bytes(about path: String) -> Int? { bytes(at: Self.depth(of: path)) }

  /// The same for a child of a znode.
  func bytes(aboutChildrenOf path: String) -> Int? { bytes(at: min(Self.depth(of: path) + 1, Self.depthLimit)) }

  /// Takes the replies about a znode into account.
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
