extension CommandTable {
  static let groupRecipes: [CommandSpec] = [barrier, queue, group, rendezvous, counter, id, commit]

  private static let barrier = CommandSpec(
    .recipe(.barrier), "barrier", summary: "Wait at a barrier, or start and end together with others",
    arguments: [
      ArgumentSpec("action", .choice(["wait", "set", "clear", "enter", "leave", "run"])), SharedOptions.path,
    ],
    options: [
      OptionSpec(.count, value: ("N", .number), "the number of participants"), RecipeOptions.limit,
      RecipeOptions.oneSession,
    ],
    details: [
      "set closes the barrier and clear opens it; it stays closed after the process that set it has ended. wait"
        + " returns when it is open.",
      "run waits until N processes have entered, runs the command, and waits until all have left; the exit code is"
        + " that of the command. enter and leave are its two halves: in a script and in the interactive shell the"
        + " entry lasts until leave or the end of the session; `zkcli barrier enter` prints its entry, stays inside"
        + " until stdin ends, and then leaves. --timeout limits each wait, with exit code 8. A process that times out"
        + " while entering has not entered; one that times out while leaving has left.",
      "A process that is killed or loses its session counts as having left. If the session is lost while the command"
        + " runs, the command is ended and the exit code is 9, as with lock. Not affected by clock changes.",
      RecipeOptions.waitersGoOn,
      "The znodes are compatible with Curator's DistributedBarrier and DistributedDoubleBarrier.",
    ],
    examples: [
      .init("barrier set /gates/import", "close the barrier"),
      .init("barrier wait --timeout 1h /gates/import", "wait until barrier clear /gates/import"),
      .init("barrier run --count 3 /rounds/1 -- ./compute.sh", "three processes start together and end together"),
    ], writes: true, takesCommand: true,
    usage: "wait|set|clear [--timeout TIME] path | enter|leave|run --count N [--timeout TIME] path [-- command...]")

  private static let queue = CommandSpec(
    .recipe(.queue), "queue", summary: "Put items into a queue, and take each out once",
    arguments: [
      ArgumentSpec("action", .choice(["put", "take", "peek", "list", "len"])), SharedOptions.path,
      ArgumentSpec("data", .data, isOptional: true),
    ],
    options: [
      OptionSpec(
        .priority, value: ("N", .number),
        "with put: items with lower numbers are taken first (default 0)"),
      OptionSpec(.tryOnce, "with take: do not wait for an item"), RecipeOptions.limit, RecipeOptions.oneSession,
    ],
    details: [
      "put prints the znode of the item; as data, - is stdin and @FILE a file. take waits for an item and prints its"
        + " data. With a command, take passes the item to the command's stdin and its path in ZKCLI_ITEM_PATH, and"
        + " removes it from the queue only if the command succeeds. peek prints the first item that is not claimed;"
        + " the exit code is 1 if there is none. list prints one line for each item: free or claimed, priority,"
        + " znode, data. len prints the number of items.",
      "A lost connection never causes an item to be put or taken twice. take without a command removes the item and"
        + " then prints it: if zkcli is killed in between, the item is lost. take -- COMMAND claims the item for the"
        + " session: if the command fails, zkcli is killed or the session is lost, the item is free again, so it may"
        + " be processed more than once. If the session is lost the command gets SIGTERM, then SIGKILL, and the exit"
        + " code is 9, as with lock.", RecipeOptions.waitersGoOn,
      "A queue takes 2147473646 items in its lifetime. After that put is refused with exit code 6, because names"
        + " would repeat.",
      "The znodes are compatible with Curator's SimpleDistributedQueue and, with --priority,"
        + " DistributedPriorityQueue; claims are under .locks, and waiting consumers under .takers. Consumers of"
        + " Curator and kazoo can use the same queue, but do not respect claims.",
    ],
    examples: [
      .init("queue put /jobs @job.json", "append an item"),
      .init("queue put --priority -1 /jobs 'now'", "an item before all others"),
      .init("queue take --timeout 1m /jobs -- ./work.sh", "removed from the queue if work.sh succeeds"),
    ], writes: true, takesCommand: true,
    usage: "put [--priority N] path data | take [--timeout TIME | --try] path [-- command...] | peek|list|len path")

  private static let group = CommandSpec(
    .recipe(.group), "group", summary: "Join a group, or list its members",
    arguments: [
      ArgumentSpec("action", .choice(["join", "leave", "list", "watch"])), SharedOptions.path,
      ArgumentSpec("name", .word, isOptional: true),
    ],
    options: [
      OptionSpec(.data, value: ("DATA", .data), "with join: the member's data, which others see"),
      OptionSpec(.count, value: ("N", .number), "with watch: end after this many changes"), RecipeOptions.limit,
      RecipeOptions.oneSession,
    ],
    details: [
      "join makes this process a member while the command runs. Without a command it is a member until stdin ends,"
        + " or in a script and in the interactive shell until the session ends. The name defaults to that of the host"
        + " and the process. A name that is taken is a conflict (exit code 4), unless --timeout says how long to wait"
        + " for it. leave removes any member; the command of that member gets SIGTERM, and its exit code is 9.",
      "list prints one line for each member: its name and its data. watch prints joined or left with the name,"
        + " starting with the current members; a member that joins and leaves quickly may be missing.",
      "A member that is killed, or stopped for longer than its session timeout, leaves when that has passed. If the"
        + " session is lost the command of join gets SIGTERM, then SIGKILL, and the exit code is 9, as with lock. Not"
        + " affected by clock changes.", RecipeOptions.waitersGoOn,
      "The znodes are compatible with Curator's GroupMember.",
    ],
    examples: [
      .init("group join /web $HOSTNAME --data 10.0.0.7:80 -- ./serve", "a member while ./serve runs"),
      .init("group watch -o jsonl /web", "a stream of joins and leaves"),
    ], writes: true, takesCommand: true,
    usage: "join [--data DATA] [--timeout TIME] path [name] [-- command...] | leave path name | list|watch path")

