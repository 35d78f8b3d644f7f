/// Options that several recipes have.
enum RecipeOptions {
  static let limit = OptionSpec(
    .timeout, value: ("TIME", .duration), "how long to wait; exit code 8 when the time is up (default: without end)")

  static let oneSession = OptionSpec(
    .oneSession, "when the session expires while it waits, end with exit code 9 rather than go on with a new one")

  /// What becomes of those who wait when the session is lost.
  static let waitersGoOn =
    "Who waits holds nothing: a session that expires in an outage is replaced by a new one, with a warning, and the"
    + " wait goes on at the end of the line, within the same --timeout. With --one-session it ends with exit code 9;"
    + " so it does in a script or the interactive shell whose session may hold something else."

  /// What is the same for everything that is held by an ephemeral znode while a command runs.
  static func guarantees(_ thing: String) -> [String] {
    [
      "When no server answers for five sixths of the session timeout, or when the session is lost, the command gets"
        + " TERM, after another sixth KILL, and the exit code is 9: it is gone before the servers can give \(thing) to"
        + " another. --session-timeout (default 10s for a single command) sets both times. A guard process does the"
        + " same when zkcli is stopped, and ends the command at once when zkcli is killed with -9.",
      "Where that cannot help, because the guard is killed too or the whole machine stood still, ZKCLI_LOCK_ZXID tells:"
        + " it is greater for each later holder, and storage that remembers the greatest and refuses lesser ones is"
        + " safe. Setting the clock changes nothing: only lengths of time count, of sleep too.",
    ]
  }
}

extension CommandTable {
  static let coordination: [CommandSpec] = [lock, elect, wait, watch]

  private static let lock = CommandSpec(
    .recipe(.lock), "lock", summary: "Hold a lock while a command runs", arguments: [SharedOptions.path],
    options: [
      RecipeOptions.limit, RecipeOptions.oneSession,
      OptionSpec(.tryOnce, "do not wait at all"),
      OptionSpec(.shared, "a shared lock: with other shared ones, without exclusive ones"),
      OptionSpec(.slots, value: ("N", .number), "a semaphore: up to N holders; all must give the same number"),
      OptionSpec(
        .exitCode, short: "E", value: ("CODE", .number), "the exit code when the lock is not obtained (default 8)"),
      OptionSpec(.revocable, "let go when --revoke asks: the command gets TERM"),
      OptionSpec(
        .layout, value: ("LAYOUT", .choice(["curator", "curator-rw", "kazoo"])),
        "the names of the znodes (default curator)"),
      OptionSpec(.list, "print who holds the lock and who waits for it; for a semaphore with --slots"),
      OptionSpec(.revoke, "ask the holder to let go"),
      OptionSpec(.release, "let go of what this session holds on the path, in a script or the interactive shell"),
    ],
    details: [
      "The command finds ZKCLI_LOCK_PATH and ZKCLI_LOCK_ZXID, the fencing token, in its environment. Its exit code is"
        + " passed on, or 128 and the number of the signal that ended it; signals to zkcli are passed on to it."
        + " Those who came first get the lock first, and a release wakes one.",
      "Without a command, a single command prints the znode and the token and holds the lock until stdin ends; in a"
        + " script and in the interactive shell the lock is held until --release, or the end of the session. A session"
        + " that has the lock already is told so at once, and keeps it behind the command.",
      RecipeOptions.waitersGoOn,
    ] + RecipeOptions.guarantees("the lock") + [
      "The order is that of the sequence numbers, and where these come to their end, at 2147483647, that of creation:"
        + " there the locks of Curator and kazoo do not exclude anybody any more, and only zkcli may use the path.",
      "The znodes are those of Curator's InterProcessMutex and InterProcessSemaphoreV2 (curator) or"
        + " InterProcessReadWriteLock (curator-rw), or of kazoo's Lock and ReadLock (kazoo). kazoo's locks respect the"
        + " first when they are made with extra_lock_patterns=['-lock-'].",
      "The list has a line for each: holder or waiting, exclusive or shared, session, client address where the server"
        + " tells (four-letter word cons), time, token, znode, and what the participant says of itself.",
    ],
    examples: [
      .init("lock /locks/backup -- pg_dump -f dump.sql shop", "one at a time, whoever starts it"),
      .init("lock --try -E 0 /locks/cron -- ./nightly.sh", "on one machine of many; elsewhere nothing happens"),
      .init("lock --slots 3 --timeout 10m /locks/build -- make", "three at a time"),
      .init("lock --list /locks/backup", "who has it, and who waits"),
    ], writes: true, takesCommand: true)

