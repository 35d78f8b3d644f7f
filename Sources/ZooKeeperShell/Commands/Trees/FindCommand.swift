import Platform
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// find.
extension CommandContext {
  /// Prints the znodes of a subtree that fulfil all conditions, deletes them, or runs a command for each.
  func find(_ source: ZnodeSource) async throws -> ExitCode {
    let conditions = try FindConditions(invocation, now: WallClock.nowMilliseconds())
    let collects = invocation.flag(.delete)
    var found: [(path: String, version: Int32)] = []
    var count = 0
    var failures: [String: ZooKeeperError] = [:]
    var failedCommands = 0
    progress.begin("searched")
    for root in try await rootPaths(source) {
      var reader = try source.reader(
        of: root, reading: conditions.needsData ? .data : [], inFlight: try inFlight(), skipsServersOwn: collects)
      while let item = try await reader.next() {
        progress.advance()
        guard case .node(let node) = item else {
          if case .failed(let path, let error) = item { failures[path] = error }
          continue
        }
        guard conditions.match(node) else { continue }
        count += 1
        if collects {
          found.append((node.path, node.stat.version))
        } else if let child = invocation.child, case .live(let client) = source {
          if try await !run(child, for: node.path, client) { failedCommands += 1 }
        } else if !invocation.flag(.count) {
          try emit(.tree(.found(node, endsWithNull: invocation.flag(.print0))))
        }
      }
      try warnOfVanished(reader)
    }
    if collects, case .live(let client) = source { try await delete(found, &failures, client) }
    if invocation.flag(.count) { try emit(.count(path: try optionalPath() ?? directory, count)) }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: try optionalPath() ?? directory) }
    if failedCommands > 0 {
      throw ShellError(.partial, "Partial", "the command failed for \(failedCommands) of \(count) znodes")
    }
    return .success
  }

  /// Warns that a subtree has changed while it was read.
  func warnOfVanished(_ reader: ZnodeReader) throws(ShellError) {
    let count = reader.vanishedCount
    guard count > 0 else { return }
    let subject = count == 1 ? "1 znode was" : "\(count) znodes were"
    try emit(.warning("\(subject) deleted by others while \(reader.root) was read"))
  }

  /// The roots of a search; the working directory if none is given.
  func rootPaths(from first: Int = 0, _ source: ZnodeSource) async throws -> [String] {
    invocation.arguments.count > first ? try await paths(from: first, source) : [directory]
  }

  private func delete(
    _ found: [(path: String, version: Int32)], _ failures: inout [String: ZooKeeperError], _ client: ZooKeeperClient
  ) async throws {
    let found = found.filter { $0.path != "/" }
    if invocation.flag(.dryRun) {
      for (path, _) in found { try emit(.wouldDelete(path: path)) }
      return
    }
    guard !found.isEmpty else { return }
    try await allow("Delete \(found.count) znodes", count: found.count)
    progress.begin("deleted", of: found.count)
    var writer = TreeWriter(client: client, limits: writeLimits) { [progress] in progress.advance(to: $0) }
    // Reversed, because children follow their parents. The version makes sure that the conditions still hold.
    for (path, version) in found.reversed() {
      try await writer.add(.delete(PathVersionRequest(path: path, version: version)))
    }
    try await writer.finish()
    for (operation, error) in writer.failures where error.code != .server(.noNode) { failures[operation.path] = error }
    if !invocation.flag(.count) { try emit(.deleted(path: found[0].path, count: writer.doneCount)) }
  }

  /// Runs the external command with `{}` replaced by the path.
  ///
  /// - Returns: whether its exit code was 0.
  private func run(_ words: [Word], for path: String, _ client: ZooKeeperClient) async throws -> Bool {
    let placeholder = [UInt8]("{}".utf8)
    let words = words.map { word in
      var bytes: [UInt8] = []
      var rest = word.bytes[...]
      while !rest.isEmpty {
        if rest.starts(with: placeholder) {
          bytes += path.utf8
          rest = rest.dropFirst(2)
        } else {
          bytes.append(rest.removeFirst())
        }
      }
      return Word(bytes: bytes)
    }
    let settings = ChildSettings(words: words, variables: ["ZKCLI_PATH": path], standardInput: [])
    let code = try await runChild(settings, holding: nil, client)
    try Task.checkCancellation()
    // If ^C has ended the command, no other command is run.
    guard code.rawValue <= ExitCode.signal(0).rawValue else {
      throw ShellError(
        code, "Child", path: path, "a signal has ended the command, and it was not run for the znodes that follow")
    }
    return code == .success
  }
}

