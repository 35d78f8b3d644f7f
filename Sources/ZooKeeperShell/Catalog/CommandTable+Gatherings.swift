extension CommandTable {
  static let gatherings: [CommandSpec] = [barrier, queue, group, rendezvous, counter, id, commit]

  private static let barrier = CommandSpec(
    .recipe(.barrier), "barrier", summary: "Wait for a gate to open, or for others to begin and end together",
    arguments: [
      ArgumentSpec("action", .choice(["wait", "set", "clear", "enter", "leave", "run"])), SharedOptions.path,
    ],
    options: [
      OptionSpec(.count, value: ("N", .number), "how many take part"), RecipeOptions.limit, RecipeOptions.oneSession,
    ],
    details: [
      "set closes the gate for all who wait, and clear opens it; it outlives the process that set it. wait returns when"
        + " it is open.",
      "run waits until N have entered, runs the command, and waits until all have left; the exit code is the command's."
        + " enter and leave are its halves: in a script and in the interactive shell the entry lasts until leave, or as"
        + " long as the session; a single enter prints its entry, stays inside until stdin ends, and then leaves."
        + " --timeout limits each wait: exit code 8. Who waits to enter and gives up is outside again; who waits to"
        + " leave is outside in any case.",
      "One that is killed or loses its session counts as having left. While its command runs, a lost session ends the"
        + " command and gives exit code 9, as with lock. Stopping and setting the clock have no other effect.",
      RecipeOptions.waitersGoOn,
      "The znodes are those of Curator's DistributedBarrier and DistributedDoubleBarrier.",
    ],
    examples: [
      .init("barrier set /gates/import", "from now on everybody waits"),
      .init("barrier wait --timeout 1h /gates/import", "until barrier clear /gates/import"),
      .init("barrier run --count 3 /rounds/1 -- ./compute.sh", "three begin together and end together"),
    ], writes: true, takesCommand: true,
    usage: "wait|set|clear [--timeout TIME] path | enter|leave|run --count N [--timeout TIME] path [-- command...]")

  private static let queue = CommandSpec(
    .recipe(.queue), "queue", summary: "Put items into a queue and take them out, each once",
    arguments: [
      ArgumentSpec("action", .choice(["put", "take", "peek", "list", "len"])), SharedOptions.path,
      ArgumentSpec("data", .data, isOptional: true),
    ],
    options: [
      OptionSpec(.priority, value: ("N", .number), "with put: lower numbers come out first (default 0)"),
      OptionSpec(.tryOnce, "with take: do not wait for an item"), RecipeOptions.limit, RecipeOptions.oneSession,
    ],
    details: [
      "put prints the znode of the item; - as data is stdin, @FILE a file. take waits for an item and prints its data;"
        + " with a command, the item is the command's stdin, ZKCLI_ITEM_PATH names it, and it leaves the queue only"
        + " when the command succeeds. peek prints the first item that is free, and exits with 1 when there is none;"
        + " list has a line for each item: free or claimed, priority, znode, data; len counts them.",
      "No item is taken twice, or put in twice, when a connection is lost. take without a command takes the item out"
        + " and then prints it: killed in between, it is lost. take -- COMMAND claims it for the session: when the"
        + " command fails, or zkcli is killed, or its session lost, the item is free again, so that it may be worked on"
        + " more than once. When the session is lost the command gets TERM, then KILL, and the exit code is 9, as with"
        + " lock.", RecipeOptions.waitersGoOn,
      "A queue takes 2147473646 items: put then refuses (exit code 6), before a name would be given twice.",
      "The znodes are those of Curator's SimpleDistributedQueue and, with --priority, DistributedPriorityQueue; claims"
        + " are under .locks, those who wait under .takers. Consumers of Curator's and kazoo's may take from the same"
        + " queue, but do not respect claims.",
    ],
    examples: [
      .init("queue put /jobs @job.json", "at the end"),
      .init("queue put --priority -1 /jobs 'now'", "before all others"),
      .init("queue take --timeout 1m /jobs -- ./work.sh", "out of the queue if work.sh succeeds"),
    ], writes: true, takesCommand: true,
    usage: "put [--priority N] path data | take [--timeout TIME | --try] path [-- command...] | peek|list|len path")

  private static let group = CommandSpec(
    .recipe(.group), "group", summary: "Be a member of a group, or see who is",
    arguments: [
      ArgumentSpec("action", .choice(["join", "leave", "list", "watch"])), SharedOptions.path,
      ArgumentSpec("name", .word, isOptional: true),
    ],
    options: [
      OptionSpec(.data, value: ("DATA", .data), "with join: what others see of the member"),
      OptionSpec(.count, value: ("N", .number), "with watch: end after so many changes"), RecipeOptions.limit,
      RecipeOptions.oneSession,
    ],
    details: [
      "join makes this process a member while the command runs, or without one until stdin ends, or in a script and in"
        + " the interactive shell until the session does. The name is by default that of the machine and the process. A"
        + " name that is taken is a conflict (exit code 4), or is waited for with --timeout. leave takes a member out,"
        + " whoever it is; its command gets TERM and exit code 9.",
      "list has a line for each member: its name, and its data. watch prints joined and left with the name, at first"
        + " for those who are there; members that come and go between two looks may be missing.",
      "A member that is killed, or stopped for longer than its session timeout, leaves when that has passed. When the"
        + " session is lost the command of join gets TERM, then KILL, and the exit code is 9, as with lock. Setting the"
        + " clock changes nothing.", RecipeOptions.waitersGoOn,
      "The znodes are those of Curator's GroupMember.",
    ],
    examples: [
      .init("group join /web $HOSTNAME --data 10.0.0.7:80 -- ./serve", "a member while it serves"),
      .init("group watch -o jsonl /web", "a stream of who comes and goes"),
    ], writes: true, takesCommand: true,
    usage: "join [--data DATA] [--timeout TIME] path [name] [-- command...] | leave path name | list|watch path")

  private static let rendezvous = CommandSpec(
    .recipe(.rendezvous), "rendezvous", summary: "Leave something at a path, or wait for what another leaves",
    arguments: [
      ArgumentSpec("action", .choice(["put", "get"])), SharedOptions.path,
      ArgumentSpec("data", .data, isOptional: true),
    ],
    options: [RecipeOptions.limit, RecipeOptions.oneSession],
    details: [
      "put leaves the data until somebody deletes the znode, or with a command while that runs: then nobody may have"
        + " left something before (exit code 4). get waits for data and prints it.",
      "Without a command nothing depends on the session. With one, a lost session takes the data away, the command gets"
        + " TERM, then KILL, and the exit code is 9, as with lock; after kill -9 it stays for the session timeout."
        + " Setting the clock changes nothing. get goes on with a new session when its own is lost, with a warning, or"
        + " with --one-session ends with exit code 9.",
    ],
    examples: [
      .init("rendezvous put /job7/master $HOSTNAME:7077 -- ./master", "known while it runs"),
      .init("rendezvous get --timeout 1m /job7/master", "the workers wait for it"),
    ], writes: true, takesCommand: true, usage: "put path data [-- command...] | get [--timeout TIME] path")

  private static let counter = CommandSpec(
    .recipe(.counter), "counter", summary: "Count up and down together with others",
    arguments: [
      ArgumentSpec("action", .choice(["get", "add", "set"])), SharedOptions.path,
      ArgumentSpec("number", .number, isOptional: true),
    ],
    options: [
      OptionSpec(
        .format, value: ("FORMAT", .choice(["long", "int", "text"])),
        "how the number is written (default: as it is, and long for a new one)")
    ],
    details: [
      "Prints the number, which is 0 where there is no znode yet. add adds 1, or the number given: write -- before a"
        + " negative one.",
      "Each add counts once, also when a connection is lost: it is tried again with the version that was read, after a"
        + " pause that grows, and a mark in the same transaction tells what became of one without an answer. When the"
        + " session is lost meanwhile (exit code 9), or zkcli killed, it may have counted or not. Clocks do not"
        + " matter.",
      "long is Curator's DistributedAtomicLong, int its SharedCount, text kazoo's Counter.",
    ],
    examples: [
      .init("counter add /hits", "one more"), .init("counter add /hits -- -5", "five less"),
      .init("counter get /hits", "how many"),
    ], writes: true, usage: "get path | add [--format FORMAT] path [number] | set [--format FORMAT] path number")

  private static let id = CommandSpec(
    .recipe(.id), "id", summary: "Give out a number that nobody else gets",
    arguments: [ArgumentSpec("action", .choice(["next"])), SharedOptions.path],
    details: [
      "Prints the next number, from 0. Numbers rise; one is skipped when a process is killed or loses its session in"
        + " between, and none is given out twice. They are the sequence numbers of znodes, which are taken away again:"
        + " the count begins anew when the path is deleted, and ends with 2147483646 (then exit code 6), for servers"
        + " give the number behind that again and again. Clocks do not matter."
    ],
    examples: [.init("id next /ids/order", "0, then 1, then 2")], writes: true)

  private static let commit = CommandSpec(
    .recipe(.commit), "commit", summary: "Decide together whether something is done, or not done by anybody",
    arguments: [
      ArgumentSpec("action", .choice(["propose", "vote", "status"])), SharedOptions.path,
      ArgumentSpec("name|data", .data, isOptional: true),
      ArgumentSpec("vote", .choice(["commit", "abort"]), isOptional: true),
    ],
    options: [
      OptionSpec(.participants, value: ("NAMES", .word), "with propose: all who must vote, with commas between"),
      OptionSpec(.tryOnce, "with vote: wait neither for the proposal nor for the decision"), RecipeOptions.limit,
      RecipeOptions.oneSession,
    ],
    details: [
      "propose creates the transaction, its data what is proposed, waits for the votes and decides: commit when all"
        + " have voted for it, abort as soon as one votes against, or the time is up. vote waits for the proposal,"
        + " writes a participant's vote and waits for the decision, all within --timeout. status tells what is decided"
        + " and who has voted what; its data is what wait, watch and get see of the path. All print the decision and"
        + " exit with 0 for commit, 1 for abort, and 8 for none yet or for an abort because the time was up.",
      "A decision is made once and stands; votes cannot be changed. When the coordinator is killed or loses its"
        + " session, propose again takes over, with the votes that are there. A participant that has voted for commit"
        + " must not act before the decision, and asks status after a restart. The znodes stay until they are deleted."
        + " Clocks do not matter, only the length of --timeout. A session that is lost while it waits is replaced by a"
        + " new one, with a warning; with --one-session that ends the wait with exit code 9.",
    ],
    examples: [
      .init("commit propose --participants a,b --timeout 1m /tx/17 'drop table x'", "the coordinator"),
      .init("commit vote /tx/17 a commit", "a participant"), .init("commit status /tx/17", "anybody"),
    ], writes: true,
    usage: "propose --participants NAMES [--timeout TIME] path data | vote [--try | --timeout TIME] path name"
      + " commit|abort | status path")
}
