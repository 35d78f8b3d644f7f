import ZooKeeperClient
import ZooKeeperHistory
import ZooKeeperProtocol
import ZooKeeperTrees

/// The actions of `snap`, which shows a past state.
enum SnapAction: String, CaseIterable, Hashable, Sendable {
  case ls, cat, stat, tree, find, grep, du, diff, export

  /// The options that it takes in addition to those that choose the state.
  var options: [OptionName] {
    switch self {
    case .ls: [.long, .recursive, .human]
    case .cat: [.stat, .base64, .hex]
    case .stat: []
    case .tree: [.level, .long]
    case .find:
      [
        .name, .path, .type, .size, .children, .older, .newer, .owner, .value, .empty, .print0, .count,
      ]
    case .grep: [.ignoreCase, .extended, .fixed, .list, .count]
    case .du: [.human, .depth, .top]
    case .diff: [.since, .brief, .ignoreACL]
    case .export: [.format, .overwrite, .resume]
    }
  }

  /// The command that does the same on an ensemble.
  var command: ClientCommand {
    switch self {
    case .ls: .ls
    case .cat: .get
    case .stat: .stat
    case .tree: .tree
    case .find: .find
    case .grep: .grep
    case .du: .du
    case .diff: .diff
    case .export: .export
    }
  }
}

/// snap.
extension CommandContext {
  /// Shows a state of the past.
  func snap() async throws -> ExitCode {
    let word = try ValueParser.choice(
      invocation.arguments[0], of: "action", among: SnapAction.allCases.map(\.rawValue))
    let action = SnapAction(rawValue: word)!
    let allowed = action.options + [.at, .before, .logDir]
    if let other = invocation.options.keys.filter({ name in
      invocation.spec.options.contains { $0.name == name } && !allowed.contains(name)
    }).map(\.rawValue).min() {
      throw ShellError.usage(
        "snap \(word) has no option --\(other)", hint: "help snap lists the options of each action")
    }
    var history = try history(invocation.arguments[1])
    var inner = self
    inner.directory = "/"
    var options = invocation.options
    // Always recursive, because cat is enough for a single znode.
    if action == .grep { options[.recursive] = [Word("")] }
    inner.invocation = Invocation(
      spec: CommandTable.spec(of: .client(action.command)), arguments: [Word](invocation.arguments.dropFirst(2)),
      options: options)
    if action == .diff { return try await inner.diffStates(&history) }
    let state = try state(of: &history, at: try moment())
    let code =
      switch action {
      case .ls: try await inner.list(state)
      case .cat: try await inner.printData(state)
      case .stat: try await inner.printStat(state)
      case .tree: try await inner.tree(.past(state))
      case .find: try await inner.find(.past(state))
      case .grep: try await inner.grep(.past(state))
      case .du, .diff: try await inner.diskUsage(.past(state))
      case .export: try await inner.export(state)
      }
    return state.exitCode == .success ? code : state.exitCode
  }

  /// Writes a subtree to a file, an archive or a directory, which import and apply can read.
  private func export(_ state: PastState) async throws -> ExitCode {
    guard let word = invocation.arguments.first, invocation.arguments.count <= 2 else {
      throw ShellError.usage("snap export takes a path, and a file", hint: "snap export DIR /app app.jsonl")
    }
    let path = try path(of: word)
    guard state.exists(path) else { throw ShellError(.noNode, path: path) }
    var tree = PastTree(state, root: path)
    return try await export(&tree, from: path, to: try filePlace(of: invocation.argument(1) ?? Word("-")))
  }

  private func list(_ state: PastState) async throws -> ExitCode {
    guard !invocation.arguments.isEmpty else {
      try await list("/", state)
      return .success
    }
    try await forEachPath(.past(state)) { path, heading in
      guard state.exists(path) else { throw ZooKeeperError(.server(.noNode), path: path) }
      try heading()
      try await list(path, state)
    }
    return .success
  }

  private func list(_ root: String, _ state: PastState) async throws {
    let isRecursive = invocation.flag(.recursive)
    guard isRecursive || invocation.flag(.long) else {
      return try emit(.children(path: root, names: state.childNames(of: root) ?? [], stat: nil))
    }
    guard invocation.flag(.long) else { return try await listPaths(root, state) }
    var reader = try ZnodeSource.past(state).reader(of: root, maximumDepth: isRecursive ? nil : 1)
    while case .node(let node)? = try await reader.next() {
      if !isRecursive, node.path == root { continue }
      let name = isRecursive ? node.path : ZnodePath.name(of: node.path)
      try emit(.entry(ListingEntry(name: name, stat: node.stat, isHuman: invocation.flag(.human))))
    }
  }

