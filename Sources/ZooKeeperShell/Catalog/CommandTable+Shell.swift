extension CommandTable {
  static let shell: [CommandSpec] = [
    CommandSpec(
      .shell(.cd), "cd", summary: "Change the working directory",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: [
        "Relative paths are resolved against it. Without a path, changes to /; cd - returns to the previous"
          + " directory."
      ],
      examples: [.init("cd /brokers/ids", "then ls lists the brokers")]),
    CommandSpec(
      .shell(.pwd), "pwd", summary: "Print the working directory",
      examples: [.init("pwd", "where relative paths start")]),
    CommandSpec(
      .shell(.connect), "connect", summary: "Connect to other servers, with a new session",
      arguments: [ArgumentSpec("server", .server, isOptional: true)], options: [SharedOptions.label],
      details: [
        "Without an argument, connects to the same servers again. The old session is closed; connecting to other"
          + " servers also drops the identities that were proved."
      ],
      examples: [
        .init("connect zk1:2181,zk2:2181/app", "two servers of one ensemble, with /app as the root"),
        .init("connect --as b zk9:2181", "an additional session: b: ls / lists its root, b: close ends it"),
      ]),
    CommandSpec(
      .shell(.close), "close", summary: "Close the session and stay in the shell",
      examples: [.init("close", "until connect")]),
    CommandSpec(
      .shell(.history), "history", summary: "List the last commands with their numbers",
      examples: [.init("history", "the numbers are for redo")]),
    CommandSpec(
      .shell(.redo), "redo", summary: "Run a command of the history again",
      arguments: [ArgumentSpec("number", .number)],
      details: ["Prints the line before running it."], examples: [.init("redo 7", "the command with that number")]),
    CommandSpec(
      .shell(.help), "help", summary: "Explain a command or a topic",
      arguments: [ArgumentSpec("topic", .command, isOptional: true)],
      details: ["Topics: \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", "))."],
      examples: [.init("help create", "the command create"), .init("help exit-codes", "the exit codes")]),
    CommandSpec(
      .shell(.version), "version", summary: "Print the version of this program", examples: [.init("version", "offline")]
    ),
    CommandSpec(
      .shell(.quit), "quit", aliases: ["exit"], summary: "Leave the shell",
      arguments: [ArgumentSpec("code", .number, isOptional: true)],
      details: ["The exit code is the argument, or that of the last command. ^D does the same."],
      examples: [.init("quit", "close the session and leave"), .init("exit 3", "with exit code 3")]),
  ]
}
