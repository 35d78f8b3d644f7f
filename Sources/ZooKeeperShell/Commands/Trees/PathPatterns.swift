import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Paths with wildcards.
extension CommandContext {
  /// The znodes that the arguments from an index on name, each a path or a pattern such as `/app/*/config`.
  ///
  /// A znode whose name is the pattern itself takes precedence. Each name is matched separately, so that `*` does not
  /// match a slash; the name `**` matches any number of names, including none.
  ///
  /// - Parameter first: the index of the first of these arguments.
  /// - Throws: NoNode for a pattern without a match.
  func paths(from first: Int = 0, _ source: ZnodeSource) async throws -> [String] {
    var paths: [String] = []
    for word in invocation.arguments.dropFirst(first) {
      let path = try path(of: word)
      guard dialect.expandsPatterns, Glob.isPattern(path), try await !source.exists(path) else {
        paths.append(path)
        continue
      }
      let matches = try await expand(path, source)
      guard !matches.isEmpty else {
        throw ShellError(.noNode, "NoNode", path: path, "no znode matches the pattern")
      }
      paths += matches
    }
    return paths
  }

  private func expand(_ pattern: String, _ source: ZnodeSource) async throws -> [String] {
    var found = ["/"]
    var endsInDescendants = false
    for part in pattern.utf8.split(separator: UInt8(ascii: "/")) {
      let name = String(part) ?? ""
      guard Glob.isPattern(name) else {
        found = found.map { ZnodePath.child(name, of: $0) }
        endsInDescendants = false
        continue
      }
      if name == "**" {
        // A repeated `**` means the same as one.
        if !endsInDescendants { found = try await withDescendants(found, source) }
        endsInDescendants = true
        continue
      }
      endsInDescendants = false
      let glob = Glob(name)
      var next: [String] = []
      for (parent, names) in zip(found, await source.childNames(ofAll: found)) {
        switch names {
        case .success(let names):
          next += names.filter(glob.matches).sorted().map { ZnodePath.child($0, of: parent) }
        case .failure(let error):
          guard error.code == .server(.noNode) else { throw error }
        }
      }
      found = next
    }
    // The names after the last pattern can be missing under some of its matches.
    return try await source.existing(among: found)
  }

  private func withDescendants(_ roots: [String], _ source: ZnodeSource) async throws -> [String] {
    var paths: [String] = []
    for root in roots {
      do {
        var reader = try source.reader(of: root)
        while let item = try await reader.next() {
          if case .failed(_, let error) = item { throw error }
          paths.append(item.path)
        }
      } catch let error as ZooKeeperError where error.code == .server(.noNode) && error.path == root {
        continue
      }
    }
    return paths
  }

  /// Runs `body` for each znode that the arguments name. If there are several, a failure does not stop the others.
  ///
  /// - Parameter body: takes a function that emits the heading, which it calls before it emits anything.
  /// - Throws: the error if there is only one znode; otherwise exit code 11 with the znodes that failed.
  func forEachPath(
    _ source: ZnodeSource,
    _ body: (_ path: String, _ heading: () throws(ShellError) -> Void) async throws -> Void
  ) async throws {
    guard invocation.namesSeveral, dialect.expandsPatterns else { return try await body(try path()) {} }
    guard !invocation.flag(.watch) else {
      throw ShellError.usage("--watch takes a single znode, and no pattern")
    }
    var failures: [String: ZooKeeperError] = [:]
    var isFirst = true
    for path in try await paths(source) {
      do {
        try await body(path) { () throws(ShellError) in
          try emit(.heading(path: path, isFirst: isFirst))
          isFirst = false
        }
      } catch let error as ZooKeeperError where error.concernsOneZnode {
        failures[path] = error
      }
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: nil) }
  }
}
