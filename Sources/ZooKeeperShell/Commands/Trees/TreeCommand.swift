import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// tree.
extension CommandContext {
  /// Prints a subtree as an indented tree.
  func tree(_ source: ZnodeSource) async throws -> ExitCode {
    let depth = try invocation.value(.level).map { word throws(ShellError) in
      Int(try ValueParser.integer(word, of: "--level", in: 0...Int64(Int32.max)))
    }
    var failures: [String: ZooKeeperError] = [:]
    for root in try await rootPaths(source) {
      var reader = try source.reader(of: root, inFlight: try inFlight(), maximumDepth: depth)
      // For each level below the root, whether the branch continues after the znode that was printed last.
      var goesOn: [Bool] = []
      while let item = try await reader.next() {
        let level = Self.depth(of: item.path) - Self.depth(of: root)
        goesOn = goesOn.prefix(max(0, level - 1)) + (level > 0 ? [reader.hasSibling(after: item.path)] : [])
        switch item {
        case .failed(let path, let error): failures[path] = error
        case .node(let node):
          let branch = zip(goesOn.indices, goesOn).map { index, goesOn in
            index == level - 1 ? (goesOn ? "├── " : "└── ") : (goesOn ? "│   " : "    ")
          }.joined()
          try emit(.tree(.branch(branch, node, isRoot: level == 0, isLong: invocation.flag(.long))))
        }
      }
      try warnOfVanished(reader)
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: try optionalPath() ?? directory) }
    return .success
  }

  private static func depth(of path: String) -> Int { path == "/" ? 0 : path.utf8.count { $0 == UInt8(ascii: "/") } }
}