/// The conditions of a search.
struct FindConditions {
  /// A lower or an upper bound, or an exact number.
  private enum Bound {
    case exactly(Int64), atLeast(Int64), atMost(Int64)

    func includes(_ number: Int64) -> Bool {
      switch self {
      case .exactly(let wanted): number == wanted
      case .atLeast(let wanted): number > wanted
      case .atMost(let wanted): number < wanted
      }
    }
  }

  private var names: [Glob] = []
  private var paths: [Glob] = []
  private var kind: Character?
  private var size: Bound?
  private var children: Bound?
  private var notBefore: Int64?
  private var notAfter: Int64?
  private var owner: SessionID?
  private var value: RegularExpression?
  private var isEmpty = false

  /// Whether the data must be read.
  var needsData: Bool { value != nil }

  /// - Parameter now: milliseconds since 1970.
  /// - Throws: a usage error for a malformed condition.
  init(_ invocation: Invocation, now: Int64) throws(ShellError) {
    if let word = invocation.value(.name) { names = [Glob(try ValueParser.text(word, of: "--name"))] }
    if let word = invocation.value(.path) { paths = [Glob(try ValueParser.text(word, of: "--path"))] }
    if let word = invocation.value(.type) {
      kind = try ValueParser.choice(word, of: "--type", among: ["p", "e", "s"]).first
    }
    size = try Self.bound(invocation, .size)
    children = try Self.bound(invocation, .children)
    if let word = invocation.value(.older) { notAfter = try Self.time(word, "--older", now) }
    if let word = invocation.value(.newer) { notBefore = try Self.time(word, "--newer", now) }
    if let word = invocation.value(.owner) {
      owner = SessionID(rawValue: try ValueParser.hexVersion(word, of: "--owner"))
    }
    if let word = invocation.value(.value) {
      value = try RegularExpression(try ValueParser.text(word, of: "--value"))
    }
    isEmpty = invocation.flag(.empty)
  }

  /// Whether a znode fulfils all conditions.
  func match(_ node: TreeNode) -> Bool {
    let stat = node.stat
    let name = ZnodePath.name(of: node.path)
    if !names.allSatisfy({ $0.matches(name) }) || !paths.allSatisfy({ $0.matches(node.path) }) { return false }
    switch kind {
    case "e" where stat.ephemeralOwner == .none, "p" where stat.ephemeralOwner != .none: return false
    case "s" where !Self.isSequential(name): return false
    default: break
    }
    if let size, !size.includes(Int64(stat.dataLength)) { return false }
    if let children, !children.includes(Int64(stat.numChildren)) { return false }
    if let notAfter, stat.mtimeMilliseconds > notAfter { return false }
    if let notBefore, stat.mtimeMilliseconds < notBefore { return false }
    if let owner, stat.ephemeralOwner != owner { return false }
    if isEmpty, stat.dataLength > 0 || stat.numChildren > 0 { return false }
    if let value, !value.matches(node.data ?? []) { return false }
    return true
  }

  /// Whether a name ends with a sequence number of ten digits.
  private static func isSequential(_ name: String) -> Bool {
    let digits = name.utf8.suffix(10)
    return digits.count == 10 && digits.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func bound(_ invocation: Invocation, _ option: OptionName) throws(ShellError) -> Bound? {
    guard let word = invocation.value(option) else { return nil }
    let number = Word(bytes: [UInt8](word.bytes.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }))
    let value = Int64(try ValueParser.sizeBytes(number, of: "--\(option.rawValue)"))
    switch word.bytes.first {
    case UInt8(ascii: "+"): return .atLeast(value)
    case UInt8(ascii: "-"): return .atMost(value)
    default: return .exactly(value)
    }
  }

  /// A moment: a time span before now, or a date and time of ISO 8601.
  private static func time(_ word: Word, _ option: String, _ now: Int64) throws(ShellError) -> Int64 {
    if let moment = TimeStyle.milliseconds(iso: word.text) { return moment }
    return now - (try ValueParser.milliseconds(word, of: option))
  }
}
