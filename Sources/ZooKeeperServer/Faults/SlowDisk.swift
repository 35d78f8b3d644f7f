import Synchronization

/// How much longer syncs of the log take than the disk needs: the disk of a server of a local ensemble can be slow.
///
/// *Thread*: any.
final class SlowDisk: Sendable {
  private let nanoseconds = Atomic<UInt64>(0)

  /// 0 for none.
  var delayNanoseconds: UInt64 { nanoseconds.load(ordering: .relaxed) }

  /// Lets syncs that begin from now on take this much longer, and those that are waiting end.
  func set(_ delay: Duration) {
    let (seconds, attoseconds) = delay.components
    nanoseconds.store(
      UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds)) / 1_000_000_000, ordering: .relaxed)
  }
}
