import Logging
import ZooKeeperServer

/// The log of a server that runs as a separate process.
///
/// *Thread*: any.
package final class DaemonLog: Sendable {
  /// The format and the target of the log.
  package struct Settings: Hashable, Sendable {
    /// The names of the levels, from the lowest.
    package static let levels = Logger.Level.allCases.map(\.rawValue)
    /// The names of the formats of a line.
    package static let formats = LogFormat.allCases.map(\.rawValue)

    /// One of `levels`.
    package var level = "info"
    /// One of `formats`.
    package var format = "text"
    /// nil for stderr.
    package var file: String?
    /// The size in bytes at which a new file begins; 0 for never.
    package var fileBytes = 10 << 20
    /// The number of earlier files that are kept.
    package var earlierFileCount = 10
    /// The variable `JOURNAL_STREAM`, by which systemd reports that stderr is its journal.
    package var journalStream: String?

    package init() {}
  }

  let log: ServerLog
  private let logger: Logger

  /// Opens the log.
  ///
  /// - Throws: if its file cannot be written.
  package init(_ settings: Settings) throws(SandboxError) {
    var converted = ServerLog.Settings()
    converted.level = Logger.Level(rawValue: settings.level) ?? .info
    converted.format = LogFormat(rawValue: settings.format) ?? .text
    converted.file = settings.file
    converted.fileBytes = settings.fileBytes
    converted.earlierFileCount = settings.earlierFileCount
    converted.journalStream = settings.journalStream
    do throws(ServerStartError) { log = try ServerLog(converted) } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
    logger = log.logger(label: "zookeeper.server")
  }

  /// Logs a warning about the configuration. These lines are not rate-limited.
  package func warn(_ message: String) { log.note(.warning, message) }

  /// Logs a line of the page: its address, or a change by a user. These lines are not rate-limited.
  package func page(_ message: String) { log.note(.notice, message) }

  /// Logs the reason for which the server has ended.
  package func fail(_ message: String) { log.note(.critical, message) }

  /// Reopens the file, because another program has renamed it.
  package func reopen() {
    log.reopen()
    logger.notice("the log was opened again")
  }

  /// Lowers the log level by one.
  package func lowerLevel() {
    let level = log.threshold.lower()
    logger.notice("the log's level was changed", metadata: ["level": "\(level)", "by": "SIGUSR1"])
  }

  /// Restores the initial log level.
  package func resetLevel() {
    log.threshold.set(log.threshold.initial)
    logger.notice("the log's level was changed", metadata: ["level": "\(log.threshold.initial)", "by": "SIGUSR2"])
  }

  /// Writes the buffered lines, for a limited time.
  package func stop() { log.stop() }
}