  private static let elect = CommandSpec(
    .recipe(.elect), "elect", summary: "Stand for the leadership, and run a command while leading",
    arguments: [SharedOptions.path, ArgumentSpec("name", .word, isOptional: true)],
    options: [
      RecipeOptions.limit, RecipeOptions.oneSession,
      OptionSpec(.observe, "print each leader's name, now and whenever it changes, instead of standing"),
      OptionSpec(.count, value: ("N", .number), "with --observe, end after so many leaders"),
      OptionSpec(.list, "print the leader and the candidates, as lock --list does"),
      OptionSpec(.release, "resign, in a script or the interactive shell"),
    ],
    details: [
      "The name is what others see. The command finds ZKCLI_LOCK_PATH, ZKCLI_LOCK_ZXID (greater for each later leader)"
        + " and ZKCLI_LEADER in its environment, and its exit code is passed on; when it ends the leadership does."
        + " Without a command, prints the name, and leads until stdin ends, or in a script and in the interactive shell"
        + " until the session does. A session that leads already is told so at once.",
      "With --observe a line is the leader's name, or empty while there is none. Leaders between two looks may be"
        + " missing; the last one is always right.",
      RecipeOptions.waitersGoOn,
    ] + RecipeOptions.guarantees("the leadership") + ["The znodes are those of Curator's LeaderLatch."],
    examples: [
      .init("elect /leader/mailer $HOSTNAME -- ./mailer", "run on one machine, and on another when that one dies"),
      .init("elect --observe -o jsonl /leader/mailer", "follow who leads"),
    ], writes: true, takesCommand: true, usage: "[--timeout TIME] path name [-- command...] | --observe path")

  private static let wait = CommandSpec(
    .recipe(.wait), "wait", summary: "Wait until a znode is as it should be", arguments: [SharedOptions.path],
    options: [
      OptionSpec(.exists, "until it exists (default)"),
      OptionSpec(.absent, "until it does not exist"),
      OptionSpec(.equals, value: ("DATA", .data), "until its data is this; - is stdin, @FILE a file"),
      OptionSpec(
        .children, value: ("CONDITION", .word), "until the number of its children is such as '>=3', '==0' or '<10'"),
      RecipeOptions.limit, RecipeOptions.oneSession,
    ],
    details: [
      "Prints nothing; the exit code is 0 when it is so, 8 when the time is up. -o json tells the stat.",
      "Race-free: a watch is left by the request that looks, so that no change is missed in between. A state that ends"
        + " again before it is looked at may be. A lost connection is waited out, and a lost session is replaced by a"
        + " new one, with a warning; with --one-session that ends the wait with exit code 9.",
    ],
    examples: [
      .init("wait /services/db --exists --timeout 1m", "until the database has registered"),
      .init("wait /workers --children '>=3'", "until three workers are there"),
    ], usage: "[--exists | --absent | --equals DATA | --children CONDITION] [--timeout TIME] path")

  private static let watch = CommandSpec(
    .recipe(.watch), "watch", summary: "Print every change of a znode, and where some may be missing",
    arguments: [SharedOptions.path],
    options: [
      OptionSpec(.recursive, short: "R", "everything under it too"),
      OptionSpec(.withData, "read the data of what was created or changed"),
      OptionSpec(.count, value: ("N", .number), "end after so many changes"),
      OptionSpec(.initial, "the present state first, and again behind each gap"),
      OptionSpec(.exec, value: ("COMMAND", .word), "run this with /bin/sh for each change"),
    ],
    details: [
      "Each line is a change: its kind, the path and, from servers of version 3.9, the zxid; with -o json an object"
        + " with time, event, path, zxid, data, encoding and stat. Data is read behind the change and may be newer.",
      "Servers tell nothing of what happens while the connection is lost: a gap line (in JSON gap is true, with the"
        + " reason) says where changes may be missing. An expired session is replaced by another, behind a gap."
        + " --initial then tells what is there. Without a gap line nothing is missing.",
      "The command of --exec finds ZKCLI_EVENT, ZKCLI_EVENT_PATH and ZKCLI_EVENT_ZXID in its environment and, with"
        + " --with-data, the data on its stdin. One runs at a time, in order, for gap and initial lines too; when it"
        + " fails, a warning says so.",
      "Needs a server of version 3.6 or later.",
    ],
    examples: [
      .init("watch -R --with-data -o jsonl /config", "a stream for jq"),
      .init("watch --initial --exec 'systemctl reload app' /config/app", "now, and after every change"),
    ])
}
