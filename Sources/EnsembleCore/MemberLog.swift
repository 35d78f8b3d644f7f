package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// Where a member's transactions are written: on a thread in a server, at a simulated time in a simulation.
///
/// What becomes durable is reported to `MemberRunner.onPersisted`, with the generation that `startLog` was given. A
/// report may arrive after its log has been stopped; the generation shows that it is out of date.
package protocol MemberLog: AnyObject {
  /// Begins a new segment with the next transaction.
  ///
  /// - Parameters:
  ///   - last: the transaction that the log ends with on disk.
  ///   - generation: goes into every report of this log.
  func startLog(after last: Zxid, generation: Int)

  /// Adds a transaction; it may wait for others, or for the end of the turn.
  func append(_ entry: TxnHistory.Entry)

  /// Writes and syncs everything that was appended, and ends the log until `startLog`. Nothing is written, and nothing
  /// more reported, once it has returned.
  ///
  /// - Returns: the last transaction that is durable.
  /// - Throws: when something that was appended could not be made durable.
  func stopLog() throws(TxnLogError) -> Zxid
}
