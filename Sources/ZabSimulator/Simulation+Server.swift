import EnsembleCore
import ServerCore
import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// The driver of a simulated server: performs its effects, and checks what it does.
extension Simulation {
  /// Starts a server from what is on its disk.
  func start(_ server: SimulatedServer) {
    trace.add(now, "server \(server.id) starts")
    clientConnections[server.id] = [:]
    do throws(TxnLogError) {
      do throws(TxnLogError) {
        try server.start(&checker)
      } catch {
        guard case .damaged = error.code, !isCrash(error, server) else { throw error }
        // What a power failure leaves of a large batch can look like damage. A server refuses to start on that, and its
        // operator runs the repair. Acknowledged transactions must still be there after it.
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
    tap(server)
    if let zab = server.member?.zab { trace.add(now, "server \(server.id) has \(place(of: zab))") }
    step(server, .started)
  }

  /// The state of a server, for the trace.
  func place(of zab: ZabPeer) -> String {
    "history=\(zab.history.base)-\(zab.history.last) committed=\(zab.committed) accepted=\(zab.acceptedEpoch)"
      + " current=\(zab.currentEpoch) configuration=\(Zxid(rawValue: zab.configuration.version))"
      + " voters=\(zab.configuration.voters)\(zab.hasPendingConfiguration ? " and another is proposed" : "")"
  }

  /// Connects the checker to what a server delivers and stores.
  private func tap(_ server: SimulatedServer) {
    let (id, generation) = (server.id, server.generation)
    server.member?.onDelivery = { [unowned self] entry in
      let server = self.server(id)
      guard server.generation == generation else { return }
      checker.onDelivery(id, entry)
      guard let zab = server.member?.zab, zab.role == .leading else { return }
      for configuration in checker.configurations(for: entry.zxid, first: server.configuration) {
        let holders = servers.filter { $0.durable >= entry.zxid }.map(\.id)
        checker.onCommit(id, entry.zxid, configuration, holders: holders)
      }
    }
    server.member?.onCatchUp = { [unowned self] entries in
      guard self.server(id).generation == generation else { return }
      checker.onCatchUp(id, entries)
    }
    server.runner?.onStorage = { [unowned self] event in onStorage(event, self.server(id)) }
  }

  private func onStorage(
    _ event: MemberRunner<MemoryFileSystem, SimulatedServer>.StorageEvent, _ server: SimulatedServer
  ) {
    guard let zab = server.member?.zab else { return }
    let keepsSnapshots = options.mutation == .truncationKeepsSnapshots
    switch event {
    case .willSaveCurrentEpoch(let epoch):
      guard zab.role == .leading else { return }
      checker.onEpochTaken(server.id, epoch, current: zab.currentEpoch, last: zab.history.last, zab.configuration)
    case .savedAcceptedEpoch(let epoch):
      server.savedEpochs.accepted = epoch.rawValue
      checker.onEpochs(server.id, accepted: server.savedEpochs.accepted, current: server.savedEpochs.current)
    case .savedCurrentEpoch(let epoch):
      server.savedEpochs.current = epoch.rawValue
      checker.onEpochs(server.id, accepted: server.savedEpochs.accepted, current: server.savedEpochs.current)
    case .willTruncate: if keepsSnapshots { server.keepSnapshots() }
    case .truncated(let zxid):
      if keepsSnapshots { server.restoreSnapshots() }
      checker.onPlace(server.id, min(zab.delivered, zxid))
    case .installed(let zxid): checker.onPlace(server.id, zxid)
    }
  }

  /// Performs all effects of a server, and adds its next tick to the queue.
  func settle(_ server: SimulatedServer) {
    let generation = server.generation
    server.runner?.settle(time(of: server))
    while server.generation == generation, let effect = server.runner?.next(time(of: server)) {
      perform(effect, server)
    }
    guard server.generation == generation, let member = server.member else { return }
    if let core = member.core, core.counters.digestMismatches > 0 {
      checker.fail("server \(server.id) applied a transaction to another tree than its leader's")
    }
    checker.onDigest(server.id, member.zab.delivered, member.state.tree.treeDigest)
    if server.log.isIdle { checker.onIdleLog(server.id, known: member.zab.persisted, durable: server.durable) }
    flushClients(server)
    writeLog(server)
    guard server.generation == generation else { return }
    if server.beginSnapshotIfDue() || server.hasSnapshotStep {
      server.hasSnapshotStep = false
      planSnapshotStep(server)
    }
    var deadline = max(now + 1000, (member.zab.nextDeadline - server.skewMilliseconds) * 1000)
    if member.core?.canExpireMore == true { deadline = now + 1000 }
    if deadline < server.plannedTick {
      server.plannedTick = deadline
      queue.push(.tick(server.id, generation: generation), at: deadline)
    }
  }

  private func perform(_ effect: DriverEffect, _ server: SimulatedServer) {
    switch effect {
    case .transport(let action): perform(action, server)
    case .sendTree(let packet, let stream, let connection):
      send(.packet(packet), on: connection, from: server)
      send(stream, on: connection, from: server)
    case .examineLog(let connection, let start, let end): examineLog(connection, after: start, through: end, server)
    case .sendLog(let packet, let start, let end, let connection):
      send(.packet(packet), on: connection, from: server)
      sendLog(after: start, through: end, on: connection, from: server)
    case .receiveTree(let connection, let zxid): expectTree(server.runner?.treeReader(zxid: zxid), on: connection)
    case .roleChanged(let role):
      trace.add(now, "server \(server.id) is \(role)")
      if let zab = server.member?.zab { trace.add(now, "server \(server.id) has \(place(of: zab))") }
      roleChanged(server, role)
      updateReaders(server, role)
      if options.mutation == .truncationKeepsSnapshots, role == .leading {
        do throws(TxnLogError) { try server.snapshotAtOnce() } catch { onFailure(error, server) }
      }
    case .activate(let configuration):
      trace.add(
        now,
        "server \(server.id) activates configuration \(Zxid(rawValue: configuration.version)),"
          + " voters \(configuration.voters)")
      checker.noteConfiguration(Zxid(rawValue: configuration.version), configuration)
    case .startServing:
      trace.add(now, "server \(server.id) serves epoch \(server.member?.zab.servingEpoch ?? .zero)")
      checker.onServing(server.id)
      if server.member?.zab.role == .leading, let epoch = server.member?.zab.servingEpoch {
        checker.onLeading(server.id, epoch)
      }
    case .stopServing: dismissClients(of: server)
    case .note(let note):
      trace.add(now, "server \(server.id): \(note)")
      // Learners detect a leader that breaks the order of transactions.
      if case .leavesLeader(let fault) = note, fault.breaksOrder { checker.fail("server \(server.id): \(fault)") }
    case .failed(.storage(let error)): onFailure(error, server)
    case .failed(.state(let reason)): checker.fail("server \(server.id): \(reason)")
    }
  }

  private func perform(_ action: TransportAction, _ server: SimulatedServer) {
    switch action {
    case .sendNotification(let notification, let receiver): send(notification, from: server, to: receiver)
    case .connectToLeader(let leader): call(leader, isObserverMaster: false, by: server)
    case .connectToObserverMaster(let master): call(master, isObserverMaster: true, by: server)
    case .send(let packet, let connection):
      checkPromise(packet, server)
      send(.packet(packet), on: connection, from: server)
    case .close(let connection): close(connection, from: server)
    }
  }

  /// Serves clients that are content with reads after a voter has looked for a leader for a while, as `EnsembleDriver`
  /// does.
  private func updateReaders(_ server: SimulatedServer, _ role: ZabRole) {
    if role != .looking, server.servesReaders {
      dismissClients(of: server)
      server.stopServingReaders()
    }
    guard options.hasReadOnlyServers, role == .looking, server.member?.zab.isVoter == true else { return }
    queue.push(.serveReaders(server.id, generation: server.generation), at: now + random.number(1000...600_000))
  }

  /// Serves clients that are content with reads, if the server still has no quorum.
  func serveReaders(_ server: SimulatedServer, _ generation: Int) {
    guard server.generation == generation, let member = server.member, member.zab.role == .looking, member.core == nil,
      !server.servesReaders
    else { return }
    trace.add(now, "server \(server.id) serves reads without a quorum")
    server.serveReaders(time(of: server))
  }

  /// Ends a server whose disk has failed.
  private func onFailure(_ error: TxnLogError, _ server: SimulatedServer) {
    if !isCrash(error, server) { checker.fail("the disk of server \(server.id): \(error)") }
    crash(server)
  }

  /// Whether the error is a simulated fault: after a power failure every call fails, whatever error results from it.
  private func isCrash(_ error: TxnLogError, _ server: SimulatedServer) -> Bool {
    if let crash = server.disk.crashAtOperation, server.disk.operationCount >= crash { return true }
    // A server whose disk fails stops, and is started again when the disk is repaired.
    if server.isDiskFailing { return true }
    if case .fileSystem(let failure) = error.code { return failure.reason == .crashed }
    return error.code == .poisoned
  }

  /// Installs a leader's tree that has arrived.
  func install(_ state: RecoveredState, from connection: ConnectionID, on server: SimulatedServer) {
    do throws(TxnLogError) {
      try server.runner?.install(state, from: connection, time(of: server))
    } catch {
      return onFailure(error, server)
    }
    settle(server)
  }

  // MARK: The log

  /// Begins to write what waits for the disk. For a single transaction on a quick disk, the loop of a server waits, and
  /// so the report that the transaction is durable precedes every other event.
  private func writeLog(_ server: SimulatedServer) {
    guard server.log.canWrite else { return }
    let isQuick = now >= server.slowWrites.until && server.nextWriteDelay == 0
    let waits = options.waitsForLog && isQuick && server.log.isWorthWaiting && random.chance(700)
    let last = server.log.beginWrite()
    guard !waits else { return finishWrite(server) }
    var slow: Int64 = random.chance(10) ? 300_000 : 0
    if now < server.slowWrites.until { slow += server.slowWrites.delay }
    slow += server.nextWriteDelay
    server.nextWriteDelay = 0
    let delay = random.number(50...options.maxSyncMicroseconds) + slow
    let event = SimulationEvent.written(
      server.id, generation: server.generation, log: server.log.generation, through: last)
    queue.push(event, at: now + delay)
  }

  private func finishWrite(_ server: SimulatedServer) {
    do throws(TxnLogError) {
      onPersisted(server, through: try server.log.finishWrite(), log: server.log.generation)
    } catch {
      onFailure(error, server)
    }
  }

  /// Completes a write, or handles the late report of a generation of the log that was stopped meanwhile.
  func onWritten(_ server: SimulatedServer, _ generation: Int, log: Int, through last: Zxid) {
    guard server.generation == generation else { return }
    if server.log.generation == log { return finishWrite(server) }
    onPersisted(server, through: last, log: log)
  }

  private func onPersisted(_ server: SimulatedServer, through zxid: Zxid, log: Int) {
    guard let runner = server.runner, runner.onPersisted(through: zxid, generation: log, time(of: server)) else {
      return
    }
    server.onLogged(through: zxid)
    settle(server)
  }

  // MARK: Snapshots

  private func planSnapshotStep(_ server: SimulatedServer) {
    let event = SimulationEvent.snapshotStep(
      server.id, generation: server.generation, snapshot: server.snapshotNumber)
    queue.push(event, at: now + random.number(50...options.maxSyncMicroseconds))
  }

  /// Performs the next step of a snapshot.
  func onSnapshotStep(_ server: SimulatedServer, _ generation: Int, _ snapshot: Int) {
    guard server.generation == generation, server.snapshotNumber == snapshot else { return }
    do throws(TxnLogError) {
      let zxid = server.snapshot?.zxid ?? .zero
      switch try server.continueSnapshot() {
      case .goesOn: planSnapshotStep(server)
      case .waits: break
      case .isDone: checker.onSnapshot(server.id, zxid, durable: server.durable)
      }
    } catch {
      // The log has all transactions, so a server that cannot write a snapshot continues.
      server.endSnapshot()
      if !server.isDiskFailing { onFailure(error, server) }
    }
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