  private static let rendezvous = CommandSpec(
    .recipe(.rendezvous), "rendezvous", summary: "Leave data at a path, or wait for data from another process",
    arguments: [
      ArgumentSpec("action", .choice(["put", "get"])), SharedOptions.path,
      ArgumentSpec("data", .data, isOptional: true),
    ],
    options: [RecipeOptions.limit, RecipeOptions.oneSession],
    details: [
      "put leaves the data until the znode is deleted. With a command, the data is there while the command runs, and"
        + " it is a conflict (exit code 4) if there already is some. get waits for data and prints it.",
      "Without a command nothing depends on the session. With a command, a lost session removes the data, the"
        + " command gets SIGTERM, then SIGKILL, and the exit code is 9, as with lock; after kill -9 the data stays"
        + " for the session timeout. Not affected by clock changes. get continues with a new session if its own is"
        + " lost, with a warning; with --one-session it ends with exit code 9 instead.",
    ],
    examples: [
      .init("rendezvous put /job7/master $HOSTNAME:7077 -- ./master", "the address is known while the master runs"),
      .init("rendezvous get --timeout 1m /job7/master", "workers wait for the address"),
    ], writes: true, takesCommand: true, usage: "put path data [-- command...] | get [--timeout TIME] path")

  private static let counter = CommandSpec(
    .recipe(.counter), "counter", summary: "Share a counter with other processes",
    arguments: [
      ArgumentSpec("action", .choice(["get", "add", "set"])), SharedOptions.path,
      ArgumentSpec("number", .number, isOptional: true),
    ],
    options: [
      OptionSpec(
        .format, value: ("FORMAT", .choice(["long", "int", "text"])),
        "how the number is stored (default: as it already is, and long for a new counter)")
    ],
    details: [
      "Prints the number, which is 0 if there is no znode yet. add adds 1 or the given number; put -- before a"
        + " negative number.",
      "Each add is applied exactly once, even if the connection is lost: it is retried with the version that was"
        + " read, with growing pauses, and a marker in the same transaction shows the outcome of an attempt without a"
        + " reply. If the session is lost meanwhile (exit code 9) or zkcli is killed, the outcome is unknown. Not"
        + " affected by clock changes.",
      "long is compatible with Curator's DistributedAtomicLong, int with its SharedCount, and text with kazoo's"
        + " Counter.",
    ],
    examples: [
      .init("counter add /hits", "add 1"), .init("counter add /hits -- -5", "subtract 5"),
      .init("counter get /hits", "print the number"),
    ], writes: true, usage: "get path | add [--format FORMAT] path [number] | set [--format FORMAT] path number")

  private static let id = CommandSpec(
    .recipe(.id), "id", summary: "Get a number that no other process gets",
    arguments: [ArgumentSpec("action", .choice(["next"])), SharedOptions.path],
    details: [
      "Prints the next number, starting from 0. Numbers increase and are never given out twice; one may be skipped"
        + " if a process is killed or loses its session. They are the sequence numbers of znodes that are deleted"
        + " again: numbering restarts if the path is deleted, and ends with 2147483646 (then the exit code is 6),"
        + " because servers repeat the number after that. Not affected by clock changes."
    ],
    examples: [.init("id next /ids/order", "0, then 1, then 2")], writes: true)

  private static let commit = CommandSpec(
    .recipe(.commit), "commit", summary: "Decide together whether all processes do something, or none",
    arguments: [
      ArgumentSpec("action", .choice(["propose", "vote", "status"])), SharedOptions.path,
      ArgumentSpec("name|data", .data, isOptional: true),
      ArgumentSpec("vote", .choice(["commit", "abort"]), isOptional: true),
    ],
    options: [
      OptionSpec(
        .participants, value: ("NAMES", .word),
        "with propose: the participants that must vote, separated by commas"),
      OptionSpec(.tryOnce, "with vote: do not wait for the proposal or the decision"), RecipeOptions.limit,
      RecipeOptions.oneSession,
    ],
    details: [
      "propose creates the transaction with the given data, waits for the votes and decides: commit if all"
        + " participants vote for it, abort as soon as one votes against it or the timeout passes. vote waits for the"
        + " proposal, casts a participant's vote and waits for the decision, all within --timeout. status prints the"
        + " decision and all votes; wait, watch and get on the path show the decision too. All actions print the"
        + " decision; the exit code is 0 for commit, 1 for abort, and 8 if there is no decision yet or the timeout"
        + " caused the abort.",
      "Decisions and votes are final. If the coordinator is killed or loses its session, running propose again takes"
        + " over with the votes already cast. A participant that has voted for commit must not act before the"
        + " decision, and must ask status after a restart. The znodes stay until they are deleted. Not affected by"
        + " clock changes, only by the length of --timeout. A session that is lost while waiting is replaced by a new"
        + " one, with a warning; with --one-session the wait ends with exit code 9 instead.",
    ],
    examples: [
      .init("commit propose --participants a,b --timeout 1m /tx/17 'drop table x'", "the coordinator"),
      .init("commit vote /tx/17 a commit", "a participant"), .init("commit status /tx/17", "any process"),
    ], writes: true,
    usage: "propose --participants NAMES [--timeout TIME] path data | vote [--try | --timeout TIME] path name"
      + " commit|abort | status path")
}
