internal import Jute
internal import ServerCore
internal import TxnLog
internal import ZnodeTree
internal import ZooKeeperProtocol

/// Past states: a snapshot, and the transactions between it and the moment.
extension HistoryDirectory {
  /// The maximum number of restarts because a running server has removed a file.
  private static var restartLimit: Int { 5 }

  /// The state at a moment.
  ///
  /// The newest complete snapshot before the moment is used. A snapshot of Apache's server can include effects of
  /// transactions after the one in its name; if the moment is before these, an older snapshot is used.
  ///
  /// - Throws: `tooEarly`, `beyondEnd` and `noSnapshot` for a moment whose state is not available; `timeWithoutLog`;
  ///   `file` if something cannot be read; `stopped`. Damage is a finding of the state.
  ///
  /// *Complexity*: linear in the snapshot and the part of the log after it. Needs the memory that a server would need.
  package mutating func state(
    at moment: Moment, _ hooks: HistoryHooks = HistoryHooks()
  ) throws(HistoryError) -> PastState {
    for _ in 1..<Self.restartLimit {
      do throws(HistoryError) {
        return try attempt(moment, hooks)
      } catch {
        guard case .file(let failure) = error.code, failure.isOfMissingFile, failure.path != path else { throw error }
        try refresh()
      }
    }
    return try attempt(moment, hooks)
  }

  private mutating func attempt(_ moment: Moment, _ hooks: HistoryHooks) throws(HistoryError) -> PastState {
    let bound = try bound(of: moment, hooks)
    var base = try base(for: bound, hooks)
    if base.isWhole, segments.isEmpty, bound != .last, bound > base.zxid {
      throw HistoryError(.beyondEnd(last: base.zxid), path: path)
    }
    var replay = Replay(base, bound: bound)
    if base.isWhole { try replay.run(&self, hooks) }
    base.findings += replay.findings
    // A new server has no log before its first transaction.
    if segments.isEmpty, base.zxid > .zero { base.findings.append(.noLog(directory: logDirectory)) }
    if base.isWhole, !replay.hasLoss, !replay.hasReachedBound, bound != .last, bound > replay.position {
      throw HistoryError(.beyondEnd(last: replay.position), path: path)
    }
    if base.isWhole, !replay.hasLoss {
      if base.newestEffect > replay.position {
        base.findings.append(.aheadOfLog(snapshot: base.newestEffect, log: replay.position))
      } else if replay.hasMismatch {
        base.findings.append(.digestMismatch(replay.position))
      }
    }
    return PastState(
      tree: base.state.tree, zxid: replay.position, timeMilliseconds: replay.timeMilliseconds,
      sessions: replay.state.sessions, snapshot: base.snapshot, replayedCount: replay.count, findings: base.findings)
  }

  // MARK: The end

  /// The last transaction at a moment, or a zxid between it and the next.
  private func bound(of moment: Moment, _ hooks: HistoryHooks) throws(HistoryError) -> Zxid {
    switch moment {
    case .newest: return .last
    case .at(let zxid): return zxid
    case .before(let zxid):
      guard zxid > .zero else { throw try tooEarly() }
      return Zxid(rawValue: zxid.rawValue - 1)
    case .atTime(let time): return try bound(ofTime: time, hooks)
    case .beforeTime(let time): return try bound(ofTime: time == .min ? time : time - 1, hooks)
    }
  }

  private func bound(ofTime time: Int64, _ hooks: HistoryHooks) throws(HistoryError) -> Zxid {
    guard !segments.isEmpty else { throw HistoryError(.timeWithoutLog, path: path) }
    var last: Zxid?
    var first: Zxid?
    var stream = try TransactionStream(self, from: .time(time), hooks)
    while let item = try stream.next() {
      guard case .transaction(let record) = item else { continue }
      first = first ?? record.zxid
      if record.timeMilliseconds > time {
        guard let last else { break }
        return last
      }
      last = record.zxid
    }
    if last != nil { return .last }
    // The time is before the first transaction in the log. Unless that is the first of all, the state at that time is
    // unknown.
    guard let first, first.isFirstOfAll else { throw try tooEarly() }
    return .zero
  }

  private func tooEarly() throws(HistoryError) -> HistoryError {
    let earliest = snapshots.first?.zxid ?? .zero
    return try tooEarly(earliest: earliest)
  }

