import Synchronization
import ZooKeeperServer

/// Faults of the network and of the machines: slow and broken links, slow disks, wrong clocks.
///
/// They last until they are changed, even if a server is killed, restarted or paused. Each function returns when the
/// fault is active, and does not wait for its consequences.
extension LocalEnsemble {
  /// The maximum delay of a message or of a disk.
  public static let longestDelay = Duration.seconds(60)
  /// The maximum offset of a clock: ten years.
  public static let largestClockOffset = Duration.seconds(10 * 365 * 24 * 3600)

  /// Delays each message between servers. The messages of a connection stay in order.
  ///
  /// - Parameters:
  ///   - delay: the delay in each direction; zero, with a `jitter` of zero, ends the fault.
  ///   - jitter: the maximum deviation of the delay of a message, in both directions.
  ///   - servers: the servers whose messages to each other are delayed; for one server, all its messages; if empty,
  ///     those of all servers.
  ///   - seed: the seed of the random delays with a jitter; nil for a random one.
  /// - Returns: the seed.
  /// - Throws: if there is no such server or link, or the time is negative or too long.
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

  /// Breaks connections between servers: a message breaks its connection with a given probability instead of arriving,
  /// so that the servers must connect again.
  ///
  /// TCP does not lose data on a working connection. A network that loses packets makes the connection slow, and
  /// finally breaks it, which is what servers see of such losses.
  ///
  /// - Parameters:
  ///   - probability: the probability for each message, from 0, which ends the fault, to 1.
  ///   - servers: as for `delay`.
  ///   - seed: the seed of the random decisions; nil for a random one.
  /// - Returns: the seed.
  /// - Throws: if there is no such server or link, or the probability is not valid.
  @discardableResult
  public func breakConnections(
    probability: Double, among servers: Set<Int> = [], seed: UInt64? = nil
  ) async throws(SandboxError) -> UInt64 {
    guard (0...1).contains(probability) else {
      throw SandboxError("\(probability) is not a probability", hint: "it must be from 0 to 1", isConfiguration: true)
    }
    return try await changeLinks(among: servers, isRandom: probability > 0, seed) { $0.breakProbability = probability }
  }

  /// Delays each sync of the log on these servers, or on all if none is given.
  ///
  /// - Throws: if there is no such server, or the time is negative or too long.
  public func slowDisk(_ delay: Duration, of servers: Set<Int> = []) async throws(SandboxError) {
    try Self.check(delay, of: "the delay")
    try await change(servers) { $0.syncDelay = delay }
  }

  /// Sets the wall clocks of these servers, or of all if none is given, ahead of the machine's clock or back.
  ///
  /// Times of znodes and of reports are then wrong, but time spans, such as those of sessions, are not affected.
  ///
  /// - Parameter offset: the offset that is added to the machine's time.
  /// - Throws: if there is no such server, or the offset is more than ten years.
  public func setClock(ahead offset: Duration, of servers: Set<Int> = []) async throws(SandboxError) {
    guard (.zero - Self.largestClockOffset...Self.largestClockOffset).contains(offset) else {
      throw SandboxError("a clock cannot be wrong by more than ten years", isConfiguration: true)
    }
    try await change(servers) { $0.clockOffset = offset }
  }

  /// Ends a session as the leader does if it has not heard from the client for the session's timeout.
  ///
  /// - Throws: if there is no such session, or no leader that could end it.
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

  /// Applies the present faults to all servers.
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
  /// Sets the faults of the server.
  mutating func take(_ faults: ServerFaults) {
    diskDelay = faults.syncDelay
    clockOffset = faults.clockOffset
    faultyLinks = faults.links.sorted { $0.key < $1.key }.map { id, link in
      Link(id: Int(id), delay: link.delay, jitter: link.jitter, breakProbability: link.breakProbability)
    }
  }
}
