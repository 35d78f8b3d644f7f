import JSONFormat
import ZooKeeperSandbox

/// Polls a subject that streams follow, and publishes the answers.
struct Poll {
  let key: EventHub.PollKey
  let site: Site

  /// Continues while `isWanted` returns true.
  func run(while isWanted: () -> Bool) async {
    switch key.topic {
    case .ensemble: await ensembles(isWanted)
    case .clients: await clients(isWanted)
    case .sandbox: await sandbox(isWanted)
    case .trace: await trace(isWanted)
    case .log: await log(isWanted)
    case .state, .jobs: break
    }
  }

  private func pause(_ time: Duration) async { try? await Task.sleep(for: time) }

  private func ensembles(_ isWanted: () -> Bool) async {
    guard let cluster = key.cluster, let session = site.clusters[cluster] else { return }
    while isWanted(), !Task.isCancelled {
      let start = ContinuousClock.now
      let document = await session.ensembleDocument()
      site.hub.publish("ensemble", document, topic: .ensemble, cluster: cluster)
      await pause(max(.milliseconds(100), .seconds(1) - (.now - start)))
    }
  }

  private func clients(_ isWanted: () -> Bool) async {
    guard let cluster = key.cluster, let session = site.clusters[cluster] else { return }
    while isWanted(), !Task.isCancelled {
      let start = ContinuousClock.now
      let document = await session.clientsDocument()
      site.hub.publish("clients", document, topic: .clients, cluster: cluster)
      await pause(max(.milliseconds(200), .seconds(2) - (.now - start)))
    }
  }

  private func sandbox(_ isWanted: () -> Bool) async {
    guard let sandbox = site.sandbox else { return await pause(.seconds(1)) }
    var last: [UInt8] = []
    while isWanted(), !Task.isCancelled {
      let document = await sandbox.document()
      let bytes = document.bytes
      if bytes != last { site.hub.publish("sandbox", .raw(bytes), topic: .sandbox) }
      last = bytes
      await pause(.milliseconds(250))
    }
  }

  private func trace(_ isWanted: () -> Bool) async {
    guard let ensemble = site.sandbox?.ensemble, ensemble.size > 1 else { return await pause(.seconds(1)) }
    let trace = await ensemble.startTrace(limit: 20_000)
    while isWanted(), !Task.isCancelled {
      let (events, lostCount) = trace.take()
      if !events.isEmpty || lostCount > 0 {
        site.hub.publish("trace", JSON.trace(events, lostCount: lostCount), topic: .trace)
      }
      await pause(.milliseconds(50))
    }
    await ensemble.end(trace)
  }

  private func log(_ isWanted: () -> Bool) async {
    guard let sandbox = site.sandbox else { return await pause(.seconds(1)) }
    while isWanted(), !Task.isCancelled {
      let lines = sandbox.takeLog()
      if !lines.isEmpty { site.hub.publish("log", .object([("lines", .array(lines))]), topic: .log) }
      await pause(.milliseconds(200))
    }
  }
}