  private func tooEarly(earliest: Zxid) throws(HistoryError) -> HistoryError {
    var time: Int64?
    var stream = try TransactionStream(self, from: .zxid(earliest), HistoryHooks())
    while time == nil, let item = try stream.next() {
      if case .transaction(let record) = item { time = record.timeMilliseconds }
    }
    return HistoryError(.tooEarly(earliest: earliest, timeMilliseconds: time), path: path)
  }

  // MARK: The beginning

  /// The start of a replay.
  struct Base {
    var state: RecoveredState
    var snapshot: ZxidFile?
    var zxid: Zxid
    /// The newest transaction whose effects the snapshot includes.
    var newestEffect: Zxid
    var isWhole = true
    /// Whether the snapshot's digest does not match its znodes.
    var hasMismatch = false
    var findings: [HistoryFinding] = []
  }

  /// The newest snapshot without effects after `bound`; without one, an empty tree if the log is complete.
  private func base(for bound: Zxid, _ hooks: HistoryHooks) throws(HistoryError) -> Base {
    var findings: [HistoryFinding] = []
    var damaged: ZxidFile?
    var tooNew: Zxid?
    for candidate in snapshots.reversed() {
      guard candidate.zxid <= bound else {
        tooNew = candidate.zxid
        continue
      }
      var base = try load(candidate, hooks)
      if case .partialSnapshot(let error, _, _)? = base.findings.first {
        damaged = damaged ?? candidate
        findings.append(.skippedSnapshot(error))
      } else if base.newestEffect > bound, base.zxid != base.newestEffect {
        tooNew = base.newestEffect
      } else if base.zxid > bound {
        tooNew = base.zxid
      } else {
        base.findings += findings
        return base
      }
    }
    if let first = try segments.first.flatMap({ segment throws(HistoryError) in
      try firstTransaction(of: segment.path)
    }), first.zxid.isFirstOfAll {
      return Base(state: .empty, zxid: .zero, newestEffect: .zero, findings: findings)
    }
    if let damaged { return try load(damaged, hooks) }
    if let tooNew { throw try tooEarly(earliest: tooNew) }
    throw HistoryError(.noSnapshot, path: path)
  }

  /// Reads a snapshot, or the part of it before its damage, which is then the first finding.
  private func load(_ candidate: ZxidFile, _ hooks: HistoryHooks) throws(HistoryError) -> Base {
    var restore = RecoveredState.emptyRestore
    var zxid = candidate.zxid
    var newest = Zxid.zero
    var count = 0
    var sessions: [SessionID: Int32] = [:]
    var digest: SnapshotDigest?
    var damage: TxnLogError?
    var isStopped = false
    do throws(TxnLogError) {
      var reader = try SnapshotReader(files, path: candidate.path, zxid: zxid)
      for list in reader.aclLists { restore.addACL(key: list.key, list.acl) }
      sessions = Dictionary(reader.sessions.map { ($0.id, $0.timeoutMilliseconds) }, uniquingKeysWith: { $1 })
      while let node = try reader.next() {
        do throws(SnapshotError) {
          try restore.addZnode(path: node.path, data: node.data, aclKey: node.aclKey, stat: node.stat)
        } catch {
          throw TxnLogError(.rejected("\(error.path): \(error.code)"), path: candidate.path)
        }
        newest = max(newest, node.stat.czxid, node.stat.mzxid, node.stat.pzxid)
        count += 1
        if count % HistoryHooks.interval == 0, !hooks.goesOn(count) {
          isStopped = true
          break
        }
      }
      digest = reader.digest
      if let lastProcessed = reader.lastProcessed { newest = max(newest, lastProcessed) }
    } catch {
      if case .fileSystem = error.code { throw HistoryError(error) }
      damage = error
    }
    if isStopped { throw HistoryError(.stopped, path: path) }
    newest = max(newest, digest?.zxid ?? .zero)
    if !candidate.isNamed { zxid = newest }
    let tree: DataTree
    do throws(SnapshotError) {
      tree = try restore.finish(lastProcessedZxid: zxid)
    } catch {
      damage = damage ?? TxnLogError(.rejected("\(error.path): \(error.code)"), path: candidate.path)
      tree = RecoveredState.empty.tree
    }
    var base = Base(
      state: RecoveredState(tree: tree, sessions: sessions), snapshot: candidate, zxid: zxid,
      newestEffect: max(newest, zxid), isWhole: damage == nil)
    if let damage {
      base.findings = [.partialSnapshot(damage, zxid: zxid, znodeCount: tree.znodeCount)]
    } else if let digest, digest.zxid == zxid, zxid > .zero, digest.version == TxnDigest.currentVersion {
      base.hasMismatch = digest.treeDigest != tree.treeDigest
    }
    return base
  }

