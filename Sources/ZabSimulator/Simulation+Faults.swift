import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// The faults of a simulation.
extension Simulation {
  /// Draws a fault, and causes it.
  func onFault() {
    guard !faultsAreOver else { return }
    report.faultCount += 1
    let victim = servers[random.index(servers.count)]
    trace.mix(victim.id.rawValue)
    let interval = options.faultIntervalMilliseconds * 1000
    defer { queue.push(.fault, at: now + random.number(1...(2 * interval))) }
    if options.leadersPause, random.chance(800) {
      // While one is paused, the next one leads in peace.
      guard !servers.contains(where: \.isPaused) else { return }
      return servers.filter { $0.member?.zab.role == .leading }.forEach { pause($0, for: 1_200_000...2_500_000) }
    }
    if options.clocksJump, random.chance(100) { return jumpClock(leaderOr(victim)) }
    switch random.index(100) {
    case 0..<18: if victim.isUp { crash(victim) }
    case 18..<40: armCrash(victim)
    case 40..<55: partition(victim)
    case 55..<68: cutOneWay(victim)
    case 68..<80: breakSomeLink()
    case 80..<90: pause(leaderOr(victim))
    case 90..<92: failDisk(victim)
    case 92..<95: if let leader = servers.first(where: { $0.member?.zab.role == .leading }) { crash(leader) }
    case 95..<98: slowDown(victim)
    default: dropSomeClient()
    }
  }

  /// Lets a clock of a server jump: the one that people read in both directions, the other one forward only, as when a
  /// machine was suspended.
  private func jumpClock(_ server: SimulatedServer) {
    if random.chance(500) {
      server.wallOffsetMilliseconds = random.number(0...7_200_000) - 3_600_000
      trace.add(now, "the date of server \(server.id) is wrong by \(server.wallOffsetMilliseconds) ms")
    } else {
      let jump = random.number(10...10_000)
      server.skewMilliseconds += jump
      trace.add(now, "the clock of server \(server.id) jumps by \(jump) ms")
      queue.push(.tick(server.id, generation: server.generation), at: now)
    }
  }

  /// Simulates a power failure of a server now. A part of what was not synced survives.
  func crash(_ server: SimulatedServer) {
    trace.add(now, "server \(server.id) crashes")
    let survival: MemoryFileSystem.Survival =
      switch random.index(4) {
      case 0: .all
      case 1: .none
      default: .some(seed: random.next())
      }
    dropClients(of: server)
    server.crash(survival)
    for id in links.keys.sorted() {
      guard let link = links[id], link.learner == server.id || link.leader == server.id else { continue }
      breakLink(id)
    }
    queue.push(.restart(server.id), at: now + random.number(10_000...3_000_000))
  }

  /// Arranges for a power failure of a server in one of its next calls of the file system.
  private func armCrash(_ server: SimulatedServer) {
    guard server.isUp, server.disk.crashAtOperation == nil else { return }
    server.disk.crashAtOperation = server.disk.operationCount + Int(random.number(1...60))
    trace.add(now, "server \(server.id) will crash at one of its next writes")
  }

  /// Arranges for a server's disk to be full, or to fail to sync, from one of its next calls on.
  private func failDisk(_ server: SimulatedServer) {
    guard server.isUp, !server.isDiskFailing else { return }
    let isFull = random.chance(500)
    server.failDisk(afterCalls: Int(random.number(1...40)), isFull: isFull)
    trace.add(now, "the disk of server \(server.id) will \(isFull ? "be full" : "fail to sync") soon")
  }

  /// The leader in half of the cases, if there is one; otherwise `server`.
  private func leaderOr(_ server: SimulatedServer) -> SimulatedServer {
    guard random.chance(500) else { return server }
    return servers.first { $0.member?.zab.role == .leading } ?? server
  }

  /// Makes a server's disk slow: all its writes for a while, or a single one for longer. If it is the leader's, the
  /// leader commits transactions that its own disk does not have yet.
  private func slowDown(_ server: SimulatedServer) {
    let victim = leaderOr(server)
    if random.chance(500) {
      victim.slowWrites = (until: now + random.number(500_000...4_000_000), delay: random.number(50_000...400_000))
      trace.add(now, "the disk of server \(victim.id) is slow")
    } else {
      victim.nextWriteDelay = random.number(500_000...5_000_000)
      trace.add(now, "the next write of server \(victim.id) takes \(victim.nextWriteDelay / 1000) ms")
    }
  }

  /// Blocks traffic between a server and all others.
  private func partition(_ server: SimulatedServer) {
    trace.add(now, "server \(server.id) is cut off")
    for other in servers where other.id != server.id {
      server.severed.insert(other.id)
      other.severed.insert(server.id)
    }
    queue.push(.heal, at: now + random.number(50_000...4_000_000))
  }

  /// Blocks traffic from one server to another, but not in the opposite direction.
  private func cutOneWay(_ server: SimulatedServer) {
    let other = servers[random.index(servers.count)]
    guard other.id != server.id else { return }
    trace.add(now, "nothing of server \(other.id) reaches server \(server.id)")
    server.severed.insert(other.id)
    queue.push(.heal, at: now + random.number(50_000...4_000_000))
  }

  private func breakSomeLink() {
    let ids = links.keys.sorted()
    guard !ids.isEmpty else { return }
    breakLink(ids[random.index(ids.count)])
  }

  /// Pauses a server, as SIGSTOP does.
  private func pause(_ server: SimulatedServer, for microseconds: ClosedRange<Int64> = 20_000...3_000_000) {
    guard server.isUp, !server.isPaused else { return }
    trace.add(now, "server \(server.id) freezes")
    server.isPaused = true
    queue.push(.resume(server.id), at: now + random.number(microseconds))
  }

  /// Lets a paused server continue, with the events that have arrived meanwhile.
  func resume(_ server: SimulatedServer) {
    guard server.isPaused else { return }
    trace.add(now, "server \(server.id) goes on")
    server.isPaused = false
    let inbox = server.takeInbox()
    // Handled at once, so that what arrives in this very microsecond does not overtake what has waited.
    guard options.sendsSyncsWithReads else {
      noticeBrokenLinks(server, server.generation)
      return inbox.forEach(handle)
    }
    // The order in which a server learns what happened is that of its sockets; its timers come last.
    let generation = server.generation
    for event in inbox where !event.isTick { handle(event) }
    noticeBrokenLinks(server, generation)
    for event in inbox where event.isTick { handle(event) }
  }

  /// Lets a server notice that connections were broken while it was paused.
  func noticeBrokenLinks(_ server: SimulatedServer, _ generation: Int) {
    guard server.generation == generation else { return }
    if let connection = server.member?.zab.leaderConnection, links[connection] == nil {
      step(server, .disconnected(connection))
    }
    for handle in server.member?.zab.learnerConnections ?? [] where links[handle] == nil {
      step(server, .disconnected(handle))
    }
  }

  /// Ends all partitions.
  func heal() {
    trace.add(now, "all can reach each other")
    for server in servers { server.severed = [] }
    releaseStalled()
  }

  private func dropSomeClient() {
    let client = random.index(clients.count)
    guard let id = clients[client].server else { return }
    disconnectClient(client, from: server(id))
  }
}
