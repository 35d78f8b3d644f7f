import TxnLog
import ZooKeeperHistory
import ZooKeeperProtocol

/// The actions of `log`, which shows the transactions in a data directory.
enum LogAction: String, CaseIterable, Hashable, Sendable {
  case show, tail, who, stat

  /// The options that it takes in addition to the directory of the logs.
  var options: [OptionName] {
    switch self {
    case .show: [.since, .until, .path, .recursive, .session, .operation, .withData, .audit]
    case .tail: [.count, .follow, .path, .recursive, .session, .operation, .withData, .audit]
    case .who: [.since, .until, .recursive, .session, .operation, .withData, .audit]
    case .stat: [.since, .until]
    }
  }
}

/// log.
extension CommandContext {
  /// The kinds of operations that `--op` names.
  static let operationNames: [(name: String, opCodes: [OpCode])] = [
    ("create", [.create, .create2, .createContainer, .createTTL]), ("delete", [.delete, .deleteContainer]),
    ("set", [.setData, .reconfig]), ("setAcl", [.setACL]), ("createSession", [.createSession]),
    ("closeSession", [.closeSession]), ("error", [.error]),
  ]

  /// Shows transactions.
  func log() async throws -> ExitCode {
    let word = try ValueParser.choice(invocation.arguments[0], of: "action", among: LogAction.allCases.map(\.rawValue))
    let action = LogAction(rawValue: word)!
    let allowed = action.options + [.logDir]
    if let other = invocation.options.keys.filter({ name in
      invocation.spec.options.contains { $0.name == name } && !allowed.contains(name)
    }).map(\.rawValue).min() {
      throw ShellError.usage("log \(word) has no option --\(other)", hint: "help log lists the options of each action")
    }
    if action != .who, let surplus = invocation.argument(2) {
      throw ShellError.usage("unexpected argument: \(Tokenizer.quote(surplus))", hint: "--path limits log \(word)")
    }
    let history = try history(invocation.arguments[1])
    do {
      switch action {
      case .show: return try showLog(history, try filter())
      case .who: return try showWriters(history)
      case .tail: return try await tailLog(history, try filter())
      case .stat: return try summarizeLog(history, try filter())
      }
    } catch let error as HistoryError {
      throw ShellError(error)
    }
  }

  /// The filter for the transactions that the options ask for.
  private func filter() throws(ShellError) -> TxnFilter {
    var filter = TxnFilter()
    if let word = invocation.value(.path) { filter.path = try ValueParser.path(word, in: "/") }
    filter.includesDescendants = invocation.flag(.recursive)
    if let word = invocation.value(.session) {
      filter.session = SessionID(rawValue: try ValueParser.hexVersion(word, of: "--session"))
    }
    if let words = invocation.options[.operation] {
      var opCodes: Set<OpCode> = []
      for word in words {
        let name = try ValueParser.choice(word, of: "--op", among: Self.operationNames.map(\.name))
        opCodes.formUnion(Self.operationNames.first { $0.name == name }?.opCodes ?? [])
      }
      filter.opCodes = opCodes
    }
    var (first, last) = (Zxid(rawValue: .min), Zxid(rawValue: .max))
    var (from, to) = (Int64.min, Int64.max)
    switch try moment(.since) {
    case .at(let zxid)?: first = zxid
    case .atTime(let time)?: from = time
    default: break
    }
    switch try moment(.until) {
    case .at(let zxid)?: last = zxid
    case .atTime(let time)?: to = time
    default: break
    }
    guard first <= last, from <= to else { throw .usage("--since is after --until") }
    (filter.zxids, filter.times) = (first...last, from...to)
    return filter
  }

  /// The position at which to start reading.
  private func start(_ filter: TxnFilter) -> TransactionStream<PosixFileSystem>.Start {
    if filter.zxids.lowerBound > .zero { return .zxid(filter.zxids.lowerBound) }
    return filter.times.lowerBound > .min ? .time(filter.times.lowerBound) : .beginning
  }

  /// An empty batch with the columns that the options ask for.
  private func emptyBatch(_ filter: TxnFilter) throws(ShellError) -> TransactionBatch {
    var batch = TransactionBatch()
    batch.filter = filter
    batch.showsData = invocation.flag(.withData)
    if let word = invocation.value(.audit) {
      batch.users = try AuditFile.users(try ValueParser.text(word, of: "--audit"))
    }
    return batch
  }

  /// How many bytes of transactions are rendered together.
  private static let batchBytes = 256 << 10

  /// Reads the log and calls `body` with each matching transaction until it returns false.
  ///
  /// - Returns: whether anything was missing.
  private func read(
    _ stream: inout TransactionStream<PosixFileSystem>, _ filter: TxnFilter,
    _ body: (UnsafeRawBufferPointer, TxnOutline) throws -> Bool
  ) throws -> Bool {
    var hasLoss = false
    while let item = try stream.next() {
      switch item {
      case .finding(let finding):
        // A gap before the first matching transaction does not matter.
        if case .gap(_, let next) = finding, !filter.zxids.contains(next) { continue }
        hasLoss = hasLoss || finding.isLoss
        try emit(.warning(finding.sentence))
      case .transaction(let record):
        if record.zxid > filter.zxids.upperBound { return hasLoss }
        guard let outline = TxnOutline(record.entry), filter.includes(outline) else { continue }
        if try !body(record.entry, outline) { return hasLoss }
      }
    }
    return hasLoss
  }

