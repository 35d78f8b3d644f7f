import Foundation
import Synchronization

/// `zkcli server run` on loopback: our own server as a process, for tests of what talks to it.
///
/// Thread: any.
public final class ZkcliServer: Sendable {
  public let port: UInt16
  private let command: RunningCommand

  private init(port: UInt16, command: RunningCommand) {
    self.port = port
    self.command = command
  }

  deinit { command.killAll() }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// The one server that tests share, started by the first of them.
  public static func shared() async throws -> ZkcliServer { try await sharedStart.value }

  /// Not a child of the test that came first, whose cancellation must not take the server from the others.
  private static let sharedStart = Task { try await ZkcliServer.start() }

  /// Starts a server with ticks of half a second, so that the shortest session is one second, and waits until it serves.
  ///
  /// Throws: `TestKitError.missing` if it is not built, `.ended` with what it said if it does not start.
  public static func start() async throws -> ZkcliServer {
    try await ApacheServer.retryingPortConflicts {
      let port = try LoopbackPorts.reserve()
      let directory = try Scratch.directory("own-server")
      let lines = [
        "dataDir=\(directory)/data", "clientPort=\(port)", "clientPortAddress=127.0.0.1", "tickTime=500",
        "maxSessionTimeout=60000", "maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=*",
        "preAllocSize=256",
      ]
      try Scratch.write(lines.joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
      let command = try RunningCommand(
        try Products.executable("zkcli"), ["server", "run", "\(directory)/zoo.cfg"])
      try await eventually("a server on port \(port)", within: .seconds(30)) {
        let said = String(decoding: command.bytes(of: .error), as: UTF8.self)
        if command.ending != nil { throw TestKitError(.ended, said) }
        return said.contains("serving on")
      }
      return ZkcliServer(port: port, command: command)
    }
  }
}

/// The servers against which what a client does is tested: ours, and Apache's.
public enum ServerKind: String, CaseIterable, Sendable {
  case zkcli, apache

  /// The port of the server of this kind that tests share.
  public var port: UInt16 {
    get async throws {
      switch self {
      case .zkcli: try await ZkcliServer.shared().port
      case .apache: try await ApacheServer.shared().port
      }
    }
  }

  /// The address of that server, as `host:port`.
  public var connectString: String { get async throws { "127.0.0.1:\(try await port)" } }

  /// The answer of that server to a four-letter word.
  ///
  /// Throws: `TestKitError.systemCall`.
  public func fourLetterWord(_ word: String) async throws -> String {
    let socket = try LoopbackSocket.connect(to: try await port, timeout: .seconds(10))
    try socket.write(Array(word.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  /// Who watches what: for each watched path the number of its watchers (`wchp`).
  public func watchers() async throws -> [String: Int] {
    var watchers: [String: Int] = [:]
    var path = ""
    for line in try await fourLetterWord("wchp").split(separator: "\n") {
      if line.hasPrefix("/") {
        path = String(line)
      } else if line.hasPrefix("\t") {
        watchers[path, default: 0] += 1
      }
    }
    return watchers
  }
}
