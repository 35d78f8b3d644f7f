extension CommandTable {
  private static let limit = OptionSpec(
    .limit, value: ("TIME", .duration), "how long a server may take to answer (default 1s)")
  private static let admin = OptionSpec(
    .admin, value: ("PLACES", .word),
    "where the AdminServers are: a port of every server (default 8080), or HOST:PORT,..., after https:// for HTTPS")
  private static let everyone =
    "All servers of the connect string are asked at once, and those that the ensemble's configuration names besides."
  private static let ways =
    "They are asked by four-letter words, by their AdminServer, and by a session. What a server does not allow is said,"
    + " with the line of zoo.cfg that would allow it."

  static let monitoring: [CommandSpec] = [
    CommandSpec(
      .monitor(.health), "health", summary: "Say what is wrong with the ensemble",
      options: [
        OptionSpec(.strict, "notes count too: exit with 1 if there is any"), limit, admin,
      ],
      details: [
        everyone + " " + ways,
        "Faults and warnings come with what to do about them, notes are only worth knowing. Exits with 0 if there are"
          + " no faults and no warnings, with 1 if the ensemble serves nevertheless, and with 10 if it does not serve.",
        "Looked at are: whether each server can be reached and serves, the quorum and how many failures it would still"
          + " survive, the leader, the configuration on every server, members of other ensembles, servers that lag,"
          + " waiting requests, latency, syncs of the log, disk, clocks, descriptors, versions, even numbers of voters,"
          + " ephemeral znodes without a session, and an ACL of the root that lets everybody change it.",
      ],
      examples: [
        .init("health", "a row for each server, and what is wrong"),
        .init("health -o json", "the same for a program"),
      ]),
    CommandSpec(
      .monitor(.ready), "ready", summary: "Tell whether a server grants sessions",
      options: [limit],
      details: [
        "Meant for probes: it opens one session and ends it. Several servers are tried, each a moment after the other,"
          + " and the first that grants a session is enough. Exits with 0 if one does, with 10 if servers are up and"
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
        "For each session: where the client is, the server that it is connected to, since when, its requests, ephemeral"
          + " znodes and watches. A session without an address is connected to none of the servers asked.",
        "Needs the words cons, dump and wchc, or the AdminServer. If a server allows neither, a warning says so, and"
          + " the exit code is 11.",
      ],
      examples: [.init("sessions --sort requests", "the busiest client first")]),
    CommandSpec(
      .monitor(.who), "who", summary: "Tell which client has an ephemeral znode, a session or an address",
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
      details: ["Needs the word wchc, or the AdminServer. Exits with 1 if no session watches it."],
      examples: [.init("watchers /config", "who is told when it changes")]),
    CommandSpec(
      .monitor(.top), "top", summary: "Watch servers and clients, refreshed every second",
      options: [
        OptionSpec(.every, value: ("TIME", .duration), "how often (default 1s)"),
        OptionSpec(.count, short: "n", value: ("N", .number), "end after so many times"), limit, admin,
      ],
      details: [
        "On a terminal it takes the whole screen: the servers with their rates, and the clients with the most requests."
          + " s changes the order, the arrows and Enter look at one client, h explains the keys, q leaves. Elsewhere it"
          + " writes a row for each server and time.",
        "Each server is asked for mntr and cons once each time.",
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
        "Each server is asked whether / exists, which it answers alone, and for a sync, which goes to the leader and"
          + " back. Shows the shortest, median, 99th percentile and longest times in milliseconds. Nothing is written."
      ],
      examples: [.init("latency -n 100", "where the slow server is")]),
    CommandSpec(
      .monitor(.bench), "bench", summary: "Put a load on the ensemble and measure it",
      arguments: [ArgumentSpec("work", .choice(["read", "write", "mixed", "create"]), isOptional: true)],
      options: [
        OptionSpec(.count, short: "n", value: ("N", .number), "how many requests (default 10000)"),
        OptionSpec(.work, value: ("TIME", .duration), "how long, instead of a number of requests"),
        OptionSpec(.inSessions, value: ("N", .number), "how many clients (default 1)"),
        OptionSpec(
          .inFlight, value: ("N", .number), "how many requests of each client wait for replies at a time (default 1)"),
        OptionSpec(.size, value: ("BYTES", .word), "how large values are (default 100)"),
        OptionSpec(.keys, value: ("N", .number), "how many znodes there are (default 1000)"),
        OptionSpec(.reads, value: ("PERCENT", .number), "how many requests of mixed work read (default 90)"),
        OptionSpec(.path, value: ("PATH", .path), "the znode below which it works (default /)"),
        limit, TreeOptions.yes,
      ],
      details: [
        "read asks for values, write replaces them, mixed does both, create makes and deletes znodes. Everything"
          + " happens below a new container, in ephemeral znodes, so that nothing is left even if the program is"
          + " killed.",
        "It is a load: on a protected cluster it asks for the name first.",
      ],
      examples: [
        .init("bench write -n 1000", "the latency of single writes"),
        .init("bench mixed --sessions 8 --in-flight 64 --for 10s", "a full load for ten seconds"),
      ], writes: true),
    CommandSpec(
      .monitor(.metrics), "metrics", summary: "Print figures of the servers for Prometheus",
      options: [limit, admin],
      details: [
        "For servers that have only the word mntr or an AdminServer. The names are those of Apache's own endpoint; with"
          + " several servers each sample has a label with the server's address."
      ],
      examples: [.init("metrics", "every figure of every server")]),
    CommandSpec(
      .monitor(.word), "word", summary: "Ask servers a four-letter word",
      arguments: [ArgumentSpec("word", .choice(FourLetterWords.all))], options: [limit],
      examples: [.init("word srvr", "the answer of each server as it is")]),
    CommandSpec(
      .monitor(.admin), "admin", summary: "Ask the AdminServer a command",
      arguments: [ArgumentSpec("command", .word, isOptional: true)], options: [limit, admin],
      details: ["Without a command, the list of those that the server has. Only questions are asked, with GET."],
      examples: [.init("admin leader", "the JSON of each server as it is")]),
    CommandSpec(
      .monitor(.snapshot), "snapshot", summary: "Save a snapshot of a server to a file, or restore a server from one",
      arguments: [ArgumentSpec("action", .choice(["save", "restore"])), ArgumentSpec("file", .file)],
      options: [
        OptionSpec(.limit, value: ("TIME", .duration), "how long the server may be silent (default 1m)"), admin,
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
        "The AdminServer is asked, with Apache's servers from 3.9 on. For save it takes a new snapshot and sends"
          + " it; - writes it to stdout. The first server that can be reached is asked.",
        "Only who may do everything to / may have a snapshot, which contains every znode. The identity is that of"
          + " --auth or --auth-file; without one the client's address is shown. A password that would leave this"
          + " machine unencrypted needs an --admin that begins with https://.",
        "What has arrived is checked before the file gets its name: its checksums, its size and the last transaction"
          + " in it. A new server starts from the file if it is put into version-2 of an empty dataDir as"
          + " snapshot.ZXID, and snap looks into it.",
        "restore reads FILE completely, or stdin for -, shows what would be replaced, asks, sends it to the one server"
          + " that --admin names, and waits until it serves what was sent. A compressed FILE is decompressed. The"
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
        .init("snapshot save -", "to stdout, which a script may compress"),
        .init("snapshot restore backup.snapshot --dry-run", "what a restore would replace"),
        .init("snapshot restore backup.snapshot --dir /var/lib/zookeeper --yes", "a member that is stopped"),
      ]),
  ]
}

/// The words that servers know.
enum FourLetterWords {
  static let all = [
    "conf", "cons", "crst", "dirs", "dump", "envi", "hash", "isro", "mntr", "ruok", "srst", "srvr", "stat", "wchc",
    "wchp", "wchs", "gtmk", "stmk", "orst", "lsnp", "icfg",
  ]
}
