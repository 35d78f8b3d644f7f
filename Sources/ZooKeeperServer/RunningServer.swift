package import Logging
import NIOCore
import NIOPosix
import SASL
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// A ZooKeeper server, standalone or a member of an ensemble: how it starts and ends. See `ServerParts` for the rest.
///
/// *Thread*: each server has one event loop; `package` functions can be called on any thread.
package final class RunningServer: @unchecked Sendable {
  // @unchecked: all state below is touched on `loop` only, once `start` has made it.

  let loop: any EventLoop
  /// Blocks the loop while the server is paused.
  let pauseRequest = LoopPause()
  private(set) var parts: ServerParts!
  private let group: MultiThreadedEventLoopGroup
  private let logger: Logger
  private let storage: Storage
  private let background = BackgroundWorker()
  private let audit: AuditLog?
  private let ending: EventLoopPromise<ServerStartError?>

  private init(
    _ configuration: ServerConfiguration, _ recovered: Storage.Recovered, _ encryption: ServerEncryption,
    audit: AuditLog?, group: MultiThreadedEventLoopGroup, logger: Logger
  ) throws(ServerStartError) {
    self.group = group
    self.audit = audit
    self.logger = logger
    loop = group.next()
    storage = recovered.storage
    ending = loop.makePromise()
    do throws(TxnLogError) {
      parts = try ServerParts(
        configuration, recovered, encryption, background: background, audit: audit, loop: loop, logger: logger,
        onFailure: { [unowned self] in fail($0) })
    } catch {
      ending.succeed(nil)
      throw ServerStartError(error)
    }
  }

  // MARK: The start

  /// Recovers the data directory, and returns when clients can connect.
  ///
  /// - Parameters:
  ///   - faults: what the server suffers from, from the start.
  ///   - onEvent: see `trace`.
  ///   - onRole: called on the loop with each role that a member of an ensemble takes.
  ///   - isGivenUp: whether to stop waiting for an address that is not available yet. Called on the loop.
  /// - Throws: when the data is damaged, the directory is in use or cannot be written, or a port is in use.
  package static func start(
    _ configuration: ServerConfiguration, logger: Logger, faults: ServerFaults = ServerFaults(),
    onEvent: (@Sendable (TracedEvent) -> Void)? = nil, onRole: (@Sendable (String) -> Void)? = nil,
    isGivenUp: @escaping @Sendable () -> Bool = { false }
  ) async throws(ServerStartError) -> RunningServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<RunningServer, ServerStartError>, Never>) in
      group.next().execute {
        do throws(ServerStartError) {
          let server = try open(configuration, group: group, logger: logger)
          server.parts.apply(faults)
          server.parts.membership.driver?.tap.onEvent = onEvent
          server.parts.membership.driver?.onRole = onRole
          server.parts.listen(isGivenUp: isGivenUp).whenComplete { result in
            switch result {
            case .success: server.audit?.add(AuditEvent(.serverStart, .success))
            case .failure: server.giveUp()
            }
            continuation.resume(returning: result.map { server }.mapError(ServerStartError.init(listening:)))
          }
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    if case .failure = result { group.shutdownGracefully { _ in } }
    return try result.get()
  }

  private static func open(
    _ configuration: ServerConfiguration, group: MultiThreadedEventLoopGroup, logger: Logger
  ) throws(ServerStartError) -> RunningServer {
    let configuration = try configuration.joined()
    if let warning = configuration.peerTypeWarning { logger.warning("\(warning)") }
    var audit: AuditLog?
    do throws(ServerStartError) {
      try checkLogin(configuration)
      let encryption = try ServerEncryption(configuration, loop: group.next(), logger: logger)
      let recovered = try recover(configuration)
      recovered.report(to: logger)
      // The directory of the data, in which it is unless the configuration says otherwise, is there only now.
      audit = try openAudit(configuration, logger)
      return try RunningServer(configuration, recovered, encryption, audit: audit, group: group, logger: logger)
    } catch {
      do throws(ServerStartError) {
        if audit == nil { audit = try openAudit(configuration, logger) }
        audit?.end(with: AuditEvent(.serverStart, .failure))
      } catch {
        logger.error("this start is not in the audit log: \(error.message)")
      }
      throw error
    }
  }

  private static func checkLogin(_ configuration: ServerConfiguration) throws(ServerStartError) {
    guard let login = configuration.sasl else { return }
    do throws(SASLError) { try SASLAuthenticator.check(login) } catch {
      throw ServerStartError("clients cannot log in: \(error)")
    }
  }

  private static func recover(_ configuration: ServerConfiguration) throws(ServerStartError) -> Storage.Recovered {
    do throws(TxnLogError) { return try Storage.open(configuration) } catch { throw ServerStartError(error) }
  }

  private static func openAudit(
    _ configuration: ServerConfiguration, _ logger: Logger
  ) throws(ServerStartError) -> AuditLog? {
    guard let audit = configuration.audit else { return nil }
    return try AuditLog(path: audit.path(orIn: configuration.dataDirectory), logger: logger)
  }

  /// The port that clients connect to.
  package var clientPort: Int { parts.clients.port }
  /// The port that clients with TLS connect to; 0 when there is none.
  package var secureClientPort: Int { parts.clients.securePort }
  /// The port of the AdminServer; nil when there is none.
  package var adminPort: Int? { parts.operators.adminPort }

  /// Makes a data directory that `start` refuses usable again, and gives up transactions that were acknowledged.
  ///
  /// - Returns: a line for each file that was changed; none when there was nothing to repair.
  /// - Throws: when another server uses the directory, or nothing can be recovered.
  package static func repair(_ configuration: ServerConfiguration) throws(ServerStartError) -> [String] {
    do throws(TxnLogError) { return try Storage.repair(configuration) } catch { throw ServerStartError(error) }
  }

  // MARK: The end

  /// Fatal error: stops the server. Nothing is acknowledged, and no client is served, after it.
  private func fail(_ reason: String) {
    ending.succeed(ServerStartError(reason, hint: "the server has stopped serving"))
    parts.stopServing()
  }

  /// Stops a server that could not open one of its ports.
  private func giveUp() {
    parts.stopServing()
    _ = try? parts.log.stop()
    audit?.end(with: AuditEvent(.serverStart, .failure))
    ending.succeed(nil)
  }

  /// Waits until `finished` returns or the server fails by itself.
  ///
  /// - Returns: why it failed, or nil.
  package func waitForEnd(or finished: @escaping @Sendable () async -> Void) async -> ServerStartError? {
    let waiting = Task { [self] in
      await finished()
      loop.execute { [self] in ending.succeed(nil) }
    }
    defer { waiting.cancel() }
    return (try? await ending.futureResult.get()) ?? nil
  }

  /// Answers the requests that were read, gives up a leader's role, and ends the connections of clients; see `Drain`.
  /// This takes a limited time. The caller stops the server afterwards.
  package func drain() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      loop.execute { [self] in parts.drain { continuation.resume() } }
    }
  }

  /// Calls `body` on the event loop at intervals, so that it is not called while the loop does not run.
  package func every(milliseconds: Int, _ body: @escaping @Sendable () -> Void) {
    loop.execute { [self] in parts.every(.milliseconds(clamping: milliseconds), body) }
  }

  /// Stops serving, writes what was proposed, and unlocks the data directory.
  ///
  /// - Parameter finishesSnapshot: whether to wait for a snapshot that is being written, so that the next start does
  ///   not replay what is in it.
  package func stop(finishesSnapshot: Bool = true) async {
    await end(writingLog: true, finishesSnapshot: finishesSnapshot)
  }

  /// Stops as if the process were killed: what was proposed and is not being written is lost.
  package func kill() async { await end(writingLog: false, finishesSnapshot: false) }

  private func end(writingLog: Bool, finishesSnapshot: Bool) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let work: @Sendable () -> Void = { [self] in
        ending.succeed(nil)
        parts.stopServing()
        if writingLog { _ = try? parts.log.stop() } else { parts.log.abandon() }
        parts.log.finish(waitsForSnapshot: finishesSnapshot) { continuation.resume() }
      }
      // A paused server does this before it handles anything that has arrived meanwhile.
      if !pauseRequest.resume(running: work) { loop.execute(work) }
    }
    background.stop()
    try? await group.shutdownGracefully()
    if writingLog { audit?.add(AuditEvent(.serverStop, .invoked)) }
    audit?.stop()
    storage.release()
  }
}
