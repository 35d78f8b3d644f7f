import ZooKeeperClient
import ZooKeeperProtocol

/// A client that writes, so that there is traffic between the servers of the sandbox, and that measures the time
/// without acknowledged writes.
actor SandboxWriter {
  /// The statistics of the writes.
  struct Figures: Sendable {
    var isOn = false
    var perSecond = 2
    var acknowledgedCount = 0
    var failedCount = 0
    var longestGapMilliseconds: Int64 = 0
  }

  /// The znode that is written.
  private static let path = "/writer"

  private let connectString: String
  private var state = Figures()
  private var task: Task<Void, Never>?
  private var lastAcknowledgement: ContinuousClock.Instant?

  init(_ connectString: String) { self.connectString = connectString }

  /// The statistics, including the present gap.
  func figures() -> Figures {
    var figures = state
    if state.isOn { figures.longestGapMilliseconds = max(state.longestGapMilliseconds, gapMilliseconds) }
    return figures
  }

  private var gapMilliseconds: Int64 {
    guard let last = lastAcknowledgement else { return 0 }
    return Int64((ContinuousClock.now - last) / .milliseconds(1))
  }

  /// Starts or stops writing.
  func set(isOn: Bool, perSecond: Int?) async {
    if let perSecond { state.perSecond = perSecond }
    guard isOn != state.isOn else { return }
    state.isOn = isOn
    if isOn {
      state.acknowledgedCount = 0
      state.failedCount = 0
      state.longestGapMilliseconds = 0
      lastAcknowledgement = .now
      task = Task { [weak self] in await self?.run() }
    } else {
      let former = task
      task = nil
      former?.cancel()
      await former?.value
    }
  }

  /// Stops writing.
  func stop() async { await set(isOn: false, perSecond: nil) }

  private func run() async {
    guard let servers = try? ConnectString(parsing: connectString) else { return }
    var configuration = ZooKeeperClient.Configuration(servers)
    configuration.sessionTimeout = .seconds(8)
    configuration.requestTimeLimit = .seconds(5)
    var client = ZooKeeperClient(configuration)
    var number = 0
    while !Task.isCancelled, state.isOn {
      number += 1
      let start = ContinuousClock.now
      if await !write(number, client), await client.snapshot().state == .expired {
        client = ZooKeeperClient(configuration)
      }
      let pause = Duration.seconds(1) / max(1, state.perSecond) - (.now - start)
      if pause > .zero { try? await Task.sleep(for: pause) }
    }
    await client.close(limit: .milliseconds(300))
  }

  private func write(_ number: Int, _ client: ZooKeeperClient) async -> Bool {
    do throws(ZooKeeperError) {
      let data = [UInt8]("\(number)".utf8)
      do throws(ZooKeeperError) {
        try await client.setData(Self.path, data: data)
      } catch {
        guard error.code == .server(.noNode) else { throw error }
        try await client.create(Self.path, data: data)
      }
    } catch {
      guard !Task.isCancelled else { return false }
      state.failedCount += 1
      try? await Task.sleep(for: .milliseconds(100))
      return false
    }
    state.acknowledgedCount += 1
    state.longestGapMilliseconds = max(state.longestGapMilliseconds, gapMilliseconds)
    lastAcknowledgement = .now
    return true
  }
}
