/// Options of the commands about the past.
enum HistoryOptions {
  static let at = OptionSpec(
    .at, value: ("MOMENT", .word), "the past state after a transaction, or at a time (default: the newest)")
  static let before = OptionSpec(.before, value: ("MOMENT", .word), "the past state right before a transaction or time")
  static let logDir = OptionSpec(
    .logDir, value: ("DIR", .file), "where the logs are, if dataLogDir is not dataDir")
  static let since = OptionSpec(.since, value: ("MOMENT", .word), "from this transaction or time on")
  static let until = OptionSpec(.until, value: ("MOMENT", .word), "up to this transaction or time")

  static let moments =
    "A MOMENT is a transaction, as a zxid in hexadecimal (0x10000002a) or decimal, or a time: 2026-11-28T12:00:00Z, or"
    + " 10m for ten minutes ago. Times are those of the leader's clock."
  static let directories =
    "DIR is a dataDir, the version-2 in it, or a single snapshot or log, of this server or of Apache's. It is only"
    + " read, and a server may be running in it. Damaged and missing parts are reported on stderr; if the answer is"
    + " incomplete because of them, the exit code is 11."
}

extension CommandTable {
  static let history: [CommandSpec] = [snap, log, undelete]

  private static let snap = CommandSpec(
    .offline(.snap), "snap", summary: "Show the tree as it was, from the files of a server",
    arguments: [
      ArgumentSpec("action", .choice(SnapAction.allCases.map(\.rawValue))), ArgumentSpec("dir", .file),
      ArgumentSpec("argument", .word, isOptional: true, isRepeated: true, endsOptions: false),
    ],
    options: [
      HistoryOptions.at, HistoryOptions.before, HistoryOptions.logDir,
      OptionSpec(.since, value: ("MOMENT", .word), "with diff, the changes from this transaction or time on"),
      OptionSpec(.long, short: "l", "with ls and tree, versions, sizes and times"),
      OptionSpec(.recursive, short: "R", "with ls, all znodes under the path"),
      OptionSpec(.human, short: "h", "with ls and du, sizes in KiB and MiB"),
      OptionSpec(.stat, short: "s", "with cat, also the stat"),
      OptionSpec(.base64, short: "b", "with cat, data in base64"),
      OptionSpec(.hex, short: "x", "with cat, data in hexadecimal"),
      OptionSpec(.level, short: "L", value: ("DEPTH", .number), "with tree, the number of levels"),
      OptionSpec(.depth, short: "d", value: ("DEPTH", .number), "with du, print totals down to this level (default 1)"),
      OptionSpec(.top, value: ("COUNT", .number), "with du, the largest znodes and those with the most children"),
      OptionSpec(.ignoreCase, short: "i", "with grep, ignore case"),
      OptionSpec(.extended, short: "E", "with grep, the pattern is an extended regular expression"),
      OptionSpec(.fixed, short: "F", "with grep, the pattern is plain text"),
      OptionSpec(.list, "with grep, only the paths of znodes with a match"),
      OptionSpec(.count, short: "c", "with find and grep, print only the number"),
      OptionSpec(.brief, short: "q", "with diff, print only the paths of znodes that differ"),
      OptionSpec(.ignoreACL, "with diff, compare data only"),
      OptionSpec(.name, value: ("GLOB", .word), "with find, the name matches"),
      OptionSpec(.path, value: ("GLOB", .word), "with find, the whole path matches"),
      OptionSpec(
        .type, value: ("KIND", .choice(["p", "e", "s"])), "with find, p persistent, e ephemeral, s sequential"),
      OptionSpec(
        .size, value: ("SIZE", .number),
        "with find, the number of bytes of data: 100, +1M for more, -10 for less"),
      OptionSpec(
        .children, value: ("COUNT", .number),
        "with find, the number of children: 3, +1000 for more, -1 for less"),
      OptionSpec(.older, value: ("TIME", .word), "with find, last written before"),
      OptionSpec(.newer, value: ("TIME", .word), "with find, last written since"),
      OptionSpec(.owner, value: ("SESSION", .word), "with find, the ephemeral znodes of a session"),
      OptionSpec(.value, value: ("REGEX", .word), "with find, the data matches an extended regular expression"),
      OptionSpec(.empty, "with find, neither data nor children"),
      OptionSpec(.print0, short: "0", "with find, end each path with a zero byte"),
      OptionSpec(
        .format, value: ("FORMAT", .choice(["jsonl", "tar", "dir"])),
        "with export, the format of the file, if its name does not show it"),
      OptionSpec(.overwrite, "with export, replace the file if it exists"),
      OptionSpec(.resume, "with export, update a directory that an earlier export has written"),
    ],
    details: [
      "Needs no server: the state is rebuilt from a snapshot and the log after it. ls, tree, find, grep"
        + " and du work as the commands of these names on an ensemble, and cat as get; grep searches all znodes"
        + " under its paths. stat prints the ACL and the stat. diff prints the changes of a subtree since a"
        + " moment, up to the newest state or the one of --at. export writes a subtree to a file as export does on an"
        + " ensemble, for import, apply and diff.",
      HistoryOptions.directories, HistoryOptions.moments,
      "The newest snapshot before the moment is used. Some servers write snapshots with effects of later transactions,"
        + " which are skipped if the result would be wrong. A moment before the first snapshot is an error, which"
        + " names the earliest available state.",
    ],
    examples: [
      .init("snap ls /var/lib/zookeeper", "the children of the root in the newest state"),
      .init("snap tree /var/lib/zookeeper /app --before 0x10000002a", "a subtree before a transaction"),
      .init("snap cat /var/lib/zookeeper /app/config --at 2026-11-28T03:00:00Z", "a value at a time"),
      .init("snap diff /var/lib/zookeeper /app --since 10m", "the changes of the last ten minutes"),
      .init("snap export /var/lib/zookeeper /app app.jsonl --before 0x10000002a", "a subtree for import elsewhere"),
      .init("snap find snapshot.10000002a / --size +500K", "large znodes in a single snapshot"),
    ],
    usage: "ls|tree|find|du DIR [path...] | cat|stat DIR path... | grep DIR pattern path... | diff DIR [path]"
      + " --since MOMENT | export DIR path [file] | [--at|--before MOMENT]")

