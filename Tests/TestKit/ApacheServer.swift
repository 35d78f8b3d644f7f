import Foundation
import Synchronization

/// Apache's ZooKeeper, as Debian packages it, on loopback: the reference that this client is tested against.
///
/// It keeps its port and its data over `restart`, and dies with the test process.
///
/// *Thread*: any.
public final class ApacheServer: Sendable {
  public let port: UInt16
  /// Holds `zoo.cfg`, `data` and `server.log`.
  public let directory: String
  private let configuration: ApacheConfiguration
  private let process = Mutex<GuardedProcess?>(nil)

  /// Whether the packages that it takes are installed.
  public static var isInstalled: Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/java")
      && FileManager.default.isReadableFile(atPath: "/usr/share/java/zookeeper.jar")
  }

  /// A server that is not started, configured by `peerLines` in addition to `configuration`; `serverID` is its
  /// `myid`, for a member of an ensemble.
  init(
    _ configuration: ApacheConfiguration, port: UInt16, peerLines: [String], serverID: Int? = nil
  ) throws(TestKitError) {
    guard Self.isInstalled else { throw TestKitError(.missing, "java or Debian's zookeeper") }
    self.configuration = configuration
    self.port = port
    directory = try Scratch.directory(serverID.map { "zookeeper-\($0)" } ?? "zookeeper")
    guard mkdir("\(directory)/data", 0o700) == 0 else { throw .systemCall("mkdir") }
    let lines = configuration.commonLines(directory: directory) + peerLines + configuration.extraLines
    try Scratch.write(lines.joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
    if let serverID { try Scratch.write("\(serverID)\n", to: "\(directory)/data/myid") }
  }

  deinit {
    // The process is killed when it is released. What it still writes is removed with the other temporary files.
    process.withLock { $0 = nil }
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// The command that runs a server in the foreground, in a new directory, for a test that starts and stops it by
  /// itself.
  ///
  /// - Throws: `TestKitError.missing` if it is not installed.
  public static func commandLine(port: UInt16) throws(TestKitError) -> [String] {
    guard isInstalled else { throw TestKitError(.missing, "java or Debian's zookeeper") }
    let (configuration, directory) = (ApacheConfiguration.permissive, try Scratch.directory("zookeeper"))
    let lines = configuration.commonLines(directory: directory)
    try Scratch.write(
      (lines + ["clientPort=\(port)", "clientPortAddress=127.0.0.1", ""]).joined(separator: "\n"),
      to: "\(directory)/zoo.cfg")
    return ["/usr/bin/java"] + configuration.javaArguments(directory: directory)
  }

  /// The class path of Apache's client.
  public static var clientClassPath: String { ApacheConfiguration.classPath }

  /// The configured `dataDir`: `version-2` in it has the server's files.
  public var dataDirectory: String { "\(directory)/data" }

  /// Starts a standalone server and waits until it serves.
  ///
  /// `prepare` is given the path of the data directory, which is empty, before the server is started.
  ///
  /// - Throws: `TestKitError.missing` if it is not installed, `.ended` with the tail of its log if it does not start.
  public static func start(
    _ configuration: ApacheConfiguration = ApacheConfiguration(), preparing prepare: (String) throws -> Void = { _ in }
  ) async throws -> ApacheServer {
    try await retryingPortConflicts {
      let port = try LoopbackPorts.reserve()
      let server = try ApacheServer(
        configuration, port: port, peerLines: ["clientPort=\(port)", "clientPortAddress=127.0.0.1"])
      try prepare(server.dataDirectory)
      try await server.launch()
      try await server.waitUntilServing()
      return server
    }
  }

  /// The one server that tests share, started by the first of them; see `ApacheConfiguration.permissive`.
  ///
  /// A test that stops or configures a server must start another one.
  public static func shared() async throws -> ApacheServer { try await sharedStart.value }

  /// It is not a child of the test that came first, whose cancellation must not end the others' server.
  private static let sharedStart = Task { try await ApacheServer.start(.permissive) }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// The process id of the server; nil while it is stopped.
  public var processID: Int32? { process.withLock { $0?.processID } }

  /// The server's log so far.
  public var log: String { (try? String(contentsOfFile: "\(directory)/server.log", encoding: .utf8)) ?? "" }

  /// The answer to a four-letter word such as `ruok`.
  ///
  /// - Throws: `TestKitError.systemCall` if there is no connection or no answer within `timeout`.
  public func fourLetterWord(_ word: String, timeout: Duration = .seconds(20)) throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: timeout)
    try socket.write(Array(word.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  /// The server's mode (`standalone`, `leader`, `follower`, `read-only`); nil if it does not serve.
  public var mode: String? {
    let isPaused = process.withLock { $0?.isPaused ?? false }
    guard !isPaused, let answer = try? fourLetterWord("srvr") else { return nil }
    let line = answer.split(separator: "\n").first { $0.hasPrefix("Mode: ") }
    return line.map { String($0.dropFirst("Mode: ".count)) }
  }

  /// Asks the server to end, and waits until it has. Its data stay for a `restart`.
  public func stop() async throws { try await takeProcess()?.terminate() }

  /// Kills the server as a crash would, and waits until it is gone.
  public func kill() async throws { try await takeProcess()?.kill() }

  /// Suspends the server: connections stay open and nothing answers, as in a long garbage collection or a partition.
  public func pause() async throws { try await process.withLock { $0 }?.pause() }

  /// Continues a paused server.
  public func resume() { process.withLock { $0?.resume() } }

  /// Starts the server again on its port and data, stopping it first if it runs, and waits until it serves.
  public func restart() async throws {
    try await stop()
    try await launch()
    try await waitUntilServing()
  }

  /// Starts the process, and returns without waiting for it to serve.
  func launch() async throws {
    let started = try await GuardedProcess.start(
      "/usr/bin/java", configuration.javaArguments(directory: directory), log: "\(directory)/server.log")
    process.withLock { $0 = started }
  }

  /// Waits until the server answers clients, and makes sure that it is this one.
  ///
  /// Another process may have taken the port in the meantime, and would answer `srvr` just as well. Only this server
  /// has the test's data directory.
  func waitUntilServing() async throws {
    let limit = configuration.startLimit
    try await eventually("ZooKeeper serving on port \(port)", within: limit, every: .milliseconds(20)) {
      let log = log
      // A leader whose quorum port is taken does not end, but tries indefinitely.
      guard let running = process.withLock({ $0 }), !running.hasEnded, !log.contains(Self.portConflict) else {
        throw TestKitError(.ended, "ZooKeeper on port \(port): \(log.suffix(3_000))")
      }
      return mode != nil && (try? fourLetterWord("conf"))?.contains("dataDir=\(directory)/data/") == true
    }
  }

  /// Java's message for a port that is taken.
  private static let portConflict = "Address already in use"

  private func takeProcess() -> GuardedProcess? {
    process.withLock { process in
      defer { process = nil }
      return process
    }
  }

  /// Runs `start` again, with other ports, if another process took one of them first; three times in all.
  static func retryingPortConflicts<Started>(_ start: () async throws -> Started) async throws -> Started {
    for _ in 0..<2 {
      do {
        return try await start()
      } catch let error as TestKitError where error.context.contains(portConflict) {
        continue
      }
    }
    return try await start()
  }
}

/// A path that no other call in this process returns, so that tests can share a server without affecting each other.
public func uniquePath(_ purpose: String = "test") -> String {
  let number = nextPathNumber.withLock { number in
    number += 1
    return number
  }
  return "/\(purpose)-\(number)"
}

private let nextPathNumber = Mutex(0)
