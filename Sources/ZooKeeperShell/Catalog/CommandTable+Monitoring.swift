extension CommandTable {
  private static let limit = OptionSpec(
    .limit, value: ("TIME", .duration), "how long a server may take to answer (default 1s)")
  private static let admin = OptionSpec(
    .admin, value: ("PLACES", .word),
    "where the AdminServers are: a port of every server (default 8080), or HOST:PORT,..., after https:// for HTTPS")
  private static let everyone =
    "All servers of the connect string, and all others in the ensemble's configuration, are asked at the same time."
  private static let ways =
    "They are asked by four-letter words, by their AdminServer, and by a session. What a server does not allow is"
    + " reported, with the line of zoo.cfg that would allow it."

  static let monitoring: [CommandSpec] = [
    CommandSpec(
      .monitor(.health), "health", summary: "Report problems of the ensemble",
      options: [
        OptionSpec(.strict, "exit with 1 also if there are only notes"), limit, admin,
      ],
      details: [
        everyone + " " + ways,
        "Faults and warnings come with advice; notes are only informative. Exits with 0 if there are"
          + " no faults and no warnings, with 1 if the ensemble serves nevertheless, and with 10 if it does not serve.",
        "It checks whether each server can be reached and serves, the quorum and how many failures it would still"
          + " tolerate, the leader, the configuration on every server, members of other ensembles, servers that lag,"
          + " waiting requests, latency, syncs of the log, disk, clocks, descriptors, versions, even numbers of voters,"
          + " ephemeral znodes without a session, and an ACL of the root that lets every client change it.",
      ],
      examples: [
        .init("health", "a row for each server, and the problems"),
        .init("health -o json", "the same for a program"),
      ]),
    CommandSpec(
      .monitor(.ready), "ready", summary: "Check whether a server grants sessions",
      options: [limit],
      details: [
        "Meant for probes: it opens one session and closes it. Several servers are tried at short intervals,"
          + " and the first that grants a session is enough. Exits with 0 if one does, with 10 if servers are up but"
          + " have no quorum, and with 7 if none can be reached."
      ],
      examples: [.init("ready", "exit code 0 if clients are served")]),
    CommandSpec(
      .monitor(.members), "members", summary: "List the servers with role, zxid, lag, clients and latency",
      options: [limit, admin], details: [everyone + " " + ways],
      examples: [.init("members", "a row for each server")]),
    CommandSpec(
      .monitor(.sessions), "sessions", summary: "List the sessions of all servers",
      options: [
        OptionSpec(
          .sort, value: ("ORDER", .choice(["session", "requests", "ephemerals", "watches", "since"])),
          "the order of the rows (default session)"), limit, admin,
      ],
      details: [
        "For each session: the address of the client, the server that it is connected to, since when, its requests,"
          + " ephemeral znodes and watches. A session without an address is connected to none of the servers asked.",
        "Needs the four-letter words cons, dump and wchc, or the AdminServer. If a server allows neither, a warning"
          + " reports it, and the exit code is 11.",
      ],
      examples: [.init("sessions --sort requests", "the busiest client first")]),
    CommandSpec(
      .monitor(.who), "who", summary: "Show which client has an ephemeral znode, a session or an address",
      arguments: [ArgumentSpec("path|session|address", .path)], options: [limit, admin],
      details: [
        "A path names the session that owns the ephemeral znode; a session is written in hexadecimal with 0x, an"
          + " address as HOST or HOST:PORT. Shows each session with its client, its ephemeral znodes and its watches.",
        "Exits with 1 if there is none.",
      ],
      examples: [
        .init("who /locks/backup/lock-0000000001", "the client that holds the lock"),
        .init("who 0x1000a2b3c4d0001", "one session"), .init("who 10.0.0.5", "all sessions of a machine"),
      ]),
    CommandSpec(
      .monitor(.watchers), "watchers", summary: "List the sessions that watch a znode",
      arguments: [SharedOptions.path], options: [limit, admin],
      details: ["Needs the four-letter word wchc, or the AdminServer. Exits with 1 if no session watches it."],
      examples: [.init("watchers /config", "the sessions that are notified of changes")]),
    CommandSpec(
      .monitor(.top), "top", summary: "Watch servers and clients, refreshed every second",
      options: [
        OptionSpec(.every, value: ("TIME", .duration), "how often (default 1s)"),
        OptionSpec(.count, short: "n", value: ("N", .number), "end after this many samples"), limit, admin,
      ],
      details: [
        "On a terminal it uses the whole screen: the servers with their rates, and the clients with the most requests."
          + " s changes the order, the arrows and Enter show one client, h explains the keys, q leaves. Otherwise it"
          + " writes a row for each server and sample.",
        "Each sample asks each server for mntr and cons once.",
      ],
      examples: [.init("top -n 2 -o jsonl", "two samples for a program")]),
  ]

  static let measuring: [CommandSpec] = [
    CommandSpec(
      .monitor(.latency), "latency", summary: "Measure how long each server takes to answer",
      options: [
        OptionSpec(.count, short: "n", value: ("N", .number), "how many times (default 50)"),
        OptionSpec(.every, value: ("TIME", .duration), "how often (default 20ms)"), limit, admin,
      ],
      details: [
        "Each server is asked whether / exists, which it answers by itself, and for a sync, which goes to the leader"
          + " and back. Shows the shortest, median, 99th percentile and longest times in milliseconds. Nothing is"
          + " written."
      ],
      examples: [.init("latency -n 100", "shows which server is slow")]),
    CommandSpec(
      .monitor(.bench), "bench", summary: "Put a load on the ensemble and measure it",
      arguments: [ArgumentSpec("work", .choice(["read", "write", "mixed", "create"]), isOptional: true)],
      options: [
        OptionSpec(.count, short: "n", value: ("N", .number), "how many requests (default 10000)"),
        OptionSpec(.work, value: ("TIME", .duration), "how long, instead of a number of requests"),
        OptionSpec(.inSessions, value: ("N", .number), "how many clients (default 1)"),
        OptionSpec(
          .inFlight, value: ("N", .number), "how many requests each client has in flight (default 1)"),
        OptionSpec(.size, value: ("BYTES", .word), "how large values are (default 100)"),
        OptionSpec(.keys, value: ("N", .number), "how many znodes there are (default 1000)"),
        OptionSpec(.reads, value: ("PERCENT", .number), "how many requests of mixed work read (default 90)"),
        OptionSpec(.path, value: ("PATH", .path), "the znode below which it works (default /)"),
        limit, TreeOptions.yes,
      ],
      details: [
        "read reads values, write replaces them, mixed does both, create creates and deletes znodes. Everything"
          + " happens below a new container, in ephemeral znodes, so that nothing is left even if the program is"
          + " killed.",
        "On a protected cluster it asks for the cluster's name first.",
      ],
      examples: [
        .init("bench write -n 1000", "the latency of single writes"),
        .init("bench mixed --sessions 8 --in-flight 64 --for 10s", "a full load for ten seconds"),
      ], writes: true),
    CommandSpec(
      .monitor(.metrics), "metrics", summary: "Print metrics of the servers for Prometheus",
      options: [limit, admin],
      details: [
        "For servers that only have the four-letter word mntr or an AdminServer. The names are those of Apache's"
          + " endpoint; with several servers each sample has a label with the server's address."
      ],
      examples: [.init("metrics", "all metrics of all servers")]),
    CommandSpec(
      .monitor(.word), "word", summary: "Send a four-letter word to the servers",
      arguments: [ArgumentSpec("word", .choice(FourLetterWords.all))], options: [limit],
      examples: [.init("word srvr", "the unchanged answer of each server")]),
    CommandSpec(
      .monitor(.admin), "admin", summary: "Run a command of the AdminServer",
      arguments: [ArgumentSpec("command", .word, isOptional: true)], options: [limit, admin],
      details: ["Without a command, lists those that the server has. All requests are GET."],
      examples: [.init("admin leader", "the unchanged JSON of each server")]),
    CommandSpec(
      .monitor(.snapshot), "snapshot", summary: "Save a snapshot of a server to a file, or restore a server from one",
      arguments: [ArgumentSpec("action", .choice(["save", "restore"])), ArgumentSpec("file", .file)],
      options: [
        OptionSpec(.limit, value: ("TIME", .duration), "how long the server may send nothing (default 1m)"), admin,
        OptionSpec(.overwrite, "with save, replace the file if there is one"),
        OptionSpec(
          .dir, value: ("DIR", .file), "with restore, the dataDir of a server that is stopped, instead of a running one"
        ),
        HistoryOptions.logDir, TreeOptions.dryRun,
        OptionSpec(
          .yes, short: "y", value: ("CLUSTER", .cluster), isValueOptional: true,
          "with restore, do not ask; a script needs it, and a protected cluster --yes=CLUSTER"),
      ],
      details: [
        "Uses the AdminServer; Apache's servers have the commands from version 3.9 on. save takes a new snapshot and"
          + " downloads it; - writes it to stdout. The first server that can be reached is asked.",
        "A snapshot contains every znode, so it needs all permissions on /. The identity is that of --auth or"
          + " --auth-file; without one, the client's address is the identity. A password that would leave this machine"
          + " unencrypted needs an --admin that begins with https://.",
        "The download is checked before the file gets its name: its checksums, its size and the last transaction"
          + " in it. A new server starts from the file if it is put into version-2 of an empty dataDir as"
          + " snapshot.ZXID, and snap can read it.",
        "restore reads FILE completely, or stdin for -, shows what would be replaced, asks, sends it to the one server"
          + " that --admin names, and waits until it serves the restored state. A compressed FILE is decompressed. The"
          + " server's clients are disconnected; those with a session in the snapshot return with it, unless they have"
          + " seen a transaction after the snapshot's last one. A server of this package keeps the earlier state in"
          + " before-restore-N in its dataDir; with Apache's the files must be moved away before, or a restart brings"
          + " the earlier state back.",
        "The members of an ensemble are restored while all of them are stopped: run restore with --dir and the same"
          + " FILE for each dataDir, of this server or of Apache's, and start them again. A member that is left out"
          + " brings the earlier state back.",
      ],
      examples: [
        .init("snapshot save backup.snapshot", "the whole tree, checked"),
        .init("snapshot save -", "to stdout, for example to compress it"),
        .init("snapshot restore backup.snapshot --dry-run", "what a restore would replace"),
        .init("snapshot restore backup.snapshot --dir /var/lib/zookeeper --yes", "a member that is stopped"),
      ]),
  ]
}

/// The four-letter words of Apache's and this server.
enum FourLetterWords {
  static let all = [
    "conf", "cons", "crst", "dirs", "dump", "envi", "hash", "isro", "mntr", "ruok", "srst", "srvr", "stat", "wchc",
    "wchp", "wchs", "gtmk", "stmk", "orst", "lsnp", "icfg",
  ]
}
