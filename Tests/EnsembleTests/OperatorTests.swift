import Foundation
import TestKit
import Testing

/// What members of an ensemble report to operators.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct OperatorTests {
  /// Runs `zkcli`.
  private func zkcli(_ arguments: String...) async throws -> CommandRun {
    try await CommandRun.run(try Products.executable("zkcli"), arguments)
  }

  /// With `leaderServes=no`, a leader has only the other servers to serve, which pass clients' writes on to it.
  @Test func aLeaderMayHaveNoClients() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.extraLines = ["leaderServes=no"]
    let ensemble = try await ServerEnsemble.start(configuration)
    var leader = try #require(ensemble.leader)
    for _ in 0..<2 {
      let refused = try await zkcli("-s", leader.connectString, "--timeout", "2s", "ls", "/")
      #expect(refused.exitStatus == 7, "\(refused.output) \(refused.errorOutput)")
      let others = ensemble.members.filter { $0.id != leader.id && $0.isRunning }.map(\.connectString)
      for other in others {
        let write = try await zkcli("-s", other, "create", "-s", "/n-", "x")
        #expect(write.exitStatus == 0, "\(write.errorOutput)")
      }
      // So does the next leader, which has had clients before.
      guard others.count == 2 else { break }
      try await leader.kill()
      leader = try await ensemble.waitForLeader()
    }
  }

  /// Keys of `conf` that differ between any two servers.
  private static let ownKeys = [
    "clientPort", "dataDir", "dataDirSize", "dataLogDir", "dataLogSize", "serverId", "electionPort", "quorumPort",
  ]

  @Test(.enabled(if: ApacheServer.isInstalled)) func tellWhatApachesTell() async throws {
    var configuration = ServerEnsemble.Configuration([.apache, .ours, .ours, .ours])
    configuration.observers = [4]
    configuration.hasAdminServers = true
    let ensemble = try await ServerEnsemble.start(configuration, first: [2, 3])
    let (apache, ours) = (ensemble[1], ensemble[2])
    #expect(ensemble[3].mode == "leader")
    func shared(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { line in !Self.ownKeys.contains { line.hasPrefix($0 + "=") } }
    }
    #expect(shared(try ours.ask("conf")) == shared(try apache.ask("conf")))
    #expect(try ensemble[4].ask("conf").contains("peerType=1\n"))
    let states = ensemble.members.map { $0.figure("peer_state") }
    #expect(
      states == ["following - broadcast", "following - broadcast", "leading - broadcast", "observing - broadcast"])
    #expect(ours.figure("quorum_size") == apache.figure("quorum_size"))
    // Sessions as a learner sees them.
    try await ours.withClient { _ in
      func sessions(_ member: ServerMember) throws -> [Substring] {
        try member.ask("dump").split(separator: "\n").prefix { $0 != "ephemeral nodes dump:" }
      }
      try await eventually("the session everywhere") {
        ensemble.members.allSatisfy { $0.figure("global_sessions") == "1" }
      }
      #expect(try sessions(apache).contains { $0.hasSuffix("\t30000ms") })
      #expect(try sessions(ours) == sessions(apache))
    }
    try await tellAdministrators(ensemble)
    try await ensemble.kill()
  }

  /// A change is in the audit log of the server that the client was connected to, whether that leads or not; what ends
  /// with a session is in those of all.
  @Test func changesAreAuditedWhereTheyWereAskedFor() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.extraLines = ["audit.enable=true"]
    let ensemble = try await ServerEnsemble.start(configuration)
    for member in ensemble.members {
      try await member.withClient { client in
        try await client.create("/of-\(member.id)", data: [1], mode: .ephemeral)
        _ = try? await client.delete("/none-\(member.id)")
      }
    }
    func lines(_ member: ServerMember, _ part: String) throws -> Int {
      let text = try String(contentsOfFile: "\(member.directory)/data/zookeeper_audit.log", encoding: .utf8)
      return text.split(separator: "\n").count { $0.contains(part) }
    }
    for member in ensemble.members {
      for other in ensemble.members {
        // The last line about a session. Another thread writes the log, so that it is waited for.
        try await eventually("the end of the session in the audit log of server \(member.id)") {
          try lines(member, "OnSessionCloseOrExpire\tznode=/of-\(other.id)\tresult=success") == 1
        }
        let isOwn = member.id == other.id ? 1 : 0
        let created = "operation=create\tznode=/of-\(other.id)\tznode_type=ephemeral\tresult=success"
        #expect(try lines(member, created) == isOwn)
        #expect(try lines(member, "operation=delete\tznode=/none-\(other.id)\tresult=failure") == isOwn)
      }
    }
    try await ensemble.kill()
  }

  private func tellAdministrators(_ ensemble: ServerEnsemble) async throws {
    let (apache, ours, leader) = (ensemble[1], ensemble[2], ensemble[3])
    #expect(NSDictionary(dictionary: try ours.admin("leader")) == NSDictionary(dictionary: try apache.admin("leader")))
    #expect(try leader.admin("leader")["is_leader"] as? Bool == true)
    #expect(Set(try ours.admin("zabstate").keys) == Set(try apache.admin("zabstate").keys))
    #expect(try ours.admin("zabstate")["zabstate"] as? String == "broadcast")
    #expect(try ensemble[4].admin("zabstate")["voting"] as? Bool == false)
    let views = try [ours, apache].map { try #require(try $0.admin("voting_view")["current_config"] as? NSDictionary) }
    #expect(Set(views[0].allKeys as? [String] ?? []) == ["1", "2", "3"])
    #expect(views[0]["3"] as? NSDictionary == views[1]["3"] as? NSDictionary)
    let observers = try leader.admin("observers")
    #expect(observers["synced_observers"] as? Int == 1)
    #expect((observers["observers"] as? [[String: Any]])?.first?["sid"] as? Int == 4)
    #expect(try leader.admin("server_stats")["proposal_stats"] is [String: Any])
    let figures = [
      "learners": "3", "synced_followers": "2", "synced_observers": "1", "synced_non_voting_followers": "0",
      "pending_syncs": "0", "quorum_size": "3",
    ]
    for (name, value) in figures { #expect(leader.figure(name) == value, "\(name)") }
    #expect(try leader.ask("srvr").split(separator: "\n").last?.hasPrefix("Proposal sizes last/min/max: ") == true)
    // A server that serves no clients answers few commands, as Apache's server does.
    for member in ensemble.members where member !== apache { try await member.kill() }
    let theirs = try await answersAlone(apache)
    try await apache.kill()
    try await ours.launch()
    let own = try await answersAlone(ours)
    #expect(own.words == theirs.words)
    #expect(own.documents == theirs.documents)
  }

  /// The answers of a server without a quorum.
  private func answersAlone(
    _ member: ServerMember
  ) async throws -> (words: [String: String], documents: [String: NSDictionary]) {
    try await eventually("a server without a quorum", every: .milliseconds(50)) { (try? member.ask("isro")) == "null" }
    var words: [String: String] = [:]
    for word in ["srvr", "mntr", "conf", "dump", "cons", "ruok", "isro"] { words[word] = try member.ask(word) }
    var documents: [String: NSDictionary] = [:]
    for command in ["leader", "zabstate", "voting_view", "configuration", "ruok"] {
      documents[command] = NSDictionary(dictionary: try member.admin(command))
    }
    return (words, documents)
  }

  @Test func statusNamesTheRole() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.observers = [3]
    let ensemble = try await ServerEnsemble.start(configuration)
    for member in ensemble.members {
      let run = try await zkcli("server", "status", "\(member.directory)/zoo.cfg")
      let mode = member.id == 3 ? "observer" : member.id == 2 ? "leader" : "follower"
      #expect(run.exitStatus == 0 && run.output.hasSuffix("Mode: \(mode)\n"), "\(run.output)\(run.errorOutput)")
    }
    try await ensemble[1].kill()
    try await eventually("the end of the quorum", every: .milliseconds(20)) { ensemble[2].mode == nil }
    for member in ensemble.members {
      let run = try await zkcli("server", "status", "\(member.directory)/zoo.cfg")
      let words = member.isRunning ? "serves no clients: it has no quorum" : "Error contacting service."
      #expect(run.exitStatus == 1 && run.output.contains(words), "\(run.output)")
    }
    try await ensemble.kill()
  }

  /// A configuration without `dataDir` and `clientPort`, the text of `myid`, and what `check` prints; empty if it
  /// passes.
  static let configurations: [(lines: String, id: String?, fault: String)] = [
    ("initLimit=5,syncLimit=2,server.1=a:1:2,server.2=b:1:2,server.3=c:1:2", "2", ""),
    ("server.1=a:1:2,server.2=b:1:2,server.3=c:1:2", "2", "zoo.cfg: initLimit is not set\n"),
    ("initLimit=5,syncLimit=0,server.1=a:1:2,server.2=b:1:2,server.3=c:1:2", "2", "syncLimit is not set"),
    ("initLimit=-5,syncLimit=2,server.1=a:1:2,server.2=b:1:2", "2", "zoo.cfg:3: initLimit must be a whole number"),
    ("initLimit=5,syncLimit=2,server.1=a:1:2,server.2=b:1:2,server.3=c:1:2", nil, "myid file is missing"),
    ("initLimit=5,syncLimit=2,server.1=a:1:2,server.2=b:1:2", "two", "serverid two is not a number"),
    ("initLimit=5,syncLimit=2,server.1=a:1:2,server.2=b:1:2", "3", "My id 3 not in the peer list"),
    ("initLimit=5,syncLimit=2,peerType=chief,server.1=a:1:2", "1", "zoo.cfg:5: Unrecognised peertype: chief"),
    (
      "initLimit=5,syncLimit=2,peerType=observer,server.1=a:1:2,server.2=b:1:2,server.3=c:1:2", "1",
      "warning: zoo.cfg: Peer type from servers list (PARTICIPANT) doesn't match peerType (OBSERVER)."
    ),
    ("electionAlg=1", nil, "zoo.cfg:3: Invalid electionAlg value. Only 3 is supported."),
    ("initLimit=5,syncLimit=2,server.1=a:1", "1", "zoo.cfg:5: a:1 does not have the form server_config or"),
    ("initLimit=5,syncLimit=2,server.1=a:1:2,server.2=b:1:1", "1", "Client and election port must be different!"),
    ("server.1=a:1:2:observer", "1", "Observers w/o participants is an invalid configuration"),
    ("server.1=a:1:2,server.2=b:1:2:observer", "1", "Observers w/o quorum is an invalid configuration"),
    ("server.1=a:1:2", "1", ""),
    ("standaloneEnabled=false", nil, "standaloneEnabled = false then number of participants should be >0"),
    (
      "initLimit=5,syncLimit=2,server.1=a:1:2;2182,server.2=b:1:2,server.3=b:1:2", "1",
      "client address for this server (id = 1) in static config file is 0.0.0.0:2181 is different from client address"
        + " found in dynamic file: 0.0.0.0:2182"
    ),
    ("initLimit=5,syncLimit=2,dynamicConfigFile=good.dynamic.100000000", "2", ""),
    ("initLimit=5,syncLimit=2,dynamicConfigFile=none", "2", "zoo.cfg:5: the dynamic configuration file none cannot"),
    ("initLimit=5,syncLimit=2,dynamicConfigFile=bad", "1", "bad:2: dynamic file shouldn't have version inside\n"),
    ("initLimit=5,syncLimit=2,dynamicConfigFile=bad", "1", "bad:3: Unrecognised parameter: tickTime\n"),
    (
      "initLimit=5,syncLimit=2,dynamicConfigFile=good.dynamic.100000000,server.1=a:1:2", "1",
      "zoo.cfg:6: parameter: server.1 must be in a separate dynamic config file"
    ),
  ]

  @Test(arguments: configurations)
  func checkSaysWhatIsWrong(lines: String, id: String?, fault: String) async throws {
    let directory = try Scratch.directory("check")
    let text = "dataDir=\(directory)\nclientPort=2181\n" + lines.replacing(",", with: "\n") + "\n"
    try Scratch.write(text, to: "\(directory)/zoo.cfg")
    try Scratch.write(
      "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n", to: "\(directory)/good.dynamic.100000000")
    try Scratch.write("server.1=a:1:2\nversion=100000000\ntickTime=1\n", to: "\(directory)/bad")
    if let id { try Scratch.write("\(id)\n", to: "\(directory)/myid") }
    let script = "cd \(directory) && exec \(try Products.executable("zkcli")) server check zoo.cfg"
    let run = try await CommandRun.run("/bin/sh", ["-c", script])
    let isFault = !fault.isEmpty && !fault.hasPrefix("warning")
    #expect(run.exitStatus == (isFault ? 2 : 0), "\(run.errorOutput)")
    #expect(run.output == (isFault ? "" : "zoo.cfg: no faults\n"))
    let warnings = run.errorOutput.split(separator: "\n").filter { $0.contains("zoo.cfg:") && !$0.contains(": note: ") }
    #expect(fault.isEmpty ? warnings.isEmpty : run.errorOutput.contains(fault))
  }

  /// Members use the configuration that the ensemble has agreed on, not that of the file. If they differ, both `check`
  /// and the server's log report that, and how to return to the file.
  @Test(
    arguments: [
      ("server.1=a:1:2\nserver.2=b:1:2\nversion=100000000", true),
      ("server.1=127.0.0.1:1:2\nversion=100000000", false), ("nonsense", nil),
    ] as [(String, Bool?)])
  func agreedMembersThatAreNotTheFilesAreNamed(agreed: String, isAnother: Bool?) async throws {
    let directory = try Scratch.directory("agreed")
    let text = "dataDir=\(directory)\nclientPort=2181\nreconfigEnabled=true\nstandaloneEnabled=false\n"
    try Scratch.write(text + "initLimit=5\nsyncLimit=2\nserver.1=127.0.0.1:1:2\n", to: "\(directory)/zoo.cfg")
    try Scratch.write("1\n", to: "\(directory)/myid")
    try Scratch.write(agreed, to: "\(directory)/zkcli.dynamic")
    let run = try await zkcli("server", "check", "\(directory)/zoo.cfg")
    #expect(run.exitStatus == (isAnother == nil ? 2 : 0), "\(run.errorOutput)")
    let isNamed = run.errorOutput.contains("agreed on (server.1, server.2)")
    #expect(isNamed == (isAnother == true), "\(run.errorOutput)")
    #expect(!isNamed || run.errorOutput.contains("remove that file on each"))
  }
}
