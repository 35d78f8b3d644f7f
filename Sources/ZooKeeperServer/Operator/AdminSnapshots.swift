import Logging
import NIOCore
import NIOHTTP1
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// The command `snapshot` of the AdminServer: a snapshot of the current tree, written to the data directory and sent.
///
/// It requires all permissions on the root, because a snapshot contains every znode. The file is the same as one that
/// the server writes for itself, with checksums, so that it can be verified after the download, and a server can start
/// from it.
///
/// *Source*: `org.apache.zookeeper.server.admin.Commands.SnapshotCommand`; `ClientProtocol` 7.2.
///
/// *Thread*: the event loop.
final class AdminSnapshots: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  static let name = "snapshot"

  private let settings: ServerConfiguration.Admin
  private let serializesLastZxid: Bool
  private let access: AdminAccess
  private let clients: ClientListener
  private let log: LogPipeline
  private let membership: Membership
  private let metrics: ServerMetrics
  private let loop: any EventLoop
  private let logger: Logger
  /// The time of the last snapshot.
  private var last: NIODeadline?

  init(
    _ configuration: ServerConfiguration, _ access: AdminAccess, _ clients: ClientListener, _ log: LogPipeline,
    _ membership: Membership, _ metrics: ServerMetrics, loop: any EventLoop, logger: Logger
  ) {
    settings = configuration.admin
    serializesLastZxid = configuration.logging.serializesLastZxid
    self.access = access
    self.metrics = metrics
    self.clients = clients
    self.log = log
    self.membership = membership
    self.loop = loop
    self.logger = logger
  }

  /// Answers a request for `command`, which is `snapshot` or a shorter name for it.
  func answer(_ question: HTTPQuestion, command: String) -> EventLoopFuture<HTTPAnswer> {
    if let refusal = refusal(of: question, command) { return loop.makeSucceededFuture(refusal) }
    last = .now()
    let sendsFile = question.parameter("streaming").map { $0.lowercased() == "true" } ?? true
    guard let taken = log.takeSnapshot({ [clients, membership] in Self.state(clients, membership) }) else {
      return loop.makeSucceededFuture(
        Self.failure(.tooManyRequests, "another snapshot was asked for and is not written yet"))
    }
    return taken.flatMap { [loop] snapshot in
      AnsweredFile.open(snapshot.path, on: loop).map { (snapshot, $0) }
    }.assumeIsolated().map { [self] snapshot, file in
      logger.info(
        "a snapshot was taken for the AdminServer",
        metadata: ["client": "\(question.address)", "zxid": "\(snapshot.zxid)", "bytes": "\(file.sizeBytes)"])
      return Self.answer(snapshot, file, sendsFile: sendsFile)
    }.flatMapErrorThrowing { [logger] error in
      logger.error("a snapshot for the AdminServer could not be taken", metadata: ["reason": "\(error)"])
      return Self.failure(.internalServerError, "the snapshot could not be written; the server's log says why")
    }.nonisolated()
  }

  private static func answer(_ snapshot: TakenSnapshot, _ file: AnsweredFile, sendsFile: Bool) -> HTTPAnswer {
    let headers = [
      (name: "last_zxid", value: "\(snapshot.zxid)"), (name: "snapshot_size", value: "\(file.sizeBytes)"),
    ]
    if sendsFile {
      return HTTPAnswer(contentType: "application/octet-stream", headers: headers, body: "", file: file)
    }
    file.close()
    var answer = HTTPAnswer.json(AdminCommands.text(name, error: nil))
    answer.headers = headers
    return answer
  }

  private static func failure(_ status: HTTPResponseStatus, _ reason: String) -> HTTPAnswer {
    .failure(status, reason, name)
  }

  /// The tree that clients are served from, and the transaction up to which the log is durable; nil if none are served.
  private static func state(_ clients: ClientListener, _ membership: Membership) -> (core: ServerCore, logged: Zxid)? {
    guard clients.served.audience == .everybody else { return nil }
    let core = clients.served.core
    return (core, membership.durableZxid(core))
  }

  /// Why no snapshot is taken; nil if one is. The statuses are those of Apache's server, which gives no reasons.
  private func refusal(of question: HTTPQuestion, _ command: String) -> HTTPAnswer? {
    if let refusal = access.refusal(of: question, command, danger: "read all znodes") { return refusal }
    guard settings.takesSnapshots else {
      return Self.failure(.serviceUnavailable, "snapshots are switched off by admin.snapshot.enabled=false")
    }
    guard serializesLastZxid else {
      return Self.failure(.internalServerError, "snapshots need serializeLastProcessedZxid.enabled=true")
    }
    let interval = TimeAmount.milliseconds(clamping: settings.snapshotIntervalMilliseconds)
    if let last, NIODeadline.now() - last < interval {
      metrics.limitedSnapshots += 1
      return Self.failure(
        .tooManyRequests,
        "there is one snapshot in \(settings.snapshotIntervalMilliseconds) ms; see admin.rateLimiterIntervalInMS")
    }
    return nil
  }
}