  /// How many paths are written together, because a result costs more than a path.
  private static let pathsInOneGo = 256

  private func listPaths(_ root: String, _ state: PastState) async throws {
    guard var walk = state.walk(from: root) else { throw ZooKeeperError(.server(.noNode), path: root) }
    while true {
      let paths = walk.nextPaths(Self.pathsInOneGo)
      if paths.isEmpty { return }
      if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false), path: root) }
      try emit(.past(.paths(paths)))
      await Task.yield()
    }
  }

  private func printData(_ state: PastState) async throws -> ExitCode {
    let form: DataForm = invocation.flag(.hex) ? .hexDump : invocation.flag(.base64) ? .base64 : .plain
    try await forEachPath(.past(state)) { path, heading in
      let znode = try Self.znode(at: path, state)
      try heading()
      try emit(
        .data(path: path, data: znode.data, stat: znode.stat, showsStat: invocation.flag(.stat), form: form))
    }
    return .success
  }

  /// Prints the ACL and the stat.
  private func printStat(_ state: PastState) async throws -> ExitCode {
    try await forEachPath(.past(state)) { path, heading in
      let znode = try Self.znode(at: path, state)
      try heading()
      try emit(.acl(path: path, znode.acl, stat: znode.stat))
    }
    return .success
  }

  private static func znode(at path: String, _ state: PastState) throws(ZooKeeperError) -> PastZnode {
    guard let znode = state.znode(at: path) else { throw ZooKeeperError(.server(.noNode), path: path) }
    return znode
  }

  /// Prints what has changed in a subtree since a moment.
  private func diffStates(_ history: inout LocalHistory) async throws -> ExitCode {
    guard let since = try moment(.since) else {
      throw ShellError.usage("missing option: --since", hint: "snap diff DIR /app --since 10m shows recent changes")
    }
    let roots = invocation.arguments.isEmpty ? ["/"] : try [path()]
    let earlier = try state(of: &history, at: Self.before(since))
    let later = try state(of: &history, at: try moment())
    guard earlier.zxid <= later.zxid else {
      throw ShellError.usage("--since is after the state that it is compared with")
    }
    var areSame = true
    for root in roots {
      guard earlier.exists(root) || later.exists(root) else { throw ZooKeeperError(.server(.noNode), path: root) }
      let code = try await diff(
        PastTree(earlier, root: root, includesEphemerals: true), root,
        PastTree(later, root: root, includesEphemerals: true), root)
      if code != .success { areSame = false }
    }
    for state in [earlier, later] where state.exitCode != .success { return state.exitCode }
    return areSame ? .success : .no
  }
}

extension PastZnode {
  /// The mode in which a copy of it is created.
  fileprivate var createMode: CreateMode {
    switch lifetime {
    case .persistent, .session: .persistent
    case .container: .container
    case .ttl(let milliseconds): .persistentTTL(milliseconds: milliseconds)
    }
  }
}

/// A subtree of a past state as copies and comparisons read it; empty if it did not exist.
struct PastTree: TreeFileReader {
  private let root: String
  private var walk: PastWalk?
  private let includesEphemerals: Bool
  private(set) var omissions = TreeOmissions()
  let refusals: [(path: String, reason: String)] = []

  init(_ state: PastState, root: String, includesEphemerals: Bool = false) {
    self.root = root
    self.includesEphemerals = includesEphemerals
    walk = state.walk(from: root, readsData: true, readsACLs: true, skipsServersOwn: true)
  }

  mutating func next() throws(ShellError) -> TreeEntry? {
    if Task.isCancelled { throw .cancelled(outcomeUnknown: false, path: root) }
    while let znode = walk?.next() {
      if case .session = znode.lifetime, !includesEphemerals {
        omissions.ephemeralCount += 1
        continue
      }
      return TreeEntry(
        path: TreeEntry.relative(znode.path, to: root), data: znode.data, acl: znode.acl, stat: znode.stat,
        mode: znode.createMode)
    }
    return nil
  }
}
