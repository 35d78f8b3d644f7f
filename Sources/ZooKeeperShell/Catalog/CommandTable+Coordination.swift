/// Options and explanations that recipes share.
enum RecipeOptions {
  static let limit = OptionSpec(
    .timeout, value: ("TIME", .duration),
    "how long to wait; the exit code is 8 if it is not enough (default: indefinitely)")

  static let oneSession = OptionSpec(
    .oneSession,
    "if the session expires while waiting, end with exit code 9 instead of continuing with a new session")

  /// What happens to waiting processes if the session is lost.
  static let waitersGoOn =
    "A waiting process holds nothing, so a session that expires during an outage is replaced by a new one, with a"
    + " warning, and the wait continues at the end of the queue, within the same --timeout. With --one-session, and"
    + " in a script or an interactive shell whose session may hold something else, the wait ends with exit code 9"
    + " instead."

  /// The guarantees for everything that an ephemeral znode holds while a command runs.
  static func guarantees(_ thing: String) -> [String] {
    [
      "If no server answers for five sixths of the session timeout, or the session is lost, the command gets SIGTERM,"
        + " after another sixth SIGKILL, and the exit code is 9: it has ended before the servers can give \(thing) to"
        + " another process. --session-timeout (default 10s for a single command) determines both times. A watchdog"
        + " process does the same if zkcli is stopped, and ends the command at once if zkcli is killed with kill -9.",
      "If that cannot help, because the watchdog is killed too or the whole machine was suspended, use"
        + " ZKCLI_LOCK_ZXID as a fencing token: it is greater for each later holder, so storage that remembers the"
        + " greatest token and refuses smaller ones is safe. Not affected by clock changes: only elapsed time counts,"
        + " including time asleep.",
    ]
  }
}

extension CommandTable {
  static let coordination: [CommandSpec] = [lock, elect, wait, watch]

  private static let lock = CommandSpec(
    .recipe(.lock), "lock", summary: "Hold a lock while a command runs", arguments: [SharedOptions.path],
    options: [
      RecipeOptions.limit, RecipeOptions.oneSession,
      OptionSpec(.tryOnce, "do not wait"),
      OptionSpec(.shared, "take a shared lock, which excludes exclusive locks but not shared ones"),
      OptionSpec(
        .slots, value: ("N", .number),
        "take a semaphore with up to N holders; all processes must give the same number"),
      OptionSpec(
        .exitCode, short: "E", value: ("CODE", .number), "the exit code if the lock is not acquired (default 8)"),
      OptionSpec(.revocable, "release the lock when --revoke asks for it: the command gets SIGTERM"),
      OptionSpec(
        .layout, value: ("LAYOUT", .choice(["curator", "curator-rw", "kazoo"])),
        "the naming scheme of the znodes (default curator)"),
      OptionSpec(.list, "print the holders and the waiters; for a semaphore, with --slots"),
      OptionSpec(.revoke, "ask the holder to release the lock"),
      OptionSpec(.release, "release what this session holds on the path, in a script or the interactive shell"),
    ],
    details: [
      "The command gets ZKCLI_LOCK_PATH and the fencing token ZKCLI_LOCK_ZXID in its environment. The exit code is"
        + " that of the command, or 128 plus the number of the signal that ended it; signals sent to zkcli are"
        + " forwarded to it. The lock is granted in the order of the requests, and a release wakes one waiter.",
      "Without a command, `zkcli lock` prints the znode and the token and holds the lock until stdin ends. In a"
        + " script and in the interactive shell the lock is held until --release or the end of the session. A session"
        + " that already holds the lock gets it again at once, and keeps it after the command.",
      RecipeOptions.waitersGoOn,
    ] + RecipeOptions.guarantees("the lock") + [
      "The order is that of the sequence numbers and, once these reach their end at 2147483647, that of creation."
        + " From there on the locks of Curator and kazoo no longer exclude each other, and only zkcli can use the"
        + " path safely.",
      "The znodes are compatible with Curator's InterProcessMutex and InterProcessSemaphoreV2 (curator), with its"
        + " InterProcessReadWriteLock (curator-rw), or with kazoo's Lock and ReadLock (kazoo). kazoo's locks respect"
        + " the first layout if they are created with extra_lock_patterns=['-lock-'].",
      "The list has one line for each participant: holder or waiting, exclusive or shared, session, client address"
        + " if the server allows the four-letter word cons, time, token, znode, and the participant's data.",
    ],
    examples: [
      .init("lock /locks/backup -- pg_dump -f dump.sql shop", "one backup at a time"),
      .init(
        "lock --try -E 0 /locks/cron -- ./nightly.sh",
        "run on one of many machines, and do nothing on the others"),
      .init("lock --slots 3 --timeout 10m /locks/build -- make", "at most three builds at a time"),
      .init("lock --list /locks/backup", "the holder and the waiters"),
    ], writes: true, takesCommand: true)

