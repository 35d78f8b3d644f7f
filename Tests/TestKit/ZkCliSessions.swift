/// Sessions of zkCli.sh to compare.
///
/// What is not here differs on purpose between 3.8.0, which Debian has, and 3.9.5, which compatibility mode follows:
/// - the usage of get and set, which have -b and -x since 3.9.3, and with them the whole usage, which unknown commands
///   print (`nonsense`, `help`, and the `rmr` and `ls2` of older versions);
/// - `version`, which prints the version;
/// - input that kills zkCli.sh (`redo abc`, `addWatch nopath`, `set -v abc`), where there is nothing to compare.
public enum ZkCliSessions {
  /// Lines for the stdin of one run: each start of zkCli.sh costs most of a second.
  public struct Session: Sendable, CustomStringConvertible {
    public let description: String
    public let lines: [String]
    /// Events that must have been printed before the last lines: the thread that prints them may be much slower than
    /// the one that reads lines, and is ended by the end of the program.
    var events: [String] = []
    var lastLines: [String] = []

    /// Runs the session in a program.
    ///
    /// - Throws: as `CommandRun.run`.
    public func run(
      _ executable: String, _ arguments: [String], timeLimit: Duration = .seconds(180)
    ) async throws -> CommandRun {
      var environment = RunningCommand.cleanEnvironment
      environment["TZ"] = "UTC"
      func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
      return try await CommandRun.run(
        executable, arguments, environment: environment, input: Array(text(lines).utf8), timeLimit: timeLimit
      ) { command in
        // Without an event, the lines that differ say which one.
        _ = try? await eventually("the events of \(description)", within: .seconds(60)) {
          let output = String(decoding: command.bytes(of: .output), as: UTF8.self)
          return command.ending != nil || events.allSatisfy { output.contains(" \($0)") }
        }
        return Array(text(lastLines).utf8)
      }
    }
  }

  /// All of them.
  public static let sessions = [reads, access, quotas, watches]

  private static let reads = Session(
    description: "reads and writes",
    lines: [
      "create /a hello", "create /a again", "create /a/b", "create -s /a/s- v", "create -e /a/e v", "get /a",
      "get -s /a",
      "get /a/b", "ls /a", "ls -s /a", "ls -R /a", "ls -R -s /a", "stat /a", "set /a v1", "set /a v2 -s",
      "set /a v3 -v 77", "set /a a b c", "get /a", "getAllChildrenNumber /a", "getEphemerals", "getEphemerals /a",
      "getEphemerals /nope", "sync /a", "sync /nope", "delete /nope", "delete /a", "delete -v 9 /a/b", "delete /a/b 7",
      "deleteall /a -b x", "deleteall /nope", "stat", "create", "delete", "deleteall", "ls", "get /nope", "ls /nope",
      "stat /nope", "set /nope v", "create /nope/a", "get -z /a", "ls /a/", "get /a watch", "ls /a watch",
      "stat /a watch",
      "create -c -s /x", "create -t 0 /x", "create -t abc /x", "create -e -t 5 /x",
      "create -c /c",
      "create -t 100000 /t v", "create /a/e/x", "create \"/a/with space\" \"two words\"", "get '/a/with space'",
      "ls /a",
      "set /a pre\"fix", "get /a", "set /a 'it''s'", "get /a", "set /a \"\"", "get /a", "set /a 'open", "get /a",
      "create /a/ünï wörld", "get /a/ünï", "ls /a", "history", "redo 17", "redo 999",
    ],
    events: ["type:NodeChildrenChanged path:/a", "type:NodeDataChanged path:/a"],
    lastLines: ["printwatches", "printwatches off", "printwatches", "deleteall /a", "get /a", "quit"])

