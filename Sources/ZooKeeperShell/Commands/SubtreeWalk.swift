import ZooKeeperClient
import ZooKeeperProtocol

/// Walks a subtree in the order in which people read it: a znode, then its children by name, each with all below it.
///
/// Many znodes are asked about at once, those that are needed next first, so that the walk costs a few round trips
/// rather than one a znode, while znodes still come out in order and as soon as they can.
struct SubtreeWalk {
  /// How many znodes are asked about in one go.
  static let window = 512

  /// A znode on the way.
  struct Visit {
    let path: String
    let stat: Stat
  }

  /// What is known of a znode that has not come out yet. Once its children are known they stand below it, so that
  /// they can be asked about before it is its turn.
  private enum Entry {
    case unknown(path: String)
    case ready(Visit)
    case failed(path: String, ZooKeeperError)
  }

  let client: ZooKeeperClient
  let root: String

  /// Calls `visit` for every znode, the root first.
  ///
  /// A znode that goes away during the walk is left out. One whose children may not be listed is handed to `fail`.
  ///
  /// - Throws: `ZooKeeperError` when the root cannot be listed or the session fails, and what `visit` throws.
  func run(
    visit: (Visit) throws -> Void, fail: (String, ZooKeeperError) throws -> Void
  ) async throws {
    // The top of the stack, its end, is what comes out next.
    var stack = [Entry.unknown(path: root)]
    while let top = stack.last {
      switch top {
      case .unknown:
        try await resolve(&stack)
        continue
      case .ready(let found): try visit(found)
      case .failed(let path, let error):
        guard case .server(let code) = error.code, path != root else { throw ZooKeeperError(error.code, path: path) }
        if code != .noNode { try fail(path, error) }
      }
      stack.removeLast()
    }
  }

  /// Asks about those of the topmost znodes that are unknown, and puts their children below them.
  private func resolve(_ stack: inout [Entry]) async throws {
    var paths: [String] = []
    var lowest = stack.endIndex
    while lowest > stack.startIndex, paths.count < Self.window {
      lowest -= 1
      if case .unknown(let path) = stack[lowest] { paths.append(path) }
    }
    try Task.checkCancellation()
    var answers = await client.getChildren2(ofAll: paths)[...]
    let top = stack[lowest...]
    stack.removeSubrange(lowest...)
    // From the bottom up, while the answers came for the top first.
    for entry in top {
      guard case .unknown(let path) = entry else {
        stack.append(entry)
        continue
      }
      switch answers.removeLast() {
      case .success(let reply):
        stack += reply.children.sorted(by: >).map { .unknown(path: ZnodePath.child($0, of: path)) }
        stack.append(.ready(Visit(path: path, stat: reply.stat)))
      case .failure(let error): stack.append(.failed(path: path, error))
      }
    }
  }
}
