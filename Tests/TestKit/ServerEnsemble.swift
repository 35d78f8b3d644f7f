import Foundation
import Synchronization

/// Which program runs a member of an ensemble.
public enum MemberKind: Sendable {
  /// `zkcli server run`.
  case ours
  /// Debian's Apache ZooKeeper.
  case apache
}

/// An ensemble of processes on loopback, ours and Apache's in any mixture, each of which comes and goes by itself.
///
/// *Thread*: any.
public final class ServerEnsemble: Sendable {
  /// The settings of an ensemble.
  public struct Configuration: Sendable {
    /// One for each member, whose ids are 1, 2, 3 …
    public var kinds: [MemberKind]
    /// The ids of those that have no vote.
    public var observers: Set<Int> = []
    public var tickTimeMilliseconds = 500
    public var initLimit = 20
    public var syncLimit = 6
    /// Whether members answer administrators over HTTP, too.
    public var hasAdminServers = false
    /// The addresses at which some members are reached by the others, by id; 127.0.0.1 by default.
    public var quorumHosts: [Int: String] = [:]
    /// Lines added to every `zoo.cfg`.
    public var extraLines: [String] = []
    /// Lines added to that of some members, by id.
    public var ownLines: [Int: [String]] = [:]

    /// System properties of Apache's members.
    public var javaProperties: [String: String] = [:]
    /// The environment of all processes.
    public var environment = RunningCommand.cleanEnvironment

    /// An ensemble of voters.
    public init(_ kinds: [MemberKind]) { self.kinds = kinds }
  }

  public let members: [ServerMember]

  /// Members that are not started yet.
  public init(_ configuration: Configuration) throws(TestKitError) {
    var ports: [ServerMember.Ports] = []
    for _ in configuration.kinds {
      ports.append(
        .init(
          client: try LoopbackPorts.reserve(), quorum: try LoopbackPorts.reserve(),
          election: try LoopbackPorts.reserve(), admin: try LoopbackPorts.reserve()))
    }
    let servers = ports.enumerated().map { index, ports in
      let role = configuration.observers.contains(index + 1) ? "observer" : "participant"
      let host = configuration.quorumHosts[index + 1] ?? "127.0.0.1"
      return "server.\(index + 1)=\(host):\(ports.quorum):\(ports.election):\(role)"
    }
    var members: [ServerMember] = []
    for (index, kind) in configuration.kinds.enumerated() {
      let lines =
        [
          "tickTime=\(configuration.tickTimeMilliseconds)", "initLimit=\(configuration.initLimit)",
          "syncLimit=\(configuration.syncLimit)", "clientPort=\(ports[index].client)",
          "clientPortAddress=127.0.0.1", "admin.enableServer=\(configuration.hasAdminServers)",
          "admin.serverAddress=127.0.0.1", "admin.serverPort=\(ports[index].admin)",
          "maxSessionTimeout=60000", "maxClientCnxns=0", "4lw.commands.whitelist=*",
          "peerType=\(configuration.observers.contains(index + 1) ? "observer" : "participant")",
        ] + servers + configuration.extraLines + (configuration.ownLines[index + 1] ?? [])
      let classPath =
        configuration.hasAdminServers ? ApacheConfiguration.adminClassPath : ApacheConfiguration.classPath
      members.append(
        try ServerMember(id: index + 1, kind, ports: ports[index], lines: lines, classPath: classPath, configuration))
    }
    self.members = members
  }

  /// Starts an ensemble and waits until all of it serves.
  ///
  /// - Parameter first: members that start before the others, and elect the one with the largest id: on a busy machine,
  ///   any two of three may be the first that meet.
  public static func start(_ configuration: Configuration, first: [Int] = []) async throws -> ServerEnsemble {
    let ensemble = try ServerEnsemble(configuration)
    for id in first { try await ensemble[id].launch() }
    if !first.isEmpty { try await ensemble.waitUntilServing(first) }
    for member in ensemble.members where !first.contains(member.id) { try await member.launch() }
    try await ensemble.waitUntilServing()
    return ensemble
  }

  /// The member with an id.
  public subscript(_ id: Int) -> ServerMember { members[id - 1] }

  /// The addresses of all members for clients, with commas between them.
  public var connectString: String { members.map(\.connectString).joined(separator: ",") }

  /// The member that leads; nil while none does.
  public var leader: ServerMember? { members.first { $0.mode == "leader" } }

  /// Waits until a member leads.
  @discardableResult
  public func waitForLeader(within limit: Duration = .seconds(40)) async throws -> ServerMember {
    try await eventually("a leader", within: limit, every: .milliseconds(10)) { leader }
  }

  /// Waits until some members, or all, serve clients.
  public func waitUntilServing(_ ids: [Int]? = nil, within limit: Duration = .seconds(60)) async throws {
    let wanted = ids.map { $0.map { self[$0] } } ?? members
    do {
      try await eventually("service", within: limit, every: .milliseconds(10)) { wanted.allSatisfy { $0.mode != nil } }
    } catch let error as TestKitError {
      let logs = wanted.filter { $0.mode == nil }.map { "server \($0.id): \($0.log.suffix(2_000))" }
      throw TestKitError(error.code, error.context + "\n" + logs.joined(separator: "\n"))
    }
  }

