import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import TxnLog
import ZooKeeperProtocol

/// The command `restore` of the AdminServer: the snapshot in the body of a POST replaces the state of the server.
///
/// Only a standalone server does it while it runs. The members of an ensemble would disagree until the last of them is
/// restored, so that they refuse, and say how it is done.
///
/// *Source*: `org.apache.zookeeper.server.admin.Commands.RestoreCommand`; `ClientProtocol` 7.2.
///
/// *Thread*: the event loop.
final class AdminRestores: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  static let name = "restore"

  private let settings: ServerConfiguration.Admin
  private let serializesLastZxid: Bool
  private let access: AdminAccess
  private let restore: ServerRestore
  private let metrics: ServerMetrics
  fileprivate let loop: any EventLoop
  fileprivate let logger: Logger
  /// The time of the last request.
  private var last: NIODeadline?
  private var isBusy = false

  init(
    _ configuration: ServerConfiguration, _ access: AdminAccess, _ restore: ServerRestore, _ metrics: ServerMetrics,
    loop: any EventLoop, logger: Logger
  ) {
    settings = configuration.admin
    serializesLastZxid = configuration.logging.serializesLastZxid
    self.access = access
    self.restore = restore
    self.metrics = metrics
    self.loop = loop
    self.logger = logger
  }

  /// The answer to a GET.
  static func answerToGet(_ command: String) -> HTTPAnswer {
    .failure(.methodNotAllowed, "restore needs a POST with the snapshot as its body", command)
  }

  /// The receiver of the body of a request for `command`, which is `restore` or a shorter name for it.
  func receiver(of question: HTTPQuestion, command: String) -> any HTTPBodyReceiver {
    AdminRestore(question, command, SnapshotUpload(restore.directory, restore.trees), self)
  }

  /// Why a snapshot is not taken; nil if it is, and the restore has begun.
  fileprivate func begin(_ question: HTTPQuestion, _ command: String) -> HTTPAnswer? {
    if let refusal = access.refusal(of: question, command, danger: "replace all znodes") { return refusal }
    guard settings.restoresSnapshots else {
      return failure(.serviceUnavailable, "restores are switched off by admin.restore.enabled=false")
    }
    guard serializesLastZxid else {
      return failure(.internalServerError, "restores need serializeLastProcessedZxid.enabled=true")
    }
    guard restore.isStandalone else {
      return failure(
        .conflict,
        "a member of an ensemble is not restored while it runs: stop all members, run zkcli snapshot restore FILE --dir"
          + " DATADIR for each of them with the same file, and start them again")
    }
    guard !isBusy else { return limited("another restore is being carried out") }
    let interval = TimeAmount.milliseconds(clamping: settings.snapshotIntervalMilliseconds)
    if let last, NIODeadline.now() - last < interval {
      return limited(
        "there is one restore in \(settings.snapshotIntervalMilliseconds) ms; see admin.rateLimiterIntervalInMS")
    }
    last = .now()
    isBusy = true
    return nil
  }

  /// Lets another restore begin.
  fileprivate func end() { isBusy = false }

  /// Replaces the state with a snapshot.
  fileprivate func install(_ snapshot: CheckedSnapshot, _ question: HTTPQuestion) -> EventLoopFuture<HTTPAnswer> {
    logger.warning(
      "restoring a snapshot",
      metadata: ["client": "\(question.address)", "zxid": "\(snapshot.zxid)", "fuzzy": "\(snapshot.isFuzzy)"])
    return restore.install(snapshot).assumeIsolated().map { [logger] restored in
      let kept = restored.asidePaths.joined(separator: ", ")
      logger.warning("a snapshot was restored", metadata: ["zxid": "\(restored.zxid)", "kept": "\(kept)"])
      return .json(
        AdminJSON.object([
          ("last_zxid", .number(Int(restored.zxid.rawValue))),
          ("consistent", .bool(!snapshot.isFuzzy)),
          ("kept", .array(restored.asidePaths.map(AdminJSON.string))),
          ("command", .string(Self.name)), ("error", .null),
        ]).text)
    }.flatMapErrorThrowing { [self] error in
      logger.error("a snapshot could not be restored", metadata: ["reason": "\(error)"])
      return failed(.internalServerError, "the snapshot could not be restored; the server's log says why")
    }.nonisolated()
  }

  /// The answer to a snapshot that was not taken.
  fileprivate func answer(to error: any Error) -> HTTPAnswer {
    switch error {
    case SnapshotUpload.Failure.noSpace(let free):
      return failed(
        .insufficientStorage, "the disk of the data directory has no room for the snapshot: \(free) bytes are free")
    case SnapshotUpload.Failure.invalid(let reason):
      return failed(.badRequest, "what was sent is no whole snapshot: \(reason)")
    default:
      logger.error("a snapshot could not be received", metadata: ["reason": "\(error)"])
      return failed(.internalServerError, "the snapshot could not be written; the server's log says why")
    }
  }

  private func failed(_ status: HTTPResponseStatus, _ reason: String) -> HTTPAnswer {
    metrics.restoreErrors += 1
    return failure(status, reason)
  }

  private func limited(_ reason: String) -> HTTPAnswer {
    metrics.limitedRestores += 1
    return failure(.tooManyRequests, reason)
  }

  private func failure(_ status: HTTPResponseStatus, _ reason: String) -> HTTPAnswer {
    .failure(status, reason, Self.name)
  }
}

/// The receiver of one snapshot.
private final class AdminRestore: HTTPBodyReceiver, @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only, but for the upload, which one piece of work after another
  // touches.

  private let question: HTTPQuestion
  private let command: String
  private let upload: SnapshotUpload
  private let owner: AdminRestores
  private var hasBegun = false

  init(_ question: HTTPQuestion, _ command: String, _ upload: SnapshotUpload, _ owner: AdminRestores) {
    self.question = question
    self.command = command
    self.upload = upload
    self.owner = owner
  }

  func begin(lengthBytes: Int?) -> EventLoopFuture<HTTPAnswer?> {
    if let refusal = owner.begin(question, command) { return owner.loop.makeSucceededFuture(refusal) }
    hasBegun = true
    return elsewhere { [upload] in try upload.begin(announcedBytes: lengthBytes) }
  }

  func add(_ piece: ByteBuffer) -> EventLoopFuture<HTTPAnswer?> {
    elsewhere { [upload] in try upload.add(piece) }
  }

  func end() -> EventLoopFuture<HTTPAnswer> {
    NIOThreadPool.singleton.runIfActive(eventLoop: owner.loop) { [upload] in try upload.finish() }
      .assumeIsolated().flatMap { [owner, question] snapshot in
        owner.install(snapshot, question)
      }.flatMapErrorThrowing { [owner] error in
        owner.answer(to: error)
      }.nonisolated()
  }

  func close() -> EventLoopFuture<Void> {
    guard hasBegun else { return owner.loop.makeSucceededVoidFuture() }
    return NIOThreadPool.singleton.runIfActive(eventLoop: owner.loop) { [upload] in upload.discard() }
      .assumeIsolated().always { [owner] _ in owner.end() }.nonisolated()
  }

  /// Does work that blocks, and explains its failure.
  private func elsewhere(_ work: @escaping @Sendable () throws -> Void) -> EventLoopFuture<HTTPAnswer?> {
    NIOThreadPool.singleton.runIfActive(eventLoop: owner.loop, work).map { nil }
      .assumeIsolated().flatMapErrorThrowing { [owner] error in owner.answer(to: error) }.nonisolated()
  }
}
