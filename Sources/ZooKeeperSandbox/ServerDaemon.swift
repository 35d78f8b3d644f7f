import Synchronization
package import TransportSecurity
import ZooKeeperProtocol
import ZooKeeperServer

/// A server with the configuration of a `zoo.cfg`, which runs until the process ends.
package struct ServerDaemon: Sendable {
  let configuration: ServerConfiguration
  /// The error if the server cannot determine which member of its ensemble it is.
  private let joinFailure: SandboxError?
  /// Mistakes in the file with which the server can start: `FILE:LINE: message`.
  package let warnings: [String]
  /// Unknown keys in the same form. They are probably misspelt, so that the intended setting has no effect.
  package let unknownKeys: [String]

  /// Files with secrets that the configuration names.
  package let secretFiles: [String]

  /// Whether all clients must encrypt their connections.
  package var isSecureOnly: Bool { !configuration.opensClientPort }

  /// The port for clients, or that for encrypted connections if there is no other; 0 for any free one.
  package var clientPort: Int {
    isSecureOnly ? configuration.secureClientPort ?? configuration.clientPort : configuration.clientPort
  }

  /// The address at which clients on this machine reach the server.
  package var clientAddress: String { configuration.nearClientAddress }

  /// The TLS settings for asking this server for its state; nil for a connection in the clear.
  ///
  /// The server's own certificate is used as the client certificate, and the server's is not verified: nothing secret
  /// is sent, and without encryption a process that had taken the port could lie as well.
  package var ownTLS: TLSSettings? {
    guard isSecureOnly else { return nil }
    var settings = configuration.clientTLS.properties.settings
    settings.trust = .anybody
    return settings
  }

  /// The process file.
  package var processFile: String { configuration.dataDirectory + "/zookeeper_server.pid" }

  package var dataDirectory: String { configuration.dataDirectory }

  /// The directories that the server writes to, each once.
  package var writableDirectories: [String] {
    var directories = [configuration.dataDirectory, configuration.logDirectory]
    if let audit = configuration.audit { directories.append(Self.directory(of: audit.path(orIn: directories[0]))) }
    if configuration.features.allowsReconfig, let file = configuration.file {
      // The file, and that of the members, are replaced by new files in the same directory.
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
  ///   - bytes: the contents of the file.
  ///   - readFile: the bytes of another file that this one names; nil if it cannot be read.
  ///   - properties: Java's system properties, without `-D`.
  /// - Throws: every fault of the file, one on each line.
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
      // The directory and the port are known nevertheless, so that a running server can be asked and stopped.
      configuration = read.configuration
      joinFailure = SandboxError("\(file): \(error.message)", hint: error.hint, isConfiguration: true)
    }
    secretFiles = read.secretFiles
    unknownKeys = read.unknownKeys.map(\.text)
    warnings = read.warnings.map(\.text) + (configuration.peerTypeWarning.map { ["\(file): \($0)"] } ?? [])
  }

  /// Checks whether the server can determine which member of its ensemble it is, which depends on `myid`.
  ///
  /// - Throws: if `myid` is missing, not a number, or not that of a member.
  package func checkServerID() throws(SandboxError) {
    if let joinFailure { throw joinFailure }
  }

  /// Checks what the file refers to: the members that the ensemble has agreed on, and the key stores.
  ///
  /// - Returns: remarks about a valid configuration.
  /// - Throws: if it is not valid.
  package func remarks() throws(SandboxError) -> [String] {
    [try checkMembers()].compactMap(\.self) + (try checkStores())
  }

  /// Settings of a valid configuration that its author may not have intended, one sentence for each. Host names are
  /// resolved while the caller waits.
  package var advice: [String] { configuration.advice }

  /// Checks whether the stores of keys and certificates can be used.
  ///
  /// - Returns: remarks about those that can.
  /// - Throws: if one cannot be used.
  private func checkStores() throws(SandboxError) -> [String] {
    do throws(ServerStartError) {
      return try configuration.checkStores()
    } catch {
      throw SandboxError(error.message, hint: error.hint, isConfiguration: true)
    }
  }

  /// Checks whether the members in the data directory are the same as in the file.
  ///
  /// - Returns: a warning if they are not.
  /// - Throws: if the data directory cannot be read.
  private func checkMembers() throws(SandboxError) -> String? {
    do throws(ServerStartError) {
      return try configuration.agreedMembersWarning()
    } catch {
      throw SandboxError(error.message, hint: error.hint, isConfiguration: true)
    }
  }

  /// Makes a damaged data directory usable again by discarding everything after the first damage.
  ///
  /// **Loses acknowledged transactions**; the discarded part is kept in files that begin with `damaged-`.
  ///
  /// - Returns: a line for each file that was changed; empty if there was nothing to repair.
  /// - Throws: if another server uses the directory, or nothing can be recovered.
  package func repair() throws(SandboxError) -> [String] {
    do throws(ServerStartError) {
      return try RunningServer.repair(configuration)
    } catch {
      throw SandboxError(error.message, hint: error.hint)
    }
  }

  /// Reports what a start on the files of Apache's server would find and do differently. Nothing is changed.
  ///
  /// - Returns: the findings, each with its kind: `fact`, `change` or `obstacle`.
  package func examineUpgrade() -> [(weight: String, text: String)] {
    var report = UpgradeReport()
    if let joinFailure {
      report.add(.obstacle, joinFailure.hint.map { "\(joinFailure.message) (\($0))" } ?? joinFailure.message)
    }
    for text in warnings + unknownKeys { report.add(.change, text) }
    report.findings += RunningServer.examine(configuration).findings
    return report.findings.map { ($0.weight.rawValue, $0.text) }
  }

  /// The callbacks of the owner of the process.
  package struct Owner: Sendable {
    /// Called when the server serves, with the addresses that clients connect to.
    package var onStarted: @Sendable (String) -> Void
    /// Called with each role that a member of an ensemble takes, on the event loop.
    package var onRole: @Sendable (String) -> Void
    /// How often the event loop calls `keepAlive`, in milliseconds; nil for never.
    package var keepAliveMilliseconds: Int?
    package var keepAlive: @Sendable () -> Void
    /// Returns when the server should stop.
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
  /// - Throws: if it cannot start, or has stopped because of a disk failure.
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
        // The server was asked to stop before it served, so its failure to start does not matter.
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
  /// The port for clients of a running server.
  private func clientPort(of server: RunningServer) -> Int {
    isSecureOnly ? server.secureClientPort : server.clientPort
  }

  /// The addresses on which a running server listens for clients.
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

/// Records that a server was asked to end, also before it has started.
private final class EndOfRun: Sendable {
  private let value = Mutex(false)

  var hasCome: Bool { value.withLock { $0 } }

  func come() { value.withLock { $0 = true } }
}
