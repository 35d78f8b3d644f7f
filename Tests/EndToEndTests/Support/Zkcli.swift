import Foundation
import TestKit
import Testing

/// The built `zkcli`, pointed at some servers.
struct Zkcli: Sendable {
  /// What `ZKCLI_SERVER` says.
  var server: String?
  var environment = RunningCommand.cleanEnvironment

  /// A `zkcli` for the server that all tests share.
  static func shared() async throws -> Zkcli { Zkcli(server: try await ApacheServer.shared().connectString) }

  /// Runs one command line to its end.
  func callAsFunction(
    _ arguments: String..., input: [UInt8] = [], timeLimit: Duration = .seconds(120)
  ) async throws -> CommandRun {
    try await run(arguments, input: input, timeLimit: timeLimit)
  }

  /// Runs one command line to its end.
  func run(
    _ arguments: [String], input: [UInt8] = [], timeLimit: Duration = .seconds(120)
  ) async throws -> CommandRun {
    try await CommandRun.run(
      try Products.executable("zkcli"), arguments, environment: variables, input: input, timeLimit: timeLimit)
  }

  /// Runs a script that comes from stdin.
  func script(_ text: String, _ options: String...) async throws -> CommandRun {
    try await run(options, input: [UInt8](text.utf8))
  }

  /// Runs a line of `/bin/sh`, in which `zkcli` is the built one.
  func shell(_ line: String, input: [UInt8] = [], timeLimit: Duration = .seconds(120)) async throws -> CommandRun {
    try await CommandRun.run(
      "/bin/sh", ["-c", line], environment: try pathVariables(), input: input, timeLimit: timeLimit)
  }

  /// Starts a command that goes on while the test does.
  func start(_ arguments: String...) throws -> RunningCommand {
    try RunningCommand(try Products.executable("zkcli"), arguments, environment: variables)
  }

  /// The environment of a run.
  var variables: [String: String] {
    var all = environment
    if let server { all["ZKCLI_SERVER"] = server }
    return all
  }

  /// The same with the built `zkcli` first in `PATH`.
  func pathVariables() throws -> [String: String] {
    var all = variables
    let directory = URL(filePath: try Products.executable("zkcli")).deletingLastPathComponent().path
    all["PATH"] = "\(directory):\(all["PATH"] ?? "/usr/bin:/bin")"
    return all
  }

  /// A copy with other variables set.
  func with(_ variables: [String: String]) -> Zkcli {
    var copy = self
    copy.environment.merge(variables) { _, new in new }
    return copy
  }
}

/// Expects that a command ended with `status`, wrote exactly `output` and something with `error` in it on stderr; no
/// `error` means that stderr is empty.
func expect(
  _ run: CommandRun, status: Int32 = 0, output: String = "", error: String = "",
  _ context: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  let comment = Comment(rawValue: "\(context) stderr: \(run.errorOutput)")
  #expect(run.exitStatus == status, comment, sourceLocation: sourceLocation)
  #expect(run.output == output, comment, sourceLocation: sourceLocation)
  if error.isEmpty {
    #expect(run.errorOutput.isEmpty, comment, sourceLocation: sourceLocation)
  } else {
    #expect(run.errorOutput.contains(error), comment, sourceLocation: sourceLocation)
  }
}

/// A port of loopback on which nobody listens: refused at once.
func refusedServer() throws -> String {
  "127.0.0.1:\(try LoopbackPorts.reserve())"
}

/// A JSON text as dictionaries and arrays.
func json(_ text: some StringProtocol) throws -> Any {
  try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
}

/// A JSON object.
func jsonObject(_ text: some StringProtocol) throws -> [String: Any] {
  try #require(try json(text) as? [String: Any], "\(text)")
}

extension ApacheServer {
  /// How many sessions there are.
  var sessionCount: Int? {
    get throws {
      let line = try fourLetterWord("mntr").split(separator: "\n").first { $0.hasPrefix("zk_global_sessions") }
      return line.flatMap { Int($0.split(separator: "\t").last ?? "") }
    }
  }

  /// Waits until no session is left, far below any session timeout that a test uses.
  func expectNoSessions(within limit: Duration = .seconds(3)) async throws {
    try await eventually("end of all sessions", within: limit, every: .milliseconds(20)) { try sessionCount == 0 }
  }
}

extension Zkcli {
  /// Ends the session that owns an ephemeral znode; its client must be cut off from the server.
  func endSession(owning path: String, on port: UInt16) async throws {
    let run = try await self("stat", "-o", "json", path)
    let stat = try #require(jsonObject(run.output)["stat"] as? [String: Any], "\(run.errorOutput)")
    let owner = try #require(stat["ephemeralOwner"] as? String)
    let session = try #require(UInt64(owner.dropFirst(2), radix: 16))
    try TestKit.endSession(Int64(bitPattern: session), on: port)
    try await #expect(self("exists", path).exitStatus == 1)
  }
}

extension TCPProxy {
  /// Accepts connections again after `refuse`; the port is free once the thread that listened has let go of it.
  func acceptAgain() async throws {
    try await eventually("the port is free again") { (try? accept()) != nil }
  }
}
