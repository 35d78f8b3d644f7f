package import ZooKeeperProtocol

/// A point in the history of an ensemble: which transactions have happened by then.
///
/// A time is that of a leader's clock, which every transaction has. Clocks can go back between two leaders; what has
/// happened by a time is then everything before the first transaction of a later time.
package enum Moment: Hashable, Sendable {
  /// After the last transaction.
  case newest
  /// Right after a transaction.
  case at(Zxid)
  /// Right before a transaction.
  case before(Zxid)
  /// At a time, in milliseconds since 1970, with all transactions of that millisecond.
  case atTime(Int64)
  /// At a time, in milliseconds since 1970, without the transactions of that millisecond.
  case beforeTime(Int64)
}

/// What a caller does while a history is read, which may take seconds.
package struct HistoryHooks: Sendable {
  /// Is told now and then how many znodes and transactions have been read, and says whether to go on.
  package var goesOn: @Sendable (_ count: Int) -> Bool
  /// Waits a little: a server is writing what is being read.
  package var pause: @Sendable () -> Void

  /// Without arguments, nothing is done.
  package init(goesOn: @escaping @Sendable (Int) -> Bool = { _ in true }, pause: @escaping @Sendable () -> Void = {}) {
    self.goesOn = goesOn
    self.pause = pause
  }

  /// So many znodes or transactions are read between two calls of `goesOn`.
  static let interval = 4096
}
