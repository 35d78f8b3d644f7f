/// Options that many commands share.
enum SharedOptions {
  static let stat = OptionSpec(.stat, short: "s", "print the stat as well")
  static let watch = OptionSpec(.watch, short: "w", "leave a watch and report the next change")
  static let version = OptionSpec(
    .version, short: "v", value: ("VERSION", .version), "only if the znode has this version")
  static let path = ArgumentSpec("path", .path)
  static let data = ArgumentSpec("data", .data)
}

extension CommandTable {
  static let znodeReads: [CommandSpec] = [
    CommandSpec(
      .client(.ls), "ls", summary: "List the children of a znode",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      options: [
        SharedOptions.stat, SharedOptions.watch,
        OptionSpec(.recursive, short: "R", "list the whole subtree, one path on each line"),
        OptionSpec(.long, short: "l", "one line each: kind, children, version, size, time of the last write, name"),
      ],
      details: [
        "Without a path, lists the working directory. Names come sorted, one on each line.",
        "In the long listing the kind is e for an ephemeral znode and p for any other: the server does not tell"
          + " containers and TTL znodes apart from persistent ones.",
      ],
      examples: [
        .init("ls /brokers/ids", "the ids of the brokers"),
        .init("ls -l /", "with kinds, versions and sizes"),
        .init("ls -R /config", "every znode under /config, itself included"),
      ]),
    CommandSpec(
      .client(.get), "get", aliases: ["cat"], summary: "Print the data of a znode",
      arguments: [SharedOptions.path],
      options: [
        SharedOptions.stat, SharedOptions.watch, OptionSpec(.base64, short: "b", "print the data in base64"),
        OptionSpec(.hex, short: "x", "print the data in hexadecimal beside text"),
      ],
      details: [
        "Into a pipe or a file go exactly the bytes that the znode holds. On a terminal a line end is added, and bytes"
          + " that cannot be shown appear as \\xHH.",
        "A znode without data prints nothing; -o json tells null from empty.",
      ],
      examples: [
        .init("get /config/app", "the value"),
        .init("get -s /config/app", "the value and its stat"),
        .init("get -o hex /lock", "the value in hexadecimal"),
      ]),
    CommandSpec(
      .client(.stat), "stat", summary: "Print the stat of a znode", arguments: [SharedOptions.path],
      options: [SharedOptions.watch],
      details: ["Prints versions, zxids, sizes and times; times are UTC with milliseconds."],
      examples: [.init("stat /config/app", "when and by which transaction it was written")]),
    CommandSpec(
      .client(.exists), "exists", summary: "Tell by the exit code whether a znode exists",
      arguments: [SharedOptions.path],
      options: [OptionSpec(.watch, short: "w", "leave a watch, which reports the creation too")],
      details: ["Prints nothing. Exits with 0 if the znode exists and with 1 if it does not."],
      examples: [.init("exists /leader", "in a script: zkcli exists /leader && ...")]),
    CommandSpec(
      .client(.sync), "sync", summary: "Make the server catch up with the leader",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: ["Reads that follow see every write that was done before. The path hardly matters; it may be left out."],
      examples: [.init("sync /", "before a read that must not be stale")]),
    CommandSpec(
      .client(.getEphemerals), "getEphemerals", summary: "List the ephemeral znodes of this session",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: ["With a path, only those at or under it. Another session's cannot be asked for."],
      examples: [.init("getEphemerals /services", "what this session holds there")]),
    CommandSpec(
      .client(.getAllChildrenNumber), "getAllChildrenNumber", summary: "Count the znodes under a znode",
      arguments: [SharedOptions.path],
      details: ["The server counts the whole subtree, without the znode itself, in one request."],
      examples: [.init("getAllChildrenNumber /", "the size of the tree")]),
  ]

