import Jute
public import Logging
public import NIOCore
import NIOPosix
import Synchronization
public import TransportSecurity
public import ZooKeeperProtocol

/// A session with a ZooKeeper ensemble.
///
/// ```swift
/// let client = ZooKeeperClient(.init(try ConnectString(parsing: "zk1:2181,zk2:2181/app")))
/// try await client.connected()
/// try await client.create("/config", data: Array("v1".utf8))
/// let (data, stat) = try await client.getData("/config")
/// await client.close()
/// ```
///
/// The session outlives its connections: when one is lost, the client goes to the next server of the list with the same
/// session, identities and watches. Requests that were in flight then fail with `connectionLoss`, because it is unknown
/// whether they were carried out. Requests of one session are carried out in the order in which they are made, and may
/// be made without waiting for each other.
///
/// The value is a handle: copies share the session. Every call can be limited in time (`withTimeLimit`), and stops
/// waiting when its task is cancelled. Calls may be made from any thread or task.
///
/// The session ends with `close`, or when the servers have heard nothing for the session timeout. The client does not
/// close it when the last handle is dropped.
public struct ZooKeeperClient: Sendable {
  let driver: SessionDriver
  let chroot: Chroot
  var timeLimitMilliseconds: Int64?

  /// The options of a client. All but the connect string have defaults.
  public struct Configuration: Sendable {
    /// The servers and the chroot.
    public var connectString: ConnectString
    /// How connections are encrypted; nil for connections in the clear. If the connect string begins with `zks://`, the
    /// default is TLS with the authorities that the operating system trusts.
    public var tls: TLSContext?
    /// The session timeout to ask for. Servers clamp it, by default to 2 to 20 of their ticks (4 to 40 seconds).
    public var sessionTimeout: Duration = .seconds(30)
    /// How long one round over all servers may take; each server gets an equal part, but at least 250 ms.
    public var connectTimeout: Duration = .seconds(5)
    /// The time limit of every call, unless `withTimeLimit` sets another one; nil waits indefinitely.
    public var requestTimeLimit: Duration?
    /// Whether to connect to a read-only server if there is no quorum. Writes then fail with NotReadOnly.
    public var allowsReadOnly = false
    /// How the client proves its identity by SASL on every connection; nil if it does not.
    public var sasl: SASLLogin?
    /// The largest frame sent or accepted, in bytes: `jute.maxbuffer` of the official clients.
    public var maximumFrameBytes = 0xfffff
    /// Called on the event loop with each change of the session's state and each event of a watch that was set for it
    /// (`watch: true`), in order and before the reply to any later request. It must not block.
    public var defaultWatcher: (@Sendable (WatchEvent) -> Void)?
    /// Receives what the client logs about connections. By default nothing is logged.
    public var logger = Logger(label: "zookeeper.client", factory: { _ in SwiftLogNoOpLogHandler() })

    public init(_ connectString: ConnectString) { self.connectString = connectString }
  }

  /// The event loop group of all clients that are not given another: a single thread, which serves thousands of
  /// sessions.
  public static let sharedGroup: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  /// Starts a session on a loop of `group`, and returns without waiting for the connection.
  public init(_ configuration: Configuration, group: any EventLoopGroup = ZooKeeperClient.sharedGroup) {
    let settings = SessionSettings(
      servers: configuration.connectString.servers,
      sessionTimeoutMilliseconds: configuration.sessionTimeout.milliseconds,
      connectTimeoutMilliseconds: configuration.connectTimeout.milliseconds,
      allowsReadOnly: configuration.allowsReadOnly, authenticates: configuration.sasl != nil,
      maximumFrameBytes: configuration.maximumFrameBytes,
      seed: .random(in: .min ... .max))
    chroot = Chroot(path: configuration.connectString.chroot)
    driver = SessionDriver(
      settings: settings, login: configuration.sasl, chroot: chroot,
      encryption: Encryption(configuration.tls, isRequired: configuration.connectString.requiresTLS),
      loop: group.next(), logger: configuration.logger,
      defaultWatcher: configuration.defaultWatcher)
    timeLimitMilliseconds = configuration.requestTimeLimit?.milliseconds
    driver.loop.execute { [driver] in driver.start() }
  }

  /// A handle to the same session with another time limit for each call; nil waits indefinitely.
  public func withTimeLimit(_ limit: Duration?) -> ZooKeeperClient {
    var client = self
    client.timeLimitMilliseconds = limit?.milliseconds
    return client
  }

  /// Waits until the session is connected; returns at once if it is.
  ///
  /// - Parameter failsFast: whether one round over all servers without success is an error. Otherwise the client keeps
  ///   trying until the time limit.
  /// - Throws: `cannotConnect` with the reason for each server, `timedOut`, `cancelled`, or the reason why the session
  ///   is over.
  public func connected(failsFast: Bool = true) async throws(ZooKeeperError) {
    _ = try await perform { driver, id, limit, completion in
      driver.wait(id: id, failsFast: failsFast, limit: limit, completion)
    }
  }