  private static let log = CommandSpec(
    .offline(.log), "log", summary: "Show which session wrote what and when, from the log of a server",
    arguments: [
      ArgumentSpec("action", .choice(LogAction.allCases.map(\.rawValue))), ArgumentSpec("dir", .file),
      ArgumentSpec("path", .word, isOptional: true),
    ],
    options: [
      HistoryOptions.since, HistoryOptions.until, HistoryOptions.logDir,
      OptionSpec(.path, value: ("PATH", .word), "only changes of this znode"),
      OptionSpec(.recursive, short: "R", "also changes of znodes under it"),
      OptionSpec(.session, value: ("SESSION", .word), "only transactions of this session"),
      OptionSpec(
        .operation, value: ("OP", .choice(CommandContext.operationNames.map(\.name))),
        "only this kind of operation; can be repeated"),
      OptionSpec(.withData, "also data and ACLs"),
      OptionSpec(
        .audit, value: ("FILE", .file), "an audit log of the servers, for the addresses and users of sessions"),
      OptionSpec(.count, short: "n", value: ("COUNT", .number), "with tail, the number of transactions (default 10)"),
      OptionSpec(.follow, short: "f", "with tail, continue with new transactions until interrupted"),
    ],
    details: [
      "show prints a line for each transaction: zxid, time, session, operation. tail prints the last ones. who PATH"
        + " prints those that have changed a znode, and if it was deleted, how to see it as it was and how to bring it"
        + " back; the exit code is 1 if there are none. stat prints statistics.",
      HistoryOptions.directories, HistoryOptions.moments,
      "Logs contain the sessions, but not the addresses of their clients: those are in the audit log, if the servers"
        + " write one (audit.enable=true).",
    ],
    examples: [
      .init("log who /var/lib/zookeeper /app/config", "the sessions that wrote and deleted it"),
      .init("log who /var/lib/zookeeper /app -R --since 1h", "the changes of a subtree in the last hour"),
      .init("log tail -f /var/lib/zookeeper", "transactions as they are written"),
      .init("log show -o jsonl /var/lib/zookeeper --op delete", "all deletes as JSON"),
    ],
    usage: "show|stat DIR | tail DIR [-n COUNT] [-f] | who DIR PATH [-R] | [--since MOMENT] [--until MOMENT]")

  private static let undelete = CommandSpec(
    .client(.undelete), "undelete", summary: "Restore a subtree in the ensemble, from the files of a server",
    arguments: [ArgumentSpec("dir", .file), ArgumentSpec("path", .word)],
    options: [
      HistoryOptions.at, HistoryOptions.before, HistoryOptions.logDir,
      OptionSpec(.to, value: ("PATH", .path), "the path to restore it at (default: its former path)"),
      TreeOptions.dryRun,
      TreeOptions.overwrite, TreeOptions.skipExisting, TreeOptions.parents, TreeOptions.yes, TreeOptions.max,
    ],
    details: [
      "Reads the subtree at PATH as it was at the moment, and creates its znodes with their data and ACLs on the"
        + " ensemble of the session. log who DIR PATH shows the right moment; without --at and --before, the error"
        + " shows it.",
      "Znodes that exist with the same data and ACL are left alone; others are errors without --overwrite or"
        + " --skip-existing. Znodes that cannot be created, for example because of their ACL, are listed with exit code"
        + " 11. Ephemeral znodes belonged to their sessions and are left out. Containers and znodes with a time to live"
        + " are restored as such, if the servers have these enabled.",
      HistoryOptions.directories, HistoryOptions.moments,
    ],
    examples: [
      .init("undelete /var/lib/zookeeper /app --before 0x10000002a --dry-run", "what would be created"),
      .init("undelete /var/lib/zookeeper /app --before 0x10000002a", "as it was before that transaction"),
      .init("undelete /backup/version-2 /app --at 2026-11-28T03:00:00Z --to /app.old", "next to the present subtree"),
    ], writes: true, destroys: true)
}
