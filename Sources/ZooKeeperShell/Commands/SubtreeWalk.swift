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

  private struct Entry {
    let path: String
    var answer: Result<GetChildren2Response, ZooKeeperError>?
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
    var stack = [Entry(path: root)]
    while let top = stack.last {
      guard let answer = top.answer else {
        try await resolve(&stack)
        continue
      }
      stack.removeLast()
      switch answer {
      case .success(let reply):
        try visit(Visit(path: top.path, stat: reply.stat))
        for name in reply.children.sorted(by: >) {
          stack.append(Entry(path: ZnodePath.child(name, of: top.path)))
        }
      case .failure(let error):
        guard case .server(let code) = error.code, top.path != root else {
          throw ZooKeeperError(error.code, path: top.path)
        }
        if code != .noNode { try fail(top.path, error) }
      }
    }
  }

  private func resolve(_ stack: inout [Entry]) async throws {
    var indices: [Int] = []
    for index in stack.indices.reversed() where stack[index].answer == nil {
      indices.append(index)
      if indices.count == Self.window { break }
    }
    try Task.checkCancellation()
    let answers = await client.getChildren2(ofAll: indices.map { stack[$0].path })
    for (index, answer) in zip(indices, answers) { stack[index].answer = answer }
  }
}
