import Foundation
import Synchronization

/// `zkcli server run` on loopback, as a process, for tests of its clients.
///
/// *Thread*: any.
public final class ZkcliServer: Sendable {
  public let port: UInt16
  /// The configured `dataDir`: `version-2` in it has the server's files.
  public let dataDirectory: String
  private let log: String
  /// What it has logged so far.
  public var logText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
  /// It ends with the test process, and with this object.
  private let process: GuardedProcess

  private init(port: UInt16, dataDirectory: String, log: String, process: GuardedProcess) {
    self.port = port
    self.dataDirectory = dataDirectory
    self.log = log
    self.process = process
  }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// The one server that tests share, started by the first of them.
  public static func shared() async throws -> ZkcliServer { try await sharedStart.value }

  /// It is not a child of the test that came first, whose cancellation must not end the others' server.
  private static let sharedStart = Task { try await ZkcliServer.start() }

  /// Starts a server with ticks of half a second, so that the shortest session is a second, and waits until it serves.
  ///
  /// - Parameter extraLines: lines of its `zoo.cfg`.
  /// - Throws: `TestKitError.missing` if it is not built, `.ended` with what it said if it does not start.
  public static func start(
    extraLines: [String] = [], environment: [String: String] = RunningCommand.cleanEnvironment
  ) async throws -> ZkcliServer {
    try await ApacheServer.retryingPortConflicts {
      let server = try await launch(
        port: try LoopbackPorts.reserve(), peerLines: extraLines, environment: environment)
      try await server.waitUntilServing()
      return server
    }
  }

  /// Starts the process, and returns without waiting for it to serve.
  ///
  /// `peerLines` make it a member of an ensemble, with `serverID` for its `myid`.
  static func launch(
    port: UInt16, peerLines: [String] = [], serverID: Int? = nil,
    environment: [String: String] = RunningCommand.cleanEnvironment
  ) async throws -> ZkcliServer {
    let directory = try Scratch.directory("own-server")
    let lines = [
      "dataDir=\(directory)/data", "clientPort=\(port)", "clientPortAddress=127.0.0.1", "tickTime=500",
      "maxSessionTimeout=60000", "maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=*",
      "preAllocSize=256",
    ]
    try Scratch.write((lines + peerLines).joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
    if let serverID {
      guard mkdir("\(directory)/data", 0o700) == 0 else { throw TestKitError.systemCall("mkdir") }
      try Scratch.write("\(serverID)\n", to: "\(directory)/data/myid")
    }
    let log = "\(directory)/server.log"
    let process = try await GuardedProcess.start(
      try Products.executable("zkcli"), ["server", "run", "\(directory)/zoo.cfg"], environment: environment, log: log)
    return ZkcliServer(port: port, dataDirectory: "\(directory)/data", log: log, process: process)
  }

  /// Waits until the server answers clients.
  func waitUntilServing() async throws {
    try await eventually("a server on port \(port)", within: .seconds(60), every: .milliseconds(20)) {
      if process.hasEnded { throw TestKitError(.ended, (try? String(contentsOfFile: log, encoding: .utf8)) ?? log) }
      return mode != nil
    }
  }

  /// The server's mode (`standalone`, `leader`, `follower`); nil if it does not serve.
  public var mode: String? {
    guard let socket = try? LoopbackSocket.connect(to: port, timeout: .seconds(20)),
      (try? socket.write(Array("srvr".utf8))) != nil, let answer = try? socket.readToEnd()
    else { return nil }
    let line = String(decoding: answer, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Mode: ") }
    return line.map { String($0.dropFirst("Mode: ".count)) }
  }

  /// Kills the server as a crash would, and waits until it is gone.
  public func kill() async throws {
    try await process.kill()
  }
}

/// Several of our servers on loopback that form one ensemble.
public final class ZkcliEnsemble: Sendable {
  /// In the order of their server ids, which are 1, 2, 3 …
  public let members: [ZkcliServer]

  private init(members: [ZkcliServer]) { self.members = members }

  /// Starts `size` servers and waits until all of them serve.
  ///
  /// - Throws: as `ZkcliServer.start`.
  public static func start(size: Int = 3) async throws -> ZkcliEnsemble {
    try await ApacheServer.retryingPortConflicts {
      let ports = try (0..<size).map { _ throws(TestKitError) in
        let (client, quorum) = (try LoopbackPorts.reserve(), try LoopbackPorts.reserve())
        return (client: client, quorum: quorum, election: try LoopbackPorts.reserve())
      }
      let peerLines = ports.enumerated().map { index, ports in
        "server.\(index + 1)=127.0.0.1:\(ports.quorum):\(ports.election)"
      }
      var members: [ZkcliServer] = []
      for (index, ports) in ports.enumerated() {
        members.append(
          try await ZkcliServer.launch(
            port: ports.client, peerLines: ["initLimit=20", "syncLimit=10"] + peerLines, serverID: index + 1))
      }
      for member in members { try await member.waitUntilServing() }
      return ZkcliEnsemble(members: members)
    }
  }

  /// The addresses of all members for clients, with commas between them.
  public var connectString: String { members.map(\.connectString).joined(separator: ",") }

  /// Waits until some member leads, and returns its index.
  ///
  /// - Throws: `TestKitError.timedOut`.
  public func waitForLeader(within limit: Duration = .seconds(30)) async throws -> Int {
    try await eventually("election of a leader", within: limit, every: .milliseconds(20)) {
      members.firstIndex { $0.mode == "leader" }
    }
  }
}

/// The servers against which clients are tested: ours, and Apache's.
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
  /// - Throws: `TestKitError.systemCall`.
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
