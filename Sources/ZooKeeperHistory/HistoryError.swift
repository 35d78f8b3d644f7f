package import TxnLog
package import ZooKeeperProtocol

/// Why a history has no answer at all.
package struct HistoryError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  package enum Code: Hashable, Sendable {
    /// The directory or the file cannot be read.
    case file(TxnLogError)
    /// There is neither a snapshot nor a log.
    case noData
    /// There are transactions, but no snapshot that they follow.
    case noSnapshot
    /// The moment is before everything that can be had, which begins with the state at `earliest`.
    case tooEarly(earliest: Zxid, timeMilliseconds: Int64?)
    /// The moment is after the last transaction.
    case beyondEnd(last: Zxid)
    /// A time says nothing where there are no transactions.
    case timeWithoutLog
    /// The caller did not want to go on.
    case stopped
  }

  package let code: Code
  package let path: String

  package init(_ code: Code, path: String) {
    self.code = code
    self.path = path
  }

  init(_ error: TxnLogError) { self.init(.file(error), path: error.path) }
}

/// What is noticed while a history is read, besides the answer.
package enum HistoryFinding: Hashable, Sendable {
  /// A snapshot cannot be used. An older one, with more of the log, has the same answer.
  case skippedSnapshot(TxnLogError)
  /// No snapshot is whole. The answer is the part before the damage of this one.
  case partialSnapshot(TxnLogError, zxid: Zxid, znodeCount: Int)
  /// The log cannot be read from a place on; `last` is the transaction before it.
  case damagedLog(TxnLogError, last: Zxid)
  /// Transactions between the two are missing.
  case gap(after: Zxid, next: Zxid)
  /// After this transaction, the tree is not the one that the leader had.
  case digestMismatch(Zxid)
  /// The snapshot has effects of transactions up to the first, and the log ends before it.
  case aheadOfLog(snapshot: Zxid, log: Zxid)
  /// There are snapshots but no log beside them.
  case noLog(directory: String)

  /// Whether the answer lacks something because of it.
  package var isLoss: Bool {
    switch self {
    case .skippedSnapshot, .noLog, .aheadOfLog: false
    case .partialSnapshot, .damagedLog, .gap, .digestMismatch: true
    }
  }
}
