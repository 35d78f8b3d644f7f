/// The times of an ensemble's member, in milliseconds.
///
/// *Source*: `StorageFormat` E.1; `QuorumProtocol` A.6, B.2, B.10.
package struct ZabSettings: Hashable, Sendable {
  /// `tickTime`: pings go out twice a tick.
  package var tickMilliseconds: Int64 = 3000
  /// `initLimit`: ticks that finding an epoch and synchronizing may take.
  package var initLimitTicks: Int64 = 10
  /// `syncLimit`: ticks of silence after which the other side counts as lost.
  package var syncLimitTicks: Int64 = 5
  /// How long a server with a quorum of votes still waits for a better one. Apache's is 200; it needs no more than a
  /// message takes, and a better vote that comes later costs another election, never data.
  package var decisionMilliseconds: Int64 = 60
  /// The first pause between two rounds of the same vote.
  package var minNotificationMilliseconds: Int64 = 200
  /// The longest pause between two rounds of the same vote; it doubles up to here.
  package var maxNotificationMilliseconds: Int64 = 3200
  /// Between two calls of a leader that does not answer yet.
  package var leaderRetryMilliseconds: Int64 = 50
  /// Calls of a leader before another election.
  package var leaderRetryCount = 10
  /// Transactions kept in memory to bring learners up to date with: `commitLogCount`.
  package var historyCount = 2000
  /// Their bytes at most.
  package var historyBytes = 32 << 20
  /// `reconfigEnabled`: the ensemble may change, so that its first configuration needs a version, too.
  package var isReconfigEnabled = false
  #if ZAB_MUTATIONS
    /// The bug that is put in on purpose, for the tests of the simulator.
    package var mutation: ZabMutation?
  #endif

  /// Apache's values, but where they say otherwise.
  package init() {}

  /// How long a member may take to come up to date.
  package var initMilliseconds: Int64 { milliseconds(initLimitTicks) }
  /// How long a member may be silent.
  package var syncMilliseconds: Int64 { milliseconds(syncLimitTicks) }

  /// So many ticks; no more than leaves room for a point in time.
  private func milliseconds(_ ticks: Int64) -> Int64 {
    let (product, overflows) = tickMilliseconds.multipliedReportingOverflow(by: ticks)
    return overflows ? 1 << 60 : min(product, 1 << 60)
  }

  /// Whether a bug is put in; never in a release build.
  @inline(__always)
  func has(_ mutation: ZabMutation) -> Bool {
    #if ZAB_MUTATIONS
      self.mutation == mutation
    #else
      false
    #endif
  }
}
