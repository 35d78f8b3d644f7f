import LineEditor
import Synchronization
import ZooKeeperProtocol

/// Completes typed lines, and fetches znodes from the server within a short time limit.
///
/// *Thread*: the one that reads lines.
final class REPLCompleter {
  private let session: ShellSession
  private unowned let editor: LineEditor
  private var cache: (znode: Znode, children: [String], expiry: ContinuousClock.Instant)?

  /// A znode whose children are needed.
  private struct Znode: Hashable {
    var path: String
    var elsewhere: Completer.Elsewhere?
  }

  /// The time limit for TAB, and the time for which its answer is reused.
  private static let limit = Duration.seconds(1)

  /// The names of the clusters of the configuration file.
  private let clusters: () -> [String]

  init(session: ShellSession, editor: LineEditor, clusters: @escaping () -> [String]) {
    self.clusters = clusters
    self.session = session
    self.editor = editor
  }

  /// The possible completions of a line.
  func complete(_ line: String, _ cursor: Int, in directory: String) -> Completion {
    let before = String(String.UnicodeScalarView(line.unicodeScalars.prefix(cursor)))
    let plan = Completer.plan(line: before, cwd: directory)
    var children: [String] = []
    if let parent = plan.parent {
      guard let fetched = self.children(of: Znode(path: parent, elsewhere: plan.elsewhere)) else { return .none }
      children = fetched
    } else {
      children = Completer.localNames(
        for: plan, path: session.environment.value("PATH"), clusters: clusters)
    }
    let candidates = plan.candidates(children: children)
    let typed = String(decoding: Array(before.utf8)[plan.startOffset...], as: UTF8.self)
    return Completion(
      replacing: typed.unicodeScalars.count,
      candidates: candidates.map { candidate in
        .init(
          text: candidate.text, display: candidate.display,
          // No suffix after a znode, which may have children: the user types `/` or a blank.
          suffix: plan.parent == nil && !candidate.mayContinue ? " " : "")
      })
  }

  private static func fetch(
    _ znode: Znode, from session: ShellSession, _ body: @escaping @Sendable ([String]?) -> Void
  ) -> Task<Void, Never> {
    Task { body(await session.childrenForCompletion(of: znode.path, znode.elsewhere, limit: limit)) }
  }

  /// The children of a znode, or nil if no server answers within the limit.
  private func children(of znode: Znode) -> [String]? {
    if let cache, cache.znode == znode, cache.expiry > .now { return cache.children }
    let done = WakeUp()
    let box = ChildrenBox()
    let task = Self.fetch(znode, from: session) { children in
      box.children = children
      done.signal()
    }
    guard editor.wait(for: done) == .done else {
      task.cancel()
      return nil
    }
    if let children = box.children { cache = (znode, children, .now + Self.limit) }
    return box.children
  }
}

/// Passes a task's answer to the thread that waits for it.
private final class ChildrenBox: Sendable {
  private let value = Mutex<[String]?>(nil)

  var children: [String]? {
    get { value.withLock(\.self) }
    set { value.withLock { $0 = newValue } }
  }
}
