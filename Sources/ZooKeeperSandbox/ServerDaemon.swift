import Logging
import Synchronization
package import TransportSecurity
import ZooKeeperServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A server on a `zoo.cfg`, for as long as the process lives.
package struct ServerDaemon: Sendable {
  private let configuration: ServerConfiguration
  /// Why the server does not know which member of its ensemble it is.
  private let joinFailure: SandboxError?
  /// What is wrong with the file but does not prevent the server: `FILE:LINE: message`.
  package let warnings: [String]
  /// Keys that no server knows, in the same form: probably misspelt, so that what they were to say is not said.
  package let unknownKeys: [String]

  /// Files with secrets that the configuration names.
  package let secretFiles: [String]

  /// Whether all clients must encrypt their connections.
  package var isSecureOnly: Bool { !configuration.opensClientPort }

  /// The port that clients connect to, that for encrypted connections if there is no other; 0 stands for any.
  package var clientPort: Int {
    isSecureOnly ? configuration.secureClientPort ?? configuration.clientPort : configuration.clientPort
  }

  /// The address at which clients on this machine reach the server.
  package var clientAddress: String { configuration.nearClientAddress }

  /// How to connect to the own server and ask for its state; nil for a connection in the clear.
  ///
  /// The certificate with which the server convinces clients is presented to it, and its own is not verified: nothing
  /// secret is sent, and a process that could take the port of a server without encryption could lie as well.
  package var ownTLS: TLSSettings? {
    guard isSecureOnly else { return nil }
    var settings = configuration.clientTLS.properties.settings
    settings.trust = .anybody
    return settings
  }

  /// Where the process's number is kept.
  package var processFile: String { configuration.dataDirectory + "/zookeeper_server.pid" }

  package var dataDirectory: String { configuration.dataDirectory }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - bytes: what the file holds.
  ///   - readFile: the bytes of another file that this one names; nil if it cannot be read.
  ///   - properties: Java's system properties, without `-D`.
  /// - Throws: every fault of the file, a line each.
  package init(
    configurationFile file: String, bytes: [UInt8], readFile: @escaping @Sendable (String) -> [UInt8]?,
    properties: [String: String] = [:]
  ) throws(SandboxError) {
    let read: ConfigurationFile
    do throws(ConfigurationError) {
      read = try ConfigurationFile(bytes: bytes, file: file, readFile: readFile, properties: properties)
    } catch {
      throw SandboxError(error.problems.map(\.text).joined(separator: "\n"), isConfiguration: true)
    }
    do throws(ServerStartError) {
      configuration = try read.configuration.joined()
      joinFailure = nil
    } catch {
      // Its directory and its port are known all the same: a server that runs can be asked, and stopped.
      configuration = read.configuration
      joinFailure = SandboxError("\(file): \(error.message)", hint: error.hint, isConfiguration: true)
    }
    secretFiles = read.secretFiles
    unknownKeys = read.unknownKeys.map(\.text)
    warnings = read.warnings.map(\.text) + (configuration.peerTypeWarning.map { ["\(file): \($0)"] } ?? [])
  }

  /// Checks what the file alone does not tell: which member of its ensemble the server is.
  ///
  /// - Throws: when `myid` is missing, no number, or not that of a member.
  package func checkServerID() throws(SandboxError) {
    if let joinFailure { throw joinFailure }
  }

  /// Checks what the file alone does not tell: the agreed members and the stores of keys.
  ///
  /// - Returns: what to say of a configuration that works.
  /// - Throws: when it does not work.
  package func remarks() throws(SandboxError) -> [String] {
    [try checkMembers()].compactMap(\.self) + (try checkStores())
  }

  /// What the author of a configuration that works may not have meant, a sentence for each. Names of hosts are resolved
  /// while the caller waits.
  package var advice: [String] { configuration.advice }

  /// Tries whether the stores of keys and certificates can be used.
  ///
  /// - Returns: what to say of those that can.
  /// - Throws: when one cannot be used.
  private func checkStores() throws(SandboxError) -> [String] {
    do throws(ServerStartError) {
      return try configuration.checkStores()
    } catch {
      throw SandboxError(error.message, hint: error.hint, isConfiguration: true)
    }
  }

  /// Checks whether the ensemble's members, as far as the data directory tells, are those of the file.
  ///
  /// - Returns: what to say when they are not.
  /// - Throws: when what the ensemble has agreed on cannot be read.
  private func checkMembers() throws(SandboxError) -> String? {
    do throws(ServerStartError) {
      return try configuration.agreedMembersWarning()
    } catch {
      throw SandboxError(error.message, hint: error.hint, isConfiguration: true)
    }
  }

  /// Makes a damaged data directory usable again, by giving up what follows the first damaged place.
  ///
  /// **Loses transactions that were answered**; what is cut is kept in files that begin with `damaged-`.
  ///
  /// - Returns: a line for each file that was changed; none when there was nothing to repair.
  /// - Throws: when another server uses the directory, or nothing can be rescued.
  package func repair() throws(SandboxError) -> [String] {
    do throws(ServerStartError) {
      return try RunningServer.repair(configuration)
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }

  /// Runs the server until `waitForEnd` returns or it fails by itself.
  ///
  /// - Parameters:
  ///   - log: takes each line of the log.
  ///   - started: called when it serves, with the addresses that clients connect to.
  /// - Throws: when it cannot start, or had to stop because its disk failed.
  package func run(
    log: @escaping @Sendable (String) -> Void, started: @Sendable (String) -> Void,
    waitForEnd: @escaping @Sendable () async -> Void
  ) async throws(SandboxError) {
    let logger = Logger(label: "zookeeper.server", factory: { _ in LineLogHandler(log) })
    let end = EndOfRun()
    let waiting = Task {
      await waitForEnd()
      end.come()
    }
    defer { waiting.cancel() }
    do throws(ServerStartError) {
      let node: RunningServer
      do throws(ServerStartError) {
        node = try await RunningServer.start(configuration, logger: logger, isGivenUp: { end.hasCome })
      } catch {
        // A server that was asked to stop before it served has done so: its failure to start no longer matters.
        if end.hasCome { return }
        throw error
      }
      started(addresses(of: node))
      let failure = await node.waitForEnd(or: { await waiting.value })
      await node.stop()
      if let failure { throw failure }
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }
}

extension ServerDaemon {
  /// Where a server that runs takes its clients' connections.
  private func addresses(of server: RunningServer) -> String {
    var ports: [String] = []
    if configuration.opensClientPort {
      ports.append("\(configuration.clientAddress):\(server.clientPort)")
    }
    if configuration.secureClientPort != nil {
      ports.append("\(configuration.secureClientAddress):\(server.secureClientPort) (TLS)")
    }
    return ports.joined(separator: " and ")
  }
}

/// Whether a server was asked to end, from when it is not yet there on.
private final class EndOfRun: Sendable {
  private let value = Mutex(false)

  var hasCome: Bool { value.withLock { $0 } }

  func come() { value.withLock { $0 = true } }
}

/// Writes log messages as lines with time and level, as operators know them.
struct LineLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  private let write: @Sendable (String) -> Void

  init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes one message.
  func log(event: LogEvent) {
    var line = "\(Self.time()) \(event.level.rawValue.uppercased()) \(event.message)"
    for (key, value) in (event.metadata ?? [:]).sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
    write(line)
  }

  private static func time() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let milliseconds = "\(1000 + now.tv_nsec / 1_000_000)".dropFirst()
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)Z"
  }
}
