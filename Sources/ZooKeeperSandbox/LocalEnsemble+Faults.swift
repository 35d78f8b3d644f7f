import Synchronization
import ZooKeeperServer

/// Injects faults.
///
/// All functions except `status` return when the servers have recovered: those that can form a quorum have a leader and
/// serve clients, and the others do not serve.
extension LocalEnsemble {
  /// How long the servers may take to recover from a fault.
  private static let settleLimit = Duration.seconds(20)

  /// The states of the servers, in the order of their ids.
  public func status() async -> [LocalMember] {
    let (lives, faults) = (lives.withLock { $0 }, faults.withLock { $0 })
    var members: [LocalMember] = []
    for (index, life) in lives.enumerated() {
      let id = index + 1
      var member = LocalMember(
        id: id, state: .killed, isServing: false, address: plan.address(of: id),
        cutOff: faults[index].severed.map(Int.init).sorted())
      member.take(faults[index])
      switch life {
      case .running(let node):
        member.state = .running
        let status = await node.status()
        member.role = status?.role
        member.isServing = status?.isServing ?? false
        member.zxid = status?.zxid
        member.sessions = status?.sessionCount
        member.connections = status?.connectionCount
        member.followers = status?.syncedFollowers.map(Int.init) ?? []
        if let status, status.isServing, status.role == "leader" {
          voters.withLock { $0 = Set(status.voters.map(Int.init)) }
        }
      case .paused: member.state = .paused
      case .killed: break
      }
      members.append(member)
    }
    return members
  }

  /// Ends a server as a crash would.
  ///
  /// - Throws: when it is not running.
  public func kill(_ id: Int) async throws(SandboxError) {
    switch try life(of: id) {
    case .running(let node), .paused(let node):
      setLife(of: id, .killed)
      await node.kill()
    case .killed: throw SandboxError("server \(id) is not running", hint: "restart it first")
    }
  }

  /// Starts a server again on its data; a running one is stopped first.
  ///
  /// - Throws: if it cannot start.
  public func restart(_ id: Int) async throws(SandboxError) {
    switch try life(of: id) {
    case .running(let node): await node.stop()
    case .paused(let node): await node.kill()
    case .killed: break
    }
    setLife(of: id, .killed)
    let faults = faults.withLock { $0[id - 1] }
    let node = try await Self.start(plan, id, faults, recorder, log)
    setLife(of: id, .running(node))
    // A trace may have begun or ended while it started.
    await node.trace(recorder.tap(of: id))
  }

  /// Pauses a server, as SIGSTOP does: its connections stay open, and it does not answer.
  ///
  /// - Throws: when it is not running.
  public func pause(_ id: Int) async throws(SandboxError) {
    switch try life(of: id) {
    case .running(let node):
      await node.pause()
      setLife(of: id, .paused(node))
    case .paused: throw SandboxError("server \(id) is already paused", hint: "resume it first")
    case .killed: throw SandboxError("server \(id) is not running", hint: "restart it first")
    }
  }

  /// Resumes a paused server.
  ///
  /// - Throws: if it is not paused.
  public func resume(_ id: Int) async throws(SandboxError) {
    guard case .paused(let node) = try life(of: id) else { throw SandboxError("server \(id) is not paused") }
    setLife(of: id, .running(node))
    node.resume()
  }

  /// Blocks the traffic between groups of servers. Servers that are in no group form another one.
  public func partition(_ groups: [Set<Int>]) async {
    let rest = Set(1...size).subtracting(groups.reduce(into: Set<Int>()) { $0.formUnion($1) })
    let all = rest.isEmpty ? groups : groups + [rest]
    self.groups.withLock { $0 = all }
    faults.withLock { faults in
      for index in faults.indices {
        let severed = all.filter { !$0.contains(index + 1) }.reduce(into: Set<Int>()) { $0.formUnion($1) }
        faults[index].severed = Set(severed.map(Int64.init))
      }
    }
    await applyFaults()
  }

  /// Ends all faults of the network: partitions, delays, and messages that break connections.
  public func heal() async {
    faults.withLock { faults in for index in faults.indices { faults[index].links = [:] } }
    await partition([Set(1...size)])
  }

  /// Waits until the servers have recovered from the last change.
  ///
  /// - Returns: false if they have not recovered within a time limit.
  public func settle() async -> Bool {
    let deadline = ContinuousClock.now + Self.settleLimit
    while !Task.isCancelled {
      if isSettled(await status()) { return true }
      guard ContinuousClock.now < deadline else { return false }
      try? await Task.sleep(for: .milliseconds(2))
    }
    return false
  }

  /// Whether a quorum of the servers is alive and connected.
  public var hasQuorum: Bool { quorum != nil }

  /// The servers that run and reach each other, if they can form a quorum.
  private var quorum: Set<Int>? {
    let lives = lives.withLock { $0 }
    let running = Set((1...size).filter { if case .running = lives[$0 - 1] { true } else { false } })
    let voters = voters.withLock { $0 }
    return groups.withLock { $0 }.map { $0.intersection(running) }.first {
      $0.intersection(voters).count > voters.count / 2
    }
  }

  private func isSettled(_ members: [LocalMember]) -> Bool {
    let (quorum, voters) = (quorum ?? [], voters.withLock { $0 })
    let leaders = members.filter { $0.isServing && ["leader", "standalone"].contains($0.role) }
    // A server that was just resumed may not know yet that its leader has dropped it, so the leader is asked. A server
    // that was removed by a reconfiguration may serve or not.
    return members.allSatisfy {
      $0.state != .running || !voters.contains($0.id) || $0.isServing == quorum.contains($0.id)
    }
      && leaders.count == (quorum.isEmpty ? 0 : 1)
      && leaders.allSatisfy { quorum.intersection(voters).isSubset(of: $0.followers + [$0.id]) }
  }

  /// Whether a server runs.
  ///
  /// - Throws: if there is no such server.
  func life(of id: Int) throws(SandboxError) -> Life {
    guard (1...size).contains(id) else {
      throw SandboxError(
        "there is no server \(id)",
        hint: size == 1 ? "this sandbox has only server 1" : "this ensemble has the servers 1 to \(size)")
    }
    return lives.withLock { $0[id - 1] }
  }

  private func setLife(of id: Int, _ life: Life) { lives.withLock { $0[id - 1] = life } }
}
