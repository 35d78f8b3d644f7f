import ZnodeFormats

/// Options that many commands share.
enum SharedOptions {
  static let stat = OptionSpec(.stat, short: "s", "print the stat as well")
  static let watch = OptionSpec(.watch, short: "w", "set a watch and report the next change")
  static let version = OptionSpec(
    .version, short: "v", value: ("VERSION", .version), "only if the znode has this version")
  static let path = ArgumentSpec("path", .path)
  static let paths = ArgumentSpec("path", .path, isRepeated: true, endsOptions: false)
  static let data = ArgumentSpec("data", .data)
}

extension CommandTable {
  static let znodeReads: [CommandSpec] = [
    CommandSpec(
      .client(.ls), "ls", summary: "List the children of znodes",
      arguments: [ArgumentSpec("path", .path, isOptional: true, isRepeated: true, endsOptions: false)],
      options: [
        SharedOptions.stat, SharedOptions.watch,
        OptionSpec(.recursive, short: "R", "list the whole subtree, one path on each line"),
        OptionSpec(
          .long, short: "l",
          "one line for each child: kind, children, version, size, time of the last write, name"),
        OptionSpec(
          .sort, value: ("KEY", .choice(["name", "size", "mtime", "children"])),
          "sort by size, time of the last write or number of children, the largest or newest first"),
        OptionSpec(.human, short: "h", "with -l, sizes in KiB and MiB"),
        OptionSpec(.owner, "with -l, the session that owns an ephemeral znode, before the name"),
        OptionSpec(.print0, short: "0", "end each name with a zero byte, for xargs -0"),
      ],
      details: [
        "Without a path, lists the working directory. Names are sorted, one on each line. For several paths, or a"
          + " pattern"
          + " such as /app/*/nodes, each list has its path above it.",
        "In the long listing the kind is e for an ephemeral znode and p for any other: servers do not distinguish"
          + " container and TTL znodes from persistent ones.",
      ],
      examples: [
        .init("ls /brokers/ids", "the ids of the brokers"),
        .init("ls -l /", "with kinds, versions and sizes"),
        .init("ls -R /config", "every znode under /config, itself included"),
      ]),
    CommandSpec(
      .client(.get), "get", aliases: ["cat"], summary: "Print the data of znodes",
      arguments: [SharedOptions.paths],
      options: [
        SharedOptions.stat, SharedOptions.watch, OptionSpec(.base64, short: "b", "print the data in base64"),
        OptionSpec(.hex, short: "x", "print the data in hexadecimal and as text, side by side"),
        ValueOptions.jsonPath,
        OptionSpec(
          .decode, value: ("KIND", .choice(ValueCompression.allCases.map(\.rawValue))), isValueOptional: true,
          "decompress the data; without a kind, that is recognized"),
      ],
      details: [
        "Into a pipe or a file, exactly the bytes of the znode are written. On a terminal a line end is added, and"
          + " bytes that cannot be displayed are printed as \\xHH.",
        "Nothing is printed for a znode without data; -o json distinguishes null from empty.",
        "With --json-path, prints one value of a JSON text, a string without its quotes. The path is written as"
          + " $.servers[0].host or servers[0].host, with quotes as $['a b'], or as a pointer, /servers/0/host.",
        "--decode recognizes gzip, zlib, and Snappy with its own framing, that of snappy-java, or none, and prints"
          + " other data as it is; --decode=KIND fails unless the data is of that kind.",
      ],
      examples: [
        .init("get /config/app", "the value"),
        .init("get -s /config/app", "the value and its stat"),
        .init("get -o hex /lock", "the value in hexadecimal"),
        .init("get '/config/*'", "the values of all children, with their paths"),
        .init("get --json-path $.port /app/config", "one member of a JSON object"),
        .init("get --decode /jobs/17", "a compressed value, decompressed"),
      ]),
    CommandSpec(
      .client(.stat), "stat", summary: "Print the stat of znodes", arguments: [SharedOptions.paths],
      options: [SharedOptions.watch],
      details: ["Prints versions, zxids, sizes and times; times are UTC with milliseconds."],
      examples: [.init("stat /config/app", "when and by which transaction it was written")]),
    CommandSpec(
      .client(.exists), "exists", summary: "Check whether a znode exists, by the exit code",
      arguments: [SharedOptions.path],
      options: [OptionSpec(.watch, short: "w", "set a watch, which also reports the creation")],
      details: ["Prints nothing. The exit code is 0 if the znode exists and 1 if it does not."],
      examples: [.init("exists /leader", "in a script: zkcli exists /leader && ...")]),
    CommandSpec(
      .client(.sync), "sync", summary: "Make the server catch up with the leader",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: [
        "Later reads see every write that was completed before. The path makes no difference and can be omitted."
      ],
      examples: [.init("sync /", "before a read that must not be stale")]),
    CommandSpec(
      .client(.getEphemerals), "getEphemerals", summary: "List the ephemeral znodes of this session",
      arguments: [ArgumentSpec("path", .path, isOptional: true)],
      details: ["With a path, lists only those at or under it. Those of other sessions cannot be listed."],
      examples: [.init("getEphemerals /services", "what this session holds there")]),
    CommandSpec(
      .client(.getAllChildrenNumber), "getAllChildrenNumber", summary: "Count the znodes under a znode",
      arguments: [SharedOptions.path],
      details: ["The server counts the whole subtree, not including the znode itself, in one request."],
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
        "Without data the znode's data is null, which is not the same as empty. The ACL defaults to"
          + " world:anyone:cdrwa.",
        "An ephemeral znode exists as long as the session. Use -e in scripts and in the interactive shell: the"
          + " session of a single command ends with the command.",
        "For data from stdin or a file, see help values.",
      ],
      examples: [
        .init("create /config/app 'log level: debug'", "with a value"),
        .init("create -p /a/b/c", "and any missing parents"),
        .init("create -s /queue/item- @job.json", "with a number appended by the server, and data from a file"),
        .init("create /secret hush digest:bob:3dJ1TgzGpVDRv3Cz5DUyjbGgpSk=:cdrwa", "accessible only to bob"),
      ], writes: true),
    CommandSpec(
      .client(.set), "set", summary: "Set the data of a znode", arguments: [SharedOptions.path, SharedOptions.data],
      options: [
        SharedOptions.stat, SharedOptions.version,
        OptionSpec(.base64, short: "b", "the data is given in base64"),
        OptionSpec(.create, "create the znode if it does not exist"),
        OptionSpec(.parents, short: "p", "with --create, create missing parents too"), ValueOptions.jsonPath,
      ],
      details: [
        "With -v the write is done only if the znode still has that version; get -s and stat show it.",
        "With --json-path, one value of a JSON text is replaced or added, and all other bytes stay as they are. The"
          + " data is then a JSON text, or else the text of a string.",
        "For data from stdin or a file, see help values.",
      ],
      examples: [
        .init("set /config/app 'log level: info'", "quoted because of the blanks"),
        .init("set -v 3 /config/app @app.json", "the content of a file, if the version is still 3"),
        .init("set --create /config/new -", "from stdin, creating the znode if necessary"),
        .init("set --create -p /config/a/b on", "creating the znodes above it too"),
        .init("set --json-path $.port /app/config 8080", "one member of a JSON object"),
      ], writes: true),
    CommandSpec(
      .client(.delete), "delete", aliases: ["rm"], summary: "Delete znodes", arguments: [SharedOptions.paths],
      options: [
        SharedOptions.version,
        OptionSpec(.recursive, short: "r", "delete all znodes under it first, as deleteall does"),
        TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "Without -r a znode must have no children. Patterns such as /locks/old-* are expanded, if there is no znode"
          + " of that"
          + " name."
      ],
      examples: [
        .init("delete /config/old", "one znode without children"),
        .init("delete -v 3 /config/old", "only if its version is still 3"),
        .init("rm -r /tmp/test", "a whole subtree"),
      ], writes: true, destroys: true),
    CommandSpec(
      .client(.deleteall), "deleteall", aliases: ["rmr"], summary: "Delete znodes with all znodes under them",
      arguments: [SharedOptions.paths],
      options: [
        OptionSpec(
          .batch, short: "b", value: ("SIZE", .number),
          "the number of znodes deleted in one transaction (default 1000)"),
        OptionSpec(.dryRun, "print what would be deleted, and delete nothing"),
        OptionSpec(.force, "as --yes, and allow the root"), TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "Deletes from the leaves up, so that what remains after a failure is still a tree. If anything remains, it"
          + " is listed on stderr and the exit code is 11."
      ],
      examples: [
        .init("deleteall --dry-run /tmp/test", "what would be deleted"),
        .init("deleteall -b 100 /tmp/test", "in small transactions"),
      ], writes: true, destroys: true),
    CommandSpec(
      .client(.multi), "multi", summary: "Run several operations as one transaction",
      arguments: [ArgumentSpec("operation", .word, isOptional: true, isRepeated: true)],
      options: [
        OptionSpec(.file, short: "f", value: ("FILE", .file), "read the operations from a file, one on each line")
      ],
      details: [
        "Either all operations are carried out or none is. They are separated by a comma between blanks, or read"
          + " from stdin (-) or a file (@FILE, -f), one on each line and quoted as in this shell; # starts a comment.",
        "Operations: create [-s] [-e] [-c] [-t MS] path [data] [acl]; set [-v VERSION] path data; delete [-v VERSION]"
          + " path; check path version.",
        "When an operation fails, the command fails with its error and lists the outcome of every operation.",
      ],
      examples: [
        .init(
          "multi check /config 7 , set /config new , create /config/log",
          "write only if /config still has version 7"),
        .init("multi -f changes.txt", "a transaction kept in a file"),
      ], writes: true, usage: "operation , operation ... | - | @FILE | -f FILE"),
  ]

  /// The options of `create`, which the create of a multi has too, but for the last two.
  static let createOptions: [OptionSpec] = [
    OptionSpec(.sequential, short: "s", "have the server append a number to the name"),
    OptionSpec(.ephemeral, short: "e", "delete it when this session ends"),
    OptionSpec(.container, short: "c", "delete it some time after its last child has been deleted"),
    OptionSpec(
      .ttl, short: "t", value: ("MS", .number),
      "delete it when it has had no children and no writes for this many milliseconds"),
    OptionSpec(.acl, value: ("ACL", .acl), "the ACL, if there is no data argument before it"),
    OptionSpec(.parents, short: "p", "create missing parents, empty and persistent"),
  ]
}
