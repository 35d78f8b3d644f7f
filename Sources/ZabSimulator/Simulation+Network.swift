import EnsembleCore
import Jute
import ServerCore
import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// Messages and connections between servers.
extension Simulation {
  private var latency: Int64 {
    // A few messages are very late.
    random.number(50...options.maxLatencyMicroseconds) + (random.chance(5) ? 500_000 : 0)
  }

  // MARK: Elections

  /// Sends an election message, which may be lost or duplicated.
  func send(_ notification: ElectionNotification, from server: SimulatedServer, to receiver: ServerID) {
    guard !server.severed.contains(receiver) else { return }
    guard self.server(receiver).isUp else {
      // Every other time, its machine is down and not its process alone: nothing is refused.
      guard self.server(receiver).generation % 4 < 2 else { return }
      let refusal = SimulationEvent.notificationRefused(by: receiver, to: server.id, generation: server.generation)
      return queue.push(refusal, at: now + latency)
    }
    // Servers replace their election connections, so messages can be lost and old ones can be sent again.
    if !faultsAreOver, random.chance(20) { return }
    queue.push(.notification(notification, from: server.id, to: receiver), at: now + latency)
    if !faultsAreOver, random.chance(10) {
      queue.push(.notification(notification, from: server.id, to: receiver), at: now + random.number(1...2_000_000))
    }
  }

  // MARK: Links

  /// Lets a server connect to its leader, or to an observer master.
  func call(_ leader: ServerID, isObserverMaster: Bool, by server: SimulatedServer) {
    guard !server.severed.contains(leader), !self.server(leader).severed.contains(server.id) else {
      return queue.push(.callFailed(server.id, generation: server.generation), at: now + 500_000)
    }
    guard self.server(leader).isUp else {
      return queue.push(.callFailed(server.id, generation: server.generation), at: now + latency)
    }
    let call = SimulationEvent.called(
      leader: leader, isObserverMaster: isObserverMaster, by: server.id, generation: server.generation)
    queue.push(call, at: now + latency)
  }

  /// Handles a connection attempt at a leader, or at a server that does not know yet that it leads.
  func onCalled(_ leaderID: ServerID, _ callerID: ServerID, _ generation: Int) {
    let (leader, caller) = (server(leaderID), server(callerID))
    guard caller.generation == generation else { return }
    guard let member = leader.member else { return step(caller, .leaderUnreachable) }
    var link = SimulatedLink(
      id: ConnectionID(rawValue: nextLink), learner: callerID, leader: leaderID,
      generations: (generation, leader.generation))
    nextLink += 1
    switch member.zab.role {
    case .following, .observing: return step(caller, .leaderUnreachable)
    case .looking: link.isHeld = true
    case .leading: break
    }
    links[link.id] = link
    if !link.isHeld { step(leader, .learnerConnected(link.id)) }
    finishCall(link, caller)
  }

  /// Handles an observer's connection attempt at an observer master.
  func onObserverCalled(_ masterID: ServerID, _ callerID: ServerID, _ generation: Int) {
    let (master, caller) = (server(masterID), server(callerID))
    guard caller.generation == generation else { return }
    guard let member = master.member, case .following = member.zab.role else {
      return step(caller, .leaderUnreachable)
    }
    let link = SimulatedLink(
      id: ConnectionID(rawValue: nextLink), learner: callerID, leader: masterID,
      generations: (generation, master.generation))
    nextLink += 1
    links[link.id] = link
    step(master, .observerConnected(link.id))
    finishCall(link, caller)
  }

  private func finishCall(_ link: SimulatedLink, _ caller: SimulatedServer) {
    if caller.isPaused {
      // The learner is paused, and handles the result when it continues.
      caller.keep(.callFailed(caller.id, generation: caller.generation))
      breakLink(link.id)
    } else {
      step(caller, .leaderConnected(link.id))
    }
  }

