extension CommandTable {
  static let sandbox: [CommandSpec] = [
    CommandSpec(
      .shell(.local), "local", summary: "Show the servers of --local, or inject faults",
      arguments: [
        ArgumentSpec("action", .choice(LocalAction.allCases.map(\.rawValue))),
        ArgumentSpec("server", .word, isOptional: true, isRepeated: true, endsOptions: false),
      ],
      options: [
        OptionSpec(
          .jitter, value: ("TIME", .duration),
          "with delay, the maximum deviation of a delay in both directions"),
        OptionSpec(
          .seed, value: ("N", .number),
          "with drop or --jitter, repeat the decisions of a run that has printed this seed"),
        OptionSpec(.follow, short: "f", "with trace, continue until interrupted"),
      ],
      details: [
        "kill ends a server as a crash would, and restart starts it again on its data. pause stops a server as"
          + " SIGSTOP does, until resume. A server is given by its number, or as leader; it can be omitted if only"
          + " one server qualifies, such as the only paused server for resume.",
        "partition blocks the traffic between groups of servers: numbers separated by commas, and groups by / (or a"
          + " quoted |). Servers that are not listed form another group. heal ends partitions, delays and drops.",
        "These actions return when the ensemble has recovered: the servers that form a quorum have a leader and serve"
          + " clients, and the others do not serve. The shell's own session moves to a server that serves.",
        "delay makes each message between the listed servers (1 2, 1,2 or 1-3) arrive later, in its order; with one"
          + " server, between it and all others; with none, between all. drop breaks a connection between two servers"
          + " with this probability for each message, so that they must connect again, as TCP loses no single messages."
          + " 0 ends either of them. The seed of random decisions is printed.",
        "slow-disk makes each sync of the log on these servers take longer. clock adds to their wall clocks (+5s)"
          + " or takes from them (-5s), which shows in the times of znodes; sessions do not notice. Both act on all"
          + " servers if none is listed, and 0 ends them. expire ends a session as if its client had long been silent.",
        "trace prints the messages between the servers of an ensemble: votes, proposals, acknowledgements, commits and"
          + " heartbeats, with -> where one is sent and <- where it is received. It does so for a time, or with -f"
          + " until interrupted; after trace on, it prints what has happened since it was last run. Times count"
          + " from the start of the servers.",
        "record writes each command with the time to a new file, until record off. zkcli --local N --replay FILE"
          + " runs them at these times, and stops at the first failure unless -k is given. A line of the file is"
          + " +1.250s set /a b; lines that begin with # are comments. The whole file is checked first.",
      ],
      examples: [
        .init("local status", "id, state, role, zxid, sessions, clients and address of each"),
        .init("local kill leader", "the others elect a new leader"), .init("local restart 2", "server 2 catches up"),
        .init("local partition 1 / 2,3", "server 1 is cut off"), .init("local heal", "server 1 rejoins"),
        .init("local delay 20ms --jitter 5ms", "a slow network between all servers"),
        .init("local delay 100ms 3", "server 3 is far away"), .init("local drop 1% --seed 7", "a bad network"),
        .init("local slow-disk 50ms leader", "its syncs take at least 50 ms"),
        .init("local clock -1h 2", "server 2 sets the times of znodes an hour back when it leads"),
        .init("local expire me", "the shell's own session expires"),
        .init("local trace 2s", "the messages of two seconds, such as heartbeats"),
        .init("local record incident.zk", "until local record off"),
      ],
      usage:
        "status | kill N | restart [N] | pause N | resume [N] | partition N,... / N,... | heal | delay TIME [N...] |"
        + " drop P% [N...] | slow-disk TIME [N...] | clock +TIME|-TIME [N...] | expire SESSION|me |"
        + " trace on|off|TIME|-f | record FILE|off")
  ]
}
