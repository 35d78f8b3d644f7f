extension CommandTable {
  static let sandbox: [CommandSpec] = [
    CommandSpec(
      .shell(.local), "local", summary: "Show the servers of --local, or let them fail",
      arguments: [
        ArgumentSpec("action", .choice(["status", "kill", "restart", "pause", "resume", "partition", "heal"])),
        ArgumentSpec("server", .word, isOptional: true, isRepeated: true, endsOptions: false),
      ],
      details: [
        "kill ends a server as a crash would, restart starts it again on its data; pause holds one still as SIGSTOP"
          + " does, until resume. A server is named by its number, or as leader; where it can be only one, as the one"
          + " that is paused for resume, it need not be named.",
        "partition cuts the cables between groups of servers: numbers with commas, and / (or a quoted |) between the"
          + " groups; those that are not named are a group of their own. heal mends them.",
        "Each returns when the servers have got over it: those that can be a quorum serve behind a leader, the rest"
          + " serve nobody. The shell's own session goes on with whoever serves.",
      ],
      examples: [
        .init("local status", "id, state, role, zxid, sessions, clients and address of each"),
        .init("local kill leader", "the others elect another"), .init("local restart 2", "server 2 catches up"),
        .init("local partition 1 / 2,3", "server 1 is alone"), .init("local heal", "and comes back"),
      ],
      usage: "status | kill N | restart [N] | pause N | resume [N] | partition N,... / N,... | heal")
  ]

  static let shell: [CommandSpec] = [
    CommandSpec(
      .shell(.cd), "cd", summary: "Change the working directory",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: ["Paths that do not begin with / start from there. Without a path, goes to /; cd - goes back."],
      examples: [.init("cd /brokers/ids", "ls then lists the brokers")]),
    CommandSpec(
      .shell(.pwd), "pwd", summary: "Print the working directory",
      examples: [.init("pwd", "where relative paths start")]),
    CommandSpec(
      .shell(.connect), "connect", summary: "Connect to other servers, with a new session",
      arguments: [ArgumentSpec("server", .server, isOptional: true)],
      details: ["Without servers, connects to the same ones again. The old session ends, and its identities with it."],
      examples: [.init("connect zk1:2181,zk2:2181/app", "two servers of one ensemble, /app for the root")]),
    CommandSpec(
      .shell(.close), "close", summary: "End the session and stay in the shell",
      examples: [.init("close", "until connect")]),
    CommandSpec(
      .shell(.history), "history", summary: "List the last commands with their numbers",
      examples: [.init("history", "for redo")]),
    CommandSpec(
      .shell(.redo), "redo", summary: "Run a command of the history again",
      arguments: [ArgumentSpec("number", .number)],
      details: ["Shows the line before it runs."], examples: [.init("redo 7", "the command with that number")]),
    CommandSpec(
      .shell(.help), "help", summary: "Explain a command or a topic",
      arguments: [ArgumentSpec("topic", .command, isOptional: true)],
      details: ["Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", "))."],
      examples: [.init("help create", "one command"), .init("help exit-codes", "one topic")]),
    CommandSpec(
      .shell(.version), "version", summary: "Print the version of this program", examples: [.init("version", "offline")]
    ),
    CommandSpec(
      .shell(.quit), "quit", aliases: ["exit"], summary: "Leave the shell",
      arguments: [ArgumentSpec("code", .number, isOptional: true)],
      details: ["The exit code is the given one, or that of the last command. ^D does the same."],
      examples: [.init("quit", "and end the session"), .init("exit 3", "with exit code 3")]),
  ]
}
