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
  private let path: String
  private let logger: Logger
  private var descriptor: Int32
  private var sizeBytes = 0
  private var isRegular = false
  private var hasFailed = false
  private var clock = LineClock()

  /// Opens the file, and starts the thread.
  ///
  /// - Throws: when the file cannot be written. The server must not start without its audit log.
  init(path: String, logger: Logger) throws(ServerStartError) {
    self.path = path
    self.logger = logger
    descriptor = Self.open(path)
    guard descriptor >= 0 else {
      throw ServerStartError(
        "the audit log \(path) cannot be opened: \(String(cString: strerror(errno)))",
        hint: "auditlog.dir and auditlog.file name another place")
    }
    examine()
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
    if ends { close(descriptor) }
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
    if isRegular, sizeBytes > 0, sizeBytes + bytes.count > Self.fileBytes { startFile() }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Self.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...]))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        fail()
        break
      }
      written += count
    }
    if written == bytes.count { hasFailed = false }
    sizeBytes += written
    bytes.removeAll(keepingCapacity: true)
  }

  private func fail() {
    let reason = String(cString: strerror(errno))
    // Once, until a line could be written again: an error for each line would fill the other disk too.
    guard !hasFailed else { return }
    hasFailed = true
    logger.error("the audit log cannot be written; lines are missing", metadata: ["reason": "\(reason)"])
  }

  /// Gives the file the number 1, and those before it the next ones, and begins another file.
  private func startFile() {
    for number in stride(from: Self.earlierFileCount - 1, through: 1, by: -1) {
      rename("\(path).\(number)", "\(path).\(number + 1)")
    }
    rename(path, "\(path).1")
    let next = Self.open(path)
    guard next >= 0 else { return fail() }
    close(descriptor)
    descriptor = next
    examine()
  }

  private func examine() {
    var status = stat()
    fstat(descriptor, &status)
    isRegular = status.st_mode & S_IFMT == S_IFREG
    sizeBytes = Int(status.st_size)
  }

  private static func open(_ path: String) -> Int32 {
    // A pipe without a reader is an error, where waiting for one would block the start.
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
    #if canImport(Glibc)
      let descriptor = Glibc.open(path, flags, 0o640)
    #else
      let descriptor = Darwin.open(path, flags, 0o640)
    #endif
    if descriptor >= 0 { _ = fcntl(descriptor, F_SETFL, O_APPEND) }
    return descriptor
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
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
