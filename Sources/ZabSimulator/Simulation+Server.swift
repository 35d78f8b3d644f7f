import EnsembleCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// What a server wants done.
extension Simulation {
  /// Starts a server on what its disk says.
  func start(_ server: SimulatedServer) {
    trace.add(now, "server \(server.id) starts")
    clientConnections[server.id] = [:]
    do throws(TxnLogError) {
      do throws(TxnLogError) {
        try server.start(&checker)
      } catch {
        guard case .damaged = error.code, !isCrash(error, server) else { throw error }
        // What a power cut leaves of a large batch may look like damage. A server refuses that and leaves it to
        // people, who have it repaired; what was acknowledged must be there all the same.
        trace.add(now, "server \(server.id) is repaired: \(error)")
        _ = try server.directory.repair()
        try server.start(&checker)
      }
    } catch {
      guard isCrash(error, server) else {
        return checker.fail("server \(server.id) does not start: \(error)")
      }
      return crash(server)
    }
    let (id, generation) = (server.id, server.generation)
    server.member?.onDelivery = { [unowned self] entry in
      let server = servers[Int(id.rawValue) - 1]
      guard server.generation == generation else { return }
      checker.onDelivery(id, entry)
      guard let zab = server.member?.zab, zab.role == .leading else { return }
      for configuration in checker.configurations(for: entry.zxid, first: server.configuration) {
        let holders = servers.filter { $0.durable >= entry.zxid }.map(\.id)
        checker.onCommit(id, entry.zxid, configuration, holders: holders)
      }
    }
    if let zab = server.member?.zab { trace.add(now, "server \(server.id) has \(place(of: zab))") }
    step(server, .started)
  }

  /// Where a server stands, for the trace.
  func place(of zab: ZabPeer) -> String {
    "history=\(zab.history.base)-\(zab.history.last) committed=\(zab.committed) accepted=\(zab.acceptedEpoch)"
      + " current=\(zab.currentEpoch) configuration=\(Zxid(rawValue: zab.configuration.version))"
      + " voters=\(zab.configuration.voters)\(zab.hasPendingConfiguration ? " and another is proposed" : "")"
  }

  /// Does everything that a server wants, and plans when it is to be asked again.
  func settle(_ server: SimulatedServer) {
    let generation = server.generation
    server.member?.settle(time(of: server))
    var effects: [MemberEffect] = []
    while server.generation == generation, let member = server.member, member.takeEffects(into: &effects) {
      while let effect = effects.popLast() {
        if server.generation == generation { perform(effect, server) }
      }
    }
    guard server.generation == generation, let member = server.member else { return }
    if let core = member.core, core.counters.digestMismatches > 0 {
      checker.fail("server \(server.id) applied a transaction to another tree than its leader's")
    }
    checker.onDigest(server.id, member.zab.delivered, member.state.tree.treeDigest)
    flushClients(server)
    if !server.unwritten.isEmpty, !server.isWriting { planWrite(server) }
    let deadline = max(now + 1000, (member.zab.nextDeadline - server.skewMilliseconds) * 1000)
    if deadline < server.plannedTick {
      server.plannedTick = deadline
      queue.push(.tick(server.id, generation: generation), at: deadline)
    }
  }

  private func perform(_ effect: MemberEffect, _ server: SimulatedServer) {
    switch effect {
    case .sendNotification(let notification, let receiver): send(notification, from: server, to: receiver)
    case .connectToLeader(let leader): call(leader, by: server)
    case .send(let packet, let connection):
      checkPromise(packet, server)
      send(.packet(packet), on: connection, from: server)
    case .sendTree(let packet, let stream, let connection):
      send(.tree(packet, stream.encodeWhole()), on: connection, from: server)
    case .receiveTree: break
    case .close(let connection): close(connection, from: server)
    case .append(let entry): server.unwritten.append(entry)
    case .truncate(let zxid, let rebuilds): truncate(server, zxid, rebuilds)
    case .saveAcceptedEpoch(let epoch):
      onDisk(server) { () throws(TxnLogError) in try server.save(accepted: epoch, &checker) }
        .map { step(server, .acceptedEpochSaved(epoch)) }
    case .prepareCurrentEpoch(let epoch):
      onDisk(server) { () throws(TxnLogError) in try server.save(announced: epoch) }
    case .saveCurrentEpoch(let epoch):
      if let zab = server.member?.zab, zab.role == .leading {
        checker.onEpochTaken(
          server.id, epoch, current: zab.currentEpoch, last: zab.history.last, zab.configuration)
      }
      onDisk(server) { () throws(TxnLogError) in try server.save(current: epoch, &checker) }
        .map { step(server, .currentEpochSaved(epoch)) }
    case .roleChanged(let role):
      trace.add(now, "server \(server.id) is \(role)")
      if let zab = server.member?.zab { trace.add(now, "server \(server.id) has \(place(of: zab))") }
      roleChanged(server, role)
      if options.mutation == .truncationKeepsSnapshots, role == .leading {
        onDisk(server) { () throws(TxnLogError) in try server.snapshot() }
      }
    case .activate(let configuration):
      trace.add(
        now,
        "server \(server.id) takes up configuration \(Zxid(rawValue: configuration.version)),"
          + " voters \(configuration.voters)")
      checker.noteConfiguration(Zxid(rawValue: configuration.version), configuration)
      onDisk(server) { () throws(TxnLogError) in try server.save(configuration) }
    case .startServing:
      trace.add(now, "server \(server.id) serves epoch \(server.member?.zab.servingEpoch ?? .zero)")
      if server.member?.zab.role == .leading, let epoch = server.member?.zab.servingEpoch {
        checker.onLeading(server.id, epoch)
      }
    case .stopServing: dropClients(of: server)
    case .note(let text):
      trace.add(now, "server \(server.id): \(text)")
      // A leader that does what no leader may is found out by its learners.
      if text.hasPrefix("leaving the leader: COMMIT") || text.hasPrefix("leaving the leader: transaction") {
        checker.fail("server \(server.id): \(text)")
      }
    case .failed(let reason): checker.fail("server \(server.id): \(reason)")
    }
  }

