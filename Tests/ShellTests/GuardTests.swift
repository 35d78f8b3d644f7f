import Testing

@testable import ZnodeFormats
@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct GuardTests {
  private static let action = "Delete 12 znodes, /a and all under it"

  private func verdict(
    _ count: Int, cluster: NamedCluster? = nil, isWatched: Bool = false, yes: String? = nil, maximum: Int = 1000
  ) -> Guard.Verdict {
    Guard(cluster: cluster, isWatched: isWatched, yes: yes, maximum: maximum).verdict(Self.action, count: count)
  }

  @Test func aTerminalIsAskedForMoreThanOneZnode() {
    #expect(verdict(1, isWatched: true) == .allowed)
    #expect(verdict(2, isWatched: true) == .asks("Delete 12 znodes, /a and all under it?"))
    #expect(verdict(2, isWatched: true, yes: "") == .allowed)
    #expect(
      verdict(2, cluster: NamedCluster(name: "dev"), isWatched: true)
        == .asks("Delete 12 znodes, /a and all under it on dev?"))
  }

  @Test func aScriptNeedsAConfirmationAboveTheLimit() throws {
    #expect(verdict(1000) == .allowed)
    #expect(verdict(1001, yes: "") == .allowed)
    #expect(verdict(1001, maximum: 1001) == .allowed)
    guard case .refused(let error) = verdict(1001) else { return #expect(Bool(false), "not refused") }
    #expect(error.exitCode == .usage)
    #expect(
      error.text
        == "Delete 12 znodes, /a and all under it: more than 1000 znodes need --yes in a script; --dry-run shows what"
        + " would be done, and --max sets another limit")
  }

  @Test func aProtectedClusterNeedsItsNameForAnyNumber() {
    let prod = NamedCluster(name: "prod", isProtected: true)
    #expect(verdict(1, cluster: prod, yes: "prod") == .allowed)
    #expect(verdict(5000, cluster: prod, isWatched: true, yes: "prod") == .allowed)
    for yes in [nil, ""] {
      guard case .refused(let error) = verdict(1, cluster: prod, yes: yes) else {
        return #expect(Bool(false), "not refused")
      }
      #expect(error.word == "Protected" && error.hint == "--yes=prod does it")
      #expect(
        verdict(1, cluster: prod, isWatched: true, yes: yes)
          == .asksForName(
            "Delete 12 znodes, /a and all under it on prod? It is protected; type its name to continue: "))
    }
  }

  @Test(arguments: [nil, NamedCluster(name: "dev"), NamedCluster(name: "other", isProtected: true)])
  func theNameOfAnotherClusterIsRefused(cluster: NamedCluster?) {
    for isWatched in [false, true] {
      guard case .refused(let error) = verdict(1, cluster: cluster, isWatched: isWatched, yes: "prod") else {
        return #expect(Bool(false), "not refused")
      }
      #expect(error.message.hasPrefix("--yes=prod does not match"))
    }
  }

  @Test(arguments: CommandTable.all.filter(\.destroys).map(\.id))
  func commandsThatDestroyHaveTheOptionsOfTheGuard(id: CommandID) {
    let spec = CommandTable.spec(of: id)
    #expect(spec.writes)
    for option in [OptionName.yes, .max, .dryRun] where spec.id != .client(.mirror) || option != .dryRun {
      #expect(spec.options.contains { $0.name == option })
    }
  }

  @Test func aNameBelongsToYesOnlyWithAnEqualsSign() throws {
    let spec = CommandTable.spec(of: .client(.deleteall))
    let bare = try ArgumentBinder.bind(words("--yes 5"), to: spec)
    #expect(bare.value(.yes) == "" && bare.arguments == ["5"])
    let named = try ArgumentBinder.bind(words("--yes=prod /a"), to: spec)
    #expect(named.value(.yes) == "prod" && named.arguments == ["/a"])
  }

  @Test(arguments: [
    ("set /a b", true), ("get /a", false), ("deleteall /a", true), ("deleteall --dry-run /a", false),
    ("lock --list /a", false), ("lock /a", true), ("commit vote /a me commit", true), ("queue len /q", false),
    ("reconfig -remove 3", true), ("find /a --empty", false), ("find /a --delete", true),
    ("cp -R /a file:a.tar", false),
    ("cp /a /b", true),
  ])
  func aReadOnlyClusterRefusesWrites(line: String, isRefused: Bool) throws {
    let all = words(line)
    let invocation = try ArgumentBinder.bind([Word](all.dropFirst()), to: try CommandTable.lookUp(all[0]))
    let cluster = NamedCluster(name: "prod", isReadOnly: true)
    do throws(ShellError) {
      try cluster.requireReading(by: invocation)
      #expect(!isRefused)
    } catch {
      #expect(isRefused && error.exitCode == .notAllowed && error.word == "ReadOnly")
    }
    try NamedCluster(name: "dev").requireReading(by: invocation)
  }
}

@Suite(.timeLimit(.minutes(10))) struct MemberChangeTests {
  private let ensemble = EnsembleText(
    parsing: "server.1=a:1:2:participant;0.0.0.0:3\nserver.2=b:1:2:participant;0.0.0.0:3\nversion=100000000\n")

  @Test func membersJoinChangeAndLeave() {
    let change = MemberChange(joining: "server.3=c:1:2;3, 2=b:9:9;3", leaving: "1", members: nil)
    #expect(change.applied(to: ensemble) == "server.2=b:9:9;3\nserver.3=c:1:2;3\n")
    #expect(change.description == "Add or change the members 3,2 and remove the member 1")
    #expect(change.count == 3)
  }

  @Test func allMembersAreReplaced() {
    let change = MemberChange(joining: nil, leaving: nil, members: "server.7=z:1:2;3")
    #expect(change.applied(to: ensemble) == "server.7=z:1:2;3\n")
    #expect(change.description == "Replace all members of the ensemble by the member 7")
  }
}
