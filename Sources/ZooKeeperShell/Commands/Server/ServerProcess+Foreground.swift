import Platform
import ZooKeeperSandbox

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension ServerProcess {
  /// Runs the server in this process until it is asked to stop.
  ///
  /// SIGTERM, SIGINT and others stop it. SIGHUP from another process reopens the log file, SIGUSR1 lowers the log level
  /// by one, and SIGUSR2 restores the initial log level.
  ///
  /// - Parameter warnings: warnings about the configuration, for the log.
  func runInForeground(warnings: [String]) throws(ShellError) -> ExitCode {
    try Descriptors.require(Descriptors.ofServer, for: "a server")
    // Signals are blocked before the log's thread starts, because delivered there they would end the process.
    SignalCancellation.block()
    var settings = log.settings
    settings.journalStream = environment.value("JOURNAL_STREAM")
    let log: DaemonLog
    do throws(SandboxError) { log = try DaemonLog(settings) } catch { throw ShellError(error) }
    for warning in warnings { log.warn(warning) }
    let manager = ServiceManager { environment.value($0) }
    let interruption = SignalCancellation.start(handler: { signal, isFromTerminal in
      Self.handle(signal, isFromTerminal: isFromTerminal, log, manager)
    })
    let page: ServerPage?
    do throws(ShellError) {
      page = try ServerPage(of: daemon, log: log)
    } catch {
      log.stop()
      throw error
    }
    let result = run(log, manager, interruption, page)
    removeOwnProcessFile()
    if case .failure(let error) = result {
      let error = ShellError(error)
      // On stderr, where the error is reported, it would appear twice.
      if settings.file != nil || settings.format == "json" { log.fail(error.message) }
      log.stop()
      throw error
    }
    log.stop()
    // For a supervisor it is a success if the server was asked to stop and has done so.
    return .success
  }

  private func run(
    _ log: DaemonLog, _ manager: ServiceManager?, _ interruption: SignalCancellation, _ page: ServerPage?
  ) -> Result<Void, SandboxError> {
    let gate = Gate<Result<Void, SandboxError>>()
    let (daemon, processFile) = (daemon, processFile)
    var owner = ServerDaemon.Owner(
      onStarted: { addresses in
        Self.writeProcessFile(processFile)
        manager?.notify("READY=1", "STATUS=Serving on \(addresses)")
      }, onRole: { role in manager?.notify("STATUS=\(Self.status(role))") },
      keepAliveMilliseconds: manager?.watchdogMilliseconds, keepAlive: { manager?.keepAlive() },
      waitForEnd: {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
          interruption.whenSignalled {
            manager?.notify("STOPPING=1", "STATUS=Stopping")
            continuation.resume()
          }
        }
      })
    if let page {
      owner.openPage = { await page.open($0) }
      owner.closePage = { await page.close() }
    }
    Task { [owner] in
      do throws(SandboxError) {
        try await daemon.run(log: log, owner: owner)
        gate.open(.success(()))
      } catch {
        gate.open(.failure(error))
      }
    }
    return gate.wait()
  }

  /// The text that the service manager shows for a role.
  private static func status(_ role: String) -> String {
    role == "looking" ? "Looking for a leader" : "Member of an ensemble, \(role)"
  }

  /// Handles a signal that does not end the server.
  ///
  /// - Returns: false for a signal that does, such as the hang-up of a terminal.
  private static func handle(
    _ signal: Int32, isFromTerminal: Bool, _ log: DaemonLog, _ manager: ServiceManager?
  ) -> Bool {
    switch signal {
    case SIGHUP where !isFromTerminal:
      manager?.notifyReloading()
      log.reopen()
      manager?.notify("READY=1")
    case SIGUSR1: log.lowerLevel()
    case SIGUSR2: log.resetLevel()
    default: return false
    }
    return true
  }

  /// Removes the process file, unless it names another server that has prevented this one from starting.
  private func removeOwnProcessFile() {
    guard let bytes = try? FileIO.read(processFile) else { return }
    if String(decoding: bytes, as: UTF8.self).filter(\.isNumber) == "\(getpid())" { unlink(processFile) }
  }

  /// Writes the process file atomically, because a part of the number could name another process. If it cannot be
  /// written, the server serves nevertheless.
  private static func writeProcessFile(_ path: String) {
    guard let file = try? NewFile(path, replaces: true) else { return }
    var sink = file.sink
    do throws(ShellError) {
      try sink.write([UInt8]("\(getpid())".utf8))
      try sink.finish()
    } catch {
      file.abandon()
    }
  }
}
