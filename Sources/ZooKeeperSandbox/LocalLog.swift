import Logging
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A line of the log of a local server.
public struct LocalLogLine: Hashable, Sendable {
  /// The number of the server.
  public var server: Int
  /// When it was logged, in milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
  public var level: String
  /// What happened.
  public var message: String
  /// What else is known, by name.
  public var fields: [String: String]
}

extension LocalEnsemble {
  /// Starts to keep what the servers log, from the level `info` on: the last thousand lines that are not taken.
  public func startLog() { log.start() }

  /// Takes the lines that were logged since the last call, in the order in which they were logged.
  public func takeLog() -> [LocalLogLine] { log.take() }
}

/// Keeps the last lines of all servers of an ensemble, once that is asked for.
///
/// *Thread*: any.
final class LocalLog: Sendable {
  /// The most lines that are kept.
  private static let limit = 1000

  private let isOn = Atomic(false)
  private let lines = Mutex<[LocalLogLine]>([])

  /// Starts to keep lines.
  func start() { isOn.store(true, ordering: .relaxed) }

  /// The level from which on lines are kept.
  fileprivate var level: Logger.Level { isOn.load(ordering: .relaxed) ? .info : .critical }

  /// What a server logs with.
  func logger(of server: Int) -> Logger {
    Logger(label: "zookeeper.server", factory: { _ in LocalLogHandler(self, server) })
  }

  /// Takes all lines.
  func take() -> [LocalLogLine] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines.suffix(Self.limit)
    }
  }

  fileprivate func add(_ line: LocalLogLine) {
    guard isOn.load(ordering: .relaxed) else { return }
    lines.withLock { lines in
      lines.append(line)
      if lines.count >= 2 * Self.limit { lines.removeFirst(lines.count - Self.limit) }
    }
  }
}

/// Passes what a server logs on to the log of its ensemble.
private struct LocalLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  private let target: LocalLog
  private let server: Int
  private var ownLevel: Logger.Level?

  init(_ target: LocalLog, _ server: Int) {
    self.target = target
    self.server = server
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? target.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let fields = metadata.merging(event.metadata ?? [:]) { _, own in own }
    target.add(
      LocalLogLine(
        server: server, timeMilliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000,
        level: event.level.rawValue, message: "\(event.message)", fields: fields.mapValues { "\($0)" }))
  }
}