  private func showLog(_ history: LocalHistory, _ filter: TxnFilter) throws -> ExitCode {
    progress.begin("read", "transactions")
    var stream = try TransactionStream(history, from: start(filter), hooks)
    var batch = try emptyBatch(filter)
    let hasLoss = try read(&stream, filter) { entry, _ in
      batch.append(entry)
      if batch.byteCount >= Self.batchBytes {
        try emit(.past(.transactions(batch)))
        batch.removeAll()
      }
      return true
    }
    try emit(.past(.transactions(batch)))
    return hasLoss ? .partial : .success
  }

  /// Prints which sessions have changed a znode, and how to see it again if it was deleted.
  private func showWriters(_ history: LocalHistory) throws -> ExitCode {
    guard let word = invocation.argument(2) else { throw ShellError.missing("argument", "path", of: invocation.spec) }
    let path = try ValueParser.path(word, in: "/")
    var shown = try filter()
    shown.path = path
    var read = shown
    read.includesDescendants = true
    read.opCodes = nil
    var batch = try emptyBatch(shown)
    var deletion = DeletionRun(path: path)
    var count = 0
    progress.begin("read", "transactions")
    var stream = try TransactionStream(history, from: start(shown), hooks)
    let hasLoss = try self.read(&stream, read) { entry, outline in
      deletion.note(outline, read)
      guard shown.includes(outline) else { return true }
      count += 1
      batch.append(entry)
      if batch.byteCount >= Self.batchBytes {
        try emit(.past(.transactions(batch)))
        batch.removeAll()
      }
      return true
    }
    try emit(.past(.transactions(batch)))
    if let advice = deletion.advice(Tokenizer.quote(invocation.arguments[1])) { try emit(.past(.advice(advice))) }
    return hasLoss ? .partial : count > 0 ? .success : .no
  }

  private func tailLog(_ history: LocalHistory, _ filter: TxnFilter) async throws -> ExitCode {
    let limit = try invocation.value(.count).map { word throws(ShellError) in
      Int(try ValueParser.integer(word, of: "--count", in: 0...1_000_000))
    }
    let wanted = limit ?? 10
    var batch = try emptyBatch(filter)
    var last: [[UInt8]] = []
    var hasLoss = false
    var segmentCount = 1
    var stream = try TransactionStream(history, from: .lastSegments(segmentCount), hooks)
    while true {
      var buffer = RecentEntries(limit: wanted)
      hasLoss = try read(&stream, filter) { entry, _ in
        buffer.add(entry)
        return true
      }
      last = buffer.inOrder
      guard last.count < wanted, segmentCount < history.segments.count else { break }
      // These segments were not enough, so start with earlier ones.
      segmentCount *= 4
      stream = try TransactionStream(history, from: .lastSegments(segmentCount), hooks)
    }
    for entry in last { entry.withUnsafeBytes { batch.append($0) } }
    try emit(.past(.transactions(batch)))
    guard invocation.flag(.follow) else { return hasLoss ? .partial : .success }
    while true {
      try flush()
      try await Task.sleep(for: .milliseconds(200))
      try stream.refresh()
      batch.removeAll()
      _ = try read(&stream, filter) { entry, _ in
        batch.append(entry)
        return true
      }
      if batch.byteCount > 0 { try emit(.past(.transactions(batch))) }
    }
  }

  private func summarizeLog(_ history: LocalHistory, _ filter: TxnFilter) throws -> ExitCode {
    progress.begin("read", "transactions")
    var stream = try TransactionStream(history, from: start(filter), hooks)
    var summary = LogSummary()
    let hasLoss = try read(&stream, filter) { entry, outline in
      summary.add(outline, byteCount: entry.count)
      return true
    }
    try emit(.record(summary.record(history)))
    return hasLoss ? .partial : .success
  }
}

/// The last entries of a long sequence.
private struct RecentEntries {
  let limit: Int
  private var entries: [[UInt8]] = []
  private var next = 0

  init(limit: Int) { self.limit = limit }

  mutating func add(_ entry: UnsafeRawBufferPointer) {
    guard limit > 0 else { return }
    if entries.count < limit { return entries.append([UInt8](entry)) }
    entries[next] = [UInt8](entry)
    next = (next + 1) % limit
  }

  var inOrder: [[UInt8]] { [[UInt8]](entries[next...] + entries[..<next]) }
}

/// The consecutive deletes that ended with that of a znode. The state before the first of them is the one that was
/// lost.
struct DeletionRun {
  private let path: String
  private let own: TxnFilter
  private var start: Zxid?
  private var end: Zxid?
  private var session: SessionID?
  private var lastMilliseconds: Int64 = 0

  /// Deletes of one session that are further apart do not belong to the same run.
  private static let pauseMilliseconds: Int64 = 60_000

  init(path: String) {
    self.path = path
    var own = TxnFilter()
    own.path = path
    self.own = own
  }

  /// Records a transaction with changes under the znode.
  mutating func note(_ outline: TxnOutline, _ filter: TxnFilter) {
    outline.forEachOperation { operation in
      guard filter.includes(operation) else { return true }
      guard operation.opCode == .delete || operation.opCode == .deleteContainer else {
        (start, end) = (nil, nil)
        return true
      }
      let header = outline.header
      let isApart = header.timeMilliseconds &- lastMilliseconds > Self.pauseMilliseconds
      if start == nil || session != header.sessionID || isApart { start = header.zxid }
      (session, lastMilliseconds) = (header.sessionID, header.timeMilliseconds)
      if own.includes(operation) { end = header.zxid }
      return true
    }
  }

  /// How to see the znode again; nil if it was not deleted.
  func advice(_ directory: String) -> String? {
    guard let start, let end else { return nil }
    let place = "\(directory) \(Tokenizer.quote(Word(path))) --before \(start)"
    return "deleted by \(end); snap tree \(place) shows it as it was, and undelete \(place) brings it back"
  }
}
