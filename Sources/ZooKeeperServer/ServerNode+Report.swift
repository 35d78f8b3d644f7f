import Logging
import NIOCore
import NIOPosix
import ServerCore
import Zab
import ZooKeeperProtocol

/// What the server tells of itself.
extension ServerNode {
  /// Answers a four-letter word.
  func answer(to word: String, argument: Int64?) -> EventLoopFuture<String> {
    let hasReadOnlyMode = configuration.features.allowsReadOnly
    guard configuration.fourLetterWords.allows(word, hasReadOnlyMode: hasReadOnlyMode) else {
      return loop.makeSucceededFuture(FourLetterWords.refusal(word))
    }
    guard isServing || FourLetterWords.isAnsweredAlways(word) else {
      return loop.makeSucceededFuture(FourLetterWords.notServing)
    }
    switch word {
    case "ruok": return loop.makeSucceededFuture("imok")
    case "stmk": return loop.makeSucceededFuture("\(argument ?? Int64(FourLetterWords.defaultTraceMask))")
    case "srst": core.resetStatistics()
    case "crst": core.resetConnectionStatistics()
    default: break
    }
    return report(FourLetterWords.parts(word)) { FourLetterWords.answer(word, $0) }
  }

  /// Answers a GET of the AdminServer.
  func answer(toAdmin path: String) -> EventLoopFuture<HTTPAnswer> {
    let root = configuration.admin.commandPath
    if path == root || path == root + "/" {
      return loop.makeSucceededFuture(HTTPAnswer(contentType: "text/html", body: AdminCommands.index(root)))
    }
    guard path.hasPrefix(root + "/") else { return loop.makeSucceededFuture(.notFound) }
    let name = String(path.dropFirst(root.count + 1))
    switch AdminCommands.primaryName(name) {
    case "stat_reset": core.resetStatistics()
    case "connection_stat_reset": core.resetConnectionStatistics()
    case "observer_connection_stat_reset": ensemble?.resetLearnerStatistics()
    default: break
    }
    return report(AdminCommands.parts(name)) { .json(AdminCommands.answer(name, $0)) }
  }

