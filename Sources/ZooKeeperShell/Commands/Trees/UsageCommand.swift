import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// du.
extension CommandContext {
  /// Prints the size of subtrees: the number of znodes, and the bytes of data and of names.
  func diskUsage(_ source: ZnodeSource) async throws -> ExitCode {
    let top = try invocation.value(.top).map { word throws(ShellError) in
      Int(try ValueParser.integer(word, of: "--top", in: 1...10_000))
    }
    let depth = try invocation.value(.depth).map { word throws(ShellError) in
      Int(try ValueParser.integer(word, of: "--depth", in: 0...Int64(Int32.max)))
    }
    var failures: [String: ZooKeeperError] = [:]
    progress.begin("counted")
    for root in try await rootPaths(source) {
      var sums = TreeSums(root: root, depth: top == nil ? depth ?? 1 : 0, limitBytes: maximumFrameBytes)
      var largest = LargestZnodes(limit: top ?? 0)
      var reader = try source.reader(of: root, inFlight: try inFlight())
      while let item = try await reader.next() {
        progress.advance()
        switch item {
        case .failed(let path, let error): failures[path] = error
        case .node(let node):
          for sum in sums.add(node) where top == nil { try emit(.tree(.usage(sum, isHuman: invocation.flag(.human)))) }
          largest.add(node)
        }
      }
      try warnOfVanished(reader)
      let rest = sums.finish()
      for sum in rest where top == nil { try emit(.tree(.usage(sum, isHuman: invocation.flag(.human)))) }
      for sum in largest.byData { try emit(.tree(.largest(sum, isWidest: false, isHuman: invocation.flag(.human)))) }
      for sum in largest.byChildren { try emit(.tree(.largest(sum, isWidest: true, isHuman: invocation.flag(.human)))) }
      for warning in sums.warnings { try emit(.warning(warning)) }
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: try optionalPath() ?? directory) }
    return .success
  }
}

/// The totals of a znode and its descendants.
package struct UsageSum: Hashable, Sendable {
  package var path: String
  package var count = 0
  package var dataBytes = 0
  /// Bytes of the paths, which servers keep in memory.
  package var pathBytes = 0
  /// Children of the znode itself.
  package var children = 0
}

/// Sums up subtrees while they are read in order.
struct TreeSums {
  private let root: String
  private let depth: Int
  private let limitBytes: Int
  /// The ancestors of the znode that was read last, each with its total so far and the size of a reply with its
  /// children's names.
  private var open: [(sum: UsageSum, namesBytes: Int)] = []
  /// Warnings about znodes that are near the limit of a packet.
  private(set) var warnings: [String] = []

  init(root: String, depth: Int, limitBytes: Int) {
    self.root = root
    self.depth = depth
    self.limitBytes = limitBytes
  }

  /// Adds the next znode.
  ///
  /// - Returns: the totals of the subtrees that ended before it, as far as they are requested.
  mutating func add(_ node: TreeNode) -> [UsageSum] {
    let ended = close { !ZnodePath.isWithin(node.path, $0) }
    let nameBytes = ZnodePath.name(of: node.path).utf8.count
    if !open.isEmpty { open[open.count - 1].namesBytes += nameBytes + 4 }
    let data = Int(node.stat.dataLength)
    open.append(
      (
        UsageSum(
          path: node.path, count: 1, dataBytes: data, pathBytes: node.path.utf8.count,
          children: Int(node.stat.numChildren)), 0
      ))
    if data > limitBytes / 5 * 4 {
      warnings.append("\(node.path) has \(data) bytes; the limit of a packet is \(limitBytes) (jute.maxbuffer)")
    }
    return ended
  }

  /// Ends all subtrees.
  mutating func finish() -> [UsageSum] { close { _ in true } }

  private mutating func close(while isEnded: (String) -> Bool) -> [UsageSum] {
    var ended: [UsageSum] = []
    while let (sum, namesBytes) = open.last, isEnded(sum.path) {
      open.removeLast()
      if !open.isEmpty {
        open[open.count - 1].sum.count += sum.count
        open[open.count - 1].sum.dataBytes += sum.dataBytes
        open[open.count - 1].sum.pathBytes += sum.pathBytes
      }
      if namesBytes > limitBytes / 5 * 4 {
        warnings.append(
          "the names of the children of \(sum.path) take \(namesBytes) bytes;"
            + " the limit of a packet is \(limitBytes) (jute.maxbuffer)")
      }
      if open.count <= depth { ended.append(sum) }
    }
    return ended
  }
}

/// The znodes with the most data, and those with the most children.
struct LargestZnodes {
  private let limit: Int
  private(set) var byData: [UsageSum] = []
  private(set) var byChildren: [UsageSum] = []

  init(limit: Int) { self.limit = limit }

  /// Adds a znode.
  mutating func add(_ node: TreeNode) {
    guard limit > 0 else { return }
    let sum = UsageSum(
      path: node.path, count: 1, dataBytes: Int(node.stat.dataLength), pathBytes: node.path.utf8.count,
      children: Int(node.stat.numChildren))
    insert(sum, into: \.byData, by: \.dataBytes)
    insert(sum, into: \.byChildren, by: \.children)
  }

  private mutating func insert(
    _ sum: UsageSum, into list: WritableKeyPath<Self, [UsageSum]>, by measure: KeyPath<UsageSum, Int>
  ) {
    guard sum[keyPath: measure] > 0 else { return }
    if self[keyPath: list].count == limit {
      guard let last = self[keyPath: list].last, sum[keyPath: measure] > last[keyPath: measure] else { return }
      self[keyPath: list].removeLast()
    }
    let place = self[keyPath: list].firstIndex { $0[keyPath: measure] < sum[keyPath: measure] }
    self[keyPath: list].insert(sum, at: place ?? self[keyPath: list].endIndex)
  }
}
