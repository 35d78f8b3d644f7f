extension CommandTable {
  static let access: [CommandSpec] = [
    CommandSpec(
      .client(.getAcl), "getAcl", summary: "Print the ACL of a znode", arguments: [SharedOptions.path],
      options: [SharedOptions.stat],
      details: [
        "Prints one scheme:id:perms entry on each line; setAcl accepts this form, and the JSON form, unchanged. A"
          + " comma in an id is written as \\, and a byte that cannot be displayed as \\xHH."
      ],
      examples: [.init("getAcl /config", "who may do what")]),
    CommandSpec(
      .client(.setAcl), "setAcl", summary: "Replace the ACL of a znode",
      arguments: [SharedOptions.path, ArgumentSpec("acl", .acl)],
      options: [
        SharedOptions.stat,
        OptionSpec(.version, short: "v", value: ("VERSION", .version), "only if the ACL has this version (aclVersion)"),
        OptionSpec(.recursive, short: "R", "also change all znodes under it"),
        TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "An ACL is a list of scheme:id:perms entries separated by commas or line ends, or JSON as getAcl -o json"
          + " prints it; help values explains how ids are quoted. The permissions are c (create children), d (delete"
          + " children), r (read), w (write data) and a (set the ACL).",
        "Every server supports the schemes world:anyone, auth: (the identities of the session, after addauth),"
          + " digest:user:hash and ip:address[/bits].",
        "With -R, znodes that cannot be changed are listed on stderr and the exit code is 11.",
      ],
      examples: [
        .init(
          "setAcl /config world:anyone:r,auth::cdrwa",
          "everyone may read, and the identities of this session may do anything"),
        .init("setAcl -R /config ip:10.0.0.0/8:cdrwa", "the whole subtree, for one network"),
      ], writes: true, destroys: true),
    CommandSpec(
      .shell(.addauth), "addauth", summary: "Prove an identity to the server",
      arguments: [ArgumentSpec("scheme", .choice(["digest"])), ArgumentSpec("auth", .word, isOptional: true)],
      options: [
        OptionSpec(.passwordFile, value: ("FILE", .file), "read the password of the user auth from a file")
      ],
      details: [
        "Without auth, or for digest without a password in it, asks on the terminal without echo. Lines with addauth"
          + " are not stored in the history.",
        "The password in a file is its first line. A warning says if others can read the file.",
        "Single commands take --auth-file and --auth instead.",
      ],
      examples: [
        .init("addauth digest", "asks for user:password"),
        .init("addauth digest bob", "asks for the password"),
        .init("addauth digest bob --password-file bob.secret", "reads it from a file"),
        .init("addauth digest bob:secret", "without asking"),
      ]),
    CommandSpec(
      .client(.whoami), "whoami", summary: "Print the identities that this session has proved",
      details: ["Needs a server of version 3.7 or later."],
      examples: [.init("whoami", "ip: 10.0.0.7, digest: bob")]),
  ]

  static let quotas: [CommandSpec] = [
    CommandSpec(
      .client(.setquota), "setquota", summary: "Limit the znodes or bytes of a subtree",
      arguments: [SharedOptions.path],
      options: [
        OptionSpec(
          .count, short: "n", value: ("COUNT", .number),
          "warn in the server's log above this many znodes"),
        OptionSpec(.bytes, short: "b", value: ("BYTES", .number), "warn in the server's log above this many bytes"),
        OptionSpec(.countHard, short: "N", value: ("COUNT", .number), "refuse more than this many znodes"),
        OptionSpec(.bytesHard, short: "B", value: ("BYTES", .number), "refuse more than this many bytes"),
      ],
      details: [
        "Writes beyond a hard limit fail with QuotaExceeded, but only on servers that run with"
          + " zookeeper.enforceQuota=true. The znode itself is counted.",
        "A path cannot have a quota if a path above or under it has one. Quotas are kept under the root of the tree,"
          + " so these commands are refused if the connect string has a chroot.",
      ],
      examples: [
        .init("setquota -n 1000 /app", "a warning above 1000 znodes"),
        .init("setquota -N 1000 -B 1048576 /app", "two hard limits"),
      ], writes: true, usage: "-n|-b|-N|-B LIMIT path"),
    CommandSpec(
      .client(.listquota), "listquota", summary: "Print the quota of a subtree and its usage",
      arguments: [SharedOptions.path], examples: [.init("listquota /app", "limits and usage")]),
    CommandSpec(
      .client(.delquota), "delquota", summary: "Remove the quota of a subtree", arguments: [SharedOptions.path],
      options: [
        OptionSpec(.count, short: "n", "only the warning for znodes"),
        OptionSpec(.bytes, short: "b", "only the warning for bytes"),
        OptionSpec(.countHard, short: "N", "only the hard limit of znodes"),
        OptionSpec(.bytesHard, short: "B", "only the hard limit of bytes"),
      ],
      details: ["Without an option, removes all limits."],
      examples: [
        .init("delquota /app", "all limits"),
        .init("delquota -N /app", "the hard limit of znodes alone"),
      ], writes: true, usage: "[-n|-b|-N|-B] path"),
  ]
}
