import Logging
import Synchronization
import ZooKeeperServer

/// Why a local server cannot be started or changed.
public struct SandboxError: Error, Hashable, Sendable {
  /// What went wrong.
  public var message: String
  /// What to do about it.
  public var hint: String?
  /// Whether the configuration is at fault, and not the machine.
  public var isConfiguration = false

  public init(_ message: String, hint: String? = nil, isConfiguration: Bool = false) {
    self.message = message
    self.hint = hint
    self.isConfiguration = isConfiguration
  }
}

/// A ZooKeeper server, or an ensemble of several, inside this process.
///
/// The servers are the same as those of `zkcli server run`, on ports of the loopback interface, over which the members
/// are connected. Any client can connect to `connectString`. It is for tests in Swift what Curator's `TestingServer`
/// and `TestingCluster` are for tests in Java:
///
/// ```swift
/// let ensemble = try await LocalEnsemble.start(LocalEnsemble.Settings(size: 3))
/// // ... connect clients to ensemble.connectString, kill and restart servers ...
/// await ensemble.stop()
/// ```
///
/// Unless a directory for the data is given, a temporary one is used and removed when the servers stop. Logs in it are
/// not synced, because they need not outlive the process.
///
/// *Thread*: any. A change, such as `kill`, must have returned before the next one begins.
public final class LocalEnsemble: Sendable {
  /// The number of servers, and their ports and data.
  public struct Settings: Hashable, Sendable {
    /// The number of servers: 1 for a standalone server, up to 9 for an ensemble.
    public var size: Int
    /// The directory for the data; nil for a temporary one. The servers of an ensemble use its subdirectories `1`, `2`,
    /// `3` and so on. It is created if it does not exist.
    public var dataDirectory: String?
    /// The port of the first server for clients, from 1 to 65535; the others use the ports that follow. 0 for any free
    /// ports.
    public var port: Int
    /// The address of this machine that the servers listen on for clients.
    public var address: String
    /// ZooKeeper's `tickTime`, in milliseconds. The default is 2,000 for a standalone server, as for Apache's, and 500
    /// for an ensemble.
    public var tickTimeMilliseconds: Int?
    /// Whether members can be added and removed by `reconfig`, by clients that have authenticated as the superuser with
    /// `digest` and `LocalEnsemble.superuser`.
    public var allowsReconfig = false
    /// Whether writes beyond a hard quota are refused instead of only logged.
    public var enforcesQuota = false

    /// The defaults are those of a standalone server with temporary data on a free port.
    public init(
      size: Int = 1, dataDirectory: String? = nil, port: Int = 0, address: String = "127.0.0.1",
      tickTimeMilliseconds: Int? = nil
    ) {
      self.size = size
      self.dataDirectory = dataDirectory
      self.port = port
      self.address = address
      self.tickTimeMilliseconds = tickTimeMilliseconds
    }
  }

  /// The identity of the superuser, for the scheme `digest`, of servers that allow reconfiguration. It is not a secret.
  public static let superuser = "super:sandbox"

  /// The connect string for clients: all servers, separated by commas.
  public let connectString: String
  /// Whether members can be added and removed, see `Settings`.
  public var allowsReconfig: Bool { plan.settings.allowsReconfig }
  /// The number of servers, including those that are not running.
  public var size: Int { plan.members.count }

  /// The state of a server.
  enum Life {
    case running(RunningServer)
    case paused(RunningServer)
    case killed

    var isAlive: Bool { if case .killed = self { false } else { true } }
  }

  let plan: EnsemblePlan
  let lives: Mutex<[Life]>
  /// The groups of servers that reach each other, by ids; one group if all do.
  let groups: Mutex<[Set<Int>]>
  /// The servers with a vote, which a reconfiguration can change.
  let voters: Mutex<Set<Int>>
  /// The faults of each server, whether it runs or not.
  let faults: Mutex<[ServerFaults]>
  /// Passes the messages between the servers to traces.
  let recorder: ConsensusRecorder

