import Logging
import NIOCore
import NIOPosix
import ServerCore
import ZooKeeperProtocol

/// Makes reports of a running server: the answers to four-letter words, to the AdminServer's paths, and to Prometheus.
///
/// *Thread*: the event loop.
final class Reporter: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private let configuration: ServerConfiguration
  private let loop: any EventLoop
  private let storage: Storage
  private let clients: ClientListener
  private let log: LogPipeline
  private let membership: Membership
  private let metrics: ServerMetrics
  private let encryption: ServerEncryption
  private let queue = ReportQueue()
  private let snapshots: AdminSnapshots
  private let restores: AdminRestores
  private let logLevels: LogLevels
  /// What `stmk` and `set_trace_mask` have set, and `gtmk` shows.
  private var traceMask = Int64(FourLetterWords.defaultTraceMask)
  private let startTime = NIODeadline.now()

  private var core: ServerCore { clients.served.core }

  init(
    _ configuration: ServerConfiguration, _ storage: Storage, _ clients: ClientListener, _ log: LogPipeline,
    _ membership: Membership, _ metrics: ServerMetrics, _ encryption: ServerEncryption, _ restore: ServerRestore,
    loop: any EventLoop, logger: Logger
  ) {
    self.configuration = configuration
    self.storage = storage
    self.clients = clients
    self.log = log
    self.membership = membership
    self.metrics = metrics
    self.encryption = encryption
    self.loop = loop
    logLevels = LogLevels(logger)
    let access = AdminAccess(configuration, clients, logger: logger)
    snapshots = AdminSnapshots(configuration, access, clients, log, membership, metrics, loop: loop, logger: logger)
    restores = AdminRestores(configuration, access, restore, metrics, loop: loop, logger: logger)
  }

  /// Answers a four-letter word.
  func answer(to word: String, argument: Int64?) -> EventLoopFuture<String> {
    let hasReadOnlyMode = configuration.features.allowsReadOnly
    guard configuration.fourLetterWords.allows(word, hasReadOnlyMode: hasReadOnlyMode) else {
      return loop.makeSucceededFuture(FourLetterWords.refusal(word))
    }
    guard clients.served.isServing || FourLetterWords.isAnsweredAlways(word) else {
      return loop.makeSucceededFuture(FourLetterWords.notServing)
    }
    switch word {
    case "ruok": return loop.makeSucceededFuture("imok")
    case "stmk":
      if let argument { traceMask = argument }
      return loop.makeSucceededFuture("\(traceMask)")
    case "srst": resetStatistics()
    case "crst": core.resetConnectionStatistics()
    default: break
    }
    return report(FourLetterWords.parts(word)) { FourLetterWords.answer(word, $0) }
  }

  private func resetStatistics() {
    core.resetStatistics()
    metrics.resetDistributions()
  }

  /// What takes the body of a POST to the AdminServer; nil if the command takes no POST.
  func receiver(ofAdmin question: HTTPQuestion) -> (any HTTPBodyReceiver)? {
    let root = configuration.admin.commandPath + "/"
    guard question.path.hasPrefix(root) else { return nil }
    let name = String(question.path.dropFirst(root.count))
    return AdminCommands.primaryName(name) == AdminRestores.name
      ? restores.receiver(of: question, command: name) : nil
  }

  /// Answers a GET of the AdminServer.
  func answer(toAdmin question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
    let path = question.path
    let root = configuration.admin.commandPath
    if path == root || path == root + "/" {
      return loop.makeSucceededFuture(HTTPAnswer(contentType: "text/html", body: AdminCommands.index(root)))
    }
    guard path.hasPrefix(root + "/") else { return loop.makeSucceededFuture(.notFound) }
    let name = String(path.dropFirst(root.count + 1))
    switch AdminCommands.primaryName(name) {
    case AdminSnapshots.name: return snapshots.answer(question, command: name)
    case AdminRestores.name: return loop.makeSucceededFuture(AdminRestores.answerToGet(name))
    case "set_trace_mask":
      let (answer, mask) = AdminCommands.traceMask(question.parameter("traceMask"))
      if let mask { traceMask = mask }
      return loop.makeSucceededFuture(.json(answer))
    case LogLevels.command: return loop.makeSucceededFuture(logLevels.answer(question))
    case "stat_reset": resetStatistics()
    case "connection_stat_reset": core.resetConnectionStatistics()
    case "observer_connection_stat_reset": membership.driver?.resetLearnerStatistics()
    default: break
    }
    return report(AdminCommands.parts(name)) { .json(AdminCommands.answer(name, $0)) }
  }

  /// Makes a report, and an answer from it.
  ///
  /// Long lists are collected in pieces; long answers are formatted, and files are examined, on other threads. The
  /// number of reports at a time is limited, so that a client that asks repeatedly cannot fill the memory.
  func report<Answer: Sendable>(
    _ parts: ReportParts, _ answer: @escaping @Sendable (ServerReport) -> Answer
  ) -> EventLoopFuture<Answer> {
    if parts.isEmpty { return loop.makeSucceededFuture(answer(report(parts))) }
    let promise = loop.makePromise(of: Answer.self)
    queue.run { [self] finish in
      gather(ReportGathering(report(parts), parts, core, clients.served.clock.now)).flatMap { [self] report in
        elsewhere(report, parts, answer)
      }.assumeIsolated().whenComplete { result in
        finish()
        promise.completeWith(result)
      }
    }
    return promise.futureResult
  }

  /// Between two pieces of a long list the loop does what else has arrived: a task without a delay would come before
  /// that.
  private static let pause = TimeAmount.microseconds(100)

  /// Completes a report with its long lists, a piece at a time.
  private func gather(_ gathering: ReportGathering) -> EventLoopFuture<ServerReport> {
    let hasMore = gathering.addPiece { [clients] connection, wallOffset in
      clients.handler(of: connection).map { Self.connection($0, offset: wallOffset) }
    }
    guard hasMore else { return loop.makeSucceededFuture(gathering.report) }
    return loop.scheduleTask(in: Self.pause) {}.futureResult.flatMap { [self] in gather(gathering) }
  }

  /// Makes the answer on another thread.
  private func elsewhere<Answer: Sendable>(
    _ report: ServerReport, _ parts: ReportParts, _ answer: @escaping @Sendable (ServerReport) -> Answer
  ) -> EventLoopFuture<Answer> {
    let directory = storage.directory
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      var report = report
      if parts.contains(.files), let sizes = try? directory.sizes() {
        (report.dataDirectorySize, report.logDirectorySize) = sizes
      }
      if parts.contains(.descriptors) {
        (report.openFileDescriptors, report.maximumFileDescriptors) = Host.fileDescriptors
        report.logDirectorySpace = Host.space(of: directory.logDirectory)
      }
      return answer(report)
    }
  }

  /// A consistent view of the state, without the long lists.
  private func report(_ parts: ReportParts) -> ServerReport {
    let time = clients.served.clock.now
    // Expirations are on the monotonic clock, and are reported as wall-clock time.
    let offset = time.wallMilliseconds - time.monotonicMilliseconds
    let sizes = core.counters.responseSizes
    var report = ServerReport(
      configuration: configuration, clientPort: clients.port,
      secureClientPort: configuration.secureClientPort == nil ? -1 : clients.securePort,
      serverID: core.settings.serverID,
      mode: mode, zxid: membership.reportedZxid(core),
      uptimeMilliseconds: (NIODeadline.now() - startTime).nanoseconds / 1_000_000,
      wallMilliseconds: time.wallMilliseconds, latency: LatencyReport(core.counters.latency),
      packetsReceived: core.counters.packetsReceived, packetsSent: core.counters.packetsSent,
      outstandingRequests: core.counters.outstandingRequests,
      responseBytes: (sizes.last, sizes.minimum, sizes.maximum), connectionCount: core.connectionCount,
      znodeCount: core.tree.reportedZnodeCount, approximateDataSize: core.tree.approximateDataSizeBytes,
      watches: WatchReport(count: core.watchCount, dataSummary: core.dataWatchSummary),
      sessions: SessionReport(
        count: core.committedSessions.count, localCount: core.localSessionCount,
        ephemeralCount: core.tree.ephemeralCount),
      treeDigest: core.tree.treeDigest, authFailures: core.counters.authFailures, snapshot: log.lastSnapshot,
      ensemble: membership.driver?.report(
        core, clientAddress: ServerAddress(host: configuration.clientAddress, port: clients.port),
        zxid: membership.reportedZxid(core), withSessions: parts.contains(.sessions)))
    report.traceMask = traceMask
    if parts.contains(.measurements) {
      report.samples = MetricSources(metrics, core, membership.driver, encryption).samples
    }
    if parts.contains(.sessions) {
      report.sessions.expiries = core.sessionExpiries.map { ($0.milliseconds + offset, $0.session) }
      if core.settings.hasLocalSessions {
        report.sessions.localExpiries = core.localSessionExpiries.map { ($0.milliseconds + offset, $0.session) }
      }
    }
    return report
  }

  private var mode: String { clients.served.audience == .readers ? "read-only" : membership.roleName }

  private static func connection(_ handler: ServerConnectionHandler, offset: Int64) -> ConnectionReport {
    let connection = handler.connection
    let statistics = connection.statistics
    let heard = Int64(handler.lastHeard.uptimeNanoseconds / 1_000_000)
    let timeout = Int64(connection.sessionTimeoutMilliseconds)
    // Connections are closed in buckets of ten seconds.
    let expiry = ((heard + max(timeout, 10_000)) / 10_000 + 1) * 10_000
    return ConnectionReport(
      remoteAddress: handler.remoteAddress,
      sessionID: connection.sessionID == .none ? nil : connection.sessionID, isReading: handler.isReading,
      queued: connection.outstandingCount,
      // The four-letter word that is being answered counts as a packet.
      received: statistics.receivedCount + (handler.isAnswering ? 1 : 0), sent: statistics.sentCount,
      lastOperation: statistics.lastOpCode?.shortName ?? "NA",
      establishedMilliseconds: handler.establishedMilliseconds, timeoutMilliseconds: timeout,
      lastXid: statistics.lastXid?.rawValue, lastZxid: statistics.lastZxid,
      lastResponseMilliseconds: statistics.lastResponseMilliseconds, latency: LatencyReport(statistics.latency),
      lastLatency: Int(statistics.lastLatencyMilliseconds), expiryMilliseconds: expiry + offset)
  }
}

extension LatencyReport {
  init(_ statistics: LatencyStatistics) {
    self.init(
      minimum: Int(statistics.minimumMilliseconds), maximum: Int(statistics.maximumMilliseconds),
      total: Int(statistics.totalMilliseconds), count: statistics.count)
  }
}