  // MARK: The way between

  /// Applies the transactions between a snapshot and a moment.
  struct Replay {
    private(set) var state: RecoveredState
    private let bound: Zxid
    /// The last transaction applied.
    private(set) var position: Zxid
    private(set) var timeMilliseconds: Int64?
    private(set) var count = 0
    /// Whether the log continues after the bound.
    private(set) var hasReachedBound = false
    /// Whether the tree differed from the leader's after the last transaction with a digest.
    private(set) var hasMismatch: Bool
    private(set) var findings: [HistoryFinding] = []
    private var isStopped = false

    init(_ base: Base, bound: Zxid) {
      state = base.state
      position = base.zxid
      hasMismatch = base.hasMismatch
      self.bound = bound
    }

    var hasLoss: Bool { findings.contains(where: \.isLoss) }

    /// Applies the available transactions.
    mutating func run(_ directory: inout HistoryDirectory, _ hooks: HistoryHooks) throws(HistoryError) {
      var last: TxnLogError?
      var sameCount = 0
      while true {
        do throws(TxnLogError) {
          try walk(LogWalk(directory.files, segments: directory.segments, after: position), hooks)
          break
        } catch {
          if case .fileSystem = error.code { throw HistoryError(error) }
          if case .rejected = error.code { return findings.append(.damagedLog(error, last: position)) }
          // Bytes that a server is just writing look like damage for a short time.
          sameCount = error == last ? sameCount + 1 : 1
          last = error
          guard error.path == directory.segments.last?.path,
            sameCount < TransactionStream<Files>.sameErrorLimit
          else { return note(error) }
          hooks.pause()
          try directory.refresh()
        }
      }
      if isStopped { throw HistoryError(.stopped, path: directory.path) }
    }

    private mutating func note(_ error: TxnLogError) {
      if case .gap(let after, let next) = error.code {
        if next <= bound { findings.append(.gap(after: after, next: next)) } else { hasReachedBound = true }
      } else {
        findings.append(.damagedLog(error, last: position))
      }
    }

    private mutating func walk(_ walk: LogWalk<Files>, _ hooks: HistoryHooks) throws(TxnLogError) {
      var walk = walk
      // Records after the bound need not be readable.
      while position < bound, let record = try walk.next() {
        guard record.zxid <= bound else {
          hasReachedBound = true
          return
        }
        var reader = JuteReader(record.entry)
        do throws(JuteError) {
          let entry = try TxnEntry(from: &reader)
          state.apply(entry)
          if let digest = entry.digest, digest.version == TxnDigest.currentVersion {
            hasMismatch = digest.treeDigest != state.tree.treeDigest
          }
        } catch {
          throw TxnLogError(
            .rejected("transaction \(record.zxid) cannot be decoded"), path: walk.segmentPath ?? "",
            offset: record.offset)
        }
        position = record.zxid
        timeMilliseconds = record.timeMilliseconds
        count += 1
        if count % HistoryHooks.interval == 0, !hooks.goesOn(count) {
          isStopped = true
          return
        }
      }
    }
  }
}

extension TxnLogError {
  /// Whether a file no longer exists.
  var isOfMissingFile: Bool {
    guard case .fileSystem(let failure) = code else { return false }
    return failure.reason == .notFound
  }
}

extension ZxidFile {
  /// Whether its name contains a zxid.
  var isNamed: Bool {
    let name = String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
    return FileName.zxid(ofSnapshot: name) != nil || FileName.zxid(ofLog: name) != nil
  }
}

extension Zxid {
  /// After every transaction.
  static let last = Zxid(rawValue: .max)

  /// Whether no transaction can precede it: the first of a standalone server, or of the first leader of an ensemble.
  var isFirstOfAll: Bool { rawValue == 1 || epoch == 1 && counter == 1 }
}

extension RecoveredState {
  /// Extended types are enabled even if the server that wrote the files had them disabled, because it then had no such
  /// znodes.
  static var emptyRestore: SnapshotRestore { SnapshotRestore(extendedTypesEnabled: true, digestEnabled: true) }
  /// The state of a new server.
  static var empty: RecoveredState { RecoveredState(tree: DataTree(extendedTypesEnabled: true, digestEnabled: true)) }
}
