import Foundation
import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// `zkcli server run` on a scratch directory and a port of its own, that is started and killed again and again.
final class ServerUnderTest: Sendable {
  let port: UInt16
  /// Holds `zoo.cfg`, and `data` unless that lies elsewhere.
  let directory: String
  let dataDirectory: String
  private let running = Mutex<RunningCommand?>(nil)
  /// What is put in front of the server, such as a shell that limits it.
  private let wrapper: [String]

  init(_ lines: [String] = [], dataDirectory: String? = nil, wrapper: [String] = []) throws {
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

  var connectString: String { "127.0.0.1:\(port)" }

  var command: RunningCommand? { running.withLock { $0 } }

  /// What the server has said of itself since it was last started.
  var errorOutput: String { String(decoding: command?.bytes(of: .error) ?? [], as: UTF8.self) }

  /// Starts the server and waits until it serves.
  func start(isLimited: Bool = false) async throws {
    try launch(isLimited: isLimited)
    try await eventually("a server on port \(port)", within: .seconds(30)) {
      if command?.ending != nil { throw TestKitError(.ended, errorOutput) }
      return errorOutput.contains("serving on")
    }
  }

  /// Starts the process alone; only `isLimited` puts the wrapper in front.
  func launch(isLimited: Bool = false) throws {
    let words = try [Products.executable("zkcli"), "server", "run", "\(directory)/zoo.cfg"]
    let all = isLimited ? wrapper + words : words
    let command = try RunningCommand(all[0], Array(all.dropFirst()))
    running.withLock { $0 = command }
  }

  /// Sends a signal and waits for the end, which must come of it: a server that had ended by itself is a failure.
  @discardableResult
  func end(by signal: Int32) async throws -> RunningCommand.Ending? {
    guard let command else { return nil }
    #expect(command.ending == nil, "\(errorOutput)")
    command.send(signal: signal)
    let ending = try await command.waitForEnd(within: .seconds(40))
    if signal == SIGKILL { #expect(ending == .signalled(SIGKILL), "\(errorOutput)") }
    #expect(!errorOutput.contains("Fatal error") && !errorOutput.contains("Precondition failed"), "\(errorOutput)")
    return ending
  }

  /// The answer to a four-letter word.
  func ask(_ word: String) throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(10))
    try socket.write(Array(word.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  /// A client that begins to connect; the caller closes it.
  func client(sessionTimeout: Duration = .seconds(30)) throws -> ZooKeeperClient {
    var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: connectString))
    configuration.requestTimeLimit = .seconds(20)
    configuration.sessionTimeout = sessionTimeout
    return ZooKeeperClient(configuration)
  }

  /// Runs `body` with a connected client.
  func withClient<Value>(_ body: (ZooKeeperClient) async throws -> Value) async throws -> Value {
    let client = try client()
    do {
      try await client.connected(failsFast: false)
      let value = try await body(client)
      await client.close()
      return value
    } catch {
      await client.close(limit: .zero)
      throw error
    }
  }
}
