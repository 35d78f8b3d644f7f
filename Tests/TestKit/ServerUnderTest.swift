import Foundation
import Synchronization

/// `zkcli server run` with a scratch directory and a reserved port, which is started and killed again and again.
public final class ServerUnderTest: Sendable {
  public let port: UInt16
  /// Holds `zoo.cfg`, and `data` unless that lies elsewhere.
  public let directory: String
  /// The configured `dataDir`: `version-2` in it has the server's files.
  public let dataDirectory: String
  private let running = Mutex<RunningCommand?>(nil)
  /// The command that runs the server, such as a shell that limits it.
  private let wrapper: [String]

  /// A server that is not started, with `lines` at the end of its `zoo.cfg`.
  public init(_ lines: [String] = [], dataDirectory: String? = nil, wrapper: [String] = []) throws(TestKitError) {
    port = try LoopbackPorts.reserve()
    directory = try Scratch.directory("server")
    self.dataDirectory = dataDirectory ?? "\(directory)/data"
    self.wrapper = wrapper
    let common = [
      "dataDir=\(self.dataDirectory)", "clientPort=\(port)", "clientPortAddress=127.0.0.1", "tickTime=200",
      "maxSessionTimeout=60000", "admin.enableServer=false", "4lw.commands.whitelist=*", "preAllocSize=64",
    ]
    try Scratch.write((common + lines).joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
  }

  deinit { running.withLock { $0 }?.killAll() }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// The process, once it is started.
  public var command: RunningCommand? { running.withLock { $0 } }

  /// The server's standard error since it was last started.
  public var errorOutput: String { String(decoding: command?.bytes(of: .error) ?? [], as: UTF8.self) }

  /// Starts the server and waits until it serves.
  public func start(isLimited: Bool = false) async throws {
    try launch(isLimited: isLimited)
    try await eventually("a server on port \(port)", within: .seconds(90)) {
      if let command, command.ending != nil {
        // The process may have ended before all its output is read.
        try await command.waitForEnd(within: .seconds(90))
        throw TestKitError(.ended, errorOutput)
      }
      return errorOutput.contains("serving on")
    }
  }

  /// The command that runs the server in the foreground.
  public var commandLine: [String] {
    get throws(TestKitError) { try [Products.executable("zkcli"), "server", "run", "\(directory)/zoo.cfg"] }
  }

  /// Starts the process alone; only `isLimited` puts the wrapper in front.
  public func launch(isLimited: Bool = false) throws(TestKitError) {
    let words = try commandLine
    let all = isLimited ? wrapper + words : words
    let command = try RunningCommand(all[0], Array(all.dropFirst()))
    running.withLock { $0 = command }
  }

  /// Sends a signal and waits for the end.
  ///
  /// - Throws: `TestKitError.ended` if the server did not end because of the signal, but had crashed before.
  @discardableResult
  public func end(by signal: Int32) async throws -> RunningCommand.Ending? {
    guard let command else { return nil }
    let endedBefore = command.ending != nil
    command.send(signal: signal)
    let ending = try await command.waitForEnd(within: .seconds(90))
    let isKilled = signal != SIGKILL || ending == .signalled(SIGKILL)
    let hasTrapped = errorOutput.contains("Fatal error") || errorOutput.contains("Precondition failed")
    guard !endedBefore, isKilled, !hasTrapped else { throw TestKitError(.ended, "\(ending): \(errorOutput)") }
    return ending
  }

  /// The answer to a four-letter word.
  public func ask(_ word: String) throws(TestKitError) -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(10))
    try socket.write(Array(word.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }
}
