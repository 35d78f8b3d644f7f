package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// The log of a member: written by a thread in a server, and at a simulated time in the simulator.
///
/// What becomes durable is reported to `MemberRunner.onPersisted`, with the generation that `startLog` was given. A
/// report may arrive after its log has been stopped; the generation shows that it is out of date.
package protocol MemberLog: AnyObject {
  /// Starts a generation of the log, with a new segment for the next transaction.
  ///
  /// - Parameters:
  ///   - last: the transaction that the log ends with on disk.
  ///   - generation: passed on in every report of this log.
  func startLog(after last: Zxid, generation: Int)

  /// Appends a transaction. Writing it may be delayed to the end of the turn, or until other transactions are written.
  func append(_ entry: TxnHistory.Entry)

  /// Writes and syncs everything that was appended, and ends the log until `startLog`. Nothing is written after it has
  /// returned.
  ///
  /// - Returns: the last transaction that is durable.
  /// - Throws: when something that was appended could not be made durable.
  func stopLog() throws(TxnLogError) -> Zxid
}