  /// Admits or closes the connections that were opened before a server knew whether it leads.
  func roleChanged(_ server: SimulatedServer, _ role: ZabRole) {
    let held = links.values.filter { $0.isHeld && $0.leader == server.id }.map(\.id).sorted()
    for id in held {
      switch role {
      case .leading:
        links[id]?.isHeld = false
        let packets = links[id]?.heldPackets ?? []
        links[id]?.heldPackets = []
        step(server, .learnerConnected(id))
        for packet in packets { receive(packet, on: id, .toLeader) }
      case .following, .observing: close(id, from: server)
      case .looking: break
      }
    }
  }

  /// Sends a packet on a link; a partition delays it.
  func send(_ packet: SimulatedPacket, on id: ConnectionID, from server: SimulatedServer) {
    guard let link = links[id], let direction = link.direction(from: server.id),
      link.isOpen[direction.opposite.rawValue]
    else { return }
    if link.tree != nil || link.log != nil, direction == .toLearner, !packet.isPiece {
      links[id]?.packetsAfterTree.append(packet)
      return
    }
    checkOrder(packet, id)
    checkObserverMaster(packet, link, server)
    if self.server(link.receiver(direction)).severed.contains(server.id) || !link.stalled[direction.rawValue].isEmpty {
      links[id]?.stalled[direction.rawValue].append(packet)
      return
    }
    plan(packet, on: id, direction)
  }

  // MARK: Trees

  /// Sends a tree after the packets that were sent before, piece by piece, while the tree changes.
  func send(_ tree: TreeStream, on id: ConnectionID, from server: SimulatedServer) {
    links[id]?.tree = tree
    queue.push(.sendPiece(id, leader: server.id), at: now)
  }

  /// Sends the next piece of a tree.
  func sendPiece(_ id: ConnectionID) {
    guard let link = links[id] else { return }
    let leader = server(link.leader)
    if let log = link.log { return sendPiece(of: log, on: id, from: leader) }
    guard let tree = link.tree else { return }
    var piece = JuteWriter()
    let isLast = tree.encode(into: &piece, budgetBytes: options.pieceBytes)
    if isLast { links[id]?.tree = nil }
    send(.piece(piece.bytes), on: id, from: leader)
    guard isLast else { return queue.push(.sendPiece(id, leader: leader.id), at: now + latency) }
    links[id]?.packetsAfterTree = []
    for packet in link.packetsAfterTree { send(packet, on: id, from: leader) }
  }

  /// Looks whether a server's log has what a learner lacks, which takes a while.
  func examineLog(_ id: ConnectionID, after start: Zxid, through end: Zxid, _ server: SimulatedServer) {
    let settings = server.member?.zab.settings ?? ZabSettings()
    let examination = LogExamination(server.directory, after: start, through: end, limitBytes: nil, settings)
    let isComplete = examination.proceed(budgetBytes: .max) == true
    links[id]?.examinedPlace = examination.foundPlace
    trace.add(now, "server \(server.id) has the log after \(start) through \(end): \(isComplete)")
    queue.push(
      .logExamined(id, isComplete: isComplete, leader: server.id, generation: server.generation), at: now + latency)
  }

  /// Sends a part of the log after the packets that were sent before, piece by piece.
  func sendLog(after start: Zxid, through end: Zxid, on id: ConnectionID, from server: SimulatedServer) {
    do throws(TxnLogError) {
      let settings = server.member?.zab.settings ?? ZabSettings()
      let place = links[id]?.examinedPlace
      guard let log = try LogStream(server.directory, after: start, through: end, at: place, settings) else {
        return onUnreadableLog(id, through: end, server)
      }
      links[id]?.log = log
      queue.push(.sendPiece(id, leader: server.id), at: now)
    } catch {
      onUnreadableLog(id, through: end, server)
    }
  }

  private func sendPiece(of log: LogStream<MemoryFileSystem>, on id: ConnectionID, from leader: SimulatedServer) {
    var bytes = 0
    do throws(TxnLogError) {
      while bytes < options.pieceBytes {
        guard let record = try log.next() else { return endLog(id, leader) }
        bytes += record.entry.count
        let proposal = QuorumPacket(.proposal, zxid: record.zxid, data: [UInt8](record.entry))
        links[id]?.log = nil
        send(.packet(proposal), on: id, from: leader)
        send(.packet(QuorumPacket(.commit, zxid: record.zxid)), on: id, from: leader)
        links[id]?.log = log
      }
    } catch {
      // The log was purged or is damaged, or its disk fails.
      return onUnreadableLog(id, through: log.end, leader)
    }
    queue.push(.sendPiece(id, leader: leader.id), at: now + latency)
  }