  static let znodeWrites: [CommandSpec] = [
    CommandSpec(
      .client(.create), "create", summary: "Create a znode and print its path",
      arguments: [
        SharedOptions.path, ArgumentSpec("data", .data, isOptional: true), ArgumentSpec("acl", .acl, isOptional: true),
      ],
      options: createOptions,
      details: [
        "Without data the znode holds null, which is not the same as an empty text. The ACL defaults to"
          + " world:anyone:cdrwa.",
        "An ephemeral znode lives as long as the session: use -e in scripts and in the interactive shell, for a single"
          + " command's session ends with the command.",
        "Data may come from elsewhere, see: help values.",
      ],
      examples: [
        .init("create /config/app 'log level: debug'", "with a value"),
        .init("create -p /a/b/c", "and whatever is missing above"),
        .init("create -s /queue/item- @job.json", "numbered by the server, the data from a file"),
        .init("create /secret hush digest:bob:3dJ1TgzGpVDRv3Cz5DUyjbGgpSk=:cdrwa", "for bob alone"),
      ], writes: true),
    CommandSpec(
      .client(.set), "set", summary: "Set the data of a znode", arguments: [SharedOptions.path, SharedOptions.data],
      options: [
        SharedOptions.stat, SharedOptions.version,
        OptionSpec(.base64, short: "b", "the data is given in base64"),
        OptionSpec(.create, "create the znode if it does not exist"),
      ],
      details: [
        "With -v the write happens only if nobody else has written since: get -s or stat shows the version.",
        "Data may come from elsewhere, see: help values.",
      ],
      examples: [
        .init("set /config/app 'log level: info'", "quoted, for the blanks"),
        .init("set -v 3 /config/app @app.json", "the content of a file, unless the version has moved on"),
        .init("set --create /config/new -", "from stdin, whether or not it exists"),
      ], writes: true),
    CommandSpec(
      .client(.delete), "delete", aliases: ["rm"], summary: "Delete a znode", arguments: [SharedOptions.path],
      options: [
        SharedOptions.version,
        OptionSpec(.recursive, short: "r", "delete all znodes under it first, as deleteall does"),
      ],
      details: ["Without -r the znode must have no children."],
      examples: [
        .init("delete /config/old", "one znode without children"),
        .init("delete -v 3 /config/old", "only if its version is still 3"),
        .init("rm -r /tmp/test", "a whole subtree"),
      ], writes: true),
    CommandSpec(
      .client(.deleteall), "deleteall", aliases: ["rmr"], summary: "Delete a znode and all znodes under it",
      arguments: [SharedOptions.path],
      options: [
        OptionSpec(
          .batch, short: "b", value: ("SIZE", .number), "how many znodes go in one transaction (default 1000)"),
        OptionSpec(.dryRun, "print what would go, and delete nothing"),
        OptionSpec(.force, "do not ask, even on a terminal"),
      ],
      details: [
        "Deletes from the leaves up, so that what is left after a failure is still a tree. Exits with 11 if anything"
          + " is left, and lists it on stderr."
      ],
      examples: [
        .init("deleteall --dry-run /tmp/test", "what would go"),
        .init("deleteall -b 100 /tmp/test", "in small transactions"),
      ], writes: true),
    CommandSpec(
      .client(.multi), "multi", summary: "Run several operations as one transaction",
      arguments: [ArgumentSpec("operation", .word, isOptional: true, isRepeated: true)],
      options: [
        OptionSpec(.file, short: "f", value: ("FILE", .file), "read the operations from a file, one on each line")
      ],
      details: [
        "All operations happen or none does. They are separated by a comma that stands alone, or come from stdin (-) or"
          + " a file (@FILE, -f), one on each line, quoted as in this shell; # begins a comment.",
        "Operations: create [-s] [-e] [-c] [-t MS] path [data] [acl]; set [-v VERSION] path data; delete [-v VERSION]"
          + " path; check path version.",
        "When one fails, its error is the command's, and every operation is listed with what became of it.",
      ],
      examples: [
        .init("multi check /config 7 , set /config new , create /config/log", "write only if /config is still at 7"),
        .init("multi -f changes.txt", "a transaction kept in a file"),
      ], writes: true, usage: "operation , operation ... | - | @FILE | -f FILE"),
  ]

  /// The options of `create`, which the create of a multi has too, but for the last two.
  static let createOptions: [OptionSpec] = [
    OptionSpec(.sequential, short: "s", "let the server append a number to the name"),
    OptionSpec(.ephemeral, short: "e", "delete it when this session ends"),
    OptionSpec(.container, short: "c", "delete it some time after its last child has gone"),
    OptionSpec(
      .ttl, short: "t", value: ("MS", .number),
      "delete it when it has had neither children nor writes for so many milliseconds"),
    OptionSpec(.acl, value: ("ACL", .acl), "the ACL, where there is no data to stand before it"),
    OptionSpec(.parents, short: "p", "create missing znodes above it, empty and persistent"),
  ]
}
