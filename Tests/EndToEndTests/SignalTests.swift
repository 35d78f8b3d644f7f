import Foundation
import TestKit
import Testing

/// Whatever signal ends `zkcli`, what it runs gets it, or ends with it.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SignalTests {
  /// All that end a process that does nothing about them, but SIGKILL, SIGPROF, and what tells of a fault.
  static let signals: [Int32] = [
    SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGTERM, SIGVTALRM, SIGXCPU, SIGXFSZ, SIGPOLL, SIGPWR,
    SIGSTKFLT, 34, 50, 64,
  ]

  /// Says which signals come; a last one, SIGTERM for the second time, ends it.
  private static let script =
    signals.map { "trap 'echo got \($0)' \($0); " }.joined()
    + "echo ready; while [ ! -e \"$ZKCLI_TEST_END\" ]; do sleep 0.05; done; exit 5"

  static let holding = [
    ["lock", "~", "--"], ["lock", "--slots", "1", "~", "--"], ["elect", "~", "me", "--"], ["queue", "take", "~", "--"],
    ["group", "join", "~", "me", "--"], ["rendezvous", "put", "~/here", "data", "--"],
    ["barrier", "run", "--count", "1", "~", "--"], ["--local", "--"],
  ]

  @Test(arguments: holding) func eachIsPassedOn(words: [String]) async throws {
    let path = uniquePath("signals")
    let end = try Scratch.directory("signals") + "/end"
    var zkcli = try await Zkcli.patient(.zkcli).with(["ZKCLI_TEST_END": end])
    if words[0] == "--local" { zkcli.server = nil }
    if words[0] == "queue" { try await #expect(zkcli("queue", "put", path, "item").exitStatus == 0) }
    let command = try RunningCommand(
      try Products.executable("zkcli"),
      words.map { $0.replacingOccurrences(of: "~", with: path) } + ["sh", "-c", Self.script],
      environment: zkcli.variables)
    #expect(try await command.nextLine(within: .seconds(60)) == "ready")
    for signal in Self.signals {
      command.send(signal: signal)
      #expect(try await command.nextLine(within: .seconds(60)) == "got \(signal)", "signal \(signal)")
    }
    try Scratch.write("", to: end)
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(5))
  }

  /// A command that runs for each change has no business with signals to us: it ends, and with it the command.
  @Test(arguments: [SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, SIGPIPE, SIGXCPU, 40])
  func eachEndsWhatAWatchRuns(signal: Int32) async throws {
    let log = try LineLog()
    let script = "trap 'echo ended >>\(log.path); exit 0' TERM; (echo ready; exec sleep 600) & wait"
    let command = try await Zkcli.patient(.zkcli).start("watch", "--initial", "--exec", script, "/")
    #expect(try await command.nextLine(within: .seconds(60))?.contains("/") == true)
    #expect(try await command.nextLine(within: .seconds(60)) == "ready")
    command.send(signal: signal)
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(128 + signal))
    #expect(log.lines == ["ended"])
  }

  /// Where nothing can be done about it, the guard ends the command.
  @Test(arguments: [["watch", "--initial", "/", "--exec"], ["--local", "--"]], [SIGKILL, SIGPROF])
  func whatCannotBeTakenEndsItToo(words: [String], signal: Int32) async throws {
    let log = try LineLog()
    let script = "trap 'echo ended >>\(log.path); exit 0' TERM; (echo began >>\(log.path); exec sleep 600) & wait"
    var zkcli = try await Zkcli.patient(.zkcli)
    if words[0] == "--local" { zkcli.server = nil }
    let command = try RunningCommand(
      try Products.executable("zkcli"), words + (words[0] == "--local" ? ["sh", "-c", script] : [script]),
      environment: zkcli.variables)
    try await log.wait(for: "began")
    command.send(signal: signal)
    try await log.wait(for: "ended")
  }
}
