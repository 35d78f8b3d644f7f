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
      examples: [.init("removewatches -a /leader", "no more events of /leader")], usage: "[-c|-d|-p|-r|-a] [-l] path"),
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
    CommandSpec(
      .server, "server", summary: "Run a ZooKeeper server on a zoo.cfg",
      arguments: [
        ArgumentSpec("action", .choice(["run", "start", "stop", "restart", "status", "check", "repair"])),
        ArgumentSpec("file", .file, isOptional: true),
      ],
      details: [
        "run serves in the foreground and logs to stderr. start, stop, restart and status manage a server in the"
          + " background by the file zookeeper_server.pid in its data directory. check reports what is wrong with a"
          + " configuration.",
        "repair makes a damaged data directory usable again, which a server never does by itself: the log is"
          + " truncated at the first damaged record. What follows is lost to clients, but kept in files named"
          + " damaged-*.",
        "The file defaults to $ZOOCFG, or to zoo.cfg in $ZOOCFGDIR or /etc/zookeeper/conf. Under the name"
          + " zookeeper-server the program takes the arguments of zkServer.sh.",
        "Without clientPortAddress, clients can connect to any address of the machine, as with Apache's server. The"
          + " AdminServer without admin.serverAddress and the metrics without metricsProvider.httpHost listen on"
          + " loopback only, where Apache's server listens on all addresses.",
        "DigestAuthenticationProvider.superDigestPath, which Apache's server does not know, names a file whose only"
          + " line is the digest of the superuser, so that zoo.cfg needs none.",
        "With audit.enable=true, changes are logged to zookeeper_audit.log in auditlog.dir, or else in log.dir or"
          + " dataDir, with Apache's fields. Ten earlier files of 10 MB are kept.",
      ],
      examples: [
        .init("server run zoo.cfg", "run until SIGTERM or ^C"),
        .init("server check /etc/zookeeper/conf/zoo.cfg", "every fault with its line"),
      ]),
  ]
}