  /// Ends all members.
  public func kill() async throws { for member in members { try await member.kill() } }
}

/// One server of an ensemble, as a process.
public final class ServerMember: Sendable {
  /// Where it listens.
  public struct Ports: Sendable {
    public var client: UInt16
    public var quorum: UInt16
    public var election: UInt16
    public var admin: UInt16
  }

  public let id: Int
  public let kind: MemberKind
  public let ports: Ports
  /// Holds `zoo.cfg`, `data` and `server.log`.
  public let directory: String
  private let classPath: String
  private let javaProperties: [String: String]
  private let environment: [String: String]
  private let process = Mutex<GuardedProcess?>(nil)

  init(
    id: Int, _ kind: MemberKind, ports: Ports, lines: [String], classPath: String,
    _ configuration: ServerEnsemble.Configuration
  ) throws(TestKitError) {
    self.id = id
    self.classPath = classPath
    javaProperties = configuration.javaProperties
    environment = configuration.environment
    self.kind = kind
    self.ports = ports
    directory = try Scratch.directory("member-\(id)")
    guard mkdir("\(directory)/data", 0o700) == 0 else { throw .systemCall("mkdir") }
    let all = ["dataDir=\(directory)/data"] + lines
    try Scratch.write(all.joined(separator: "\n") + "\n", to: "\(directory)/zoo.cfg")
    try Scratch.write("\(id)\n", to: "\(directory)/data/myid")
  }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(ports.client)" }

  /// What it has logged, over all its starts.
  public var log: String { (try? String(contentsOfFile: "\(directory)/server.log", encoding: .utf8)) ?? "" }

  /// Whether its process is there.
  public var isRunning: Bool { process.withLock { $0.map { !$0.hasEnded } ?? false } }

  /// Whether its process is suspended.
  private var isPaused: Bool { process.withLock { $0?.isPaused ?? false } }

  /// Starts the process, and returns without waiting for it to serve.
  ///
  /// - Parameter other: which program continues with the files; that of `kind` by default.
  public func launch(as other: MemberKind? = nil) async throws {
    let file = "\(directory)/zoo.cfg"
    let started: GuardedProcess
    switch other ?? kind {
    case .ours:
      started = try await GuardedProcess.start(
        try Products.executable("zkcli"), ["server", "run", file], environment: environment,
        log: "\(directory)/server.log")
    case .apache:
      var configuration = ApacheConfiguration()
      configuration.systemProperties = javaProperties
      let arguments = configuration.javaArguments(directory: directory, classPath: classPath)
      started = try await GuardedProcess.start(
        "/usr/bin/java", arguments, environment: environment, log: "\(directory)/server.log")
    }
    process.withLock { $0 = started }
  }

  /// Kills the process and waits until it is gone; nothing happens if there is none.
  public func kill() async throws {
    let taken = process.withLock { process in
      defer { process = nil }
      return process
    }
    try await taken?.kill()
  }

  /// Asks the process to end, and waits until it has.
  public func stop() async throws {
    let taken = process.withLock { process in
      defer { process = nil }
      return process
    }
    try await taken?.terminate()
  }

  /// Suspends the process.
  public func pause() async throws { try await process.withLock { $0 }?.pause() }

  /// Continues a paused process.
  public func resume() { process.withLock { $0?.resume() } }

  /// Removes all data but the server's id.
  public func wipe() throws { try FileManager.default.removeItem(atPath: "\(directory)/data/version-2") }

  /// The answer to a four-letter word.
  ///
  /// - Throws: `TestKitError.systemCall` if there is no answer within 20 seconds.
  public func ask(_ word: String) throws -> String {
    let socket = try LoopbackSocket.connect(to: ports.client, timeout: .seconds(20))
    try socket.write(Array(word.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  /// `leader`, `follower` or `observer`; nil while it does not serve.
  public var mode: String? { field("Mode", of: "srvr", separator: ": ") }

  /// The last transaction, as `srvr` reports it.
  public var zxid: String? { field("Zxid", of: "srvr", separator: ": ") }

  /// A figure of `mntr`, by its name without the prefix.
  public func figure(_ name: String) -> String? { field("zk_" + name, of: "mntr", separator: "\t") }

  private func field(_ name: String, of word: String, separator: String) -> String? {
    guard isRunning, !isPaused, let answer = try? ask(word) else { return nil }
    let line = answer.split(separator: "\n").first { $0.hasPrefix(name + separator) }
    return line.map { String($0.dropFirst(name.count + separator.count)) }
  }

  /// The answer of the AdminServer to a command.
  public func admin(_ command: String) throws -> [String: Any] {
    let socket = try LoopbackSocket.connect(to: ports.admin, timeout: .seconds(20))
    try socket.write(Array("GET /commands/\(command) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
    let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
    guard let body = answer.range(of: "\r\n\r\n").map({ answer[$0.upperBound...] }),
      let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    else { throw TestKitError(.ended, "no JSON: \(answer)") }
    return object
  }
}
