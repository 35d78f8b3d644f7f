package import Logging
import NIOConcurrencyHelpers

/// The log of a server: lines for operators, which a separate thread writes.
///
/// Logging only adds to a queue, so that a slow terminal, pipe or disk does not block an event loop. The queue is
/// limited; lines for which it has no room are counted, and the next line that is written says how many are missing.
///
/// *Thread*: any; lines are written on the thread of the log.
package final class ServerLog: @unchecked Sendable {
  // @unchecked: what is under "shared" is touched under `lock` only, `output` after `init` on the thread only.

  /// How the log looks, and where it goes.
  package struct Settings: Sendable {
    package var level = Logger.Level.info
    package var format = LogFormat.text
    /// nil stands for stderr.
    package var file: String?
    /// The size at which another file begins, in bytes; 0 means never.
    package var fileBytes = 10 << 20
    /// The number of earlier files that are kept.
    package var earlierFileCount = 10
    /// The variable `JOURNAL_STREAM`, by which systemd says that stderr is its journal.
    package var journalStream: String?

    package init() {}
  }

  /// The largest number of bytes that wait to be written.
  static let queueLimitBytes = 1 << 20
  /// How long `stop` waits for them: the reader of stderr may never read.
  private static let stopLimitSeconds = 2.0

  private enum Signal {
    case none, work, ended
  }

  /// The level from which on messages are logged.
  package let threshold: LogThreshold
  private let format: LogFormat
  private let isForJournal: Bool
  private let lock = ConditionLock(value: Signal.none)
  // Shared.
  private var queue: [UInt8] = []
  private var lostCount = 0
  private var limiter = LogLimiter()
  private var reopensFile = false
  private var isStopping = false
  private var hasStopped = false
  // Of the thread.
  private var output: LogOutput
  /// The last value of its `openFailure`, which has been reported.
  private var reportedFailure: String?

  /// Opens the file, if there is one, and starts the thread.
  ///
  /// - Throws: when the file cannot be written.
  package init(_ settings: Settings) throws(ServerStartError) {
    threshold = LogThreshold(settings.level)
    format = settings.format
    isForJournal = settings.file == nil && LogOutput.isJournal(settings.journalStream)
    output = try LogOutput(
      settings.file.map {
        LogOutput.File(path: $0, limitBytes: settings.fileBytes, earlierCount: settings.earlierFileCount)
      })
    // The thread keeps the log, and ends with `stop`.
    _ = WorkerThread.start { [self] in while writeNext() {} }
  }

  /// A logger that writes here.
  package func logger(label: String) -> Logger {
    Logger(label: label, factory: { [self] _ in ServerLogHandler(self) })
  }

  /// Adds a line of the server's owner, which is not limited like those that clients and other servers cause.
  package func note(_ level: Logger.Level, _ message: String) {
    guard level >= threshold.level else { return }
    lock.lock()
    append(LogLine(level: level, message: message, fields: [], wallMilliseconds: Host.wallMilliseconds))
    lock.unlock(withValue: .work)
  }

  /// Opens the file again, because another program has renamed it.
  package func reopen() {
    lock.lock()
    reopensFile = true
    lock.unlock(withValue: .work)
  }

  /// Writes what waits, for a limited time, and ends the thread. Later lines are lost.
  package func stop() {
    lock.lock()
    guard !hasStopped else { return lock.unlock() }
    hasStopped = true
    isStopping = true
    lock.unlock(withValue: .work)
    if lock.lock(whenValue: .ended, timeoutSeconds: Self.stopLimitSeconds) { lock.unlock() }
  }

  /// Adds a line. One that is suppressed costs no more than that it is counted.
  fileprivate func add(_ event: LogEvent, _ metadata: Logger.Metadata) {
    let wall = Host.wallMilliseconds
    let message = "\(event.message)"
    lock.lock()
    guard !isStopping else { return lock.unlock() }
    var suppressed = 0
    if event.level < .critical {
      let site = LogLimiter.Site(file: event.file, line: event.line)
      let admitted = limiter.admit(site, now: Host.monotonicMilliseconds, message: message, level: event.level)
      guard let admitted else { return lock.unlock() }
      suppressed = admitted
    }
    let own = metadata.isEmpty ? event.metadata ?? [:] : metadata.merging(event.metadata ?? [:]) { _, own in own }
    let fields = own.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
    var line = LogLine(level: event.level, message: message, fields: fields, wallMilliseconds: wall)
    if suppressed > 0 { line.fields.append(("suppressed", .stringConvertible(suppressed))) }
    append(line)
    lock.unlock(withValue: .work)
  }

  /// Adds a line to the queue. Called under the lock.
  private func append(_ line: LogLine) {
    let bytes = line.bytes(format, isForJournal: isForJournal)
    guard queue.count + bytes.count <= Self.queueLimitBytes else { return lostCount += 1 }
    queue += bytes
  }

  // MARK: The thread

  /// - Returns: false when the thread must end.
  private func writeNext() -> Bool {
    // The time-out is for lines that were suppressed, after which no other may follow.
    let hasWork = lock.lock(whenValue: .work, timeoutSeconds: Double(LogLimiter.reportMilliseconds) / 1000)
    if !hasWork { lock.lock() }
    for suppressed in limiter.takeOverdue(now: Host.monotonicMilliseconds, isLast: isStopping) {
      append(note("lines were suppressed", suppressed.level, suppressed.count, [("like", "\(suppressed.message)")]))
    }
    let (ends, reopens, lost) = (isStopping, reopensFile, lostCount)
    var bytes = queue
    queue = []
    lostCount = 0
    reopensFile = false
    lock.unlock(withValue: .none)
    if reopens { output.reopen() }
    if let reason = output.openFailure, reason != reportedFailure {
      bytes += encoded(note("the log could not be opened again", .error, 0, [("reason", "\(reason)")]))
    }
    reportedFailure = output.openFailure
    if lost > 0 { bytes += encoded(note("lines are missing: the log is written too slowly", .error, lost, [])) }
    if !bytes.isEmpty, output.write(bytes) != nil {
      lock.lock()
      lostCount += bytes.count { $0 == UInt8(ascii: "\n") }
      lock.unlock()
    }
    guard ends else { return true }
    lock.lock()
    lock.unlock(withValue: .ended)
    return false
  }

  private func encoded(_ line: LogLine) -> [UInt8] { line.bytes(format, isForJournal: isForJournal) }

  private func note(
    _ message: String, _ level: Logger.Level, _ count: Int, _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> LogLine {
    let counts: [(key: String, value: Logger.MetadataValue)] = count > 0 ? [("count", .stringConvertible(count))] : []
    return LogLine(level: level, message: message, fields: counts + fields, wallMilliseconds: Host.wallMilliseconds)
  }
}

/// Passes messages on to a server's log, from the level that is set there at the moment.
struct ServerLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  let log: ServerLog
  /// A level of this logger's own; nil for that of the log.
  private var ownLevel: Logger.Level?

  init(_ log: ServerLog) { self.log = log }

  var logLevel: Logger.Level {
    get { ownLevel ?? log.threshold.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Adds one message to the log.
  func log(event: LogEvent) {
    log.add(event, metadata)
  }
}

extension Logger {
  /// What changes the level of this logger's log; nil if it does not write to a server's log.
  package var threshold: LogThreshold? { (handler as? ServerLogHandler)?.log.threshold }
}
