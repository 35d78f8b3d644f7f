import Logging
import ZooKeeperServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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

/// A ZooKeeper inside of this process, for as long as it is wanted.
///
/// It is the very server that `zkcli server` runs, on a free port of the loopback interface. Without a directory to
/// keep its data in, it has a temporary one, which goes with it; its log is then not synced, for nothing of it is to
/// outlive the process.
public final class LocalEnsemble: Sendable {
  /// What the sandbox is to be.
  public struct Settings: Hashable, Sendable {
    /// Where data is kept; nil keeps none.
    public var dataDirectory: String?
    /// 0 takes any free port.
    public var port = 0
    /// The address to listen on.
    public var address = "127.0.0.1"
    /// The base unit of all times, in milliseconds.
    public var tickTimeMilliseconds = 2000

    /// A throw-away server on any free port.
    public init() {}
  }

  /// What clients connect to.
  public let connectString: String
  private let node: ServerNode
  private let temporaryDirectory: String?

  private init(_ node: ServerNode, connectString: String, temporaryDirectory: String?) {
    self.node = node
    self.connectString = connectString
    self.temporaryDirectory = temporaryDirectory
  }

  /// Starts a server and returns when it serves.
  ///
  /// - Throws: when the port is taken, the directory cannot be used, or its data is damaged.
  public static func start(_ settings: Settings) async throws(SandboxError) -> LocalEnsemble {
    TemporaryDirectory.removeStale()
    var temporary: String?
    if settings.dataDirectory == nil { temporary = try TemporaryDirectory.make() }
    var configuration = ServerConfiguration(dataDirectory: settings.dataDirectory ?? temporary!)
    configuration.clientAddress = settings.address
    configuration.clientPort = settings.port
    configuration.tickTimeMilliseconds = settings.tickTimeMilliseconds
    configuration.maximumConnectionsPerAddress = 0
    configuration.fourLetterWords = FourLetterWordPolicy(allowed: ["*"])
    configuration.admin.isEnabled = false
    configuration.features.hasExtendedTypes = true
    configuration.logging.forcesSync = settings.dataDirectory != nil
    configuration.logging.preallocationBytes = 1 << 20
    do throws(ServerStartError) {
      let node = try await ServerNode.start(configuration, logger: .silent)
      let host = settings.address.contains(":") ? "[\(settings.address)]" : settings.address
      return LocalEnsemble(node, connectString: "\(host):\(node.clientPort)", temporaryDirectory: temporary)
    } catch {
      if let temporary { TemporaryDirectory.remove(temporary) }
      throw SandboxError(error.message, hint: error.hint)
    }
  }

  /// Stops the server and removes what was temporary.
  public func stop() async {
    await node.stop()
    if let temporaryDirectory { TemporaryDirectory.remove(temporaryDirectory) }
  }
}

extension Logger {
  /// Says nothing: a sandbox's owner is at the prompt.
  static let silent = Logger(label: "zookeeper.server", factory: { _ in SwiftLogNoOpLogHandler() })
}
