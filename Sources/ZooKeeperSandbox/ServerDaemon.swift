import Synchronization
package import TransportSecurity
import ZooKeeperProtocol
import ZooKeeperServer

/// A server on a `zoo.cfg`, for as long as the process lives.
package struct ServerDaemon: Sendable {
  let configuration: ServerConfiguration
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

  /// The directories that the server writes to, each once.
  package var writableDirectories: [String] {
    var directories = [configuration.dataDirectory, configuration.logDirectory]
    if let audit = configuration.audit { directories.append(Self.directory(of: audit.path(orIn: directories[0]))) }
    if configuration.features.allowsReconfig, let file = configuration.file {
      // The file is rewritten beside itself, and so is that of the members.
      directories.append(Self.directory(of: file))
    }
    return directories.enumerated().filter { !directories[..<$0.offset].contains($0.element) }.map(\.element)
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

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

  /// What a start on the files of Apache's server would find and do differently; nothing is changed.
  ///
  /// - Returns: the findings, each with its weight: `fact`, `change` or `obstacle`.
  package func examineUpgrade() -> [(weight: String, text: String)] {
    var report = UpgradeReport()
    if let joinFailure {
      report.add(.obstacle, joinFailure.hint.map { "\(joinFailure.message) (\($0))" } ?? joinFailure.message)
    }
    for text in warnings + unknownKeys { report.add(.change, text) }
    report.findings += RunningServer.examine(configuration).findings
    return report.findings.map { ($0.weight.rawValue, $0.text) }
  }

  /// What the owner of the process does while the server runs.
  package struct Owner: Sendable {
    /// Called when the server serves, with the addresses that clients connect to.
    package var onStarted: @Sendable (String) -> Void
    /// Called with each role that a member of an ensemble takes, on the event loop.
    package var onRole: @Sendable (String) -> Void
    /// How often the event loop calls `keepAlive`, in milliseconds; nil for never.
    package var keepAliveMilliseconds: Int?
    package var keepAlive: @Sendable () -> Void
    /// Returns when the server is to stop.
    package var waitForEnd: @Sendable () async -> Void
    /// Called when the server serves, with an address at which clients on this machine reach it.
    package var openPage: (@Sendable (String) async -> Void)?
    /// Called before the server stops.
    package var closePage: (@Sendable () async -> Void)?

    package init(
      onStarted: @escaping @Sendable (String) -> Void, onRole: @escaping @Sendable (String) -> Void,
      keepAliveMilliseconds: Int?, keepAlive: @escaping @Sendable () -> Void,
      waitForEnd: @escaping @Sendable () async -> Void
    ) {
      self.onStarted = onStarted
      self.onRole = onRole
      self.keepAliveMilliseconds = keepAliveMilliseconds
      self.keepAlive = keepAlive
      self.waitForEnd = waitForEnd
    }
  }

  /// Runs the server until `owner.waitForEnd` returns or it fails by itself.
  ///
  /// - Throws: when it cannot start, or had to stop because its disk failed.
  package func run(log: DaemonLog, owner: Owner) async throws(SandboxError) {
    let logger = log.log.logger(label: "zookeeper.server")
    let end = EndOfRun()
    let waiting = Task {
      await owner.waitForEnd()
      end.come()
    }
    defer { waiting.cancel() }
    do throws(ServerStartError) {
      let node: RunningServer
      do throws(ServerStartError) {
        node = try await RunningServer.start(
          configuration, logger: logger, onRole: owner.onRole, isGivenUp: { end.hasCome })
      } catch {
        // A server that was asked to stop before it served has done so: its failure to start no longer matters.
        if end.hasCome { return }
        throw error
      }
      if let interval = owner.keepAliveMilliseconds { node.every(milliseconds: interval, owner.keepAlive) }
      let addresses = addresses(of: node)
      logger.notice("serving on \(addresses)")
      await owner.openPage?("\(ServerAddress(host: clientAddress, port: clientPort(of: node)))")
      owner.onStarted(addresses)
      let failure = await node.waitForEnd(or: { await waiting.value })
      await owner.closePage?()
      if failure == nil { await node.drain() }
      await node.stop()
      if let failure { throw failure }
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }
}

extension ServerDaemon {
  /// The port that clients of a server that runs connect to.
  private func clientPort(of server: RunningServer) -> Int {
    isSecureOnly ? server.secureClientPort : server.clientPort
  }

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
