/// The timeouts and limits of a member of an ensemble.
///
/// *Source*: `StorageFormat` E.1; `QuorumProtocol` A.6, B.2, B.10.
package struct ZabSettings: Hashable, Sendable {
  /// `tickTime`: a leader sends PING twice in each tick.
  package var tickMilliseconds: Int64 = 3000
  /// `initLimit`: the number of ticks that discovery and synchronization may take.
  package var initLimitTicks: Int64 = 10
  /// `syncLimit`: the number of ticks of silence after which the other side is considered lost.
  package var syncLimitTicks: Int64 = 5
  /// How long a server with a quorum of votes still waits for a better vote. Apache's servers wait 200 ms. The time
  /// that a message takes is enough, and a better vote that arrives later costs another election, never data.
  package var decisionMilliseconds: Int64 = 60
  /// The delay before a notification is sent for the second time.
  package var minNotificationMilliseconds: Int64 = 200
  /// The longest delay before a notification is sent again; the delay doubles up to here.
  package var maxNotificationMilliseconds: Int64 = 3200
  /// The delay between two attempts to connect to a leader that cannot be reached yet.
  package var leaderRetryMilliseconds: Int64 = 50
  /// The number of failed attempts to connect to a leader after which another election is started.
  package var leaderRetryCount = 10
  /// `commitLogCount`: the number of delivered transactions that are kept in memory, to send them to learners.
  package var historyCount = 2000
  /// Upper bound on their total size in bytes.
  package var historyBytes = 32 << 20
  /// Whether a learner that lacks more than is in memory can get it from the log on the leader's disk.
  package var readsLogForLearners = false
  /// `forceSnapshotSync`: every learner is sent the whole tree.
  package var alwaysSendsTree = false
  /// Whether followers have a port for observers, and observers connect there: `observerMasterPort` is set.
  package var hasObserverMasters = false
  /// `observer.election.DelayMs`: below this time an observer that has lost its leader waits before it looks for one.
  /// Apache's default is 200; a driver sets it.
  package var observerElectionMilliseconds: Int64 = 0
  /// `observer.reconnectDelayMs`: below this time an observer waits before it connects to the leader itself.
  package var observerReconnectMilliseconds: Int64 = 0
  /// `reconfigEnabled`: whether the members may change, for which the first configuration needs a version too.
  package var isReconfigEnabled = false
  #if ZAB_MUTATIONS
    /// The bug that is put in on purpose, to test that the simulator finds it.
    package var mutation: ZabMutation?
  #endif

  /// Apache's defaults, except where a property's comment says otherwise.
  package init() {}

  /// `initLimit` in milliseconds.
  package var initMilliseconds: Int64 { milliseconds(initLimitTicks) }
  /// `syncLimit` in milliseconds.
  package var syncMilliseconds: Int64 { milliseconds(syncLimitTicks) }

  /// Converts ticks to milliseconds, limited so that the sum with the current time cannot overflow.
  private func milliseconds(_ ticks: Int64) -> Int64 {
    let (product, overflows) = tickMilliseconds.multipliedReportingOverflow(by: ticks)
    return overflows ? 1 << 60 : min(product, 1 << 60)
  }

  /// Whether a bug is put in; always false in a release build.
  @inline(__always)
  func has(_ mutation: ZabMutation) -> Bool {
    #if ZAB_MUTATIONS
      self.mutation == mutation
    #else
      false
    #endif
  }
}