  private static let access = Session(
    description: "access",
    lines: [
      "create /a v", "create /a/b v", "getAcl /a", "getAcl -s /a", "setAcl /a world:anyone:cdrwa",
      "setAcl -s /a world:anyone:cdra", "setAcl /a bogus", "setAcl /a world:anyone:cdrwaz", "setAcl /a auth::cdrwa",
      "setAcl /a ip:x:r", "setAcl -v 99 /a world:anyone:r", "getAcl /nope", "setAcl /nope world:anyone:r", "getAcl",
      "setAcl /a", "create /x v bogus", "create /x v world:anyone:z", "getAcl /x", "create /y v bogus,world:anyone:r",
      "getAcl /y", "create /z v ip:x:r", "create /z v auth::r", "setAcl -R /a world:anyone:cdra", "getAcl /a/b",
      "set /a/b w", "delete /y", "addauth", "addauth digest u:p", "create /u v auth::cdrwa", "getAcl /u", "whoami",
      "config", "config -c", "reconfig -add x", "deleteall /x",
    ])

  private static let quotas = Session(
    description: "quotas",
    lines: [
      "create /a v", "create /a/b v", "listquota /a", "setquota -n 1 /a", "setquota -n 5 /a/b", "setquota -b 0 /a",
      "setquota -n 0 /a", "setquota -n -1 /a", "setquota -n x /a", "setquota /a", "setquota -n 1 -b 2 /a",
      "setquota -n 2 /nope", "setquota -n 2 /zookeeper/quota", "listquota /a", "setquota -N 9 /a", "setquota -B 99 /a",
      "listquota /a", "listquota /nope", "delquota -n /a", "listquota /a", "delquota -B /a", "delquota /a",
      "delquota /a", "setquota -n 3 /a/b", "setquota -n 3 /a", "delquota /a/b", "delquota", "listquota",
      "ls /zookeeper/quota",
    ])

  /// Events arrive at any time, and are compared apart from the answers. A command after each change makes them arrive
  /// before the end.
  private static let watches = Session(
    description: "watches",
    lines: [
      "create /a v", "get -w /a", "set /a w", "sync /a", "removewatches /a", "removewatches /a -d", "addWatch",
      "stat /a",
      "addWatch -m X /a",
    ],
    events: ["type:NodeDataChanged path:/a"], lastLines: ["removewatches"])

  /// Takes off what Java and the connection add, and separates the events from the answers to commands.
  ///
  /// The thread of the session prints an event in two writes, and the first of them, of the connection, beside the
  /// greeting. Where they come among the lines of the commands, even one without the other, is a matter of the
  /// scheduler.
  static func separated(_ bytes: [UInt8]) -> (answers: String, events: [String]) {
    let text = String(decoding: bytes, as: UTF8.self)
      // Times are those of two runs.
      .replacing(/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}/, with: "DATE")
      // 3.9.5 added the zxid of the event, which 3.8.0 does not know.
      .replacing(/\ zxid: -?\d+/, with: "")
      .replacing(/ephemeralOwner = 0x[1-9a-f][0-9a-f]+/, with: "ephemeralOwner = SESSION")
    let printed = /\n(WATCHER::|WatchedEvent state:[^\n]*)\n/
    let events = text.matches(of: printed).map { String($0.1) }
      .filter { $0 != "WATCHER::" && !$0.hasSuffix(" type:None path:null") }
    let noise = ["SLF4J:", "Connecting to ", "Welcome to ZooKeeper!", "JLine support is ", "/usr/bin/java"]
    let lines = text.replacing(printed, with: "").split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.filter { line in !noise.contains { line.hasPrefix($0) } }.joined(separator: "\n"), events)
  }

  /// The lines that one has and the other has not; none if both have the same answers, byte for byte but for the noise,
  /// and the same events.
  public static func difference(of found: [UInt8], to expected: [UInt8]) -> [String] {
    let (found, expected) = (separated(found), separated(expected))
    func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    func describe<Line>(_ change: CollectionDifference<Line>.Change) -> String {
      switch change {
      case .insert(let offset, let line, _): "+\(offset) \(line)"
      case .remove(let offset, let line, _): "-\(offset) \(line)"
      }
    }
    let changes =
      lines(found.answers).difference(from: lines(expected.answers)).map(describe)
      + found.events.difference(from: expected.events).map(describe)
    return changes.isEmpty && found != expected ? ["the bytes differ"] : changes
  }

  /// The lines of the answers, and the events, each sorted: servers may list the same things in another order.
  public static func sortedLines(_ bytes: [UInt8]) -> [String] {
    let (answers, events) = separated(bytes)
    return answers.split(separator: "\n").map(String.init).sorted() + events.sorted()
  }
}