  private static let elect = CommandSpec(
    .recipe(.elect), "elect", summary: "Run for leadership, and run a command while leading",
    arguments: [SharedOptions.path, ArgumentSpec("name", .word, isOptional: true)],
    options: [
      RecipeOptions.limit, RecipeOptions.oneSession,
      OptionSpec(
        .observe,
        "print the leader's name, now and whenever it changes, instead of running for leadership"),
      OptionSpec(.count, value: ("N", .number), "with --observe, end after this many leaders"),
      OptionSpec(.list, "print the leader and the candidates, as lock --list does"),
      OptionSpec(.release, "resign the leadership, in a script or the interactive shell"),
    ],
    details: [
      "Others see the name. The command gets ZKCLI_LOCK_PATH, ZKCLI_LOCK_ZXID (greater for each later leader) and"
        + " ZKCLI_LEADER in its environment. The leadership ends with the command, and the exit code is that of the"
        + " command. Without a command, prints the name and leads until stdin ends, or in a script and in the"
        + " interactive shell until the session ends. A session that already leads gets the leadership again at once.",
      "With --observe each line is the name of the leader, or empty while there is none. A short-lived leader may be"
        + " missing, but the last line is always current.",
      RecipeOptions.waitersGoOn,
    ] + RecipeOptions.guarantees("the leadership") + ["The znodes are compatible with Curator's LeaderLatch."],
    examples: [
      .init("elect /leader/mailer $HOSTNAME -- ./mailer", "run on one machine, and on another if that one fails"),
      .init("elect --observe -o jsonl /leader/mailer", "follow the leader"),
    ], writes: true, takesCommand: true, usage: "[--timeout TIME] path name [-- command...] | --observe path")

  private static let wait = CommandSpec(
    .recipe(.wait), "wait", summary: "Wait until a znode meets a condition", arguments: [SharedOptions.path],
    options: [
      OptionSpec(.exists, "until it exists (default)"),
      OptionSpec(.absent, "until it does not exist"),
      OptionSpec(.equals, value: ("DATA", .data), "until its data equals DATA; - is stdin, @FILE a file"),
      OptionSpec(
        .children, value: ("CONDITION", .word),
        "until the number of its children meets a condition such as '>=3', '==0' or '<10'"),
      RecipeOptions.limit, RecipeOptions.oneSession,
    ],
    details: [
      "Prints nothing. The exit code is 0 if the condition is met, and 8 if it is not met before the timeout. -o"
        + " json prints the stat.",
      "The request that reads the znode also sets the watch, so no change in between is missed. A state that ends"
        + " before it is read may be missed. After a lost connection the wait continues, and an expired session is"
        + " replaced by a new one, with a warning; with --one-session the wait ends with exit code 9 instead.",
    ],
    examples: [
      .init("wait /services/db --exists --timeout 1m", "until the database is registered"),
      .init("wait /workers --children '>=3'", "until there are three workers"),
    ], usage: "[--exists | --absent | --equals DATA | --children CONDITION] [--timeout TIME] path")

  private static let watch = CommandSpec(
    .recipe(.watch), "watch", summary: "Print every change of a znode, and where changes may be missing",
    arguments: [SharedOptions.path],
    options: [
      OptionSpec(.recursive, short: "R", "include everything under it"),
      OptionSpec(.withData, "read the data of znodes that were created or changed"),
      OptionSpec(.count, value: ("N", .number), "end after this many changes"),
      OptionSpec(
        .until, value: ("CONDITION", .condition),
        "end when the znode meets a condition: exists, absent, equals=DATA or, for its number of children, such as"
          + " 'children>=3'"),
      OptionSpec(.initial, "print the current state first, and again after each gap"),
      OptionSpec(.exec, value: ("COMMAND", .word), "run COMMAND with /bin/sh for each change"),
    ],
    details: [
      "Each line is a change: its kind, the path and, from servers of version 3.9 or later, the zxid. With -o json"
        + " it is an object with time, event, path, zxid, data, encoding and stat. Data is read after the change and"
        + " may be newer.",
      "Servers do not report what happens while the connection is lost, so a gap line (in JSON, gap is true, with"
        + " the reason) marks where changes may be missing. An expired session is replaced by a new one after a gap"
        + " line. --initial then prints the current state. Without a gap line nothing is missing.",
      "The command of --exec gets ZKCLI_EVENT, ZKCLI_EVENT_PATH and ZKCLI_EVENT_ZXID in its environment and, with"
        + " --with-data, the data on its stdin. Commands run one at a time and in order, also for gap and initial"
        + " lines; a warning reports one that fails.",
      "With --until, the exit code is 0 once the znode meets the condition, also if it does at the start. The znode is"
        + " read at the start, after each of its changes and after a gap, so a state that ends before it is read may"
        + " be missed, and changes that follow the one that met the condition are not printed. With --timeout, the"
        + " exit code is 8 if the time was not enough. wait does the same without printing changes.",
      "Needs a server of version 3.6 or later.",
    ],
    examples: [
      .init("watch -R --with-data -o jsonl /config", "a stream for jq"),
      .init("watch --with-data --until equals=done --timeout 10m /jobs/7", "print the progress of a job to its end"),
      .init(
        "watch --initial --exec 'systemctl reload app' /config/app",
        "once at the start, and after every change"),
    ])
}
