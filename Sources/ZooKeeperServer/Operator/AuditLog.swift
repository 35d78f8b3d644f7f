import Logging
import NIOConcurrencyHelpers
import ServerCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The audit log: a file with a line for each change that a client has made, or was refused.
///
/// Lines are as Apache's server writes them with the logging configuration that comes with it; so are the names and
/// sizes of the files. They are written on a separate thread and not synced. A new file begins at 10 MB.
///
/// The number of lines that wait to be written is limited. Clients are not read while it is large, see `isBehind`, so
/// that no line is lost because of them. If the server's own lines exceed the limit nevertheless, for instance because
/// the disk is full, the server's log says how many are missing.
///
/// *Source*: `org.apache.zookeeper.audit.Slf4jAuditLogger`, `conf/logback.xml`.
///
/// *Thread*: any; lines are written on the thread of the audit log.
final class AuditLog: @unchecked Sendable {
  // @unchecked: what is under "shared" is touched under `lock` only, the rest after `init` on the thread only.

  /// The number of lines that may wait before clients are no longer read.
  static let targetCount = 10_000
  /// The largest number of lines that wait. The end of a session with a million ephemeral znodes fits.
  static let limitCount = 1_100_000
  /// The size at which a file is replaced by the next one, in bytes.
  static let fileBytes = 10 << 20
  /// The number of earlier files that are kept.
  static let earlierFileCount = 10

  private struct Line {
    let event: AuditEvent
    let wallMilliseconds: Int64
  }

  /// Called on the thread when clients can be read again.
  var onCaughtUp: (@Sendable () -> Void)?
  private let lock = ConditionLock(value: false)
  // Shared.
  private var queue: [Line] = []
  private var lostCount = 0
  private var isStopping = false
  private var wasBehind = false
  private var thread: WorkerThread?
  // Of the thread.
  private let logger: Logger
  private var output: LogOutput
  private var hasFailed = false
  private var clock = LineClock()

  /// Opens the file, and starts the thread.
  ///
  /// - Throws: when the file cannot be written. The server must not start without its audit log.
  init(path: String, logger: Logger) throws(ServerStartError) {
    self.logger = logger
    output = try LogOutput(
      LogOutput.File(path: path, limitBytes: Self.fileBytes, earlierCount: Self.earlierFileCount),
      purpose: "the audit log", hint: "auditlog.dir and auditlog.file name another place")
    let thread = WorkerThread.start { [self] in while writeNext() {} }
    lock.lock()
    self.thread = thread
    lock.unlock()
  }

  /// Adds a line.
  func add(_ event: AuditEvent) {
    let line = Line(event: event, wallMilliseconds: Host.wallMilliseconds)
    lock.lock()
    if queue.count < Self.limitCount { queue.append(line) } else { lostCount += 1 }
    if queue.count > Self.targetCount { wasBehind = true }
    lock.unlock(withValue: true)
  }

  /// Whether clients must wait until lines were written.
  var isBehind: Bool {
    lock.lock()
    defer { lock.unlock() }
    return wasBehind
  }

  /// Writes a last line, and ends.
  func end(with event: AuditEvent) {
    add(event)
    stop()
  }

  /// Writes what waits, and ends the thread.
  func stop() {
    lock.lock()
    isStopping = true
    let thread = thread.take()
    lock.unlock(withValue: true)
    thread?.join()
  }

  // MARK: The thread

  /// - Returns: false when the thread must end.
  private func writeNext() -> Bool {
    lock.lock(whenValue: true)
    let lines = queue
    let (lost, ends) = (lostCount, isStopping)
    let caughtUp = wasBehind
    queue = []
    lostCount = 0
    wasBehind = false
    lock.unlock(withValue: false)
    if lost > 0 { logger.error("the audit log lacks \(lost) lines: it is written too slowly") }
    write(lines)
    if caughtUp { onCaughtUp?() }
    return !ends
  }

  private func write(_ lines: [Line]) {
    var bytes: [UInt8] = []
    for line in lines {
      let level = line.event.result == .failure ? "ERROR" : "INFO"
      let time = clock.text(wallMilliseconds: line.wallMilliseconds)
      bytes += "\(time) \(level) o.a.z.a.Slf4jAuditLogger: \(line.event.text(serverUser: Host.userName))\n".utf8
      if bytes.count >= 1 << 16 { flush(&bytes) }
    }
    flush(&bytes)
  }

  private func flush(_ bytes: inout [UInt8]) {
    defer { bytes.removeAll(keepingCapacity: true) }
    guard !bytes.isEmpty else { return }
    guard let reason = output.write(bytes) ?? output.openFailure else { return hasFailed = false }
    // Once, until all could be written again: an error for each line would fill the other disk too.
    guard !hasFailed else { return }
    hasFailed = true
    logger.error("the audit log cannot be written as it should", metadata: ["reason": "\(reason)"])
  }
}

/// The times of lines, in local time: `2026-11-28 20:51:43,123`.
private struct LineClock {
  private var second: Int64 = .min
  private var text = ""

  mutating func text(wallMilliseconds: Int64) -> String {
    if wallMilliseconds / 1000 != second {
      second = wallMilliseconds / 1000
      var (seconds, parts) = (time_t(second), tm())
      localtime_r(&seconds, &parts)
      var buffer = [CChar](repeating: 0, count: 32)
      let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
      text = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return "\(text),\("\(1000 + wallMilliseconds % 1000)".dropFirst())"
  }
}
