/// The actions of `local` on the servers of a sandbox.
enum LocalAction: String, CaseIterable, Hashable, Sendable {
  case status, kill, restart, pause, resume, partition, heal, delay, drop
  case slowDisk = "slow-disk"
  case clock, expire, trace, record

  /// Refuses options of other actions.
  ///
  /// - Throws: a usage error.
  func check(_ invocation: Invocation) throws(ShellError) {
    if invocation.flag(.jitter), self != .delay { throw .usage("--jitter goes with delay, not with \(rawValue)") }
    if invocation.flag(.follow), self != .trace { throw .usage("--follow goes with trace, not with \(rawValue)") }
    let isRandom = self == .drop || self == .delay && invocation.flag(.jitter)
    if invocation.flag(.seed), !isRandom { throw .usage("--seed goes with drop, and with delay --jitter") }
  }
}