  /// Ends the session: its ephemeral znodes are deleted, and calls that still wait fail with `closed`.
  ///
  /// - Parameter limit: how long to wait for the server's answer. If none comes, the session ends by its timeout.
  public func close(limit: Duration = .seconds(2)) async {
    await withCheckedContinuation { continuation in
      driver.loop.execute { [driver] in
        driver.close(limit: limit.milliseconds) { _ in continuation.resume() }
      }
    }
  }

  /// A consistent snapshot of the session's state.
  public func snapshot() async -> SessionSnapshot {
    await withCheckedContinuation { continuation in
      driver.loop.execute { [driver] in continuation.resume(returning: driver.snapshot) }
    }
  }

  /// Proves an identity on this and every later connection of the session.
  ///
  /// - Parameters:
  ///   - scheme: the authentication scheme, such as `digest`.
  ///   - auth: the secret in the form that the scheme prescribes: `user:password` for `digest`.
  /// - Throws: `authFailed` if the server does not have the scheme or refuses the secret; the session is then over.
  public func addAuth(scheme: String, auth: [UInt8]) async throws(ZooKeeperError) {
    let packet = AuthPacket(scheme: scheme, auth: auth)
    _ = try await perform { driver, id, limit, completion in
      driver.addIdentity(packet, id: id, limit: limit, completion)
    }
  }
}

extension ZooKeeperClient {
  /// Runs `submit` on the loop and waits for its completion, the time limit, or the task's cancellation.
  func perform(
    _ submit: @escaping @Sendable (SessionDriver, RequestID, Int64?, @escaping SessionDriver.Completion) -> Void
  ) async throws(ZooKeeperError) -> [UInt8] {
    let id = driver.nextRequestID()
    let limit = timeLimitMilliseconds
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<[UInt8], ZooKeeperError>, Never>) in
        driver.loop.execute { [driver] in submit(driver, id, limit) { continuation.resume(returning: $0) } }
        // A task that was cancelled before this point has run its handler to no effect.
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
    return try result.get()
  }

  /// Sends a request and decodes its reply.
  ///
  /// - Parameter path: the path as the caller knows it, for errors.
  func call<Reply: JuteRecord>(
    _ request: ClientRequest, path: String?, watch: WatchIntent? = nil, as _: Reply.Type = Reply.self
  ) async throws(ZooKeeperError) -> Reply {
    do throws(ZooKeeperError) {
      let bytes = try await perform { driver, id, limit, completion in
        driver.submit(request, id: id, watch: watch, limit: limit, completion)
      }
      return try Reply(reply: bytes)
    } catch {
      throw ZooKeeperError(error.code, path: path)
    }
  }

  /// Sends requests in order, as many before their replies have come as `window` allows, and returns the replies in
  /// that order.
  ///
  /// - Parameter decode: makes a reply of the request's number and the bytes. It runs on the event loop.
  func callAll<Reply: Sendable>(
    _ requests: [ClientRequest], in window: RequestWindow,
    decode: @escaping @Sendable (Int, [UInt8]) throws(ZooKeeperError) -> Reply
  ) async -> [Result<Reply, ZooKeeperError>] {
    let batch = Batch(requests, driver: driver, window: window, limit: timeLimitMilliseconds, decode: decode)
    return await BegunRequests(batch, driver, count: requests.count, refusals: [:]).results()
  }

  private func cancel(_ id: RequestID) {
    driver.loop.execute { [driver] in driver.cancel(id) }
  }

  /// Checks a path, and returns it as the server knows it.
  func serverPath(_ path: String, isSequential: Bool = false) throws(ZooKeeperError) -> String {
    do throws(ZnodePathError) {
      try ZnodePath.validate(path, isSequential: isSequential)
    } catch {
      throw ZooKeeperError(.badPath(error.reason), path: path)
    }
    return chroot.absolute(path)
  }
}

extension JuteRecord {
  init(reply bytes: [UInt8]) throws(ZooKeeperError) {
    do throws(JuteError) {
      try self.init(decoding: bytes, allowingTrailingBytes: true)
    } catch {
      throw ZooKeeperError(.malformedReply(error))
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up so that a limit is never shorter than asked for.
  ///
  /// Kept within 73 years either way: NIO counts nanoseconds, and a sum of a few such times must not
  /// overflow them.
  var milliseconds: Int64 {
    let longest = Int64.max / 4_000_000
    let (seconds, attoseconds) = components
    guard abs(seconds / 1000) < longest / 1_000_000 else { return seconds < 0 ? -longest : longest }
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
