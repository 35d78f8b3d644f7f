extension CommandTable {
  static let watches: [CommandSpec] = [
    CommandSpec(
      .client(.addWatch), "addWatch", summary: "Watch a znode for as long as the session lasts",
      arguments: [SharedOptions.path],
      options: [
        OptionSpec(
          .mode, short: "m", value: ("MODE", .choice(["PERSISTENT", "PERSISTENT_RECURSIVE"])),
          "PERSISTENT for the znode and its children's names, PERSISTENT_RECURSIVE (default) for the subtree")
      ],
      details: [
        "Needs a server of version 3.6 or later. Useful in the interactive shell, which prints the events."
      ],
      examples: [.init("addWatch -m PERSISTENT /leader", "every change of /leader until removewatches")]),
    CommandSpec(
      .client(.removewatches), "removewatches", summary: "Remove watches of this session",
      arguments: [SharedOptions.path],
      options: [
        OptionSpec(.children, short: "c", "watches of its children's names"),
        OptionSpec(.data, short: "d", "watches of its data"),
        OptionSpec(.persistent, short: "p", "persistent watches"),
        OptionSpec(.persistentRecursive, short: "r", "persistent recursive watches"),
        OptionSpec(.any, short: "a", "all of them (default)"),
        OptionSpec(.local, short: "l", "remove them locally even if no server can be reached"),
      ],
      examples: [.init("removewatches -a /leader", "stop the events of /leader")], usage: "[-c|-d|-p|-r|-a] [-l] path"),
    CommandSpec(
      .shell(.printwatches), "printwatches", summary: "Show or set whether events are printed",
      arguments: [ArgumentSpec("on|off", .choice(["on", "off"]), isOptional: true)],
      examples: [.init("printwatches off", "no events are printed")]),
  ]

  static let ensemble: [CommandSpec] = [
    CommandSpec(
      .client(.config), "config", summary: "Print the configuration of the ensemble",
      options: [
        OptionSpec(.client, short: "c", "only the connect string for clients"),
        SharedOptions.watch, SharedOptions.stat,
      ],
      details: ["A standalone server has none."],
      examples: [.init("config -c", "what clients need to connect")]),
    CommandSpec(
      .client(.reconfig), "reconfig", summary: "Change the members of the ensemble",
      options: [
        SharedOptions.stat,
        OptionSpec(
          .version, short: "v", value: ("HEXVERSION", .word), "only if the configuration has this version"),
        OptionSpec(
          .file, value: ("FILE", .file), oldWord: "file", "read all members from a dynamic configuration file"),
        OptionSpec(.members, value: ("SERVERS", .word), oldWord: "members", "all members"),
        OptionSpec(.add, value: ("SERVERS", .word), oldWord: "add", "members to add or change"),
        OptionSpec(.remove, value: ("IDS", .word), oldWord: "remove", "the ids of members to remove"),
        TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "A server is written as id=host:port:port[:role];[address:]port, with commas between several servers; the"
          + " semicolon must be quoted. Give either all members (-file, -members) or changes (-add, -remove).",
        "Needs reconfigEnabled=true on the servers and, unless ACLs are skipped, the super user.",
      ],
      examples: [
        .init("reconfig -add 'server.5=zk5:2888:3888;2181'", "add a member"),
        .init("reconfig -remove 3,4", "remove two members"),
      ], writes: true, destroys: true,
      usage: "[-s] [-v HEXVERSION] [-file FILE | -members SERVERS] | [-add SERVERS] [-remove IDS]"),
    server, web,
  ]
}
