package import TxnLog
package import ZooKeeperProtocol

/// Why a history has no answer.
package struct HistoryError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  package enum Code: Hashable, Sendable {
    /// The directory or the file cannot be read.
    case file(TxnLogError)
    /// There is neither a snapshot nor a log.
    case noData
    /// There are transactions, but no snapshot that they follow.
    case noSnapshot
    /// The moment is before the earliest available state, which is that at `earliest`.
    case tooEarly(earliest: Zxid, timeMilliseconds: Int64?)
    /// The moment is after the last transaction.
    case beyondEnd(last: Zxid)
    /// A time was given, but there are no transactions, which alone have times.
    case timeWithoutLog
    /// The caller has stopped the operation.
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

/// Findings in addition to the answer.
package enum HistoryFinding: Hashable, Sendable {
  /// A snapshot cannot be used. An older one, with more of the log, gives the same answer.
  case skippedSnapshot(TxnLogError)
  /// No snapshot is complete. The answer is the part of this one before its damage.
  case partialSnapshot(TxnLogError, zxid: Zxid, znodeCount: Int)
  /// The log is damaged from some position on; `last` is the transaction before it.
  case damagedLog(TxnLogError, last: Zxid)
  /// Transactions between the two are missing.
  case gap(after: Zxid, next: Zxid)
  /// After this transaction, the tree differs from the leader's.
  case digestMismatch(Zxid)
  /// The snapshot includes effects of transactions up to `snapshot`, but the log ends before it.
  case aheadOfLog(snapshot: Zxid, log: Zxid)
  /// There are snapshots, but no log.
  case noLog(directory: String)

  /// Whether the answer is incomplete because of it.
  package var isLoss: Bool {
    switch self {
    case .skippedSnapshot, .noLog, .aheadOfLog: false
    case .partialSnapshot, .damagedLog, .gap, .digestMismatch: true
    }
  }
}