  /// Does something on a server's disk; nil when its power failed on the way.
  @discardableResult
  private func onDisk<Value>(_ server: SimulatedServer, _ work: () throws(TxnLogError) -> Value) -> Value? {
    do throws(TxnLogError) {
      return try work()
    } catch {
      if !isCrash(error, server) { checker.fail("the disk of server \(server.id): \(error)") }
      crash(server)
      return nil
    }
  }

  /// Whether it is the power that failed: then every call fails, and what callers make of that does not matter.
  private func isCrash(_ error: TxnLogError, _ server: SimulatedServer) -> Bool {
    if let crash = server.disk.crashAtOperation, server.disk.operationCount >= crash { return true }
    // A server whose disk fails ends, and comes back when somebody has made room.
    if server.isDiskFailing { return true }
    if case .fileSystem(let failure) = error.code { return failure.reason == .crashed }
    return error.code == .poisoned
  }

  private func truncate(_ server: SimulatedServer, _ zxid: Zxid, _ rebuilds: Bool) {
    guard let member = server.member else { return }
    do throws(TxnLogError) {
      let rebuilt = try server.truncate(to: zxid, rebuildsTree: rebuilds)
      checker.onPlace(server.id, min(member.zab.delivered, zxid))
      member.truncated(to: zxid, rebuilt: rebuilt, time(of: server))
    } catch {
      if case .truncationPointMissing = error.code {
        server.reopenLog(after: member.zab.history.last)
        return step(server, .truncationFailed(zxid))
      }
      if !isCrash(error, server) { checker.fail("the disk of server \(server.id): \(error)") }
      crash(server)
    }
  }

  /// A leader's tree has arrived.
  func install(_ bytes: [UInt8], _ zxid: Zxid, on server: SimulatedServer) {
    var reader = TreeStreamReader(zxid: zxid, hashSeed: 7, extendedTypesEnabled: true, digestEnabled: true)
    let result = bytes.withUnsafeBytes { raw in
      do throws(TreeStreamReader.Failure) { return try reader.read(raw) } catch { return nil }
    }
    guard let (state, rest) = result, rest.isEmpty else { return checker.fail("a tree cannot be read") }
    guard onDisk(server, { () throws(TxnLogError) in try server.install(state) }) != nil else { return }
    checker.onPlace(server.id, zxid)
    server.member?.installed(state, zxid: zxid, time(of: server))
    settle(server)
  }

  // MARK: The log

  private func planWrite(_ server: SimulatedServer) {
    server.isWriting = true
    var slow: Int64 = random.chance(10) ? 300_000 : 0
    if now < server.slowWrites.until { slow += server.slowWrites.delay }
    slow += server.nextWriteDelay
    server.nextWriteDelay = 0
    let delay = random.number(50...options.maxSyncMicroseconds) + slow
    queue.push(.written(server.id, generation: server.generation, log: server.logGeneration), at: now + delay)
  }

  /// The disk is done with what it was given.
  func onWritten(_ server: SimulatedServer, _ generation: Int, _ log: Int) {
    guard server.generation == generation, server.logGeneration == log else { return }
    server.isWriting = false
    guard let last = onDisk(server, { () throws(TxnLogError) in try server.writeLog() }) else { return }
    guard onDisk(server, { () throws(TxnLogError) in try server.snapshotIfDue() }) != nil else { return }
    step(server, .persisted(through: last))
  }

  // MARK: Rules about what is sent

  private func checkPromise(_ packet: QuorumPacket, _ server: SimulatedServer) {
    guard let zab = server.member?.zab, zab.role != .leading else { return }
    switch packet.kind {
    case .ackEpoch?:
      guard packet.data != [0xff, 0xff, 0xff, 0xff] else { return }
      checker.onPromise(
        server.id, zab.acceptedEpoch, savedEpoch: server.savedEpochs.accepted, current: zab.currentEpoch,
        last: zab.history.last)
    case .ack? where packet.zxid.counter == 0:
      let epoch = Epoch(rawValue: Int64(packet.zxid.epoch))
      checker.onNewLeaderAck(
        server.id, epoch, last: zab.newLeaderZxid, durable: server.durable, savedEpoch: server.savedEpochs.current)
    case .ack?: checker.onAck(server.id, packet.zxid, durable: server.durable)
    default: break
    }
  }
}
