import JSONFormat
import Synchronization
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// The session of this server with a cluster, which all viewers share.
///
/// It is opened when it is first needed, and replaced when it has expired. A keeper sets the watches of the znodes that
/// streams follow, and sets them again in each new session.
actor ClusterSession {
  /// The known state of the session.
  private struct Status {
    /// The number of the session; events of earlier ones are ignored.
    var number = 0
    /// nil before the first connection.
    var state: KeeperState?
    var isOpening = false
  }

  private enum Opening {
    case none
    case running(Task<ZooKeeperClient, any Error>)
  }

  nonisolated let cluster: WebCluster
  nonisolated let hub: EventHub
  private nonisolated let status = Mutex(Status())
  private nonisolated let signals = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  private var client: ZooKeeperClient?
  private var opening: Opening = .none
  private var keeper: Task<Void, Never>?
  private var isStopped = false
  private var watches = WatchKeeper()
  private var lastState: [UInt8] = []
  /// Recent answers of the ensemble.
  var memory = EnsembleMemory()

  /// The time between two attempts to open a session that no request waits for.
  private static let retryPause = Duration.seconds(1)

  init(_ cluster: WebCluster, _ hub: EventHub) {
    self.cluster = cluster
    self.hub = hub
  }

  // MARK: The session

  /// The client of a session that is connected or being reconnected.
  ///
  /// - Throws: the error if no session can be opened.
  func connected() async throws -> ZooKeeperClient {
    guard !isStopped else { throw ZooKeeperError(.closed) }
    if let client, !isOver { return client }
    startKeeper()
    if case .running(let task) = opening { return try await task.value }
    let task = Task {
      let opened = try await open()
      await learn(opened)
      return opened
    }
    opening = .running(task)
    status.withLock { $0.isOpening = true }
    attend()
    defer {
      opening = .none
      status.withLock { $0.isOpening = false }
      attend()
    }
    let former = client
    let opened = try await task.value
    client = opened
    watches = WatchKeeper()
    await former?.close(limit: .milliseconds(100))
    if isStopped { await opened.close(limit: .milliseconds(500)) }
    return opened
  }

  // MARK: Capabilities of the servers

  /// The identities of the session; nil if they are unknown.
  private var knownIdentities: [ClientInfo]?

  /// Finds out which requests the servers of a new session support, before any other request is sent.
  ///
  /// Servers before 3.7, and for persistent watches those before 3.6, answer an unknown request out of order and close
  /// the connection, so that all other requests would be lost.
  private func learn(_ client: ZooKeeperClient) async {
    let client = client.withTimeLimit(.seconds(2))
    do {
      knownIdentities = try await client.whoAmI()
    } catch {
      guard error.code == .server(.unimplemented) else { return }
      knownIdentities = []
      for _ in 0..<3 {
        do {
          try await client.addDefaultWatch("/", mode: .persistent)
          try? await client.removeWatches("/", type: .any, local: true)
          return
        } catch {
          guard error.code != .server(.unimplemented) else { return watchesAreOneShot.withLock { $0 = true } }
        }
      }
    }
  }

  /// The identities of the session; empty if it is not connected, or if the servers do not support the request.
  func identities() async -> [ClientInfo] {
    guard stateName == "connected", let client else { return [] }
    if knownIdentities == nil { knownIdentities = try? await client.withTimeLimit(.seconds(1)).whoAmI() }
    return (knownIdentities ?? []).sorted { ($0.scheme, $0.user) < ($1.scheme, $1.user) }
  }

  private nonisolated var isOver: Bool {
    status.withLock { [.expired, .authFailed, .closed].contains($0.state) }
  }

  private nonisolated func open() async throws -> ZooKeeperClient {
    let number = status.withLock { status in
      status.number += 1
      status.state = nil
      return status.number
    }
    return try await cluster.open { [weak self] event in self?.take(event, of: number) }
  }

  /// Closes the session.
  func stop() async {
    isStopped = true
    signals.continuation.finish()
    keeper?.cancel()
    await client?.close(limit: .seconds(1))
    client = nil
  }

  /// *Thread*: the event loop.
  private nonisolated func take(_ event: WatchEvent, of number: Int) {
    let isCurrent = status.withLock { status in
      guard status.number == number else { return false }
      if event.type == .none { status.state = event.state }
      return true
    }
    guard isCurrent else { return }
    guard event.type != .none else { return attend() }
    if watchesAreOneShot.withLock({ $0 }) {
      spent.withLock { $0.append(event) }
      return attend()
    }
    hub.publish(event, cluster: cluster.name)
  }

  // MARK: The keeper

  /// Whether the servers do not support persistent watches. Events are then held back until their watches are set
  /// again, because otherwise a view could read a state and miss the next change.
  private nonisolated let watchesAreOneShot = Mutex(false)
  private nonisolated let spent = Mutex<[WatchEvent]>([])

  /// Wakes the keeper.
  nonisolated func attend() { signals.continuation.yield() }

  /// Opens a session for streams that follow the cluster, without waiting for it.
  func start() {
    startKeeper()
    attend()
  }

  private func startKeeper() {
    guard keeper == nil, !isStopped else { return }
    keeper = Task { [weak self, stream = signals.stream] in
      for await _ in stream {
        guard let self, !Task.isCancelled else { return }
        await self.keep()
      }
    }
  }

  private func keep() async {
    await publishState()
    if client == nil || isOver {
      guard hub.hasStreams(of: cluster.name) else { return }
      do {
        _ = try await connected()
      } catch {
        try? await Task.sleep(for: Self.retryPause)
        return attend()
      }
      await publishState()
    }
    await setWatches()
  }

  /// Sets the watches of all followed znodes, within a time limit.
  func setWatches(within limit: Duration = .seconds(10)) async {
    guard let client = try? await connected() else { return }
    let events = spent.withLock { events in
      defer { events = [] }
      return events
    }
    watches.forget(events)
    let work = watches.work(for: hub.followedPaths(of: cluster.name))
    let isOneShot = watchesAreOneShot.withLock { $0 }
    let result = await WatchKeeper.carryOut(work, on: client.withTimeLimit(limit), isOneShot: isOneShot)
    if result.areUnknown {
      watchesAreOneShot.withLock { $0 = true }
      watches.give(back: work)
      return await setWatches(within: limit)
    }
    watches.give(back: result.failed)
    for event in events { hub.publish(event, cluster: cluster.name) }
  }

  // MARK: The state

  /// The name of the state on the page.
  nonisolated var stateName: String {
    status.withLock { status in
      switch status.state {
      case .syncConnected, .connectedReadOnly, .saslAuthenticated: "connected"
      case .expired, .authFailed, .closed: status.isOpening ? "connecting" : "closed"
      case nil: status.isOpening ? "connecting" : "unused"
      default: "connecting"
      }
    }
  }

  /// The members of the event `state`, except for the cluster's name.
  func stateMembers() async -> [(key: String, value: JSON)] {
    let name = stateName
    let snapshot = name == "connected" ? await client?.snapshot() : nil
    return [
      ("state", .string(name)), ("server", .optional(snapshot?.server.map { "\($0)" })),
      ("session", .optional(snapshot.map { "\($0.sessionID)" })),
    ]
  }

  /// The document of the event `state`.
  func stateDocument() async -> JSON { .object([("cluster", .string(cluster.name))] + (await stateMembers())) }

  private func publishState() async {
    let document = await stateDocument()
    let bytes = document.bytes
    guard bytes != lastState else { return }
    lastState = bytes
    hub.publish("state", .raw(bytes))
  }

  /// The present client, connected or not; nil if there is none.
  var present: ZooKeeperClient? { client }
}
