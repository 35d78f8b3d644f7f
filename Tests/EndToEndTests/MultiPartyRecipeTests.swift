import Foundation
import TestKit
import Testing

/// Recipes in which several processes take part.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct MultiPartyRecipeTests {
  @Test(arguments: ServerKind.allCases) func allBeginAndEndTogether(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("round")
    let log = try LineLog()
    func start(_ number: Int) throws -> RunningCommand {
      let script = "echo begin >>\(log.path); while [ ! -e \(log.directory)/go-\(number) ]; do sleep 0.05; done"
      return try zkcli.start("barrier", "run", "--count", "4", path, "--", "sh", "-c", script)
    }
    var running = try (0..<3).map(start)
    try await eventually("three who have entered", within: .seconds(40)) {
      try await zkcli("ls", path).output.split(separator: "\n").count == 3
    }
    #expect(log.lines.isEmpty)
    // The straggler.
    running.append(try start(3))
    _ = try await log.wait(forCount: 4)
    for number in 0..<3 { try Scratch.write("", to: "\(log.directory)/go-\(number)") }
    // Those who are done wait for the last.
    try await eventually("two who have left", within: .seconds(40)) {
      let names = try await zkcli("ls", path).output.split(separator: "\n").filter { $0 != "ready" }
      return names.count <= 2
    }
    #expect(running.allSatisfy { $0.ending == nil })
    try Scratch.write("", to: "\(log.directory)/go-3")
    for command in running { #expect(try await command.waitForEnd(within: .seconds(40)) == .exited(0)) }
    #expect(try await zkcli("ls", path).output.isEmpty)
  }

  @Test(arguments: ServerKind.allCases) func anItemIsRedeliveredWhenItsTakerDies(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("jobs")
    try await #expect(zkcli("queue", "put", path, "job").exitStatus == 0)
    let first = try zkcli.start(
      "--session-timeout", "1s", "queue", "take", path, "--", "sh", "-c", "cat; echo; sleep 100")
    #expect(try await first.nextLine(within: .seconds(40)) == "job")
    #expect(try await zkcli("queue", "list", path).output.hasPrefix("claimed 0 "))
    first.send(signal: SIGKILL)
    // Its guard ends the command.
    _ = try await first.waitForEnd(within: .seconds(40))
    expect(try await zkcli("queue", "take", "--timeout", "50s", path, "--", "cat"), output: "job")
    expect(try await zkcli("queue", "len", path), output: "0\n")
  }

  @Test(arguments: ServerKind.allCases) func theNextCandidateLeads(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("leader")
    let observer = try zkcli.start("elect", "--observe", "--count", "2", "-o", "jsonl", path)
    let first = try zkcli.start("elect", path, "one")
    #expect(try await first.nextLine(within: .seconds(40)) == "one")
    // Whoever begins to observe later would not see it lead.
    var leaders: [String?] = []
    while !leaders.contains("one"), let line = try await observer.nextLine(within: .seconds(40)) {
      leaders.append(try jsonObject(line)["leader"] as? String)
    }
    let second = try zkcli.start("elect", path, "two", "--", "sh", "-c", "echo $ZKCLI_LEADER; cat")
    try await eventually("two candidates", within: .seconds(40)) {
      try await zkcli("elect", "--list", path).output.split(separator: "\n").count == 2
    }
    first.closeInput()
    #expect(try await first.waitForEnd(within: .seconds(40)) == .exited(0))
    #expect(try await second.nextLine(within: .seconds(40)) == "two")
    // It leads until it is seen: who leads for a moment only may be missed by those who look on.
    while let line = try await observer.nextLine(within: .seconds(40)) {
      leaders.append(try jsonObject(line)["leader"] as? String)
    }
    second.closeInput()
    #expect(try await second.waitForEnd(within: .seconds(40)) == .exited(0))
    #expect(leaders.compactMap(\.self) == ["one", "two"])
    #expect(try await observer.waitForEnd(within: .seconds(40)) == .exited(0))
  }

  @Test(arguments: ServerKind.allCases) func membersComeAndGo(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("members")
    let watching = try zkcli.start("group", "watch", path, "--count", "3")
    let member = try zkcli.start("group", "join", path, "me", "--data", "here")
    #expect(try await member.nextLine(within: .seconds(40)) == "me")
    #expect(try await watching.nextLine(within: .seconds(40)) == "joined me")
    let thrownOut = try zkcli.start("group", "join", path, "you", "--", "sh", "-c", "echo in; sleep 100")
    #expect(try await thrownOut.nextLine(within: .seconds(40)) == "in")
    expect(try await zkcli("group", "list", path), output: "me here\nyou \n".replacing("you ", with: "you"))
    expect(try await zkcli("group", "leave", path, "you"))
    #expect(try await thrownOut.waitForEnd(within: .seconds(40)) == .exited(9))
    member.send(signal: SIGTERM)
    #expect(try await member.waitForEnd(within: .seconds(40)) == .exited(143))
    watching.killAll()
  }

  @Test(arguments: ServerKind.allCases) func allMustVoteForIt(server: ServerKind) async throws {
    let zkcli = try await Zkcli.patient(server)
    let path = uniquePath("transaction")
    let coordinator = try zkcli.start("commit", "propose", "--participants", "a,b", "\(path)/1", "x")
    try await #expect(zkcli("wait", "--timeout", "40s", "\(path)/1").exitStatus == 0)
    let first = try zkcli.start("commit", "vote", "\(path)/1", "a", "commit")
    expect(try await zkcli("commit", "vote", "--timeout", "40s", "\(path)/1", "b", "commit"), output: "commit\n")
    #expect(try await first.waitForEnd(within: .seconds(40)) == .exited(0))
    #expect(try await coordinator.waitForEnd(within: .seconds(40)) == .exited(0))
    expect(try await zkcli("commit", "status", "\(path)/1"), output: "commit\na commit\nb commit\n")

    // A coordinator dies; another takes over the votes.
    let killed = try zkcli.start("commit", "propose", "--participants", "a,b", "\(path)/2", "x")
    try await #expect(zkcli("wait", "--timeout", "40s", "\(path)/2").exitStatus == 0)
    expect(try await zkcli("commit", "vote", "--try", "\(path)/2", "a", "abort"))
    killed.send(signal: SIGKILL)
    _ = try await killed.waitForEnd(within: .seconds(40))
    let successor = try await zkcli("commit", "propose", "--participants", "a,b", "\(path)/2", "x")
    expect(successor, status: 1, output: "abort\n")
    expect(try await zkcli("commit", "vote", "\(path)/2", "b", "commit"), status: 4, error: "already")
    expect(try await zkcli("commit", "vote", "\(path)/2", "a", "commit"), status: 4, error: "the vote was abort")
  }
}
