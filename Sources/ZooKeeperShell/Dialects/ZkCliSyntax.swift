/// The options and arguments that zkCli.sh accepts for a command.
///
/// *Source*: the classes of `org.apache.zookeeper.cli` and `ZooKeeperMain` of ZooKeeper 3.9.5.
struct ZkCliSyntax: Sendable {
  let id: CommandID
  /// Options and arguments as in zkCli.sh's usage.
  let usage: String
  /// Options without a value, by their letter.
  var flags = ""
  /// Options with a value; more than one letter with a single dash.
  var valued: [String] = []
  /// The number of arguments that it needs.
  var required = 0
  /// The number of arguments that it reads; it ignores the others.
  var used = 0
  /// Mutually exclusive options with their descriptions; with `needsChoice`, the error message names the first.
  var choices: [(option: String, meaning: String)] = []
  var needsChoice = false
  /// The lines that the usage has for each option.
  var optionLines: [String] = []
  /// The deprecated and the current usage, of commands whose last argument was once the watch or the version.
  var formerly: (old: String, new: String)?
  /// Whether zkCli.sh parses options at all: for its built-in commands it does not.
  var parsesOptions = true

  var name: String { id.name }

  /// The command's own usage, which is printed if an argument is missing.
  var ownUsage: String {
    let line = "\(name) \(usage)"
    // The list of options ends with a line end, so that an empty line follows it.
    return optionLines.isEmpty ? line : ([line] + optionLines).joined(separator: "\n") + "\n"
  }

  /// The command with exactly this name: zkCli.sh has no aliases and is case-sensitive.
  static func find(_ name: String) -> ZkCliSyntax? { all.first { $0.name == name } }

  /// The text that an unknown command prints before its error.
  static let fullUsage: String = {
    let lines = all.map { "\t\($0.name) \($0.usage)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return (["ZooKeeper -server host:port -client-configuration properties-file cmd args"] + lines)
      .joined(separator: "\n")
  }()

  static let all: [ZkCliSyntax] = znodes + quotas + others + builtIn

  private static let znodes: [ZkCliSyntax] = [
    ZkCliSyntax(
      id: .client(.ls), usage: "[-s] [-w] [-R] path", flags: "?swR", required: 1, used: 1,
      formerly: ("ls path [watch]", "ls [-w] path")),
    ZkCliSyntax(
      id: .client(.get), usage: "[-s] [-w] [-b] [-x] path", flags: "swbx", required: 1, used: 1,
      optionLines: [
        " -b   Output data in base64 format", " -s   Print znode stats additionally",
        " -w   Watch for changes on the znode", " -x   Output data in hexdump format",
      ],
      formerly: ("get path [watch]", "get [-s] [-w] path")),
    ZkCliSyntax(
      id: .client(.set), usage: "path data [-s] [-v version] [-b]", flags: "sb", valued: ["v"], required: 2, used: 2,
      optionLines: [
        " -b         Supply data in base64 format", " -s         Print znode stats additionally",
        " -v <arg>   Set with an expected version",
      ]),
    ZkCliSyntax(
      id: .client(.create), usage: "[-s] [-e] [-c] [-t ttl] path [data] [acl]", flags: "sec", valued: ["t"],
      required: 1, used: 3
    ),
    ZkCliSyntax(
      id: .client(.delete), usage: "[-v version] path", valued: ["v"], required: 1, used: 1,
      formerly: ("delete path [version]", "delete [-v version] path")),
    ZkCliSyntax(id: .client(.deleteall), usage: "path [-b batch size]", valued: ["b"], required: 1, used: 1),
    ZkCliSyntax(
      id: .client(.stat), usage: "[-w] path", flags: "w", required: 1, used: 1,
      formerly: ("stat path [watch]", "stat [-w] path")),
    ZkCliSyntax(id: .client(.getAcl), usage: "[-s] path", flags: "s", required: 1, used: 1),
    ZkCliSyntax(
      id: .client(.setAcl), usage: "[-s] [-v version] [-R] path acl", flags: "sR", valued: ["v"], required: 2, used: 2),
    ZkCliSyntax(id: .client(.sync), usage: "path", required: 1, used: 1),
    ZkCliSyntax(id: .client(.getEphemerals), usage: "path", used: 1),
    ZkCliSyntax(id: .client(.getAllChildrenNumber), usage: "path", required: 1, used: 1),
  ]

  private static let quotas: [ZkCliSyntax] = [
    ZkCliSyntax(
      id: .client(.setquota), usage: "-n|-b|-N|-B val path", valued: ["n", "b", "N", "B"], required: 1, used: 1,
      choices: quotaKinds, needsChoice: true),
    ZkCliSyntax(id: .client(.listquota), usage: "path", required: 1, used: 1),
    ZkCliSyntax(
      id: .client(.delquota), usage: "[-n|-b|-N|-B] path", flags: "nbNB", required: 1, used: 1, choices: quotaKinds),
  ]

  private static let quotaKinds = [
    ("n", "num soft quota"), ("b", "bytes soft quota"), ("N", "num hard quota"), ("B", "bytes hard quota"),
  ]

  private static let others: [ZkCliSyntax] = [
    ZkCliSyntax(id: .shell(.addauth), usage: "scheme auth", required: 1, used: 2),
    ZkCliSyntax(
      id: .client(.addWatch),
      usage: "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE]"
        + " - default is PERSISTENT_RECURSIVE",
      valued: ["m"], required: 1, used: 1),
    ZkCliSyntax(
      id: .client(.removewatches), usage: "path [-c|-d|-a] [-l]", flags: "cdpral", required: 1, used: 1),
    ZkCliSyntax(id: .client(.config), usage: "[-c] [-w] [-s]", flags: "swc"),
    ZkCliSyntax(
      id: .client(.reconfig),
      usage: "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | "
        + "[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
      flags: "s", valued: ["v", "file", "members", "add", "remove"]),
    ZkCliSyntax(id: .shell(.version), usage: ""),
    ZkCliSyntax(id: .client(.whoami), usage: "", parsesOptions: false),
    ZkCliSyntax(id: .shell(.close), usage: "", parsesOptions: false),
  ]

  private static let builtIn: [ZkCliSyntax] = [
    ZkCliSyntax(id: .shell(.connect), usage: "host:port", used: 1, parsesOptions: false),
    ZkCliSyntax(id: .shell(.history), usage: "", parsesOptions: false),
    ZkCliSyntax(id: .shell(.printwatches), usage: "on|off", used: 1, parsesOptions: false),
    ZkCliSyntax(id: .shell(.quit), usage: "", parsesOptions: false),
    ZkCliSyntax(id: .shell(.redo), usage: "cmdno", used: 1, parsesOptions: false),
  ]
}
