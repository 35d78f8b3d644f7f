import Logging
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A line of the log of a local server.
public struct LocalLogLine: Hashable, Sendable {
  /// The id of the server.
  public var server: Int
  /// The time of the line, in milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
  public var level: String
  /// The message.
  public var message: String
  /// Further fields by name.
  public var fields: [String: String]
}

extension LocalEnsemble {
  /// Starts to keep log lines of level `info` or higher; at most the last thousand that were not taken.
  public func startLog() { log.start() }

  /// Takes the lines since the last call, in order.
  public func takeLog() -> [LocalLogLine] { log.take() }
}

/// Keeps the last log lines of all servers of an ensemble, after `start`.
///
/// *Thread*: any.
final class LocalLog: Sendable {
  /// The maximum number of lines.
  private static let limit = 1000

  private let isOn = Atomic(false)
  private let lines = Mutex<[LocalLogLine]>([])

  /// Starts to keep lines.
  func start() { isOn.store(true, ordering: .relaxed) }

  /// The lowest level of the lines that are kept.
  fileprivate var level: Logger.Level { isOn.load(ordering: .relaxed) ? .info : .critical }

  /// The logger of a server.
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

/// Passes a server's log lines to the log of the ensemble.
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