  /// Makes a report and an answer of it.
  ///
  /// What is long is put into words, and files are looked at, on other threads; as many reports at a time as there are
  /// turns for, so that whoever asks again and again fills no memory.
  func report<Answer: Sendable>(
    _ parts: ReportParts, _ answer: @escaping @Sendable (ServerReport) -> Answer
  ) -> EventLoopFuture<Answer> {
    if parts.isEmpty { return loop.makeSucceededFuture(answer(report(parts))) }
    let promise = loop.makePromise(of: Answer.self)
    reportQueue.run { [self] finish in
      let report = report(parts)
      let directory = storage.directory
      NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
        var report = report
        if parts.contains(.files), let sizes = try? directory.sizes() {
          (report.dataDirectorySize, report.logDirectorySize) = sizes
        }
        if parts.contains(.descriptors) {
          (report.openFileDescriptors, report.maximumFileDescriptors) = Host.fileDescriptors
        }
        return answer(report)
      }.assumeIsolated().whenComplete { result in
        finish()
        promise.completeWith(result)
      }
    }
    return promise.futureResult
  }

  /// The state at this moment, with those of the parts that the loop makes.
  private func report(_ parts: ReportParts) -> ServerReport {
    let time = time
    // What expires on the monotonic clock is told in the time of day.
    let offset = time.wallMilliseconds - time.monotonicMilliseconds
    let sizes = core.counters.responseSizes
    var report = ServerReport(
      configuration: configuration, clientPort: clientPort, serverID: core.settings.serverID,
      mode: mode, zxid: reportedZxid,
      uptimeMilliseconds: (NIODeadline.now() - startTime).nanoseconds / 1_000_000,
      wallMilliseconds: time.wallMilliseconds, latency: LatencyReport(core.counters.latency),
      packetsReceived: core.counters.packetsReceived, packetsSent: core.counters.packetsSent,
      outstandingRequests: core.counters.outstandingRequests,
      responseBytes: (sizes.last, sizes.minimum, sizes.maximum), connectionCount: core.connectionCount,
      znodeCount: core.tree.reportedZnodeCount, approximateDataSize: core.tree.approximateDataSizeBytes,
      watches: WatchReport(count: core.watchCount, dataSummary: core.dataWatchSummary),
      sessions: SessionReport(count: core.committedSessions.count, ephemeralCount: core.tree.ephemeralCount),
      treeDigest: core.tree.treeDigest, authFailures: core.counters.authFailures, snapshot: log.lastSnapshot,
      ensemble: ensemble?.report(
        core, clientAddress: HostAndPort(host: configuration.clientAddress ?? "127.0.0.1", port: clientPort),
        zxid: reportedZxid, withSessions: parts.contains(.sessions)))
    if parts.contains(.connections) {
      report.connections = core.allConnections.compactMap { handlers[$0.number] }.map { connection($0, offset: offset) }
    }
    if parts.contains(.watches) {
      report.watches.dataWatches = core.allConnections.flatMap { connection in
        connection.watchedPaths.map { (connection.sessionID, $0) }
      }
    }
    if parts.contains(.sessions) {
      report.sessions.expiries = core.sessionExpiries.map { ($0.milliseconds + offset, $0.session) }
      report.sessions.ephemerals = core.tree.sessionsWithEphemerals.map {
        ($0, core.tree.unorderedEphemeralPaths(of: $0))
      }
    }
    return report
  }

  /// The last transaction; a leader counts the beginning of its epoch as one.
  var reportedZxid: Zxid {
    guard let zab = ensemble?.member.zab, zab.role == .leading, let epoch = zab.servingEpoch else {
      return core.lastProcessedZxid
    }
    return max(core.lastProcessedZxid, epoch.newLeaderZxid)
  }

  /// The server's part in its ensemble.
  private var mode: String {
    guard let ensemble else { return "standalone" }
    if isReadOnly { return "read-only" }
    return ensemble.member.zab.role.word
  }

  private func connection(_ handler: ServerConnectionHandler, offset: Int64) -> ConnectionReport {
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
      // The word that is being answered is a packet, too.
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

extension OpCode {
  /// The operation's name in `cons`.
  ///
  /// *Source*: `org.apache.zookeeper.server.Request.op2String`, cut as `client-protocol` 7.1 lists.
  fileprivate var shortName: String {
    switch self {
    case .createSession: "SESS"
    case .ping: "PING"
    case .create, .create2, .createTTL, .createContainer: "CREA"
    case .delete, .deleteContainer: "DELE"
    case .exists: "EXIS"
    case .getData: "GETD"
    case .setData: "SETD"
    case .getACL: "GETA"
    case .setACL: "SETA"
    case .getChildren, .getChildren2: "GETC"
    case .getAllChildrenNumber: "GETACN"
    case .sync: "SYNC"
    case .multi: "MULT"
    case .multiRead: "MLTR"
    case .reconfig: "RECO"
    case .check: "CHEC"
    case .setWatches: "SETW"
    case .setWatches2: "STW2"
    case .addWatch: "ADDW"
    case .checkWatches: "CHKW"
    case .removeWatches: "REMW"
    case .getEphemerals: "GETE"
    case .whoAmI: "HOMI"
    case .closeSession: "CLOS"
    case .auth, .sasl, .notification, .error: "NA"
    }
  }
}

extension ServerConfiguration {
  /// The part of it that the core needs.
  var coreSettings: ServerSettings {
    var settings = ServerSettings()
    settings.tickTimeMilliseconds = Int64(tickTimeMilliseconds)
    settings.minSessionTimeoutMilliseconds = Int32(clamping: sessionTimeoutBounds.lowerBound)
    settings.maxSessionTimeoutMilliseconds = Int32(clamping: sessionTimeoutBounds.upperBound)
    settings.serverID = ensemble?.serverID.rawValue ?? 1
    settings.skipACL = features.skipsACL
    settings.enforceQuota = features.enforcesQuota
    settings.reconfigEnabled = features.allowsReconfig
    settings.maximumTxnBytes = ServerSettings.maximumTxnBytes(maximumFrameBytes: maximumFrameBytes)
    settings.superDigest = features.superDigest
    settings.digestSchemeEnabled = features.hasDigestScheme
    settings.requiredSchemes = features.requiredSchemes
    settings.containerMaxNeverUsedMilliseconds = Int64(features.neverUsedContainerMilliseconds)
    return settings
  }
}

extension ServerConfiguration.Ensemble {
  /// The part of it that agreement needs.
  var zabSettings: ZabSettings {
    var settings = ZabSettings()
    settings.tickMilliseconds = Int64(tickTimeMilliseconds)
    settings.initLimitTicks = Int64(times.initLimitTicks)
    settings.syncLimitTicks = Int64(times.syncLimitTicks)
    settings.isReconfigEnabled = isReconfigEnabled
    return settings
  }
}

extension Storage.Recovered {
  /// Says what recovery found: nothing that was cut or skipped is silent.
  func report(to logger: Logger) {
    let report = storage.report
    logger.info(
      "recovered",
      metadata: [
        "zxid": "\(report.lastZxid)", "snapshot": "\(report.snapshot?.path ?? "none")",
        "replayed": "\(report.replayedCount)",
      ])
    for skipped in report.skippedSnapshots {
      logger.warning("a snapshot is damaged and was not used", metadata: ["reason": "\(skipped.error)"])
    }
    for tail in report.cut { logger.warning("a torn tail of the log was cut", metadata: ["tail": "\(tail)"]) }
    for part in report.kept {
      let copy = part.copyPath ?? "nowhere: the disk has no room for a copy"
      logger.warning(
        part.offset == 0 ? "a log without a transaction was set aside" : "what was cut is kept",
        metadata: ["path": "\(part.path)", "kept": "\(copy)"])
    }
    for path in report.removedPaths { logger.info("removed what was never finished", metadata: ["path": "\(path)"]) }
    if let zxid = report.unreachedZxid {
      logger.warning("the snapshot has effects up to \(zxid), and the log ends before it")
    }
    if state.digestMismatches > 0 {
      logger.warning("\(state.digestMismatches) transactions left another tree than when they were made")
    }
  }
}
