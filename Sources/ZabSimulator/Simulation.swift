import EnsembleCore
import ServerCore
import StorageTesting
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// A whole ensemble in one thread: servers, network, disks, clocks and clients, all driven by one seed.
///
/// It runs the same members as real servers, including recovery and files. While faults happen, the rules of
/// `StateChecker` are checked after every step. After the last fault, the ensemble must recover within a limited time.
///
/// The same seed results in the same run, down to the last event.
package final class Simulation {
  package let options: SimulationOptions
  var random: SplitMix64
  var queue = EventQueue<SimulationEvent>()
  /// The simulated time, in microseconds.
  var now: Int64 = 0
  var servers: [SimulatedServer] = []
  var links: [ConnectionID: SimulatedLink] = [:]
  var nextLink: UInt64 = 1
  var clients: [SimulatedClient] = []
  /// The servers' ends of clients' connections, by server and by the number of the client.
  var clientConnections: [ServerID: [Int: (connection: Int, end: ClientConnection)]] = [:]
  var lastClientArrival: [Int64] = []
  var lastServerArrival: [Int64] = []
  var checker = StateChecker()
  var trace: TraceLog
  var report = SimulationReport()
  var faultsAreOver = false
  /// The number of acknowledged writes of each client when the faults stopped.
  private var acknowledgedAtEnd: [Int] = []

  /// How long an ensemble may take to recover after the last fault.
  static let recoveryMicroseconds: Int64 = 40_000_000

  /// Creates a simulation; `run` runs it.
  package init(_ options: SimulationOptions, keepsTrace: Bool = false) {
    self.options = options
    random = SplitMix64(seed: options.seed ^ 0x5eed)
    trace = TraceLog(keepsLines: keepsTrace)
    let count = options.voterCount + options.observerCount
    let members = (1...count).map { number in
      QuorumConfiguration.Member(
        id: ServerID(rawValue: Int64(number)), addresses: [.init(host: "s\(number)", quorumPort: 1, electionPort: 2)],
        isObserver: number > options.voterCount)
    }
    let configuration = QuorumConfiguration(members: members)
    servers = members.map { member in
      SimulatedServer(member.id, configuration, options, skewMilliseconds: random.number(0...5_000_000))
    }
    clients = (0...options.clientCount).map { SimulatedClient(number: $0, options: options) }
    lastClientArrival = [Int64](repeating: 0, count: clients.count)
    lastServerArrival = [Int64](repeating: 0, count: clients.count)
  }

  /// The largest mean number of events. Normal runs have one in five milliseconds; with more, servers keep sending
  /// messages that only cause other messages.
  private static let eventsPerMillisecond: Int64 = 10

  /// Runs to the end, or until a rule is broken.
  package func run() -> SimulationReport {
    for server in servers { start(server) }
    for client in clients.indices { queue.push(.clientStep(client), at: random.number(0...300_000)) }
    queue.push(.fault, at: 1_000_000)
    queue.push(.endFaults, at: options.durationMilliseconds * 1000)
    let end = options.durationMilliseconds * 1000 + Self.recoveryMicroseconds
    while checker.violation == nil, let (time, event) = queue.pop(), time <= end {
      now = time
      report.eventCount += 1
      handle(withWhatArrivesTogether(event))
      if Int64(report.eventCount) > end / 1000 * Self.eventsPerMillisecond {
        checker.fail("servers keep each other busy: \(report.eventCount) events in \(now / 1000) ms")
      }
      if faultsAreOver, report.eventCount % 64 == 0, hasRecovered { break }
    }
    if checker.violation == nil { checkEnd() }
    report.violation = checker.violation
    report.transactionCount = checker.transactionCount
    report.epochCount = checker.epochCount
    report.reconfigurationCount = checker.reconfigurationCount
    report.acknowledgedWriteCount = clients.reduce(0) { $0 + $1.acknowledgedCount }
    report.traceHash = trace.hash
    report.trace = trace.lines
    return report
  }

  /// The server with an id.
  func server(_ id: ServerID) -> SimulatedServer { servers[Int(id.rawValue) - 1] }

  /// The current time of the two clocks of a server.
  func time(of server: SimulatedServer) -> ServerTime {
    ServerTime(
      monotonicMilliseconds: now / 1000 + server.skewMilliseconds,
      wallMilliseconds: 1_700_000_000_000 + now / 1000 + server.skewMilliseconds + server.wallOffsetMilliseconds)
  }

  /// An event, and with it the packets that arrive on the same connection at the same time.
  private func withWhatArrivesTogether(_ event: SimulationEvent) -> SimulationEvent {
    var event = event
    while queue.nextTime == now, let next = queue.next, let joined = event.joined(with: next) {
      _ = queue.pop()
      event = joined
    }
    return event
  }

  /// Lets an event happen now, or when its server is no longer paused.
  func handle(_ event: SimulationEvent) {
    if let id = event.server, server(id).isPaused { return server(id).keep(event) }
    switch event {
    case .tick(let id, let generation): onTick(server(id), generation)
    case .written(let id, let generation, let log, let last):
      onWritten(server(id), generation, log: log, through: last)
    case .snapshotStep(let id, let generation, let snapshot): onSnapshotStep(server(id), generation, snapshot)
    case .sendPiece(let link, _): sendPiece(link)
    case .logExamined(let link, let isComplete, let leader, let generation):
      let leader = server(leader)
      if leader.generation == generation { step(leader, .logExamined(link, isComplete: isComplete)) }
    case .notification(let notification, let sender, let id): onNotification(notification, sender, server(id))
    case .notificationRefused(let receiver, let id, let generation):
      if server(id).generation == generation { step(server(id), .notificationRefused(by: receiver)) }
    case .called(let leader, false, let caller, let generation): onCalled(leader, caller, generation)
    case .called(let master, true, let caller, let generation): onObserverCalled(master, caller, generation)
    case .callFailed(let id, let generation):
      if server(id).generation == generation { step(server(id), .leaderUnreachable) }
    case .packet(let link, let direction, let packet): onArrival(link, direction, packet)
    case .clientBytes(let client, let connection, let bytes): onClientBytes(client, connection, bytes)
    case .serverBytes(let id, let generation, let client, let connection, let bytes):
      onServerBytes(server(id), generation, client, connection, bytes)
    case .clientStep(let client): onClientStep(client)
    case .fault: onFault()
    case .restart(let id): if !server(id).isUp { start(server(id)) }
    case .resume(let id): resume(server(id))
    case .heal: heal()
    case .serveReaders(let id, let generation): serveReaders(server(id), generation)
    case .endFaults: endFaults()
    }
  }

  // MARK: Steps

  /// Gives an event to a server, and performs the resulting effects.
  func step(_ server: SimulatedServer, _ event: ZabEvent) {
    guard let runner = server.runner else { return }
    runner.step(event, time(of: server))
    settle(server)
  }

  private func onTick(_ server: SimulatedServer, _ generation: Int) {
    guard server.generation == generation else { return }
    server.plannedTick = .max
    server.core?.expireSessions(time(of: server))
    step(server, .tick)
  }

  private func onNotification(_ notification: ElectionNotification, _ sender: ServerID, _ server: SimulatedServer) {
    guard !server.severed.contains(sender) else { return }
    step(server, .notification(notification, from: sender))
  }

  // MARK: The end

  private func endFaults() {
    faultsAreOver = true
    trace.add(now, "faults are over")
    heal()
    for server in servers {
      server.repairDisk()
      if server.isPaused { resume(server) }
      if !server.isUp { start(server) }
    }
    acknowledgedAtEnd = clients.map(\.acknowledgedCount)
  }

  /// Whether all servers serve with the same last transaction, and every client has had an answer since.
  private var hasRecovered: Bool {
    let zxids = Set(servers.map { $0.member?.zab.delivered ?? .zero })
    return servers.allSatisfy { $0.member?.core != nil } && zxids.count == 1
      && zip(clients, acknowledgedAtEnd).allSatisfy { $0.acknowledgedCount > $1 + 2 }
  }

  private func checkEnd() {
    guard hasRecovered else {
      let states = servers.map { server in
        guard let zab = server.member?.zab else { return "\(server.id): down" }
        return "\(server.id): \(zab.role) serving=\(zab.isServing) \(place(of: zab))"
      }
      return checker.fail("no recovery \(Self.recoveryMicroseconds / 1_000_000) s after the last fault: \(states)")
    }
    guard let core = servers[0].member?.core else { return }
    for client in clients {
      for path in client.acknowledgedPaths where core.tree.find(path) == nil {
        checker.fail("\(path) was acknowledged to client \(client.number) and is gone")
      }
    }
    checkOrder(of: core)
    let names = clients.flatMap(\.sequence).sorted { ($0.zxid, $0.name) < ($1.zxid, $1.name) }
    for (earlier, later) in zip(names, names.dropFirst()) where earlier.name >= later.name {
      checker.fail("\(later.name) of \(later.zxid) came after \(earlier.name) of \(earlier.zxid)")
    }
    for session in core.tree.sessionsWithEphemerals where core.committedSessions[session] == nil {
      checker.fail("session \(session) is gone and has ephemerals")
    }
    let version = servers[0].member?.zab.configuration.version
    for server in servers where server.member?.zab.configuration.version != version {
      let places = servers.map { server in server.member.map { place(of: $0.zab) } ?? "down" }
      checker.fail("server \(server.id) has another configuration than server 1 in the end: \(places)")
    }
    for server in servers.dropFirst() where server.member?.core?.tree.treeDigest != core.tree.treeDigest {
      checker.fail("server \(server.id) has another tree than server 1 in the end")
    }
  }

  /// What a session requested is performed in that order, whichever servers it was requested from.
  ///
  /// The leader does not know local sessions, and so cannot refuse a late request from an observer master whose
  /// observer has gone to another one; Apache's cannot either.
  private func checkOrder(of core: ServerCore) {
    guard !options.hasLocalSessions || !options.hasObserverMasters else { return }
    for client in clients {
      var last: [SessionID: (zxid: Zxid, path: String)] = [:]
      for (session, path) in client.requestedPaths {
        guard let zxid = core.tree.find(path).map({ core.tree.stat(of: $0).czxid }) else { continue }
        if let previous = last[session], zxid < previous.zxid {
          checker.fail("\(path) was created before \(previous.path), which session \(session) had requested earlier")
        }
        last[session] = (zxid, path)
      }
    }
  }
}
