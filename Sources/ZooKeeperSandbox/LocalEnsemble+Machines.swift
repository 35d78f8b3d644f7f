import Synchronization
import ZooKeeperServer

/// Faults of the network and of the machines: slow and broken links, slow disks, wrong clocks.
///
/// They last until they are changed, also while a server is killed, restarted or paused. Each function returns when the
/// servers have the fault, and does not wait for its consequences.
extension LocalEnsemble {
  /// The longest delay of a message or of a disk.
  public static let longestDelay = Duration.seconds(60)
  /// The most by which a clock can be wrong: ten years.
  public static let largestClockOffset = Duration.seconds(10 * 365 * 24 * 3600)

  /// Lets each message between servers arrive later. The messages of a connection stay in their order.
  ///
  /// - Parameters:
  ///   - delay: how much later, in each direction; with a `jitter` of zero too, the servers' messages are quick again.
  ///   - jitter: the most by which the delay of a message differs from that.
  ///   - servers: those between which messages are slow; if it is one, those between it and all others; if none is
  ///     given, those between all servers.
  ///   - seed: what the delays are derived from where there is a jitter; nil takes any.
  /// - Returns: the seed.
  /// - Throws: when there is no such server or link, or the time is negative or too long.
  @discardableResult
  public func delay(
    _ delay: Duration, jitter: Duration = .zero, among servers: Set<Int> = [], seed: UInt64? = nil
  ) async throws(SandboxError) -> UInt64 {
    try Self.check(delay, of: "the delay")
    try Self.check(jitter, of: "the jitter")
    guard jitter <= delay else {
      throw SandboxError("the jitter is longer than the delay", isConfiguration: true)
    }
    return try await changeLinks(among: servers, isRandom: jitter > .zero, seed) {
      $0.delay = delay
      $0.jitter = jitter
    }
  }

  /// Lets messages between servers break their connection instead of arriving, so that the servers must connect again.
  ///
  /// TCP loses nothing on a connection that goes on: a network that loses packets makes it slow, and then ends it. So
  /// this is what servers can see of such losses.
  ///
  /// - Parameters:
  ///   - probability: of each message, from 0, which ends the fault, to 1.
  ///   - servers: as for `delay`.
  ///   - seed: what the decisions are derived from; nil takes any.
  /// - Returns: the seed.
  /// - Throws: when there is no such server or link, or the probability is none.
  @discardableResult
  public func breakConnections(
    probability: Double, among servers: Set<Int> = [], seed: UInt64? = nil
  ) async throws(SandboxError) -> UInt64 {
    guard (0...1).contains(probability) else {
      throw SandboxError("\(probability) is not a probability", hint: "it must be from 0 to 1", isConfiguration: true)
    }
    return try await changeLinks(among: servers, isRandom: probability > 0, seed) { $0.breakProbability = probability }
  }

  /// Lets each sync of the log take longer, on these servers or, if none is given, on all.
  ///
  /// - Throws: when there is no such server, or the time is negative or too long.
  public func slowDisk(_ delay: Duration, of servers: Set<Int> = []) async throws(SandboxError) {
    try Self.check(delay, of: "the delay")
    try await change(servers) { $0.syncDelay = delay }
  }

  /// Sets the wall clocks of these servers or, if none is given, of all to a time before or after the machine's.
  ///
  /// Times of znodes and of reports are wrong then. The lengths of time, as of sessions, are not.
  ///
  /// - Parameter offset: what is added to the machine's time.
  /// - Throws: when there is no such server, or the clock would be wrong by more than ten years.
  public func setClock(ahead offset: Duration, of servers: Set<Int> = []) async throws(SandboxError) {
    guard (.zero - Self.largestClockOffset...Self.largestClockOffset).contains(offset) else {
      throw SandboxError("a clock cannot be wrong by more than ten years", isConfiguration: true)
    }
    try await change(servers) { $0.clockOffset = offset }
  }

  /// Ends a session as the leader does when it has not heard from the client for the session's timeout.
  ///
  /// - Throws: when there is no such session, or no leader that could end it.
  public func expire(session: Int64) async throws(SandboxError) {
    let nodes = lives.withLock { $0 }.compactMap { if case .running(let node) = $0 { node } else { nil } }
    var hasLeader = false
    for node in nodes {
      let status = await node.status()
      guard let status, status.isServing, ["leader", "standalone"].contains(status.role) else { continue }
      hasLeader = true
      guard await node.expire(session) else { continue }
      let deadline = ContinuousClock.now + Self.longestDelay
      while await node.hasSession(session) == true, ContinuousClock.now < deadline {
        do { try await Task.sleep(for: .milliseconds(2)) } catch { return }
      }
      return
    }
    guard hasLeader else { throw SandboxError("there is no leader", hint: "only a leader ends sessions") }
    throw SandboxError("there is no session 0x\(String(UInt64(bitPattern: session), radix: 16))")
  }

  // MARK: Changes

  /// Has all servers take the faults that they are to have.
  func applyFaults() async {
    let faults = faults.withLock { $0 }
    for (index, life) in lives.withLock({ $0 }).enumerated() {
      switch life {
      case .running(let node), .paused(let node): await node.apply(faults[index])
      case .killed: break
      }
    }
  }

  private func change(
    _ servers: Set<Int>, _ body: (inout ServerFaults) -> Void
  ) async throws(SandboxError) {
    for id in servers { _ = try life(of: id) }
    faults.withLock { faults in
      for index in faults.indices where servers.isEmpty || servers.contains(index + 1) { body(&faults[index]) }
    }
    await applyFaults()
  }

  private func changeLinks(
    among servers: Set<Int>, isRandom: Bool, _ seed: UInt64?, _ body: (inout ServerFaults.Link) -> Void
  ) async throws(SandboxError) -> UInt64 {
    for id in servers { _ = try life(of: id) }
    guard size > 1 else {
      throw SandboxError("a single server has no links to others", hint: "start an ensemble, such as --local 3")
    }
    let isOfLink: (Int, Int) -> Bool = { own, other in
      switch servers.count {
      case 0: true
      case 1: servers.contains(own) || servers.contains(other)
      default: servers.contains(own) && servers.contains(other)
      }
    }
    let used = faults.withLock { faults -> UInt64 in
      let used = seed ?? (isRandom ? UInt64(UInt32.random(in: .min ... .max)) : faults[0].seed)
      for index in faults.indices {
        faults[index].seed = used
        for other in faults.indices where other != index && isOfLink(index + 1, other + 1) {
          body(&faults[index].links[Int64(other + 1), default: ServerFaults.Link()])
        }
        faults[index].links = faults[index].links.filter { $0.value != ServerFaults.Link() }
      }
      return used
    }
    await applyFaults()
    return used
  }

  private static func check(_ time: Duration, of name: String) throws(SandboxError) {
    guard (.zero...longestDelay).contains(time) else {
      throw SandboxError("\(name) cannot be \(time)", hint: "it must be from 0 to 60 s", isConfiguration: true)
    }
  }
}

extension LocalMember {
  /// Takes over what the server suffers from.
  mutating func take(_ faults: ServerFaults) {
    diskDelay = faults.syncDelay
    clockOffset = faults.clockOffset
    faultyLinks = faults.links.sorted { $0.key < $1.key }.map { id, link in
      Link(id: Int(id), delay: link.delay, jitter: link.jitter, breakProbability: link.breakProbability)
    }
  }
}
