import Logging
import Synchronization
import ZooKeeperServer

/// Why a server of this process's own cannot be had, in words for a person.
public struct SandboxError: Error, Hashable, Sendable {
  /// What went wrong.
  public var message: String
  /// What to do about it.
  public var hint: String?
  /// Whether the configuration is at fault, rather than the machine.
  public var isConfiguration = false

  /// Makes an error of the given parts.
  public init(_ message: String, hint: String? = nil, isConfiguration: Bool = false) {
    self.message = message
    self.hint = hint
    self.isConfiguration = isConfiguration
  }
}

/// A ZooKeeper inside of this process, for as long as it is wanted: one server, or an ensemble of several.
///
/// They are the very servers that `zkcli server` runs, on free ports of the loopback interface, and talk to each other
/// over it. Without a directory to keep their data in, they have a temporary one, which goes with them; their logs are
/// then not synced, for nothing of them is to outlive the process.
public final class LocalEnsemble: Sendable {
  /// What the sandbox is to be.
  public struct Settings: Hashable, Sendable {
    /// How many servers.
    public var size = 1
    /// Where data is kept; nil keeps none. The servers of an ensemble have directories `1`, `2`, `3` … in it.
    public var dataDirectory: String?
    /// The port of the first server for clients, the others' follow; 0 takes any free ones.
    public var port = 0
    /// The address to listen on for clients.
    public var address = "127.0.0.1"
    /// The base unit of all times, in milliseconds; nil is Apache's for one server, and shorter for an ensemble.
    public var tickTimeMilliseconds: Int?

    /// A throw-away server on any free port.
    public init() {}
  }

  /// What clients connect to: all servers, with commas between them.
  public let connectString: String
  /// How many servers there are, whatever their state.
  public var size: Int { plan.members.count }

  /// What a server is doing.
  enum Life {
    case running(RunningServer)
    case paused(RunningServer)
    case killed
  }

  let plan: EnsemblePlan
  let lives: Mutex<[Life]>
  /// The groups of servers that reach each other, by ids; one group when all do.
  let groups: Mutex<[Set<Int>]>

  private init(_ plan: EnsemblePlan, _ nodes: [RunningServer]) {
    self.plan = plan
    connectString = plan.connectString
    lives = Mutex(nodes.map(Life.running))
    groups = Mutex([Set(1...nodes.count)])
  }

  /// Starts the servers and returns when they serve.
  ///
  /// - Throws: when a port is taken, the directory cannot be used, or its data is damaged.
  public static func start(_ settings: Settings) async throws(SandboxError) -> LocalEnsemble {
    TemporaryDirectory.removeStale()
    let plan = try EnsemblePlan(settings)
    do throws(SandboxError) {
      let ensemble = LocalEnsemble(plan, try await startNodes(plan))
      guard await ensemble.settle() else {
        await ensemble.stop()
        throw SandboxError("the servers have not found a leader", hint: "is the machine very busy?")
      }
      return ensemble
    } catch {
      plan.removeTemporary()
      throw error
    }
  }

  private static func startNodes(_ plan: EnsemblePlan) async throws(SandboxError) -> [RunningServer] {
    typealias Started = (id: Int, result: Result<RunningServer, SandboxError>)
    let started = await withTaskGroup(of: Started.self) { group in
      for id in 1...plan.members.count {
        group.addTask {
          do throws(SandboxError) { return (id, .success(try await start(plan, id))) } catch {
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
    _ plan: EnsemblePlan, _ id: Int, severedFrom severed: Set<Int> = []
  ) async throws(SandboxError) -> RunningServer {
    plan.prepareToListen(id)
    do throws(ServerStartError) {
      return try await RunningServer.start(
        plan.configuration(of: id), logger: .silent, severedFrom: Set(severed.map(Int64.init)))
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }

  /// Stops the servers and removes what was temporary.
  public func stop() async {
    let last = lives.withLock { lives in
      defer { lives = lives.map { _ in .killed } }
      return lives
    }
    await withTaskGroup(of: Void.self) { group in
      for life in last {
        group.addTask { [plan] in
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

extension Logger {
  /// Says nothing: a sandbox's owner is at the prompt.
  static let silent = Logger(label: "zookeeper.server", factory: { _ in SwiftLogNoOpLogHandler() })
}