  /// Keeps the servers' log lines.
  let log: LocalLog

  private init(
    _ plan: EnsemblePlan, _ nodes: [RunningServer], _ recorder: ConsensusRecorder, _ log: LocalLog
  ) {
    self.plan = plan
    self.recorder = recorder
    self.log = log
    voters = Mutex(Set(1...nodes.count))
    faults = Mutex(nodes.map { _ in ServerFaults() })
    connectString = plan.connectString
    lives = Mutex(nodes.map(Life.running))
    groups = Mutex([Set(1...nodes.count)])
  }

  /// Starts the servers and returns when they serve.
  ///
  /// - Throws: if the number of servers is out of range, a port is in use, the directory cannot be used, or its data is
  ///   damaged.
  public static func start(_ settings: Settings) async throws(SandboxError) -> LocalEnsemble {
    TemporaryDirectory.removeStale()
    let plan = try EnsemblePlan(settings)
    do throws(SandboxError) {
      let recorder = ConsensusRecorder()
      let log = LocalLog()
      let ensemble = LocalEnsemble(plan, try await startNodes(plan, recorder, log), recorder, log)
      guard await ensemble.settle() else {
        await ensemble.stop()
        throw SandboxError("the servers did not elect a leader in time", hint: "is the machine very busy?")
      }
      return ensemble
    } catch {
      plan.removeTemporary()
      throw error
    }
  }

  private static func startNodes(
    _ plan: EnsemblePlan, _ recorder: ConsensusRecorder, _ log: LocalLog
  ) async throws(SandboxError) -> [RunningServer] {
    typealias Started = (id: Int, result: Result<RunningServer, SandboxError>)
    let started = await withTaskGroup(of: Started.self) { group in
      for id in 1...plan.members.count {
        group.addTask {
          do throws(SandboxError) {
            return (id, .success(try await start(plan, id, ServerFaults(), recorder, log)))
          } catch {
            return (id, .failure(error))
          }
        }
      }
      return await group.reduce(into: [Started]()) { $0.append($1) }.sorted { $0.id < $1.id }
    }
    var nodes: [RunningServer] = []
    var failure: SandboxError?
    for (_, result) in started {
      switch result {
      case .success(let node): nodes.append(node)
      case .failure(let error): failure = failure ?? error
      }
    }
    guard let failure else { return nodes }
    for node in nodes { await node.kill() }
    throw failure
  }

  /// Starts one server.
  static func start(
    _ plan: EnsemblePlan, _ id: Int, _ faults: ServerFaults, _ recorder: ConsensusRecorder, _ log: LocalLog
  ) async throws(SandboxError) -> RunningServer {
    plan.prepareToListen(id)
    do throws(ServerStartError) {
      return try await RunningServer.start(
        plan.configuration(of: id), logger: log.logger(of: id), faults: faults, onEvent: recorder.tap(of: id))
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }

  /// Stops an ensemble that was not stopped, for example because a test has failed.
  deinit {
    let last = takeLives()
    guard last.contains(where: \.isAlive) else { return }
    Task { [plan] in await Self.stop(last, plan) }
  }

  /// Stops the servers and removes temporary data.
  public func stop() async { await Self.stop(takeLives(), plan) }

  /// Marks all servers as killed, and returns their former states.
  private func takeLives() -> [Life] {
    lives.withLock { lives in
      defer { lives = lives.map { _ in .killed } }
      return lives
    }
  }

  private static func stop(_ lives: [Life], _ plan: EnsemblePlan) async {
    await withTaskGroup(of: Void.self) { group in
      for life in lives {
        group.addTask {
          switch life {
          case .running(let node): await node.stop(finishesSnapshot: !plan.isTemporary)
          case .paused(let node): await node.kill()
          case .killed: break
          }
        }
      }
    }
    plan.removeTemporary()
  }
}
