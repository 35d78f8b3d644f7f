import Foundation
import TestKit
import Testing

/// Those who wait and hold nothing outlive their session; what a session is, and was, is said in words.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct WaiterTests {
  /// A command that waits, and the znode under which its own appears; then what ends the wait.
  struct Waiter: Sendable, CustomTestStringConvertible {
    var words: [String]
    var parent: String
    /// What must be there for it to wait.
    var before: [String]?
    /// What ends the wait; nil when `before` is to end.
    var after: [String]?
    var output: String

    var testDescription: String { words.joined(separator: " ") }
  }

  static let waiters = [
    Waiter(words: ["lock", "~", "--", "echo", "mine"], parent: "~", before: ["lock", "~"], output: "mine"),
    Waiter(
      words: ["elect", "~", "me", "--", "echo", "mine"], parent: "~", before: ["elect", "~", "you"], output: "mine"),
    Waiter(words: ["queue", "take", "~"], parent: "~/.takers", after: ["queue", "put", "~", "item"], output: "item"),
    Waiter(
      words: ["barrier", "run", "--count", "2", "~", "--", "echo", "mine"], parent: "~",
      after: ["barrier", "run", "--count", "2", "~", "--", "true"], output: "mine"),
  ]

  private func filled(_ words: [String], _ path: String) -> [String] {
    words.map { $0.replacingOccurrences(of: "~", with: path) }
  }

  /// Starts a waiter behind a proxy, and ends its session while it is cut off.
  private func startAndExpire(
    _ waiter: Waiter, _ path: String, _ server: ServerKind, options: [String] = []
  ) async throws -> (command: RunningCommand, before: RunningCommand?, proxy: TCPProxy) {
    let direct = try await Zkcli.patient(server)
    var before: RunningCommand?
    if let words = waiter.before {
      before = try RunningCommand(
        try Products.executable("zkcli"), filled(words, path), environment: direct.variables)
      _ = try await before?.nextLine(within: .seconds(60))
    }
    let proxy = try TCPProxy(to: try await server.port)
    let command = try RunningCommand(
      try Products.executable("zkcli"), [waiter.words[0]] + options + filled([String](waiter.words.dropFirst()), path),
      environment: Zkcli.patient(proxy.connectString).variables)
    let parent = filled([waiter.parent], path)[0]
    let own = try await eventually("its znode", within: .seconds(60), every: .milliseconds(50)) {
      let names = try await direct("ls", parent).output.split(separator: "\n").filter { !$0.hasPrefix(".") }
      return names.count == (before == nil ? 1 : 2) ? names.max { $0.suffix(10) < $1.suffix(10) } : nil
    }
    proxy.refuse()
    proxy.cut()
    try await direct.endSession(owning: "\(parent)/\(own)", on: try await server.port)
    try await proxy.acceptAgain()
    return (command, before, proxy)
  }

  @Test(arguments: waiters, ServerKind.allCases) func itGoesOnWithANewSession(waiter: Waiter, server: ServerKind)
    async throws
  {
    let path = uniquePath("waiter")
    let (command, before, proxy) = try await startAndExpire(waiter, path, server)
    let warning = try await command.nextLine(of: .error, within: .seconds(60))
    #expect(warning?.contains("continuing with a new session") == true, "\(warning ?? "")")
    before?.closeInput()
    let direct = try await Zkcli.patient(server)
    if let after = waiter.after { try await #expect(direct.run(filled(after, path)).exitStatus == 0) }
    #expect(try await command.nextLine(within: .seconds(60)) == waiter.output)
    command.closeInput()
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0))
    withExtendedLifetime(proxy) {}
  }

  @Test(arguments: waiters) func unlessItIsToldNotTo(waiter: Waiter) async throws {
    let path = uniquePath("one-session")
    let (command, before, proxy) = try await startAndExpire(waiter, path, .zkcli, options: ["--one-session"])
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(9))
    #expect(String(decoding: command.bytes(of: .error), as: UTF8.self).contains("SessionExpired"))
    withExtendedLifetime((before, proxy)) {}
  }

  /// A script may hold what is lost with the session: it is told so, by one command alone.
  @Test func oneExpiryFailsOneCommandOfAScript() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let path = uniquePath("held")
    let script = try Zkcli.patient(proxy.connectString).start("-k")
    try script.write("create -e \(path)\n")
    #expect(try await script.nextLine(within: .seconds(60)) == path)
    try script.write("wait \(path)/never\nexists \(path)\nexists /\nquit\n")
    let direct = Zkcli.patient(server.connectString)
    try await eventually("a watch", within: .seconds(60)) { try server.fourLetterWord("wchp").contains(path) }
    proxy.refuse()
    proxy.cut()
    try await direct.endSession(owning: path, on: server.port)
    try await proxy.acceptAgain()
    #expect(try await script.waitForEnd(within: .seconds(90)) == .exited(9))
    let errors = String(decoding: script.bytes(of: .error), as: UTF8.self).split(separator: "\n")
    #expect(errors.count == 1 && errors[0].hasPrefix("stdin:2: SessionExpired"), "\(errors)")
  }

  @Test(arguments: ServerKind.allCases) func aVoteThatComesEarlyWaitsForItsProposal(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("early")
    let votes = try ["a", "b"].map { try zkcli.start("commit", "vote", path, $0, "commit") }
    try await eventually("both wait", within: .seconds(60)) { try await server.watchers()[path] == 2 }
    expect(
      try await zkcli("commit", "propose", "--participants", "a,b", "--timeout", "60s", path, "x"), output: "commit\n")
    for vote in votes {
      #expect(try await vote.nextLine(within: .seconds(60)) == "commit")
      #expect(try await vote.waitForEnd(within: .seconds(60)) == .exited(0))
    }
    expect(try await zkcli("commit", "vote", path, "c", "commit"), status: 4, error: "no such participant")
    expect(
      try await zkcli("commit", "vote", "--timeout", "20ms", "\(path)-2", "a", "commit"), status: 8,
      error: "nothing was proposed")
    expect(try await zkcli("commit", "vote", "--try", "\(path)-2", "a", "commit"), status: 8, error: "nothing was")
    // A znode without participants must not pass for a transaction: it would be decided at once.
    try await #expect(zkcli("create", "\(path)-3").exitStatus == 0)
    expect(
      try await zkcli("commit", "propose", "--participants", "a", "--timeout", "20ms", "\(path)-3", "x"), status: 4,
      error: "not a transaction of these participants")
  }

  @Test(arguments: [
    ["watch", "/"], ["elect", "--observe", "/nobody"], ["group", "watch", "/nobody"], ["get", "-w", "/"],
    ["addWatch", "/"],
  ]) func aCommandThatGoesOnSaysThatItsTimeIsUp(words: [String]) async throws {
    let run = try await Zkcli.patient(.zkcli).run(words + ["--timeout", "200ms"])
    #expect(run.exitStatus == 8)
    #expect(run.errorOutput.hasSuffix("the timeout has passed\n"), "\(run.errorOutput)")
  }

  /// Behind a path that nobody has made, whatever looks for a znode or waits for one says so.
  @Test(
    arguments: [
      (["ls", "/"], 3), (["get", "/x"], 3), (["create", "/x"], 3), (["set", "/x", "v"], 3), (["stat", "/x"], 3),
      (["delete", "/x"], 3), (["deleteall", "/x"], 3), (["getAcl", "/x"], 3), (["setAcl", "/x", "world:anyone:r"], 3),
      (["multi", "create", "/x", "v"], 4), (["exists", "/x"], 1), (["wait", "/x", "--timeout", "400ms"], 8),
      (["watch", "/x", "--timeout", "400ms"], 8), (["lock", "--list", "/x"], 0), (["elect", "--list", "/x"], 0),
      (["elect", "--observe", "/x", "--timeout", "400ms"], 8), (["queue", "list", "/x"], 0),
      (["queue", "peek", "/x"], 1),
      (["group", "list", "/x"], 0), (["group", "watch", "/x", "--timeout", "400ms"], 8), (["counter", "get", "/x"], 0),
      (["rendezvous", "get", "/x", "--timeout", "400ms"], 8), (["commit", "status", "/x"], 3),
      (["commit", "vote", "--timeout", "400ms", "/x", "a", "commit"], 8), (["group", "leave", "/x", "a"], 3),
    ] as [([String], Int32)]) func aMissingRootIsNamed(words: [String], status: Int32) async throws
  {
    let root = uniquePath("no-root")
    var zkcli = try await Zkcli.patient(.zkcli)
    zkcli.server! += root
    let run = try await zkcli.run(words)
    #expect(run.exitStatus == status, "\(run.errorOutput)")
    #expect(run.errorOutput.contains("the chroot \(root) of the connect string"), "\(run.errorOutput)")
  }

  @Test(arguments: [
    ["create", "-p", "/a/b", "v"], ["lock", "/x", "--", "true"], ["lock", "--slots", "2", "/x", "--", "true"],
    ["elect", "/x", "me", "--", "true"], ["queue", "put", "/x", "v"], ["queue", "take", "--timeout", "3s", "/x"],
    ["counter", "add", "/x"], ["id", "next", "/x"], ["barrier", "set", "/x"],
    ["barrier", "run", "--count", "1", "/x", "--", "true"], ["group", "join", "/x", "me", "--", "true"],
    ["rendezvous", "put", "/x", "v"], ["rendezvous", "put", "/x/y", "v", "--", "true"],
    ["commit", "propose", "--participants", "a", "--timeout", "20ms", "/x", "v"],
  ]) func whatMakesItsParentsMakesTheRootToo(words: [String]) async throws {
    let root = uniquePath("new-root")
    let direct = try await Zkcli.patient(.zkcli)
    var zkcli = direct
    zkcli.server! += "\(root)/deep"
    let run = try await zkcli.run(words)
    #expect(run.exitStatus == (words.contains("--timeout") ? 8 : 0), "\(run.errorOutput)")
    try await #expect(direct("exists", "\(root)/deep").exitStatus == 0)
  }
}
