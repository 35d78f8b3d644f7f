import Foundation
import TestKit
import Testing

/// Every line of the table of exit codes, reached for real. The ones that take an ensemble are in `EnsembleTests`.
@Suite(.timeLimit(.minutes(10)))
struct ExitCodeTests {
  @Test func tableInHelpListsThemAll() async throws {
    let run = try await Zkcli(server: nil)("help", "exit-codes")
    let codes = (0...12).map { "\($0)" } + ["128+n"]
    let listed = run.output.split(separator: "\n").map { $0.drop { $0 == " " }.prefix { $0 != " " } }.map(String.init)
    for code in codes { #expect(listed.contains(code)) }
  }

  @Test func answersAndUsage() async throws {
    let zkcli = try await Zkcli.shared()
    expect(try await zkcli("exists", "/zookeeper"), status: 0)
    expect(try await zkcli("exists", "/nope-at-all"), status: 1)
    expect(try await zkcli("nonsense"), status: 2, error: "unknown command nonsense")
    expect(try await zkcli("get", "/nope-at-all"), status: 3, error: "NoNode /nope-at-all")
    expect(try await zkcli("create", "/zookeeper"), status: 4, error: "NodeExists /zookeeper")
  }

  @Test func notAllowed() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("protected")
    expect(try await zkcli("create", path, "v", "world:anyone:a"), output: "\(path)\n")
    expect(try await zkcli("get", path), status: 5, error: "NoAuth \(path)")
    expect(try await zkcli("--auth", "bogus:x", "-q", "ls", "/"), status: 5, error: "AuthFailed")
    expect(try await zkcli("setAcl", path, "auth::r"), status: 5, error: "InvalidACL \(path)")
  }

  @Test func overALimit() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("large")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    let tooLarge = [UInt8](repeating: 0x61, count: 1_200_000)
    let run = try await zkcli("set", path, "-", input: tooLarge)
    expect(run, status: 6, error: "TooLarge \(path): the request has")
    #expect(run.errorOutput.contains("nothing was sent"))
    expect(try await zkcli("get", path), output: "v")
  }

  @Test func cannotConnect() async throws {
    let refused = try refusedServer()
    let run = try await Zkcli(server: refused)("get", "/x")
    expect(run, status: 7, error: "cannot connect to \(refused): connection refused; is the server running")
  }

  @Test func timeLimit() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let zkcli = Zkcli(server: proxy.connectString)
    let watching = try zkcli.start("get", "-w", "/zookeeper", "--timeout", "300ms")
    #expect(try await watching.waitForEnd(within: .seconds(90)) == .exited(8))
    #expect(String(decoding: watching.bytes(of: .error), as: UTF8.self).contains("TimedOut"))
  }

  @Test func partial() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("partial")
    try await #expect(zkcli("create", "-p", "\(path)/locked/child").exitStatus == 0)
    try await #expect(zkcli("create", "\(path)/open").exitStatus == 0)
    expect(try await zkcli("setAcl", "\(path)/locked", "world:anyone:ra"))
    let run = try await zkcli("deleteall", path)
    #expect(run.exitStatus == 11)
    #expect(run.output.isEmpty)
    #expect(run.errorOutput.contains("\(path)/locked/child (NoAuth)"))
    expect(try await zkcli("ls", "-R", path), output: "\(path)\n\(path)/locked\n\(path)/locked/child\n")
  }

  @Test func localFile() async throws {
    let zkcli = try await Zkcli.shared()
    expect(try await zkcli("set", "/zookeeper", "@/nonexistent"), status: 12, error: "cannot open /nonexistent")
    expect(try await zkcli("-f", "/nonexistent"), status: 12, error: "cannot open /nonexistent")
    expect(try await zkcli("--auth-file", "/nonexistent", "ls"), status: 12, error: "cannot open /nonexistent")
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func signals(signal: Int32, status: Int32) async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("signal")
    let watching = try zkcli.start("addWatch", path)
    try await eventually("the watch") {
      try await ApacheServer.shared().fourLetterWord("wchp").contains(path)
    }
    watching.send(signal: signal)
    #expect(try await watching.waitForEnd(within: .seconds(90)) == .exited(status))
    #expect(watching.bytes(of: .output).isEmpty)
  }
}
