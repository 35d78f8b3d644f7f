import ServerCore
import StorageTesting
import ZooKeeperProtocol

/// Clients and their connections.
extension Simulation {
  private var latency: Int64 { random.number(50...options.maxLatencyMicroseconds) }

  /// Lets a client connect to a server, or send its next request.
  func onClientStep(_ number: Int) {
    // Only a client that has been silent for long can ask a leader that was paused for what was written meanwhile.
    let rests = options.leadersPause && clients[number].isReader && random.chance(300)
    queue.push(.clientStep(number), at: now + random.number(rests ? 500_000...2_500_000 : 2000...60_000))
    guard let id = clients[number].server else { return connect(number) }
    // A client that waits too long for an answer closes its connection.
    if clients[number].request != nil || !clients[number].isConnected {
      if now - clients[number].requestedAt > 2_000_000 { disconnectClient(number, from: server(id)) }
      return
    }
    let known = clients.map(\.knownShared).max() ?? -1
    for frame in clients[number].nextFrames(&random, now: now, known: known) {
      send(frame, from: number, to: server(id))
    }
  }

  private func connect(_ number: Int) {
    var target = servers[random.index(servers.count)]
    // Otherwise few clients would be served by an observer that has an observer master.
    if options.hasObserverMasters, options.observerCount > 0, random.chance(400) {
      target = servers[options.voterCount + random.index(options.observerCount)]
    }
    // A reader mostly stays with its server, where it is the first to see stale data.
    if clients[number].isReader, let last = clients[number].lastServer, random.chance(700) { target = server(last) }
    guard target.isUp, target.core != nil || target.isPaused else { return }
    clients[number].server = target.id
    clients[number].lastServer = target.id
    clients[number].requestedAt = now
    send(clients[number].connectFrame(), from: number, to: target)
  }

  private func send(_ frame: [UInt8], from number: Int, to server: SimulatedServer) {
    let arrival = max(lastServerArrival[number], now + latency)
    lastServerArrival[number] = arrival
    queue.push(
      .serverBytes(
        server.id, generation: server.generation, client: number, connection: clients[number].connection, frame),
      at: arrival)
  }

  /// Handles a frame that has arrived at a server; nil is the end of the connection.
  func onServerBytes(
    _ server: SimulatedServer, _ generation: Int, _ number: Int, _ connection: Int, _ frame: [UInt8]?
  ) {
    guard server.generation == generation, let core = server.core else {
      return refuse(number, connection)
    }
    var end = clientConnections[server.id]?[number].flatMap { $0.connection == connection ? $0.end : nil }
    guard let frame else {
      if let end { core.disconnected(end) }
      clientConnections[server.id]?[number] = nil
      return settle(server)
    }
    if end == nil {
      // Only the first frame opens a connection; later frames of a connection that is lost are dropped.
      guard !clients[number].isConnected, clients[number].connection == connection else { return }
      let accepted = core.accept(address: "10.0.0.\(number)")
      clientConnections[server.id]?[number] = (connection, accepted)
      end = accepted
    }
    if let end { frame[4...].withUnsafeBytes { core.receive($0, on: end, time(of: server)) } }
    settle(server)
  }

  private func refuse(_ number: Int, _ connection: Int) {
    guard clients[number].connection == connection else { return }
    clients[number].disconnect()
  }

  /// Sends the output of a server's core to its clients.
  func flushClients(_ server: SimulatedServer) {
    guard let core = server.core else { return }
    for touched in core.takeTouched() {
      guard
        let number = clientConnections[server.id]?.first(where: { $0.value.end === touched })?.key,
        let connection = clientConnections[server.id]?[number]?.connection
      else {
        touched.output.removeAll()
        continue
      }
      if !touched.output.isEmpty {
        plan(.init(touched.output.bytes), to: number, connection)
        touched.output.removeAll()
      }
      if case .closed = touched.state {
        core.disconnected(touched)
        clientConnections[server.id]?[number] = nil
        plan([], to: number, connection)
      }
    }
  }

  /// Adds the arrival of bytes at a client to the queue; an empty array is the end of the connection.
  private func plan(_ bytes: [UInt8], to number: Int, _ connection: Int) {
    let arrival = max(lastClientArrival[number], now + latency)
    lastClientArrival[number] = arrival
    queue.push(.clientBytes(client: number, connection: connection, bytes), at: arrival)
  }

  /// Handles bytes that have arrived at a client; an empty array is the end of its connection.
  func onClientBytes(_ number: Int, _ connection: Int, _ bytes: [UInt8]) {
    guard clients[number].connection == connection, clients[number].server != nil else { return }
    guard !bytes.isEmpty else {
      let hasEnded = clients[number].hasEnded
      clients[number].disconnect()
      if hasEnded { clients[number].forgetSession() }
      return
    }
    let lives = clients[number].receive(bytes)
    if let violation = clients[number].violation { checker.fail(violation) }
    guard !lives else { return }
    clients[number].disconnect()
    clients[number].forgetSession()
  }

  /// Breaks a client's connection. The client notices at once, the server a little later, or long after the client has
  /// moved its session to another server.
  func disconnectClient(_ number: Int, from server: SimulatedServer) {
    let connection = clients[number].connection
    clients[number].disconnect()
    let isLate = options.noticesLate && random.chance(500)
    queue.push(
      .serverBytes(server.id, generation: server.generation, client: number, connection: connection, nil),
      at: now + (isLate ? random.number(20_000...5_000_000) : latency))
  }

  /// A server that has lost its role sends the answers that it made before, and closes all its clients' connections.
  func dismissClients(of server: SimulatedServer) {
    for (number, value) in (clientConnections[server.id] ?? [:]).sorted(by: { $0.key < $1.key })
    where !value.end.output.isEmpty {
      plan(.init(value.end.output.bytes), to: number, value.connection)
      value.end.output.removeAll()
    }
    dropClients(of: server)
  }

  /// A server closes all its clients' connections.
  func dropClients(of server: SimulatedServer) {
    for (number, value) in (clientConnections[server.id] ?? [:]).sorted(by: { $0.key < $1.key }) {
      plan([], to: number, value.connection)
    }
    clientConnections[server.id] = [:]
    // Clients whose connection the server has not accepted yet fail too.
    for number in clients.indices where clients[number].server == server.id {
      plan([], to: number, clients[number].connection)
    }
  }
}
