import Platform
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// health, ready and members.
extension CommandContext {
  /// Reports problems of the ensemble.
  func health() async throws -> ExitCode {
    let report = try await probe().ensemble(servers)
    try Task.checkCancellation()
    var rules = HealthRules(report)
    rules.disks = Self.localDisks(of: report)
    let verdict = rules.verdict(isStrict: invocation.flag(.strict))
    try emit(.record(HealthText(report, rules.findings, verdict).record))
    return switch verdict {
    case .healthy: .success
    case .degraded: .no
    case .down: .ensembleCannot
    }
  }

  /// The disks of servers that run on this machine, because Apache's servers do not report their free space.
  private static func localDisks(of report: EnsembleReport) -> [ServerAddress: DiskSpace] {
    let own: Set<String> = ["localhost", "127.0.0.1", "::1", HostInfo.name]
    var disks: [ServerAddress: DiskSpace] = [:]
    for member in report.members where own.contains(member.address.host) {
      disks[member.address] = member.dataDirectory.flatMap(DiskSpace.init(directory:))
    }
    return disks
  }

  /// Lists the servers.
  func members() async throws -> ExitCode {
    let report = try await probe().ensemble(servers)
    try Task.checkCancellation()
    try emit(.table(HealthText.table(report)))
    return .success
  }

  /// Checks whether a server grants sessions.
  func ready() async throws -> ExitCode {
    let limit = try answerLimit()
    let failures: [ConnectFailure]
    switch await firstReady(limit) {
    case .server(let address):
      try emit(
        .record(Record("ready: \(address)", ["ready": .flag(true), "server": .text(address.description)])))
      return .success
    case .failed(let all): failures = all
    }
    try Task.checkCancellation()
    // A server without a quorum closes connections without an answer, but reports the reason in its four-letter words.
    for failure in failures where failure.reason == .closedWithoutAnswer {
      guard await WordAnswer.ask("srvr", of: failure.address, tls: tls, limit: limit) == .notServing else { continue }
      throw ShellError(
        .ensembleCannot, "NoQuorum", "\(failure.address) is up but not serving: it has no quorum",
        hint: "check the other servers")
    }
    throw unreachable(failures)
  }

  private enum Readiness {
    case server(ServerAddress)
    case failed([ConnectFailure])
  }

  /// The first server that grants a session. Servers are tried at short intervals without waiting for the previous one,
  /// so that a silent server costs only one interval.
  private func firstReady(_ limit: Duration) async -> Readiness {
    await withTaskGroup(of: Result<ServerAddress, any Error>.self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          do {
            try await Task.sleep(for: .milliseconds(10) * index)
            let client = try await openMember(server, limit)
            await client.close(limit: .milliseconds(50))
            return .success(server)
          } catch {
            return .failure(error)
          }
        }
      }
      var failures: [ConnectFailure] = []
      for await result in group {
        switch result {
        case .success(let server):
          group.cancelAll()
          return .server(server)
        case .failure(let error as ZooKeeperError):
          if case .cannotConnect(let reasons) = error.code { failures += reasons }
        case .failure: continue
        }
      }
      return .failed(failures)
    }
  }
}