  private func onUnreadableLog(_ id: ConnectionID, through end: Zxid, _ leader: SimulatedServer) {
    step(leader, .logUnreadable(through: end))
    breakLink(id)
  }

  private func endLog(_ id: ConnectionID, _ leader: SimulatedServer) {
    let waiting = links[id]?.packetsAfterTree ?? []
    links[id]?.log = nil
    links[id]?.packetsAfterTree = []
    for packet in waiting { send(packet, on: id, from: leader) }
  }

  /// Treats the next packets on a link as pieces of a tree.
  func expectTree(_ reader: TreeStreamReader?, on id: ConnectionID) { links[id]?.treeReader = reader }

  private func receivePiece(_ bytes: [UInt8], on id: ConnectionID, _ receiver: SimulatedServer) {
    guard links[id]?.treeReader != nil else {
      return checker.fail("server \(receiver.id) gets a piece of a tree that it does not expect")
    }
    do throws(TreeStreamReader.Failure) {
      var complete: (state: RecoveredState, rest: [UInt8])?
      let result = bytes.withUnsafeBytes { raw -> Result<Void, TreeStreamReader.Failure> in
        do throws(TreeStreamReader.Failure) {
          complete = try links[id]?.treeReader?.read(raw)
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try result.get()
      guard let complete else { return }
      links[id]?.treeReader = nil
      trace.add(now, "server \(receiver.id) has a tree of \(complete.state.tree.lastProcessedZxid)")
      if !complete.rest.isEmpty { checker.fail("something follows the tree for server \(receiver.id)") }
      install(complete.state, from: id, on: receiver)
    } catch {
      checker.fail("server \(receiver.id) cannot read a tree: \(error.reason)")
    }
  }

  private func plan(_ packet: SimulatedPacket, on id: ConnectionID, _ direction: SimulatedLink.Direction) {
    guard let link = links[id] else { return }
    let arrival = max(link.lastArrival[direction.rawValue], now + latency)
    links[id]?.lastArrival[direction.rawValue] = arrival
    queue.push(.packet(id, direction, packet), at: arrival)
  }

  /// Checks that a follower passes on to its observers only what is committed, and counts what it does.
  private func checkObserverMaster(_ packet: SimulatedPacket, _ link: SimulatedLink, _ server: SimulatedServer) {
    guard case .packet(let packet) = packet, link.leader == server.id, let zab = server.member?.zab,
      case .following = zab.role
    else { return }
    switch packet.kind {
    case .upToDate?: report.observerMasters.synchronizations += 1
    case .sync?, .revalidate?: report.observerMasters.answers += 1
    case .inform?: report.observerMasters.informs += 1
    case .informAndActivate?: report.observerMasters.activations += 1
    case .commit?: break
    default: return
    }
    // What is of an earlier epoch was committed with the beginning of this one.
    guard packet.kind != .upToDate, Int64(packet.zxid.epoch) == zab.currentEpoch.rawValue, packet.zxid.counter > 0
    else { return }
    checker.onInform(server.id, packet.zxid)
  }

  /// Checks that the COMMITs on a connection follow each other without a gap within an epoch.
  private func checkOrder(_ packet: SimulatedPacket, _ id: ConnectionID) {
    let kinds: [QuorumPacket.Kind] = [.commit, .inform, .commitAndActivate, .informAndActivate]
    guard case .packet(let packet) = packet, packet.kind.map(kinds.contains) == true else { return }
    if let last = links[id]?.lastCommit, packet.zxid.epoch == last.epoch, packet.zxid != last.next {
      checker.fail("on one connection \(packet.zxid) is committed after \(last)")
    }
    links[id]?.lastCommit = packet.zxid
  }

  /// Handles a packet that has arrived at the end of a link.
  func onArrival(_ id: ConnectionID, _ direction: SimulatedLink.Direction, _ packet: SimulatedPacket) {
    guard let link = links[id] else { return }
    let receiver = server(link.receiver(direction))
    let generation = direction == .toLeader ? link.generations.leader : link.generations.learner
    guard receiver.generation == generation else { return }
    if receiver.isPaused { return receiver.keep(.packet(id, direction, packet)) }
    if link.isHeld, direction == .toLeader {
      links[id]?.heldPackets.append(packet)
    } else {
      receive(packet, on: id, direction)
    }
  }

  private func receive(_ packet: SimulatedPacket, on id: ConnectionID, _ direction: SimulatedLink.Direction) {
    guard let link = links[id], link.isOpen[direction.rawValue] else { return }
    let receiver = server(link.receiver(direction))
    switch packet {
    case .packet(let packet):
      trace.mix(Int64(id.rawValue), Int64(packet.type), packet.zxid.rawValue)
      step(receiver, .received(packet, id))
    case .together(let packets):
      guard takesTogether(receiver) else {
        for packet in packets { receive(.packet(packet), on: id, direction) }
        return
      }
      for packet in packets { trace.mix(Int64(id.rawValue), Int64(packet.type), packet.zxid.rawValue) }
      step(receiver, .receivedTogether(packets, id))
    case .piece(let bytes):
      trace.mix(Int64(id.rawValue), Int64(bytes.count))
      receivePiece(bytes, on: id, receiver)
    case .end: drop(id, direction)
    }
  }

  /// Whether a server handles packets that have arrived together as one event, as `EnsembleDriver` does: not a leader
  /// that does not serve yet, nor an observer master.
  private func takesTogether(_ server: SimulatedServer) -> Bool {
    guard let zab = server.member?.zab else { return false }
    if case .leading = zab.role { return zab.isServing }
    return !links.values.contains { $0.leader == server.id && $0.generations.leader == server.generation }
  }

  /// Closes a link at one end. The other end notices after everything that was sent before.
  func close(_ id: ConnectionID, from server: SimulatedServer) {
    guard let link = links[id], let direction = link.direction(from: server.id) else { return }
    if direction == .toLearner {
      // Packets must not be sent after an incomplete tree.
      links[id]?.tree = nil
      links[id]?.log = nil
      links[id]?.packetsAfterTree = []
    }
    send(.end, on: id, from: server)
    links[id]?.isOpen[direction.opposite.rawValue] = false
    forgetIfClosed(id)
  }

  private func drop(_ id: ConnectionID, _ direction: SimulatedLink.Direction) {
    guard let link = links[id] else { return }
    links[id]?.isOpen[direction.rawValue] = false
    forgetIfClosed(id)
    step(server(link.receiver(direction)), .disconnected(id))
  }

  private func forgetIfClosed(_ id: ConnectionID) {
    if let link = links[id], link.isOpen == [false, false] { links[id] = nil }
  }

  /// Breaks a link: both ends notice at once, and packets in flight are lost.
  func breakLink(_ id: ConnectionID) {
    guard let link = links.removeValue(forKey: id) else { return }
    for direction in [SimulatedLink.Direction.toLeader, .toLearner] where link.isOpen[direction.rawValue] {
      let receiver = server(link.receiver(direction))
      let generation = direction == .toLeader ? link.generations.leader : link.generations.learner
      guard receiver.generation == generation, !(link.isHeld && direction == .toLeader) else { continue }
      if receiver.isPaused {
        // A paused server notices when it continues, see `resume`.
        continue
      }
      step(receiver, .disconnected(id))
    }
  }

  /// Sends the packets that partitions have delayed.
  func releaseStalled() {
    for id in links.keys.sorted() {
      for direction in [SimulatedLink.Direction.toLeader, .toLearner] {
        guard let link = links[id] else { continue }
        let stalled = link.stalled[direction.rawValue]
        links[id]?.stalled[direction.rawValue] = []
        for packet in stalled { plan(packet, on: id, direction) }
      }
    }
  }
}
