package import ZooKeeperProtocol

/// A point in the history of an ensemble, which determines the transactions up to it.
///
/// A time is that of the leader's clock in each transaction. It can decrease from one leader to the next; the
/// transactions up to a time are then all those before the first one with a later time.
package enum Moment: Hashable, Sendable {
  /// After the last transaction.
  case newest
  /// Immediately after a transaction.
  case at(Zxid)
  /// Immediately before a transaction.
  case before(Zxid)
  /// At a time in milliseconds since 1970, including the transactions of that millisecond.
  case atTime(Int64)
  /// At a time in milliseconds since 1970, excluding the transactions of that millisecond.
  case beforeTime(Int64)
}

/// Callbacks while a history is read, which can take seconds.
package struct HistoryHooks: Sendable {
  /// Called regularly with the number of znodes and transactions read so far. Returns whether to continue.
  package var goesOn: @Sendable (_ count: Int) -> Bool
  /// Waits for a short time, because a server is writing the file that is being read.
  package var pause: @Sendable () -> Void

  /// By default, the callbacks do nothing.
  package init(goesOn: @escaping @Sendable (Int) -> Bool = { _ in true }, pause: @escaping @Sendable () -> Void = {}) {
    self.goesOn = goesOn
    self.pause = pause
  }

  /// The number of znodes or transactions between two calls of `goesOn`.
  static let interval = 4096
}
